"""`average-checkpoints`: between two rerankers, one trained on from the other. What training on gains in one kind of
question it loses a little of in others; the mean of the weights keeps most of both (as WiSE-FT does, arXiv 2109.01903)."""

from pathlib import Path

import torch
from torch import Tensor

from askbase_training.reranker import OUTPUT_OF_READER


def average_checkpoints(first: Path, second: Path, share: float, out: Path) -> None:
    """Writes `(1 - share) * first + share * second`. A first one without a reader of the question counts as one whose
    reader says nothing: the second's is kept, and its last layer scaled. Raises ValueError where they are not alike."""
    before, after = (torch.load(path, weights_only=True) for path in (first, second))
    missing = {name for name in after if name not in before}
    if any(not name.startswith("reader.") for name in missing) or any(
        before[name].shape != after[name].shape for name in after if name not in missing
    ):
        raise ValueError("the two checkpoints are not of the same shape")
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: _between(before.get(name), value, share, name) for name, value in after.items()}, out)


def _between(before: Tensor | None, after: Tensor, share: float, name: str) -> Tensor:
    if before is None:
        return after * share if name.startswith(OUTPUT_OF_READER) else after
    return before * (1 - share) + after * share if after.is_floating_point() else after
