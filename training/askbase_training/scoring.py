"""Models at work for evaluation: exported ONNX files behind the `Embed` and `Rerank` functions of `evaluate`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from askbase_training.evaluate import Embed, Rerank
from askbase_training.export import open_session
from askbase_training.model_folder import model_file
from askbase_training.tokenizer import CLS, SEP
from askbase_training.triples import collate

_BATCH = 64


def embedder_of(folder: Path, threads: int = 1) -> Embed:
    """The first file of a model folder (pooling `none`)."""
    path, tokenizer, limit = model_file(folder)
    return onnx_embed(path, tokenizer, limit, threads)


def reranker_of(folder: Path, threads: int = 1) -> Rerank:
    path, tokenizer, limit = model_file(folder)
    return onnx_rerank(path, tokenizer, limit, threads)


class _Encoder:
    """Token ids of texts, each text encoded once."""

    def __init__(self, tokenizer: Tokenizer):
        self._tokenizer = tokenizer
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._known: dict[str, np.ndarray] = {}

    def ids(self, text: str) -> np.ndarray:
        if text not in self._known:
            self._known[text] = np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int64)
        return self._known[text]


def onnx_embed(path: Path, tokenizer_file: Path, limit: int = 512, threads: int = 1) -> Embed:
    session, encoder = open_session(path, threads), _Encoder(Tokenizer.from_file(str(tokenizer_file)))

    def embed(texts: Sequence[str], _kind: str) -> np.ndarray:
        ids = [[CLS, *encoder.ids(text)[: limit - 2], SEP] for text in texts]
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        vectors: list[np.ndarray | None] = [None] * len(ids)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            width = max(len(ids[at]) for at in rows)
            batch = np.zeros((len(rows), width), dtype=np.int64)
            mask = np.zeros_like(batch)
            for row, at in enumerate(rows):
                batch[row, : len(ids[at])] = ids[at]
                mask[row, : len(ids[at])] = 1
            output = session.run(None, {"input_ids": batch, "attention_mask": mask})[0]
            for row, at in enumerate(rows):
                vectors[at] = output[row]
        return np.stack(vectors)

    return embed


def onnx_rerank(path: Path, tokenizer_file: Path, limit: int = 512, threads: int = 1) -> Rerank:
    session, encoder = open_session(path, threads), _Encoder(Tokenizer.from_file(str(tokenizer_file)))
    names = [entry.name for entry in session.get_inputs()]

    def rerank(query: str, texts: Sequence[str]) -> np.ndarray:
        question = encoder.ids(query)
        passages = [encoder.ids(text) for text in texts]
        order = np.argsort([len(passage) for passage in passages], kind="stable")
        logits = np.zeros(len(texts), dtype=np.float32)
        for rows in np.array_split(order, max(1, len(order) // 16)):
            inputs = collate([(question, passages[at]) for at in rows], limit)
            feeds = {name: inputs[name].numpy() for name in names}
            logits[rows] = session.run(None, feeds)[0][:, 0]
        return logits

    return rerank
