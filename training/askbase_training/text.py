"""Text: Han detection, sentences, Markdown to plain text, traditional to simplified."""

import functools
import re
import unicodedata

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_SENTENCE_END = re.compile(r"(?<=[。！？；!?])|(?<=[.])\s+(?=[A-Z\"'(])|\n+")
_SPACE = re.compile(r"[ \t\u00a0\u3000]+")


def is_chinese(text: str) -> bool:
    return len(HAN.findall(text)) * 4 >= len(text.replace(" ", "")) > 0


def squeeze(text: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()


def sentences(text: str) -> list[str]:
    return [part.strip() for part in _SENTENCE_END.split(text) if part and part.strip()]


@functools.cache
def _folding() -> dict[int, str]:
    import opencc

    convert = opencc.OpenCC("t2s").convert
    characters = map(chr, range(0x3400, 0xA000))
    return {ord(char): folded for char in characters if len(folded := convert(char)) == 1 and folded != char}


def simplified(text: str) -> str:
    """Traditional characters replaced, one by one, by their simplified forms."""
    return text.translate(_folding())


def window_around(text: str, start: int, size: int) -> str:
    """Whole sentences around the character offset `start`, about `size` characters long."""
    if len(text) <= size:
        return text
    parts, offset, spans = sentences(text), 0, []
    for part in parts:
        at = text.find(part, offset)
        spans.append((at, at + len(part)))
        offset = at + len(part)
    first = last = next((i for i, (a, b) in enumerate(spans) if b > start), len(spans) - 1)
    while spans[last][1] - spans[first][0] < size and (first > 0 or last < len(spans) - 1):
        if first > 0:
            first -= 1
        if last < len(spans) - 1:
            last += 1
    return text[spans[first][0] : spans[last][1]]


_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.S)
_FENCE = re.compile(r"^\s*(```|~~~).*?^\s*\1\s*$", re.S | re.M)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_TAG = re.compile(r"</?[a-zA-Z][^>\n]*>|\{[%{#].*?[%}#]\}|:::\S*|\{#[^}]*\}")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)|\[([^\]]*)\]\[[^\]]*\]")
_MARKS = re.compile(r"[*_`]{1,3}|^\s{0,3}>\s?|^\s*[-+*]\s+|^\s*\d+\.\s+|^\s*\|?[-:| ]{4,}\|?\s*$", re.M)
_HEADING = re.compile(r"^(#{1,5})\s+(.+?)\s*#*\s*$", re.M)
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.M)


def plain_markdown(text: str) -> str:
    for pattern, replacement in ((_IMAGE, ""), (_LINK, r"\1\2"), (_TAG, " "), (_MARKS, "")):
        text = pattern.sub(replacement, text)
    return re.sub(r"\n{3,}", "\n\n", text.replace("|", " ")).strip()


def markdown_sections(source: str) -> list[tuple[str, str, str]]:
    """`(title of the page, heading, plain text under it)` for each section of a Markdown page."""
    front = _FRONT_MATTER.match(source)
    title_match = _TITLE.search(front.group(0)) if front else None
    source = _COMMENT.sub("", _FENCE.sub("", _FRONT_MATTER.sub("", source)))
    headings = list(_HEADING.finditer(source))
    title = title_match.group(1) if title_match else (headings[0].group(2) if headings else "")
    title = plain_markdown(title)
    sections = []
    opening = source[: headings[0].start()] if headings else source
    if opening.strip():
        sections.append((title, title, plain_markdown(opening)))
    for heading, following in zip(headings, headings[1:] + [None]):
        body = source[heading.end() : following.start() if following else len(source)]
        sections.append((title, plain_markdown(heading.group(2)), plain_markdown(body)))
    return sections


def markdown_blocks(source: str) -> list[str]:
    """The paragraphs, headings and list items of a page, in order, as plain text."""
    source = _COMMENT.sub("", _FENCE.sub("", _FRONT_MATTER.sub("", source)))
    source = re.sub(r"^(#+ |\s*[-+*] )", r"\n\1", source, flags=re.M)
    blocks = (plain_markdown(block.lstrip("# ")) for block in re.split(r"\n\s*\n", source))
    return [block for block in blocks if block]
