"""`mine-negatives`: passages that a retriever puts high for a question, and that are not its answer.

Candidates come from BM25 and the trained embedder over the passages of the pair's own source (as the product would
search one knowledge base), or from the product itself over `POST /v1/search`. False negatives are filtered: the same
paragraph, near copies of the relevant passage, and passages that share most of its long word runs.
"""

import json
import random
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tqdm import tqdm

from askbase_training.dataset import PASSAGE_TOKENS, QUERY_TOKENS, PairSet, encode_texts
from askbase_training.embedder import TableEmbedder
from askbase_training.evaluate import fuse
from askbase_training.jsonl import write_jsonl
from askbase_training.lexical import Bm25Index
from askbase_training.overlap import shingles

COPY_COSINE = 0.97
COPY_SHINGLES = 0.5


def mine_locally(
    pairs: PairSet,
    kinds: Sequence[str],
    tokenizer: Tokenizer,
    embedder: TableEmbedder,
    per_query: int = 12,
    depth: int = 30,
    limit_per_source: int | None = None,
    seed: int = 7,
) -> Iterator[dict]:
    """Triples `{query, positive, negatives, source}`, one source after the other."""
    rng = random.Random(seed)
    for source in dict.fromkeys(pairs.sources):
        positions = [i for i, name in enumerate(pairs.sources) if name == source]
        if pairs.kinds[positions[0]] not in kinds:
            continue
        pool = sorted({int(pairs.passage_of[i]) for i in positions})
        if limit_per_source and len(positions) > limit_per_source:
            positions = rng.sample(positions, limit_per_source)
        texts = [pairs.passages[i] for i in pool]
        index = Bm25Index(texts)
        vectors = embedder.embed(encode_texts(tokenizer, texts, PASSAGE_TOKENS))
        queries = embedder.embed(encode_texts(tokenizer, [pairs.queries[i] for i in positions], QUERY_TOKENS))
        place = {passage: at for at, passage in enumerate(pool)}
        group_of = {int(pairs.passage_of[i]): pairs.groups[i] for i in positions}
        relevant = _relevant_by_query(pairs, positions)
        for query_vector, position in zip(queries, tqdm(positions, desc=source, mininterval=10)):
            lexical = [at for at, _ in index.search(pairs.queries[position], depth)]
            dense = np.argsort(-(vectors @ query_vector))[:depth]
            own = place[int(pairs.passage_of[position])]
            allowed = []
            for at in fuse([lexical, [int(at) for at in dense]]):
                same_group = group_of.get(pool[at]) == pairs.groups[position]
                if at == own or same_group or pool[at] in relevant[pairs.queries[position]]:
                    continue
                if float(vectors[at] @ vectors[own]) < COPY_COSINE and not _near_copy(texts[at], texts[own]):
                    allowed.append(at)
                if len(allowed) == per_query:
                    break
            if allowed:
                yield {
                    "query": pairs.queries[position],
                    "positive": texts[own],
                    "negatives": [texts[at] for at in allowed],
                    "source": source,
                    "group": pairs.groups[position],
                }


def _relevant_by_query(pairs: PairSet, positions: Iterable[int]) -> dict[str, set[int]]:
    relevant: dict[str, set[int]] = {}
    for position in positions:
        relevant.setdefault(pairs.queries[position], set()).add(int(pairs.passage_of[position]))
    return relevant


def _near_copy(candidate: str, positive: str) -> bool:
    own = shingles(candidate)
    return bool(own) and len(own & shingles(positive)) / len(own) > COPY_SHINGLES


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
        negatives = [text for text in found if not _near_copy(text, pair["positive"])][:per_query]
        if negatives:
            yield {"query": pair["query"], "positive": pair["positive"], "negatives": negatives}


def write_triples(path: Path, triples: Iterable[dict]) -> int:
    return write_jsonl(path, triples)


