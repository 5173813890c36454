"""`train-reranker`: groups of one relevant and several mined passages per question; any loss of `losses.py`."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from askbase_training.calibration import calibration_report, fit_scale_and_shift
from askbase_training.dataset import by_source
from askbase_training.first_layers import fit_first_layers
from askbase_training.losses import RERANKER_LOSSES, margin_mse
from askbase_training.metrics import ndcg_at
from askbase_training.reranker import Reranker, RerankerShape, inverse_document_frequencies
from askbase_training.training_loop import Schedule, seed_everything, train
from askbase_training.triples import Triples, collate, load_triples

_VALIDATION_QUERIES = 40
_VALIDATION_CANDIDATES = 50  # as many as the product reranks
_HARDEST = 10


class Drawn(NamedTuple):
    """`candidates` are those of the group to take, the relevant one (0) first; `easy` are passages of other groups."""

    group: int
    candidates: list[int]
    easy: list[int]


class GroupSampler:
    """Step number → groups, all of one source; a source's odds are its size times its weight (1 where `weights` does not
    name it). Half of the negatives come from the hardest, half from the rest of the mined list, and `easy` are relevant
    to other questions: a model that only ever sees the hardest learns that words in common mean nothing, because among
    those they do, and then puts the rest of the list too high."""

    def __init__(
        self, triples: Triples, weights: dict[str, float], groups: int, negatives: int, seed: int, easy: int = 1
    ):
        self._triples = triples
        self._groups = groups
        self._negatives = negatives
        self._easy = easy
        self._seed = seed
        by_source: dict[str, list[int]] = {}
        for position, source in enumerate(triples.sources):
            by_source.setdefault(source, []).append(position)
        self._pools = list(by_source.values())
        self._odds = [len(pool) * weights.get(source, 1.0) for source, pool in by_source.items()]

    def at(self, step: int) -> list[Drawn]:
        rng = random.Random(self._seed * 1_000_003 + step)
        pool = rng.choices(self._pools, self._odds)[0]
        return [self._draw(group, pool, rng) for group in rng.choices(pool, k=self._groups)]

    def _draw(self, group: int, pool: list[int], rng: random.Random) -> Drawn:
        own = self._triples.candidates[group]
        hardest, rest = range(1, len(own))[:_HARDEST], range(1, len(own))[_HARDEST:]
        from_rest = rng.sample(rest, min(self._negatives // 2, len(rest)))
        hard = rng.sample(hardest, min(self._negatives - len(from_rest), len(hardest)))
        others = [self._triples.candidates[other][0] for other in rng.choices(pool, k=self._easy)]
        return Drawn(group, [0, *hard, *from_rest], [passage for passage in others if passage not in own])


@dataclass(frozen=True)
class RerankerRun:
    """`loss` is a name of `RERANKER_LOSSES`, or `margin-mse` to distil the scores a teacher wrote into the triples.
    `start` is a checkpoint to go on from; without one, the layers that need no transformer are fitted first, on
    `warm_groups` groups; a group is one relevant and up to `negatives` mined passages, `length` the tokens of a pair."""

    schedule: Schedule
    shape: RerankerShape = RerankerShape()
    loss: str = "listwise-bce"
    groups: int = 8
    negatives: int = 6
    length: int = 260
    weights: dict[str, float] = field(default_factory=dict)
    part: str | None = None
    start: Path | None = None
    warm_groups: int = 4000


def train_reranker(
    triples_file: Path, tokenizer_folder: Path, embedder_table: Path, out: Path, run: RerankerRun
) -> dict[str, float]:
    seed_everything(run.schedule.seed)
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    classes = np.load(tokenizer_folder / "classes.npy")
    training, validation = load_triples(triples_file, tokenizer, run.part)
    idf = inverse_document_frequencies(training.passages, classes)
    model = Reranker(classes, np.load(embedder_table), idf, run.shape)
    if run.start:
        model.load_state_dict(torch.load(run.start, weights_only=True))
    elif run.warm_groups:
        fit_first_layers(model, training, run.weights, run.warm_groups, run.length, run.schedule.seed)
    easy = 0 if run.loss == "margin-mse" else 1  # a teacher scored the mined ones only
    sampler = GroupSampler(training, run.weights, run.groups, run.negatives, run.schedule.seed, easy)

    def loss_of(step: int) -> Tensor:
        drawn = sampler.at(step)
        passages = [
            [*(training.candidates[group][at] for at in candidates), *easy_ones]
            for group, candidates, easy_ones in drawn
        ]
        pairs = [
            (training.questions[group], training.passages[passage])
            for (group, _, _), own in zip(drawn, passages)
            for passage in own
        ]
        with model.questions_up_to(1 + max(len(question) for question, _ in pairs)):
            logits = model(**collate(pairs, run.length))[:, 0].float()
        mask = torch.zeros(len(drawn), max(map(len, passages)))
        for row, own in enumerate(passages):
            mask[row, : len(own)] = 1
        scores = torch.zeros_like(mask).masked_scatter(mask.bool(), logits)
        if run.loss != "margin-mse":
            return RERANKER_LOSSES[run.loss](scores, mask)
        teacher = torch.zeros_like(mask)
        for row, (group, candidates, _) in enumerate(drawn):
            teacher[row, : len(candidates)] = torch.tensor([training.teacher[group][at] for at in candidates])
        return margin_mse(scores, teacher, mask)

    return train(model, loss_of, lambda: validate(model, validation, run.length, run.weights), out, run.schedule)


@torch.no_grad()
def score_groups(model: Reranker, triples: Triples, chosen: Sequence[int], length: int) -> list[np.ndarray]:
    """Logits of the candidates of each chosen group."""
    scores = []
    for group in chosen:
        candidates = triples.candidates[group][:_VALIDATION_CANDIDATES]
        pairs = [(triples.questions[group], triples.passages[at]) for at in candidates]
        with model.questions_up_to(1 + len(triples.questions[group])):
            scores.append(model(**collate(pairs, length))[:, 0].float().numpy())
    return scores


def validation_groups(triples: Triples, per_source: int = _VALIDATION_QUERIES) -> dict[str, list[int]]:
    rng = random.Random(5)
    return {
        source: rng.sample(groups, min(per_source, len(groups)))
        for source, groups in by_source(triples.sources).items()
    }


def validate(model: Reranker, triples: Triples, length: int, weights: dict[str, float]) -> dict[str, float]:
    """NDCG@10 by source, and their mean by the weights that the sources have in training."""
    results = {}
    for source, groups in validation_groups(triples).items():
        gains = []
        for logits in score_groups(model, triples, groups, length):
            order = [str(position) for position in np.argsort(-logits, kind="stable")]
            gains.append(ndcg_at(order, {"0": 1}))
        results[source] = round(float(np.mean(gains)), 4)
    shares = [weights.get(source, 1.0) for source in results]
    mean = round(float(np.average(list(results.values()), weights=shares)), 4)
    return {"ndcg@10": mean, **{f"ndcg@10/{source}": value for source, value in results.items()}}


def load_reranker(
    checkpoint: Path, tokenizer_folder: Path, embedder_table: Path, shape: RerankerShape = RerankerShape()
) -> Reranker:
    """A trained model; the checkpoint holds the term rarities."""
    classes = np.load(tokenizer_folder / "classes.npy")
    model = Reranker(classes, np.load(embedder_table), np.zeros(classes.max() + 1, np.float32), shape)
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    return model.eval()


def calibrated(model: Reranker, triples_file: Path, tokenizer_folder: Path, length: int = 320) -> dict[str, float]:
    """Fits the last layer's scale and shift on validation groups. In each group the relevant passage counts as much as
    all others together: half of all questions are then taken to have their answer among the candidates' best."""
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    _, validation = load_triples(triples_file, tokenizer)
    logits, labels, weights = [], [], []
    for groups in validation_groups(validation, per_source=80).values():
        for scores in score_groups(model, validation, groups, length):
            logits += list(scores)
            labels += [1.0] + [0.0] * (len(scores) - 1)
            weights += [1.0] + [1.0 / max(1, len(scores) - 1)] * (len(scores) - 1)
    values = np.array(logits), np.array(labels)
    scale, shift = fit_scale_and_shift(*values, np.array(weights))
    report = calibration_report(*values, scale, shift)
    model.shift.copy_(model.shift * scale + shift)
    model.scale.mul_(scale)
    return report
