"""`train-reranker`: groups of one relevant and several mined passages per question; any loss of `losses.py`."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from askbase_training.calibration import calibration_report, fit_scale_and_shift
from askbase_training.dataset import PASSAGE_TOKENS, Bags, by_source, encode_texts, in_part, is_validation
from askbase_training.jsonl import read_jsonl
from askbase_training.losses import RERANKER_LOSSES, margin_mse
from askbase_training.metrics import ndcg_at
from askbase_training.reranker import Reranker, RerankerShape, inverse_document_frequencies
from askbase_training.tokenizer import CLS, PAD, SEP
from askbase_training.training_loop import Schedule, seed_everything, train

QUESTION_LIMIT = 61  # with [CLS] and [SEP] inside the positions that match features cover
_VALIDATION_QUERIES = 40
_SIGNS_RATE = 0.02
_VALIDATION_CANDIDATES = 12


@dataclass
class Triples:
    """Mined groups as token ids: `candidates[i]` are positions in `passages`, the relevant one first; `teacher[i]` the
    scores a larger model gave them, where the file has them."""

    questions: Bags
    passages: Bags
    candidates: list[list[int]]
    sources: list[str]
    teacher: list[list[float]]

    def __len__(self) -> int:
        return len(self.candidates)


def load_triples(path: Path, tokenizer: Tokenizer, part: str | None = None) -> tuple[Triples, Triples]:
    """Training and validation groups, split by paragraph as the embedder's pairs are; of the training groups those of
    `part` (see `in_part`)."""
    positions: dict[str, int] = {}
    parts: dict[bool, tuple[list, list, list, list]] = {False: ([], [], [], []), True: ([], [], [], [])}
    for triple in read_jsonl(path):
        group = triple.get("group", triple["query"])
        held_out = is_validation(group)
        if not held_out and not in_part(group, part):
            continue
        questions, candidates, sources, teacher = parts[held_out]
        texts = [triple["positive"], *triple["negatives"]]
        candidates.append([positions.setdefault(text, len(positions)) for text in texts])
        questions.append(triple["query"])
        sources.append(triple.get("source", "triples"))
        teacher.append(triple.get("scores", []))
    passages = encode_texts(tokenizer, list(positions), PASSAGE_TOKENS)
    training, validation = (
        Triples(encode_texts(tokenizer, questions, QUESTION_LIMIT), passages, candidates, sources, teacher)
        for questions, candidates, sources, teacher in (parts[False], parts[True])
    )
    return training, validation


def collate(pairs: Sequence[tuple[np.ndarray, np.ndarray]], limit: int) -> dict[str, Tensor]:
    """`[CLS] question [SEP] passage [SEP]`, padded; the passage is cut where a pair is longer than `limit`."""
    rows = []
    for question, passage in pairs:
        head = [CLS, *question[:QUESTION_LIMIT], SEP]
        rows.append((head, [*passage[: max(1, limit - len(head) - 1)], SEP]))
    length = max(len(head) + len(tail) for head, tail in rows)
    ids = np.full((len(rows), length), PAD, dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, (head, tail) in enumerate(rows):
        end = len(head) + len(tail)
        ids[row, :end] = head + tail
        mask[row, :end] = 1
        types[row, len(head) : end] = 1
    arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


class GroupSampler:
    """Step number → groups and which of their candidates to take (the relevant one is 0), all of one source; a source's
    odds are its size times its weight (1 where `weights` does not name it)."""

    def __init__(self, triples: Triples, weights: dict[str, float], groups: int, negatives: int, seed: int):
        self._triples = triples
        self._groups = groups
        self._negatives = negatives
        self._seed = seed
        by_source: dict[str, list[int]] = {}
        for position, source in enumerate(triples.sources):
            by_source.setdefault(source, []).append(position)
        self._pools = list(by_source.values())
        self._odds = [len(pool) * weights.get(source, 1.0) for source, pool in by_source.items()]

    def at(self, step: int) -> list[tuple[int, list[int]]]:
        rng = random.Random(self._seed * 1_000_003 + step)
        pool = rng.choices(self._pools, self._odds)[0]
        drawn = []
        for group in rng.choices(pool, k=self._groups):
            others = range(1, len(self._triples.candidates[group]))
            drawn.append((group, [0, *rng.sample(others, min(self._negatives, len(others)))]))
        return drawn


@dataclass(frozen=True)
class RerankerRun:
    """`loss` is a name of `RERANKER_LOSSES`, or `margin-mse` to distil the scores a teacher wrote into the triples.
    `start` is a checkpoint to go on from; without one, the layers on the signs of matching are fitted first, on
    `warm_groups` groups; a group is one relevant and up to `negatives` other passages, `length` the
    tokens of a pair."""

    schedule: Schedule
    shape: RerankerShape = RerankerShape()
    loss: str = "listwise-bce"
    groups: int = 8
    negatives: int = 5
    length: int = 200
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
        fit_signs(model, training, run)
    sampler = GroupSampler(training, run.weights, run.groups, run.negatives, run.schedule.seed)

    def loss_of(step: int) -> Tensor:
        drawn = sampler.at(step)
        pairs = [
            (training.questions[group], training.passages[training.candidates[group][at]])
            for group, chosen in drawn
            for at in chosen
        ]
        logits = model(**collate(pairs, run.length))[:, 0].float()
        mask = torch.zeros(len(drawn), max(len(chosen) for _, chosen in drawn))
        for row, (_, chosen) in enumerate(drawn):
            mask[row, : len(chosen)] = 1
        scores = torch.zeros_like(mask).masked_scatter(mask.bool(), logits)
        if run.loss != "margin-mse":
            return RERANKER_LOSSES[run.loss](scores, mask)
        teacher = torch.zeros_like(mask)
        for row, (group, chosen) in enumerate(drawn):
            teacher[row, : len(chosen)] = torch.tensor([training.teacher[group][at] for at in chosen])
        return margin_mse(scores, teacher, mask)

    return train(model, loss_of, lambda: validate(model, validation, run.length), out, run.schedule)


def fit_signs(model: Reranker, triples: Triples, run: RerankerRun, steps: int = 1200) -> float:
    """Fits the two small layers on the signs of matching, which need no transformer, and gives the last loss. Groups
    hold two random passages of the source besides the mined ones, since a reranker also meets easy candidates."""
    sampler = GroupSampler(triples, run.weights, run.groups, run.negatives, run.schedule.seed)
    rng = random.Random(run.schedule.seed)
    pools: dict[str, list[int]] = {}
    for source, candidates in zip(triples.sources, triples.candidates):
        pools.setdefault(source, []).append(candidates[0])
    width = 1 + run.negatives + 2
    signs, masks = [], []
    for step in range(run.warm_groups // run.groups):
        for group, chosen in sampler.at(step):
            passages = [triples.candidates[group][at] for at in chosen]
            passages += [at for at in rng.choices(pools[triples.sources[group]], k=2) if at != passages[0]]
            inputs = collate([(triples.questions[group], triples.passages[at]) for at in passages], run.length)
            with torch.no_grad():
                found = model.signs(model.view(**inputs))
            signs.append(F.pad(found, (0, model.direct.in_features - found.shape[1], 0, width - len(found))))
            masks.append(F.pad(torch.ones(len(found)), (0, width - len(found))))
    every, mask = torch.stack(signs), torch.stack(masks)
    layers = [*model.direct.parameters(), *model.combine.parameters()]
    optimizer = torch.optim.AdamW(layers, lr=_SIGNS_RATE, weight_decay=1e-3)
    for step in range(steps):
        rows = torch.randint(0, len(every), (min(256, len(every)),))
        scores = (model.direct(every[rows]) + model.combine(every[rows]))[:, :, 0]
        loss = RERANKER_LOSSES["listwise-bce"](scores, mask[rows])
        optimizer.param_groups[0]["lr"] = _SIGNS_RATE * (1 - step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


@torch.no_grad()
def score_groups(model: Reranker, triples: Triples, chosen: Sequence[int], length: int) -> list[np.ndarray]:
    """Logits of the candidates of each chosen group."""
    scores = []
    for group in chosen:
        candidates = triples.candidates[group][:_VALIDATION_CANDIDATES]
        pairs = [(triples.questions[group], triples.passages[at]) for at in candidates]
        scores.append(model(**collate(pairs, length))[:, 0].float().numpy())
    return scores


def validation_groups(triples: Triples, per_source: int = _VALIDATION_QUERIES) -> dict[str, list[int]]:
    rng = random.Random(5)
    return {
        source: rng.sample(groups, min(per_source, len(groups)))
        for source, groups in by_source(triples.sources).items()
    }


def validate(model: Reranker, triples: Triples, length: int) -> dict[str, float]:
    results = {}
    for source, groups in validation_groups(triples).items():
        gains = []
        for logits in score_groups(model, triples, groups, length):
            order = [str(position) for position in np.argsort(-logits, kind="stable")]
            gains.append(ndcg_at(order, {"0": 1}))
        results[source] = round(float(np.mean(gains)), 4)
    mean = round(float(np.mean(list(results.values()))), 4)
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
