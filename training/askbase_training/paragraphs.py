"""Running text cut into paragraphs of about one size: long ones split at sentence ends, short neighbours joined."""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from askbase_training.text import HAN

_INVISIBLE = re.compile(r"[\x00-\x08\u200b-\u200d\u2060\ufeff\u00ad]")
_AFTER_SENTENCE = re.compile(r"(?<=[。！？；])(?![。！？；”’」』）])|(?<=[.!?] )|(?<=[.!?][”\"’)] )")


@dataclass(frozen=True)
class Size:
    """In characters. A paragraph that reaches `enough` is not joined with the next."""

    shortest: int
    enough: int
    longest: int
    prose: float  # the least share of letters (English, with spaces) or Han characters (Chinese)


SIZES = {"en": Size(150, 150, 1500, 0.85), "zh": Size(50, 250, 500, 0.45)}


def collapse(text: str) -> str:
    """One line without entities, invisible characters, runs of space, and punctuation that a removed formula left at
    its start."""
    return " ".join(_INVISIBLE.sub("", html.unescape(text)).split()).lstrip(" ,.;:)。，；：、）")


def paragraphs(blocks: Iterable[str], language: str) -> Iterator[str]:
    """The blocks of one section, in order. What is mostly figures or code is left out, and so is what stays shorter
    than a paragraph."""
    size = SIZES[language]
    pending = ""
    for piece in (piece for block in blocks for piece in _pieces(collapse(block), size.longest)):
        if not _is_prose(piece, language):
            continue
        joined = _joined(pending, piece, language)
        if len(joined) > size.longest:
            if len(pending) >= size.shortest:
                yield pending
            joined = piece
        pending = joined
        if len(pending) >= size.enough:
            yield pending
            pending = ""
    if len(pending) >= size.shortest:
        yield pending


def _pieces(block: str, longest: int) -> Iterator[str]:
    """Whole sentences, together no longer than `longest`; a longer sentence is left out."""
    if len(block) <= longest:
        yield block
        return
    piece = ""
    for sentence in _AFTER_SENTENCE.split(block):
        if piece and len(piece) + len(sentence) > longest:
            yield piece.strip()
            piece = ""
        if len(sentence) <= longest:
            piece += sentence
    yield piece.strip()


def _joined(first: str, second: str, language: str) -> str:
    close = language == "zh" and first and not first[-1].isalnum()
    return (first + second) if close else f"{first} {second}".strip()


def _is_prose(text: str, language: str) -> bool:
    found = len(HAN.findall(text)) if language == "zh" else sum(char.isalpha() or char == " " for char in text)
    return found >= SIZES[language].prose * len(text) > 0
