"""Does training text share long stretches with an evaluation set? Counted by n-grams over folded units
(one Han character or one Latin word or number each)."""

import functools
import re
from collections.abc import Iterable

from askbase_training.text import simplified

SHINGLE_UNITS = 13
_UNIT = re.compile(r"[\u3400-\u9fff]|[a-z0-9]+")


def units(text: str) -> list[str]:
    return _UNIT.findall(simplified(text).lower())


def shingles(text: str, size: int = SHINGLE_UNITS) -> set[int]:
    """Hashes of all runs of `size` units; a shorter text has none."""
    words = units(text)
    return {hash(tuple(words[at : at + size])) for at in range(len(words) - size + 1)}


class OverlapIndex:
    """Shingles of everything that must not be trained on."""

    def __init__(self, passages: Iterable[str], questions: Iterable[str], size: int = SHINGLE_UNITS):
        self._size = size
        self._shingles: set[int] = set()
        for passage in passages:
            self._shingles |= shingles(passage, size)
        self._shared_of = functools.lru_cache(maxsize=4096)(self._count_shared)  # a passage comes once a question
        self._questions = {tuple(units(question)) for question in questions}

    def shared(self, text: str) -> int:
        """How many of the text's shingles stand in an evaluation passage."""
        return self._shared_of(text)

    def _count_shared(self, text: str) -> int:
        return len(shingles(text, self._size) & self._shingles)

    def share(self, text: str) -> float:
        """The part of the text's shingles that stands in an evaluation passage, 0 to 1."""
        own = shingles(text, self._size)
        return len(own & self._shingles) / len(own) if own else 0.0

    def is_question(self, text: str) -> bool:
        """Whether the text is, unit for unit, an evaluation question."""
        return tuple(units(text)) in self._questions
