"""`train-embedder`: InfoNCE over batches that mostly hold pairs of one source, so that in-batch negatives are of the
same domain, plus mined hard negatives where a file of them is given."""

import random
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from askbase_training.dataset import (
    OTHERS,
    PASSAGE_TOKENS,
    QUERY_TOKENS,
    Bags,
    PairSet,
    by_source,
    encode_texts,
    load_pairs,
)
from askbase_training.embedder import StaticEmbedder, TableEmbedder
from askbase_training.jsonl import read_jsonl
from askbase_training.losses import info_nce
from askbase_training.metrics import summarise
from askbase_training.tokenizer import class_names
from askbase_training.training_loop import Schedule, seed_everything, train

# How often a source is drawn, relative to its size.
WEIGHTS = {"question": 3.0, "heading": 1.0, "translation": 0.6, "dictionary": 0.35, "cloze": 0.7}
_VALIDATION_QUERIES = 200


class Batches:
    """Step number → positions of the pairs of that step's batch."""

    def __init__(self, pairs: PairSet, size: int, seed: int):
        pools: dict[str, list[int]] = {}
        for position, source in enumerate(pairs.sources):
            pools.setdefault(source, []).append(position)
        self._pools = list(pools.values())
        self._odds = [len(pool) * WEIGHTS[pairs.kinds[pool[0]]] for pool in self._pools]
        self._size = size
        self._seed = seed

    def at(self, step: int) -> list[int]:
        rng = random.Random(self._seed * 1_000_003 + step)
        mixed = rng.random() < 0.3
        pools = rng.choices(self._pools, self._odds, k=8 if mixed else 1)
        chosen: list[int] = []
        for pool in pools:
            share = self._size // len(pools)
            chosen += rng.sample(pool, min(share, len(pool)))
        return chosen


def frequencies(bags: Bags, classes: np.ndarray) -> np.ndarray:
    counts = np.bincount(classes[bags.flat], minlength=classes.max() + 1).astype(np.float64)
    return counts / counts.sum()


def train_embedder(
    work: Path,
    tokenizer_folder: Path,
    out: Path,
    schedule: Schedule,
    batch: int = 512,
    negatives: Path | None = None,
    part: str | None = None,
) -> dict[str, float]:
    seed_everything(schedule.seed)
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    classes = np.load(tokenizer_folder / "classes.npy")
    training, validation = load_pairs(work, cloze=40_000, part=part)
    queries = encode_texts(tokenizer, training.queries, QUERY_TOKENS)
    passages = encode_texts(tokenizer, training.passages, PASSAGE_TOKENS)
    model = StaticEmbedder(class_names(tokenizer, classes), frequencies(passages, classes))
    hard = _hard_negatives(training, negatives) if negatives else {}
    batches = Batches(training, batch, schedule.seed)
    groups = np.array([hash(group) for group in training.groups])
    validate = _validator(model, tokenizer, classes, training, validation, passages)

    def bag_vectors(table: Tensor, bags: Bags, positions: list[int]) -> Tensor:
        flat, offsets = bags.gather(positions)
        return model(table, torch.from_numpy(classes[flat].astype(np.int64)), torch.from_numpy(offsets))

    def loss_of(step: int) -> Tensor:
        chosen = batches.at(step)
        rng = random.Random(step)
        own = [int(training.passage_of[i]) for i in chosen]
        extra = [rng.choice(hard[i]) for i in chosen if hard.get(i)]
        table = model.table()
        same = torch.from_numpy(
            np.concatenate(
                [
                    groups[chosen][:, None] == groups[chosen][None, :],
                    np.array(own)[:, None] == np.array(extra, dtype=np.int64)[None, :],
                ],
                axis=1,
            )
        )
        return info_nce(bag_vectors(table, queries, chosen), bag_vectors(table, passages, own + extra), 0.05, same)

    best = train(model, loss_of, validate, out, schedule)
    np.save(out / "table.npy", model.folded().numpy())
    return best


def _hard_negatives(pairs: PairSet, path: Path) -> dict[int, list[int]]:
    """Mined negatives by pair position; the file names passages by their text."""
    passage_position = {text: position for position, text in enumerate(pairs.passages)}
    pair_position = {
        (query, pairs.passages[passage]): position
        for position, (query, passage) in enumerate(zip(pairs.queries, pairs.passage_of))
    }
    hard: dict[int, list[int]] = {}
    for triple in read_jsonl(path):
        position = pair_position.get((triple["query"], triple["positive"]))
        known = [passage_position[text] for text in triple["negatives"] if text in passage_position]
        if position is not None and known:
            hard[position] = known
    return hard


def _validator(
    model: StaticEmbedder,
    tokenizer: Tokenizer,
    classes: np.ndarray,
    training: PairSet,
    validation: PairSet,
    training_bags: Bags,
):
    """Retrieval among the passages of a source, for held-out questions and headings of each source."""
    rng = random.Random(3)
    suites = []
    judged = [i for i, kind in enumerate(validation.kinds) if kind in ("question", "heading", "translation")]
    for source, positions in by_source([validation.sources[i] for i in judged]).items():
        positions = [judged[at] for at in rng.sample(positions, min(_VALIDATION_QUERIES, len(positions)))]
        pool = [i for i, name in enumerate(training.passage_sources) if source in (name, OTHERS)][:5000]
        suites.append(
            (
                source,
                encode_texts(tokenizer, [validation.queries[i] for i in positions], QUERY_TOKENS),
                encode_texts(
                    tokenizer, [validation.passages[validation.passage_of[i]] for i in positions], PASSAGE_TOKENS
                ),
                Bags([training_bags[i] for i in pool]),
            )
        )

    def validate() -> dict[str, float]:
        embedder = TableEmbedder(model.folded().numpy(), classes)
        results = {}
        for source, queries, own, pool in suites:
            vectors = np.concatenate([embedder.embed(own), embedder.embed(pool)])
            scores = embedder.embed(queries) @ vectors.T
            ranked = np.argsort(-scores, axis=1)[:, :10]
            runs = {str(i): [str(p) for p in row] for i, row in enumerate(ranked)}
            results[source] = summarise(runs, {str(i): {str(i): 1} for i in range(len(queries))})["ndcg@10"]
        mean = round(float(np.mean(list(results.values()))), 4)
        return {"ndcg@10": mean, **{f"ndcg@10/{source}": value for source, value in results.items()}}

    return validate
