"""`mine-negatives`: passages that a retriever puts high for a question, and that are not its answer.

Candidates come from BM25 and the trained embedder over the passages of the pair's own source (as the product would
search one knowledge base), or from the product itself over `POST /v1/search`. False negatives are filtered: the same
paragraph, near copies of the relevant passage, and passages that share most of its long word runs.
"""

import functools
import json
import random
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from askbase_training.dataset import PASSAGE_TOKENS, QUERY_TOKENS, PairSet, encode_texts, in_part, is_validation
from askbase_training.embedder import TableEmbedder
from askbase_training.evaluate import fuse
from askbase_training.jsonl import write_jsonl
from askbase_training.lexical import Bm25Index
from askbase_training.overlap import shingles
from askbase_training.text import is_chinese

COPY_COSINE = 0.97
COPY_SHINGLES = 0.5


@dataclass(frozen=True)
class Mining:
    """`per_query` negatives out of the best `depth` of each branch. With `pooled`, all sources of one kind and language
    are searched together, so that negatives differ in style and length, too. `part` as in `in_part`."""

    kinds: Sequence[str] = ("question", "heading", "translation")
    per_query: int = 40
    depth: int = 50
    limit_per_source: int | None = None
    pooled: bool = False
    part: str | None = None
    seed: int = 7


def mine_locally(
    pairs: PairSet, tokenizer: Tokenizer, embedder: TableEmbedder, mining: Mining = Mining()
) -> Iterator[dict]:
    """Triples `{query, positive, negatives, source, group}`, one pool after the other."""
    rng = random.Random(mining.seed)
    pools: dict[str, list[int]] = {}
    for position, (source, kind) in enumerate(zip(pairs.sources, pairs.kinds)):
        if kind in mining.kinds:
            language = "zh" if is_chinese(pairs.passages[pairs.passage_of[position]]) else "en"
            pools.setdefault(f"{kind} {language}" if mining.pooled else source, []).append(position)
    for name, positions in pools.items():
        passages = sorted({int(pairs.passage_of[i]) for i in positions})
        texts = [pairs.passages[i] for i in passages]
        index = Bm25Index(texts)
        vectors = embedder.embed(encode_texts(tokenizer, texts, PASSAGE_TOKENS))
        place = {passage: at for at, passage in enumerate(passages)}
        group_of = {int(pairs.passage_of[i]): pairs.groups[i] for i in positions}
        relevant = _relevant_by_query(pairs, positions)
        asked = _asked(pairs, positions, mining, rng)
        queries = embedder.embed(encode_texts(tokenizer, [pairs.queries[i] for i in asked], QUERY_TOKENS))
        runs_of = functools.lru_cache(maxsize=20_000)(shingles)
        for vector, position in zip(queries, tqdm(asked, desc=name, mininterval=10)):
            lexical = [at for at, _ in index.search(pairs.queries[position], mining.depth)]
            dense = _best(vectors @ vector, mining.depth)
            own = place[int(pairs.passage_of[position])]
            allowed = []
            for at in fuse([lexical, dense]):
                same_group = group_of.get(passages[at]) == pairs.groups[position]
                if at == own or same_group or passages[at] in relevant[pairs.queries[position]]:
                    continue
                if float(vectors[at] @ vectors[own]) < COPY_COSINE and not _copied(runs_of(texts[at]), runs_of(texts[own])):
                    allowed.append(at)
                if len(allowed) == mining.per_query:
                    break
            if allowed:
                yield {
                    "query": pairs.queries[position],
                    "positive": texts[own],
                    "negatives": [texts[at] for at in allowed],
                    "source": pairs.sources[position],
                    "group": pairs.groups[position],
                }


def _asked(pairs: PairSet, positions: Sequence[int], mining: Mining, rng: random.Random) -> list[int]:
    """The pairs to mine for: of the part, and at most so many a source."""
    by_source: dict[str, list[int]] = {}
    for position in positions:
        if is_validation(pairs.groups[position]) or in_part(pairs.groups[position], mining.part):
            by_source.setdefault(pairs.sources[position], []).append(position)
    limit = mining.limit_per_source
    return [
        position
        for own in by_source.values()
        for position in (rng.sample(own, limit) if limit and len(own) > limit else own)
    ]


def _relevant_by_query(pairs: PairSet, positions: Iterable[int]) -> dict[str, set[int]]:
    relevant: dict[str, set[int]] = {}
    for position in positions:
        relevant.setdefault(pairs.queries[position], set()).add(int(pairs.passage_of[position]))
    return relevant


def _best(scores: np.ndarray, count: int) -> list[int]:
    count = min(count, len(scores))
    best = np.argpartition(-scores, count - 1)[:count]
    return [int(at) for at in best[np.argsort(-scores[best], kind="stable")]]


def _copied(candidate: set[int], positive: set[int]) -> bool:
    """Whether a passage with those runs of words is a near copy of the relevant one."""
    return bool(candidate) and len(candidate & positive) / len(candidate) > COPY_SHINGLES


def search_over_http(url: str, knowledge_base: str, limit: int) -> Callable[[str], list[str]]:
    """Texts the running product finds for a question, best first (`POST /v1/search`)."""

    def search(question: str) -> list[str]:
        body = json.dumps({"knowledgeBase": knowledge_base, "query": question, "limit": limit}).encode()
        request = urllib.request.Request(
            f"{url.rstrip('/')}/v1/search", data=body, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            reply = json.load(response)
        hits = reply.get("results") or reply.get("hits") or reply.get("candidates") or []
        return [hit.get("text") or hit["passage"]["text"] for hit in hits]

    return search


def mine_with(search: Callable[[str], list[str]], pairs: Iterable[dict], per_query: int) -> Iterator[dict]:
    """Triples from any retriever: `search(question)` gives texts, best first."""
    for pair in pairs:
        found = [text for text in search(pair["query"]) if text != pair["positive"]]
        own = shingles(pair["positive"])
        negatives = [text for text in found if not _copied(shingles(text), own)][:per_query]
        if negatives:
            yield {"query": pair["query"], "positive": pair["positive"], "negatives": negatives}


def write_triples(path: Path, triples: Iterable[dict]) -> int:
    return write_jsonl(path, triples)
