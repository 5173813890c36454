"""`evaluate`: lexical, dense, fused and reranked retrieval on sets in the BEIR layout."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from askbase_training.jsonl import read_jsonl
from askbase_training.lexical import Bm25Index
from askbase_training.metrics import summarise

# The pool of a set is its own corpus and the corpora named here, as distractors.
POOLS = {
    "xquad-zh": ("drcd-dev", "cmrc2018-trial"),
    "xquad-en": ("squad2-dev",),
    "squad2-dev": ("xquad-en",),
    "medical-en": (),
    "medical-zh": (),
}
BRANCH_DEPTH = 100
FUSION_CONSTANT = 60
RERANKED = 50

Embed = Callable[[Sequence[str], str], np.ndarray]
Rerank = Callable[[str, Sequence[str]], np.ndarray]


@dataclass
class RetrievalSet:
    ids: list[str]
    texts: list[str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def load_set(data: Path, name: str, distractors: Sequence[str] | None = None, limit: int | None = None) -> RetrievalSet:
    """`limit` keeps an evenly spread part of the queries."""
    distractors = POOLS.get(name, ()) if distractors is None else distractors
    ids, texts = [], []
    for part in (name, *distractors):
        for entry in read_jsonl(data / part / "corpus.jsonl"):
            ids.append(entry["_id"])
            texts.append(entry["text"])
    qrels: dict[str, dict[str, int]] = {}
    for line in (data / name / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, passage, score = line.split("\t")
        qrels.setdefault(query, {})[passage] = int(score)
    queries = {entry["_id"]: entry["text"] for entry in read_jsonl(data / name / "queries.jsonl")}
    queries = {query: text for query, text in queries.items() if query in qrels}
    if limit and len(queries) > limit:
        chosen = [list(queries)[int(at)] for at in np.linspace(0, len(queries) - 1, limit)]
        queries = {query: queries[query] for query in chosen}
    return RetrievalSet(ids, texts, queries, {query: qrels[query] for query in queries})


def fuse(branches: Sequence[Sequence[int]], constant: int = FUSION_CONSTANT) -> list[int]:
    """Reciprocal rank fusion; ties go to the candidate met first."""
    scores: dict[int, float] = {}
    for branch in branches:
        for rank, position in enumerate(branch, start=1):
            scores[position] = scores.get(position, 0.0) + 1.0 / (constant + rank)
    return sorted(scores, key=lambda position: -scores[position])


def lexical_runs(retrieval_set: RetrievalSet, cache: Path | None = None) -> dict[str, list[int]]:
    if cache and cache.exists():
        cached = json.loads(cache.read_text())
        if set(retrieval_set.queries) <= set(cached):
            return cached
    index = Bm25Index(retrieval_set.texts)
    runs = {
        query: [position for position, _ in index.search(text, BRANCH_DEPTH)]
        for query, text in retrieval_set.queries.items()
    }
    if cache:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(runs))
    return runs


def dense_runs(retrieval_set: RetrievalSet, embed: Embed) -> dict[str, list[int]]:
    passages = embed(retrieval_set.texts, "passage")
    queries = embed(list(retrieval_set.queries.values()), "query")
    runs = {}
    for query, vector in zip(retrieval_set.queries, queries):
        scores = passages @ vector
        best = np.argpartition(-scores, min(BRANCH_DEPTH, len(scores) - 1))[:BRANCH_DEPTH]
        runs[query] = [int(position) for position in best[np.argsort(-scores[best], kind="stable")]]
    return runs


def evaluate_set(
    retrieval_set: RetrievalSet, embed: Embed, rerank: Rerank | None = None, cache: Path | None = None
) -> tuple[dict[str, dict[str, float]], dict[str, dict]]:
    """Metrics per stage, and per query the fused candidates with the reranker's logits."""
    lexical = lexical_runs(retrieval_set, cache)
    dense = dense_runs(retrieval_set, embed)
    fused = {query: fuse([lexical[query], dense[query]]) for query in retrieval_set.queries}
    stages = {"lexical": lexical, "dense": dense, "fused": fused}
    details: dict[str, dict] = {}
    if rerank:
        stages["reranked"] = {}
        for query, text in retrieval_set.queries.items():
            candidates = fused[query][:RERANKED]
            logits = rerank(text, [retrieval_set.texts[position] for position in candidates])
            order = np.argsort(-logits, kind="stable")
            stages["reranked"][query] = [candidates[i] for i in order] + fused[query][RERANKED:]
            details[query] = {"candidates": candidates, "logits": [round(float(logit), 4) for logit in logits]}
    name = retrieval_set.ids
    metrics = {
        stage: summarise(
            {query: [name[position] for position in runs[query][:BRANCH_DEPTH]] for query in retrieval_set.queries},
            retrieval_set.qrels,
        )
        for stage, runs in stages.items()
    }
    return metrics, details


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Markdown table of all sets and stages."""
    names = ("ndcg@10", "mrr@10", "hit@1", "recall@10", "recall@50")
    lines = ["| set | stage | " + " | ".join(names) + " |", "| --- | --- |" + " ---: |" * len(names)]
    for set_name, stages in results.items():
        for stage, metrics in stages.items():
            lines.append(f"| {set_name} | {stage} | " + " | ".join(f"{metrics[name]:.3f}" for name in names) + " |")
    return "\n".join(lines)
