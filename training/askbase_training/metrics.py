"""Ranking metrics with trec_eval's definitions, for one ranked list and its relevant ids."""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np


def ndcg_at(ranked: Sequence[str], gains: Mapping[str, int], k: int = 10) -> float:
    found = sum(gains.get(passage, 0) / math.log2(rank + 2) for rank, passage in enumerate(ranked[:k]))
    ideal = sorted((gain for gain in gains.values() if gain > 0), reverse=True)[:k]
    best = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(ideal))
    return found / best if best else 0.0


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str], k: int = 10) -> float:
    for rank, passage in enumerate(ranked[:k], start=1):
        if passage in relevant:
            return 1.0 / rank
    return 0.0


def recall_at(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    return len(set(ranked[:k]) & set(relevant)) / len(relevant) if relevant else 0.0


def hit_at_1(ranked: Sequence[str], relevant: Collection[str]) -> float:
    return float(bool(ranked) and ranked[0] in relevant)


def summarise(runs: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Means over all judged queries; a query without a run counts as 0."""
    rows = []
    for query, gains in qrels.items():
        ranked = runs.get(query, [])
        relevant = {passage for passage, gain in gains.items() if gain > 0}
        rows.append(
            (
                ndcg_at(ranked, gains),
                reciprocal_rank(ranked, relevant),
                hit_at_1(ranked, relevant),
                recall_at(ranked, relevant, 10),
                recall_at(ranked, relevant, 50),
            )
        )
    names = ("ndcg@10", "mrr@10", "hit@1", "recall@10", "recall@50")
    means = np.mean(rows, axis=0) if rows else np.zeros(len(names))
    return {name: round(float(value), 4) for name, value in zip(names, means)}


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Mean distance between confidence and frequency over equally filled bins."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [len(part) * abs(probabilities[part].mean() - labels[part].mean()) for part in parts]
    return float(sum(gaps) / len(probabilities))
