"""Prepared pairs as arrays of token ids, with the split into training and validation by passage group."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from askbase_training.jsonl import read_jsonl
from askbase_training.text import sentences

QUERY_TOKENS = 64
PASSAGE_TOKENS = 320
VALIDATION_SHARE = 0.05


class Bags:
    """Many token sequences in one flat array."""

    def __init__(self, sequences: Sequence[Sequence[int]]):
        self.offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
        np.cumsum([len(sequence) for sequence in sequences], out=self.offsets[1:])
        self.flat = np.fromiter((token for sequence in sequences for token in sequence), np.int32, self.offsets[-1])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, position: int) -> np.ndarray:
        return self.flat[self.offsets[position] : self.offsets[position + 1]]

    def gather(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """`(flat ids, offset of each sequence)` as `torch.nn.functional.embedding_bag` takes them."""
        parts = [self[position] for position in positions]
        lengths = np.array([len(part) for part in parts])
        offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        return np.concatenate(parts), offsets


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> Bags:
    """Ids without special tokens, at most `limit` each; an empty text becomes one unknown token."""
    tokenizer.no_truncation()
    encoded = []
    for start in range(0, len(texts), 4096):
        for encoding in tokenizer.encode_batch(list(texts[start : start + 4096]), add_special_tokens=False):
            encoded.append(encoding.ids[:limit] or [1])
    return Bags(encoded)


def is_validation(group: str) -> bool:
    digest = hashlib.sha1(group.encode("utf-8")).digest()
    return digest[0] / 256 < VALIDATION_SHARE


OTHERS = "others"


def by_source(sources: Sequence[str], enough: int = 40) -> dict[str, list[int]]:
    """Positions by source, for validation; sources with too few to say anything are judged together as `others`."""
    found: dict[str, list[int]] = {}
    for position, source in enumerate(sources):
        found.setdefault(source, []).append(position)
    large = {source: positions for source, positions in sorted(found.items()) if len(positions) >= enough}
    rest = sorted(position for source, positions in found.items() if source not in large for position in positions)
    return {**large, OTHERS: rest} if rest else large


def in_part(group: str, part: str | None) -> bool:
    """Whether a paragraph belongs to the half `embedder` or the half `reranker` (always, where `part` is None). An
    embedder knows the pairs it was trained on, so a reranker that looks at its vectors must learn from other pairs."""
    if part is None:
        return True
    first = hashlib.sha1(group.encode("utf-8")).digest()[1] < 128
    return first == (part == "embedder")


@dataclass
class PairSet:
    """Pairs of one or several sources. `passage_of[i]` is the position of pair i's passage in `passages`."""

    queries: list[str]
    passages: list[str]
    passage_of: np.ndarray
    sources: list[str]
    kinds: list[str]
    groups: list[str]
    passage_sources: list[str]

    def __len__(self) -> int:
        return len(self.queries)


def load_pairs(folder: Path, cloze: int = 0, part: str | None = None, seed: int = 7) -> tuple[PairSet, PairSet]:
    """Training and validation pairs; `cloze` sentence → rest-of-paragraph pairs are added to the training part."""
    training, validation = [], []
    for record in read_jsonl(folder / "pairs.jsonl"):
        if record["kind"] == "dictionary":
            training.append(record)
        elif is_validation(record["group"]):
            validation.append(record)
        elif in_part(record["group"], part):
            training.append(record)
    if cloze:
        stories = [entry["text"] for entry in read_jsonl(folder / "texts.jsonl") if entry.get("kind") != "text"]
        training += cloze_pairs(training, stories, cloze, random.Random(seed))
    return _pair_set(training), _pair_set(validation)


def load_all_pairs(folder: Path) -> PairSet:
    return _pair_set(list(read_jsonl(folder / "pairs.jsonl")))


def cloze_pairs(records: list[dict], texts: list[str], count: int, rng: random.Random) -> list[dict]:
    """A sentence, some of its words dropped, as the query; the rest of its paragraph as the passage."""
    passages = {r["positive"]: r for r in records if r["kind"] in ("question", "heading")}
    candidates = [(text, record["group"]) for text, record in passages.items()] + [(text, text[:60]) for text in texts]
    pairs = []
    for text, group in rng.sample(candidates, min(count, len(candidates))):
        parts = sentences(text)
        if len(parts) < 3:
            continue
        chosen = rng.randrange(len(parts))
        rest = parts[:chosen] + parts[chosen + (rng.random() < 0.8) :]
        pairs.append(
            {
                "query": parts[chosen][:200],
                "positive": " ".join(rest),
                "source": "cloze",
                "kind": "cloze",
                "group": group,
            }
        )
    return pairs


def _pair_set(records: list[dict]) -> PairSet:
    positions: dict[str, int] = {}
    passage_sources: list[str] = []
    passage_of = np.zeros(len(records), dtype=np.int64)
    for number, record in enumerate(records):
        if record["positive"] not in positions:
            positions[record["positive"]] = len(positions)
            passage_sources.append(record["source"])
        passage_of[number] = positions[record["positive"]]
    columns = {name: [record[name] for record in records] for name in ("query", "source", "kind", "group")}
    return PairSet(
        columns["query"],
        list(positions),
        passage_of,
        columns["source"],
        columns["kind"],
        columns["group"],
        passage_sources,
    )
