"""BM25 over jieba words and stemmed Latin words: the lexical branch of the product, near enough for mining and
for measuring the models without a running server."""

import functools
import re
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sparse

from askbase_training.text import simplified
from askbase_training.tokenizer import normalizer

_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")


@functools.cache
def _normal():
    return normalizer()


@functools.lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return _stemmer().stemWord(word)


@functools.cache
def _stemmer():
    import snowballstemmer

    return snowballstemmer.stemmer("english")


def terms(text: str) -> list[str]:
    import jieba

    jieba.setLogLevel(60)
    found: list[str] = []
    for run in _RUN.findall(simplified(_normal().normalize_str(text))):
        if run[0].isascii():
            found.append(_stem(run))
        else:
            found += jieba.cut_for_search(run, HMM=False)
    return found


class Bm25Index:
    """`search` gives, per query, the positions of the best passages, best first."""

    def __init__(self, passages: Sequence[str], k1: float = 1.2, b: float = 0.75):
        self._vocabulary: dict[str, int] = {}
        rows, columns = [], []
        for number, passage in enumerate(passages):
            for term in terms(passage):
                columns.append(self._vocabulary.setdefault(term, len(self._vocabulary)))
                rows.append(number)
        shape = (len(passages), len(self._vocabulary))
        counts = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
        counts.sum_duplicates()
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        document_frequency = np.bincount(counts.indices, minlength=shape[1])
        idf = np.log1p((shape[0] - document_frequency + 0.5) / (document_frequency + 0.5)).astype(np.float32)
        norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9))
        repeated = np.repeat(norm, np.diff(counts.indptr))
        counts.data = idf[counts.indices] * counts.data * (k1 + 1) / (counts.data + repeated)
        self._weights = counts.T.tocsr()

    def scores(self, query: str) -> np.ndarray:
        """One score per passage."""
        ids = [self._vocabulary[term] for term in set(terms(query)) if term in self._vocabulary]
        if not ids:
            return np.zeros(self._weights.shape[1], np.float32)
        return np.asarray(self._weights[ids].sum(axis=0)).ravel()

    def search(self, query: str, limit: int) -> list[tuple[int, float]]:
        scores = self.scores(query)
        limit = min(limit, len(scores))
        best = np.argpartition(-scores, limit - 1)[:limit]
        best = best[np.lexsort((best, -scores[best]))]
        return [(int(position), float(scores[position])) for position in best if scores[position] > 0]
