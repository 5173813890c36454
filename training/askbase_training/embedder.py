"""A static bi-encoder: one vector and one weight per token class; a text is the weighted mean of its tokens' vectors,
at unit length. While it trains, a class's vector is the sum of its own and of its parts' (the characters of a Chinese
word, the letter four-grams of an English one), so that rare words start from what their parts know; the sum is folded
into one table at the end."""

import warnings
import zlib
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from askbase_training.text import HAN
from askbase_training.tokenizer import SPECIALS

DIMENSIONS = 256
_BUCKETS = 12_000


def parts_of(piece: str) -> list[str]:
    if HAN.match(piece):
        return list(piece) if len(piece) > 1 else [piece]
    if piece.isascii() and piece.isalpha() and len(piece) >= 4:
        marked = f"<{piece}>"
        return [marked[at : at + 4] for at in range(len(marked) - 3)]
    return []


def part_matrix(names: Sequence[str]) -> Tensor:
    """Sparse `[classes, parts]`; a row averages the parts of a class."""
    characters: dict[str, int] = {}
    rows, columns, values = [], [], []
    for row, name in enumerate(names):
        parts = [] if row < len(SPECIALS) else parts_of(name)
        for part in parts:
            if HAN.match(part):
                column = _BUCKETS + characters.setdefault(part, len(characters))
            else:
                column = zlib.crc32(part.encode()) % _BUCKETS
            rows.append(row)
            columns.append(column)
            values.append(1 / len(parts))
    size = (len(names), _BUCKETS + len(characters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CSR tensors are "beta"
        entries = torch.sparse_coo_tensor(torch.tensor([rows, columns]), torch.tensor(values), size)
        return entries.coalesce().to_sparse_csr()


class StaticEmbedder(nn.Module):
    def __init__(self, names: Sequence[str], frequencies: np.ndarray, dimensions: int = DIMENSIONS):
        """`frequencies`: share of the training text's tokens that falls on each class."""
        super().__init__()
        self.own = nn.Parameter(torch.randn(len(names), dimensions) * 0.05)
        self.register_buffer("matrix", part_matrix(names), persistent=False)
        self.register_buffer("matrix_transposed", self.matrix.to_sparse_coo().T.to_sparse_csr(), persistent=False)
        self.parts = nn.Parameter(torch.randn(self.matrix.shape[1], dimensions) * 0.05)
        smooth = 5e-4 / (5e-4 + torch.tensor(frequencies, dtype=torch.float32))
        self.log_weights = nn.Parameter(torch.log(smooth.clamp(min=0.02)))

    def table(self) -> Tensor:
        """One vector per class, `[classes, dimensions]`, its weight not yet applied."""
        return self.own + _SparseProduct.apply(self.matrix, self.matrix_transposed, self.parts)

    def forward(self, table: Tensor, flat: Tensor, offsets: Tensor) -> Tensor:
        """Unit vectors of the bags of classes `flat[offsets[i]:offsets[i + 1]]`."""
        weights = torch.exp(self.log_weights)[flat]
        return F.normalize(F.embedding_bag(flat, table, offsets, mode="sum", per_sample_weights=weights), dim=-1)

    @torch.no_grad()
    def folded(self) -> Tensor:
        """The finished table: vectors times weights, special tokens zero."""
        table = self.table() * torch.exp(self.log_weights)[:, None]
        table[: len(SPECIALS)] = 0
        return table


class _SparseProduct(torch.autograd.Function):
    """A constant sparse matrix times a dense one (autograd would make the gradient of the constant, too)."""

    @staticmethod
    def forward(context, matrix: Tensor, transposed: Tensor, dense: Tensor) -> Tensor:
        context.transposed = transposed
        return matrix @ dense

    @staticmethod
    def backward(context, gradient: Tensor):
        return None, None, context.transposed @ gradient


class TableEmbedder:
    """The folded table at work, for evaluation and mining."""

    def __init__(self, table: np.ndarray, classes: np.ndarray):
        self._table = table
        self._classes = classes

    def embed(self, bags) -> np.ndarray:
        """Unit vectors, one per sequence of token ids in `bags`."""
        out = np.zeros((len(bags), self._table.shape[1]), dtype=np.float32)
        for number in range(len(bags)):
            out[number] = self._table[self._classes[bags[number]]].sum(axis=0)
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
