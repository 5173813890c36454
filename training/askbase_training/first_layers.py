"""Fits the layers that need no transformer: those on the signs of matching and the reader of the question. What they
see of a pair has nothing to learn in it, so it is computed once, and many passes over all candidates cost little."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from askbase_training.losses import RERANKER_LOSSES
from askbase_training.reranker import Reranker
from askbase_training.triples import Triples, collate

_RATE = 0.003
_EASY = 2  # random passages a group, since a reranker also meets easy candidates
_PAIRS = 48
_GROUPS = 32
_TOGETHER = 256


@dataclass
class Seen:
    """What the first layers see of one group: the question's words `[tokens, dimensions]` and which of them count
    `[tokens]`; of each candidate, the relevant one first, `[tokens, TOKEN_SIGNS]`, `[dimensions]` and `[signs]`."""

    words: Tensor
    question: Tensor
    meeting: Tensor
    around: Tensor
    signs: Tensor


def fit_first_layers(
    model: Reranker, triples: Triples, weights: dict[str, float], groups: int, length: int, seed: int, passes: int = 6
) -> float:
    """Gives the last loss."""
    rng = random.Random(seed)
    chosen = _chosen_groups(triples, weights, groups, rng)
    seen = [
        group
        for start in range(0, len(chosen), _TOGETHER)
        for group in _see(model, triples, chosen[start : start + _TOGETHER], length, rng)
    ]
    seen.sort(key=lambda group: group.words.shape[0])
    batches = [range(start, min(start + _GROUPS, len(seen))) for start in range(0, len(seen), _GROUPS)]
    layers = [*model.direct.parameters(), *model.combine.parameters(), *model.reader.parameters()]
    optimizer = torch.optim.AdamW(layers, lr=_RATE, weight_decay=0.01)
    model.train()
    steps = passes * len(batches)
    for step in tqdm(range(steps), desc="first layers", mininterval=10):
        if step % len(batches) == 0:
            rng.shuffle(batches)
        optimizer.param_groups[0]["lr"] = _RATE * (1 - step / steps)
        scores, mask = _scores(model, [seen[at] for at in batches[step % len(batches)]])
        loss = RERANKER_LOSSES["listwise-bce"](scores, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def _chosen_groups(triples: Triples, weights: dict[str, float], count: int, rng: random.Random) -> list[int]:
    """Groups without repetition, sources by size times weight."""
    pools: dict[str, list[int]] = {}
    for position, source in enumerate(triples.sources):
        pools.setdefault(source, []).append(position)
    odds = {source: len(pool) * weights.get(source, 1.0) for source, pool in pools.items()}
    share = count / sum(odds.values())
    chosen = [
        position
        for source, pool in pools.items()
        for position in rng.sample(pool, min(len(pool), max(1, round(odds[source] * share))))
    ]
    rng.shuffle(chosen)
    return chosen


@torch.no_grad()
def _see(model: Reranker, triples: Triples, chosen: Sequence[int], length: int, rng: random.Random) -> list[Seen]:
    """Pairs of like length run together."""
    model.eval()
    pairs, home = [], []
    for number, group in enumerate(chosen):
        own = triples.candidates[group]
        easy = [triples.candidates[other][0] for other in rng.choices(chosen, k=_EASY)]
        for passage in [*own, *(passage for passage in easy if passage not in own)]:
            pairs.append((triples.questions[group], triples.passages[passage]))
            home.append(number)
    parts: list[dict[int, tuple]] = [{} for _ in chosen]
    order = sorted(range(len(pairs)), key=lambda at: (len(pairs[at][0]) // 8, len(pairs[at][1])))
    for start in range(0, len(order), _PAIRS):
        rows = order[start : start + _PAIRS]
        inputs = collate([pairs[at] for at in rows], length)
        with model.questions_up_to(2 + max(len(pairs[at][0]) for at in rows)):
            view = model.view(**inputs)
            signs = model.signs(view)
            words, meeting, question, around = model.reading(view)
        for row, at in enumerate(rows):
            until = 1 + len(pairs[at][0])
            parts[home[at]][at] = (words[row, :until], question[row, :until], meeting[row, :until], around[row], signs[row])
    return [_group([part for _, part in sorted(candidates.items())]) for candidates in parts]


def _group(candidates: Sequence[tuple]) -> Seen:
    words, question = candidates[0][:2]
    meeting, around, signs = (torch.stack(column) for column in list(zip(*candidates))[2:])
    return Seen(words.half(), question, meeting.half(), around.half(), signs)


def _scores(model: Reranker, groups: Sequence[Seen]) -> tuple[Tensor, Tensor]:
    longest = max(group.words.shape[0] for group in groups)
    widest = max(len(group.signs) for group in groups)
    mask = torch.zeros(len(groups), widest)
    words, meeting, question = [], [], []
    for row, group in enumerate(groups):
        mask[row, : len(group.signs)] = 1
        missing = longest - group.words.shape[0]
        words.append(F.pad(group.words, (0, 0, 0, missing)).expand(len(group.signs), -1, -1))
        meeting.append(F.pad(group.meeting, (0, 0, 0, missing)))
        question.append(F.pad(group.question, (0, missing)).expand(len(group.signs), -1))
    signs = torch.cat([group.signs for group in groups])
    around = torch.cat([group.around for group in groups]).float()
    read = model.reader(torch.cat(words).float(), torch.cat(meeting).float(), torch.cat(question), around, signs)
    signs = F.pad(signs, (0, model.direct.in_features - signs.shape[1]))
    logits = (read + model.direct(signs) + model.combine(signs))[:, 0]
    return torch.zeros_like(mask).masked_scatter(mask.bool(), logits), mask
