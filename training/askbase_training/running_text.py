"""Running text as questions nobody asked: a sentence, shortened, blanked or cut down to its rare words, asks for the
paragraph it stands in. From them the transformer learns what belongs together before it sees a question of a person."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from askbase_training.dataset import Bags, encode_texts
from askbase_training.jsonl import read_jsonl
from askbase_training.reranker import inverse_document_frequencies

PARAGRAPH_TOKENS = 220
_SENTENCE_TOKENS = 6  # shorter ones say too little to ask for
_NEIGHBOURS = 3
_REACH = 6  # paragraphs of the same document that count as neighbours, to either side
_MANY = 60  # longer documents are drawn no more often than one of so many paragraphs
_ENDS = ".。!?;"
_ASKING = {
    "en": {
        "number": ("when", "how many", "what year", "how much", "in what year", "how long"),
        "other": ("what", "what", "who", "who", "which", "where", "what is", "why", "how"),
    },
    "zh": {
        "number": ("多少", "哪一年", "几", "什么时候", "何时", "多久"),
        "other": ("什么", "谁", "哪里", "哪个", "什么", "何", "怎么", "哪", "为什么", "如何"),
    },
}
_DIGITS = set("0123456789一二三四五六七八九十百千万")


class RunningText:
    """The paragraphs of `texts.jsonl`, in the order of their documents (`group`)."""

    def __init__(self, work: Path, tokenizer: Tokenizer, classes: np.ndarray):
        """`classes`: of each token; `idf` says how rare each class is in this text, 0 to 1."""
        records = [record for record in read_jsonl(work / "texts.jsonl") if record["kind"] == "text"]
        self.paragraphs: Bags = encode_texts(tokenizer, [record["text"] for record in records], PARAGRAPH_TOKENS)
        self._chinese = [record["language"] == "zh" for record in records]
        names = [(record["source"], record["group"]) for record in records]
        starts = [at for at in range(len(names)) if at == 0 or names[at] != names[at - 1]]
        self._documents = list(zip(starts, [*starts[1:], len(names)]))
        self._by_language = {
            chinese: [document for document in self._documents if self._chinese[document[0]] == chinese]
            for chinese in (False, True)
        }
        self._odds = {
            chinese: [min(end - start, _MANY) * (end - start > 2) for start, end in documents]
            for chinese, documents in self._by_language.items()
        }
        self.idf = inverse_document_frequencies(self.paragraphs, classes)
        self._rarity = self.idf[classes]
        self._ends = sentence_ends(tokenizer, len(classes))
        self._number = _marked(tokenizer, len(classes), lambda token: bool(token) and set(token) <= _DIGITS)
        self._asking = {
            language: {
                kind: [np.array(tokenizer.encode(word, add_special_tokens=False).ids, np.int32) for word in words]
                for kind, words in kinds.items()
            }
            for language, kinds in _ASKING.items()
        }
        self._languages = [chinese for chinese, odds in self._odds.items() if sum(odds)]
        if not self._languages:
            raise ValueError(f"{work / 'texts.jsonl'} has no document of three paragraphs or more")

    def group(self, rng: random.Random, passages: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """A question and `passages` passages, the relevant one first: the paragraph that the sentence stands in, or what
        is left of it without the sentence; then neighbours, the same paragraph without the sentence, and paragraphs of
        other documents. Both languages are drawn equally often."""
        while True:
            chinese = rng.choice(self._languages)
            start, end = rng.choices(self._by_language[chinese], self._odds[chinese])[0]
            at = rng.randrange(start, end)
            paragraph = self.paragraphs[at]
            sentences = self.sentences(paragraph)
            if len(sentences) > 1:
                break
        first, last = rng.choice(sentences)
        sentence = paragraph[first:last]
        question = self._question(sentence, chinese, rng)
        if not len(question):
            question = sentence
        rest = np.concatenate([paragraph[:first], paragraph[last:]])
        found = [paragraph if rng.random() < 0.6 else rest]
        if found[0] is paragraph and rng.random() < 0.5:
            found.append(rest)
        around = [near for near in range(max(start, at - _REACH), min(end, at + _REACH + 1)) if near != at]
        found += [self.paragraphs[near] for near in rng.sample(around, min(_NEIGHBOURS, len(around)))]
        others = self._by_language[chinese]
        while len(found) < passages:
            other = rng.choice(others)
            if other != (start, end) or len(others) == 1:
                found.append(self.paragraphs[rng.randrange(*other)])
        return question, found[:passages]

    def sentences(self, tokens: np.ndarray) -> list[tuple[int, int]]:
        return split_sentences(tokens, self._ends)

    def _question(self, sentence: np.ndarray, chinese: bool, rng: random.Random) -> np.ndarray:
        words = sentence[~self._ends[sentence]]
        if not len(words):
            return words
        asking = self._asking["zh" if chinese else "en"]
        way = rng.random()
        if way < 0.4:
            return self._blanked(words, asking, chinese, rng)
        if way < 0.65:
            return _without_some(words, 0.1 + 0.5 * rng.random(), rng)
        if way < 0.85:
            noise = np.array([rng.random() for _ in words])
            kept = np.sort(np.argsort(-(self._rarity[words] + 0.3 * noise))[: rng.randint(3, 7)])
            return _asked(words[kept], rng.choice(asking["other"]), chinese) if rng.random() < 0.3 else words[kept]
        return words

    def _blanked(self, words: np.ndarray, asking: dict, chinese: bool, rng: random.Random) -> np.ndarray:
        """One to three words gone, and asked for: numbers by "when" or "how many", others by "who" or "what". Chinese
        asks where the words stood, English at the front."""
        numbers = np.flatnonzero(self._number[words])
        if len(numbers) and rng.random() < 0.6:
            at, asked = int(rng.choice(numbers)), rng.choice(asking["number"])
        else:
            at = rng.choices(range(len(words)), (self._rarity[words] + 1e-3).tolist())[0]
            asked = rng.choice(asking["other"])
        share = 0.5 * rng.random()
        before = _without_some(words[:at], share, rng)
        after = _without_some(words[at + rng.choice((1, 1, 2, 3)) :], share, rng)
        return np.concatenate([before, asked, after] if chinese else [asked, before, after])


def split_sentences(tokens: np.ndarray, ends: np.ndarray) -> list[tuple[int, int]]:
    """Where sentences begin and end; `ends` is true for tokens that end one."""
    cuts = [0, *(np.flatnonzero(ends[tokens]) + 1).tolist(), len(tokens)]
    return [(first, last) for first, last in zip(cuts, cuts[1:]) if last - first >= _SENTENCE_TOKENS]


def sentence_ends(tokenizer: Tokenizer, size: int) -> np.ndarray:
    return _marked(tokenizer, size, lambda token: token in _ENDS)


def _marked(tokenizer: Tokenizer, size: int, belongs: Callable[[str], bool]) -> np.ndarray:
    marked = np.zeros(size, bool)
    marked[[number for token, number in tokenizer.get_vocab().items() if belongs(token)]] = True
    return marked


def _without_some(words: np.ndarray, share: float, rng: random.Random) -> np.ndarray:
    return words[np.array([rng.random() >= share for _ in words], bool)]


def _asked(words: np.ndarray, asked: Sequence[int], chinese: bool) -> np.ndarray:
    return np.concatenate([words, asked] if chinese else [asked, words])
