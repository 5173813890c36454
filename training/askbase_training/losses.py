"""Losses. Scores are `[groups, candidates]`; unless said otherwise the first candidate of a group is the relevant
one, and `mask` is 0 where a group has fewer candidates."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

ScoreLoss = Callable[[Tensor, Tensor], Tensor]


def listwise_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy of choosing the relevant candidate among its group."""
    scores = scores.masked_fill(mask == 0, -1e4)
    return F.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long, device=scores.device))


def binary_cross_entropy(scores: Tensor, mask: Tensor) -> Tensor:
    """Each candidate on its own, relevant and irrelevant weighted equally in each group."""
    labels = torch.zeros_like(scores)
    labels[:, 0] = 1
    weights = mask / mask[:, 1:].sum(dim=1, keepdim=True).clamp(min=1)
    weights = torch.cat([torch.ones_like(weights[:, :1]), weights[:, 1:]], dim=1)
    return F.binary_cross_entropy_with_logits(scores, labels, weight=weights, reduction="sum") / weights.sum()


def margin_triplet(scores: Tensor, mask: Tensor, margin: float = 1.0) -> Tensor:
    """The relevant candidate above each other one by at least `margin`."""
    gaps = F.relu(margin - scores[:, :1] + scores[:, 1:]) * mask[:, 1:]
    return gaps.sum() / mask[:, 1:].sum().clamp(min=1)


def rank_net(scores: Tensor, mask: Tensor) -> Tensor:
    """Logistic loss on the difference between the relevant candidate and each other one."""
    gaps = F.softplus(scores[:, 1:] - scores[:, :1]) * mask[:, 1:]
    return gaps.sum() / mask[:, 1:].sum().clamp(min=1)


def listwise_with_cross_entropy(scores: Tensor, mask: Tensor) -> Tensor:
    """Orders the group and keeps the logit's zero where relevance begins."""
    return listwise_softmax(scores, mask) + 0.3 * binary_cross_entropy(scores, mask)


def info_nce(queries: Tensor, passages: Tensor, temperature: float, same: Tensor | None = None) -> Tensor:
    """In-batch contrastive loss, both ways. `queries` [n, d] and `passages` [n + extra, d] are unit vectors; passage i
    belongs to query i, the extra ones are hard negatives. `same` [n, n + extra] is True where a passage must not count
    as a negative of a query (the same paragraph, a duplicate)."""
    count = len(queries)
    scores = queries @ passages.T / temperature
    if same is not None:
        own = torch.eye(count, len(passages), dtype=torch.bool, device=scores.device)
        scores = scores.masked_fill(same & ~own, -1e4)
    targets = torch.arange(count, device=scores.device)
    return (F.cross_entropy(scores, targets) + F.cross_entropy(scores[:, :count].T, targets)) / 2


def margin_mse(scores: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Distillation: the student's gap between relevant and other candidates follows the teacher's."""
    gaps = (scores[:, :1] - scores[:, 1:]) - (teacher[:, :1] - teacher[:, 1:])
    return (gaps.square() * mask[:, 1:]).sum() / mask[:, 1:].sum().clamp(min=1)


RERANKER_LOSSES: dict[str, ScoreLoss] = {
    "listwise": listwise_softmax,
    "bce": binary_cross_entropy,
    "triplet": margin_triplet,
    "ranknet": rank_net,
    "listwise-bce": listwise_with_cross_entropy,
}
