"""`train-reranker`: groups of one relevant and several mined passages per question; any loss of `losses.py`.

Three things make a group say more than it holds: a question sometimes lacks a few words; one of the passages is sometimes
the relevant one without the sentence that shares most with the question (a neighbour of an answer is no answer); and a
share of the groups may come from running text, so that the transformer keeps what `pretrain` taught it."""

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
from askbase_training.running_text import RunningText, sentence_ends, split_sentences
from askbase_training.training_loop import Schedule, device_in_use, seed_everything, train
from askbase_training.triples import Triples, collate, load_triples, to_device

_VALIDATION_QUERIES = 40
_VALIDATION_CANDIDATES = 50  # as many as the product reranks
_HARDEST = 10
_FIRST_GROUPS = 4000
_SHORTENED, _WORDS_LOST = 0.25, 0.12  # share of questions that lack words, and of their words
_SPOILED = 0.2
_SPOILED_TOKENS = 20  # what is left of a passage has to be as long to be worth reading


class Drawn(NamedTuple):
    """`candidates` are those of the group to take, the relevant one (0) first; `easy` are passages of other groups."""

    group: int
    candidates: list[int]
    easy: list[int]


Group = tuple[np.ndarray, list[np.ndarray]]  # a question and its passages, the relevant one first


class Variation:
    """Varies a group as the head of this file says. `rarity` and `ends` are of tokens."""

    def __init__(self, triples: Triples, spoil: Sequence[str], rarity: np.ndarray, ends: np.ndarray):
        self._spoil = [source in spoil for source in triples.sources]
        self._rarity = rarity
        self._ends = ends

    def __call__(self, group: int, question: np.ndarray, passages: list[np.ndarray], rng: random.Random) -> Group:
        if self._spoil[group] and rng.random() < _SPOILED:
            passages = [*passages, *self._spoiled(question, passages[0])]
        if len(question) > 4 and rng.random() < _SHORTENED:
            kept = np.array([rng.random() >= _WORDS_LOST for _ in question], bool)
            question = question[kept] if kept.sum() >= 3 else question
        return question, passages

    def _spoiled(self, question: np.ndarray, passage: np.ndarray) -> list[np.ndarray]:
        sentences = split_sentences(passage, self._ends)
        if len(sentences) < 3:
            return []
        asked = np.unique(question)
        first, last = max(sentences, key=lambda at: self._rarity[np.intersect1d(passage[at[0] : at[1]], asked)].sum())
        rest = np.concatenate([passage[:first], passage[last:]])
        return [rest] if len(rest) >= _SPOILED_TOKENS else []


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
    `start` is a checkpoint to go on from. The layers that need no transformer are fitted first, on `first_groups` groups:
    by itself where there is no start, and after `pretrain` where it is asked for. A group is one relevant and up to
    `negatives` mined passages, `length` the tokens of a pair.
    `spoil` names the sources whose passages stop answering without one sentence. `text` is a folder of `prepare`, from whose
    running text `text_share` of the groups come."""

    schedule: Schedule
    shape: RerankerShape = RerankerShape()
    loss: str = "listwise-bce"
    groups: int = 8
    negatives: int = 6
    length: int = 260
    weights: dict[str, float] = field(default_factory=dict)
    part: str | None = None
    start: Path | None = None
    first_groups: int | None = None
    spoil: tuple[str, ...] = ()
    text: Path | None = None
    text_share: float = 0.1


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
    first_groups = run.first_groups if run.first_groups is not None else 0 if run.start else _FIRST_GROUPS
    if first_groups:
        fit_first_layers(model, training, run.weights, first_groups, run.length, run.schedule.seed)
    model.to(device_in_use())
    model.mixed_precision = run.schedule.mixed_precision
    distilling = run.loss == "margin-mse"
    sampler = GroupSampler(training, run.weights, run.groups, run.negatives, run.schedule.seed, 0 if distilling else 1)
    text = RunningText(run.text, tokenizer, classes) if run.text else None
    from_text = round(run.groups * run.text_share) if text else 0
    vary = Variation(training, run.spoil, model.idf.cpu().numpy()[classes], sentence_ends(tokenizer, len(classes)))

    def groups_of(step: int, drawn: list[Drawn]) -> list[Group]:
        plain = [
            (
                training.questions[group],
                [training.passages[at] for at in (*(training.candidates[group][near] for near in candidates), *easy)],
            )
            for group, candidates, easy in drawn
        ]
        if distilling:  # a teacher scored the texts as they are, and the mined ones only
            return plain
        rng = random.Random(run.schedule.seed * 1_000_003 + step)
        varied = [vary(number.group, question, texts, rng) for number, (question, texts) in zip(drawn, plain)]
        if text is None:
            return varied
        return [*varied[: run.groups - from_text], *(text.group(rng, run.negatives + 2) for _ in range(from_text))]

    def loss_of(step: int) -> Tensor:
        drawn = sampler.at(step)
        groups = groups_of(step, drawn)
        pairs = [(question, passage) for question, passages in groups for passage in passages]
        with model.questions_up_to(2 + max(len(question) for question, _ in pairs)):
            logits = model(**to_device(collate(pairs, run.length), model.device))[:, 0].float()
        mask = torch.zeros(len(groups), max(len(passages) for _, passages in groups), device=model.device)
        for row, (_, passages) in enumerate(groups):
            mask[row, : len(passages)] = 1
        scores = torch.zeros_like(mask).masked_scatter(mask.bool(), logits)
        if not distilling:
            return RERANKER_LOSSES[run.loss](scores, mask)
        teacher = torch.zeros_like(mask)
        for row, (group, candidates, _) in enumerate(drawn):
            teacher[row, : len(candidates)] = torch.tensor([training.teacher[group][at] for at in candidates])
        return margin_mse(scores, teacher, mask)

    def validated() -> dict[str, float]:
        return validate(model, validation, run.length, run.weights)

    return train(model, loss_of, validated, out, run.schedule.in_full_precision())


@torch.no_grad()
def score_groups(model: Reranker, triples: Triples, chosen: Sequence[int], length: int) -> list[np.ndarray]:
    """Logits of the candidates of each chosen group."""
    scores = []
    for group in chosen:
        candidates = triples.candidates[group][:_VALIDATION_CANDIDATES]
        pairs = [(triples.questions[group], triples.passages[at]) for at in candidates]
        with model.questions_up_to(2 + len(triples.questions[group])):
            scores.append(model(**to_device(collate(pairs, length), model.device))[:, 0].float().cpu().numpy())
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
