"""`fine-tune` and `distil`: any Hugging Face cross- or bi-encoder, from triples `{query, positive, negatives}`."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from askbase_training.jsonl import read_jsonl, write_jsonl
from askbase_training.losses import RERANKER_LOSSES, info_nce
from askbase_training.metrics import ndcg_at
from askbase_training.training_loop import Schedule, device_in_use, seed_everything, train


class CrossEncoder(nn.Module):
    """A sequence classifier with one output, used as a reranker."""

    def __init__(self, name: str, limit: int = 512):
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(name)
        self.model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=1)
        self.limit = limit

    def forward(self, queries: Sequence[str], passages: Sequence[str]) -> Tensor:
        """One logit per pair."""
        encoded = self.tokenizer(
            list(queries),
            list(passages),
            padding=True,
            truncation="only_second",
            max_length=self.limit,
            return_tensors="pt",
        ).to(self.model.device)
        return self.model(**encoded).logits[:, 0]


class BiEncoder(nn.Module):
    """An encoder whose mean (or first) state is the text's vector."""

    def __init__(self, name: str, pooling: str = "mean", limit: int = 512):
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(name)
        self.model = AutoModel.from_pretrained(name)
        self.pooling, self.limit = pooling, limit

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors."""
        encoded = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.limit, return_tensors="pt"
        ).to(self.model.device)
        states = self.model(**encoded).last_hidden_state
        if self.pooling == "cls":
            return F.normalize(states[:, 0], dim=-1)
        mask = encoded["attention_mask"][:, :, None].to(states.dtype)
        return F.normalize((states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1), dim=-1)


def split(triples: Sequence[dict], share: float = 0.1, seed: int = 7) -> tuple[list[dict], list[dict]]:
    """Training and validation triples; all triples of a question fall on the same side."""
    queries = sorted({triple["query"] for triple in triples})
    random.Random(seed).shuffle(queries)
    held_out = set(queries[: max(1, int(len(queries) * share))])
    return [t for t in triples if t["query"] not in held_out], [t for t in triples if t["query"] in held_out]


def fine_tune_cross_encoder(
    model: CrossEncoder,
    triples: Sequence[dict],
    out: Path,
    schedule: Schedule,
    loss: str = "listwise",
    groups: int = 4,
    negatives: int = 7,
) -> dict[str, float]:
    seed_everything(schedule.seed)
    model.to(device_in_use())
    training, validation = split(triples)
    criterion = RERANKER_LOSSES[loss]

    def loss_of(step: int) -> Tensor:
        rng = random.Random(schedule.seed * 1_000_003 + step)
        drawn = rng.sample(training, min(groups, len(training)))
        candidates = [
            [triple["positive"], *rng.sample(triple["negatives"], min(negatives, len(triple["negatives"])))]
            for triple in drawn
        ]
        scores, mask = grouped_scores(model, [triple["query"] for triple in drawn], candidates)
        return criterion(scores, mask)

    best = train(model, loss_of, lambda: validate_cross_encoder(model, validation), out, schedule)
    model.model.save_pretrained(out / "model")
    model.tokenizer.save_pretrained(out / "model")
    return best


def grouped_scores(
    model: CrossEncoder, queries: Sequence[str], candidates: Sequence[Sequence[str]]
) -> tuple[Tensor, Tensor]:
    """Scores and mask `[groups, candidates]` of passages grouped by question."""
    flat = [(query, passage) for query, group in zip(queries, candidates) for passage in group]
    logits = model(*zip(*flat)).float()
    mask = torch.zeros(len(queries), max(map(len, candidates)), device=logits.device)
    for row, group in enumerate(candidates):
        mask[row, : len(group)] = 1
    return torch.zeros_like(mask).masked_scatter(mask.bool(), logits), mask


@torch.no_grad()
def validate_cross_encoder(model: CrossEncoder, triples: Sequence[dict]) -> dict[str, float]:
    gains = []
    for triple in triples:
        passages = [triple["positive"], *triple["negatives"]]
        logits = model([triple["query"]] * len(passages), passages).float().cpu().numpy()
        gains.append(ndcg_at([str(at) for at in np.argsort(-logits, kind="stable")], {"0": 1}))
    return {"ndcg@10": round(float(np.mean(gains)), 4)}


def fine_tune_bi_encoder(
    model: BiEncoder, triples: Sequence[dict], out: Path, schedule: Schedule, batch: int = 32, temperature: float = 0.05
) -> dict[str, float]:
    seed_everything(schedule.seed)
    model.to(device_in_use())
    training, validation = split(triples)

    def loss_of(step: int) -> Tensor:
        rng = random.Random(schedule.seed * 1_000_003 + step)
        drawn = rng.sample(training, min(batch, len(training)))
        passages = [triple["positive"] for triple in drawn]
        passages += [rng.choice(triple["negatives"]) for triple in drawn if triple["negatives"]]
        same = torch.tensor([[triple["positive"] == passage for passage in passages] for triple in drawn])
        vectors = model([triple["query"] for triple in drawn]), model(passages)
        return info_nce(*vectors, temperature, same.to(vectors[0].device))

    best = train(model, loss_of, lambda: validate_bi_encoder(model, validation), out, schedule)
    model.model.save_pretrained(out / "model")
    model.tokenizer.save_pretrained(out / "model")
    return best


@torch.no_grad()
def validate_bi_encoder(model: BiEncoder, triples: Sequence[dict]) -> dict[str, float]:
    gains = []
    for triple in triples:
        query, *passages = model([triple["query"], triple["positive"], *triple["negatives"]]).float().cpu()
        scores = torch.stack(passages) @ query
        gains.append(ndcg_at([str(int(at)) for at in torch.argsort(-scores, stable=True)], {"0": 1}))
    return {"ndcg@10": round(float(np.mean(gains)), 4)}


@torch.no_grad()
def write_teacher_scores(teacher: CrossEncoder, triples_file: Path, out: Path, batch: int = 64) -> int:
    """Adds `scores` (the teacher's logits: positive first, then the negatives in order) to each triple."""
    teacher.to(device_in_use()).eval()

    def scored():
        for triple in tqdm(list(read_jsonl(triples_file)), mininterval=5):
            passages = [triple["positive"], *triple["negatives"]]
            parts = [
                teacher([triple["query"]] * len(part), part).float().cpu()
                for part in (passages[at : at + batch] for at in range(0, len(passages), batch))
            ]
            yield {**triple, "scores": [round(float(score), 4) for score in torch.cat(parts)]}

    return write_jsonl(out, scored())
