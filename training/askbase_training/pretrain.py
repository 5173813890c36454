"""`pretrain`: gives the reranker's transformer a start from running text, without questions. In each batch it learns two
things: to name words that were hidden from it (the whole vocabulary to choose from), and to find the paragraph that a
sentence stands in (`running_text.py`). The layers before it take no part, so that it cannot lean on them."""

import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from askbase_training.losses import RERANKER_LOSSES
from askbase_training.reranker import Reranker, RerankerShape
from askbase_training.running_text import RunningText
from askbase_training.tokenizer import MASK, SPECIALS
from askbase_training.training_loop import Schedule, device_in_use, seed_everything, train
from askbase_training.triples import collate, to_device

HIDDEN_SHARE = 0.12  # of the passage's words; of the question's a third of that
GROUP = 8
_SHARPNESS = 14.0
_VALIDATION_SEED = 999_000_000


class Beginner(nn.Module):
    """The reranker's transformer with a head that names a hidden word by its vector."""

    def __init__(self, reranker: Reranker):
        super().__init__()
        self.reranker = reranker
        self.name_word = nn.Linear(reranker.shape.hidden, reranker.rows.values.shape[1])
        self.commonness = nn.Parameter(torch.zeros(len(reranker.rows.values)))
        self.sharpness = nn.Parameter(torch.tensor(_SHARPNESS))

    def forward(self, inputs: dict[str, Tensor], hidden_at: Tensor, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`[groups, GROUP]` logits, then loss and accuracy of naming; `hidden_at` `[count, 2]` are the hidden positions,
        `words` their class ids."""
        logits, states = self.reranker.by_reading_alone(**inputs)
        named = F.normalize(self.name_word(states[hidden_at[:, 0], hidden_at[:, 1]]), dim=-1)
        every = torch.arange(len(self.commonness), device=named.device)
        scores = named @ self.reranker.rows(every).T * self.sharpness + self.commonness
        accuracy = (scores.argmax(dim=1) == words).float().mean()
        return logits.view(-1, GROUP), F.cross_entropy(scores, words), accuracy


def hide_words(inputs: dict[str, Tensor], rng: np.random.Generator) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """The inputs with [MASK] in some places, the places `[count, 2]`, and the token ids that stood there."""
    ids = inputs["input_ids"].clone()
    eligible = ids >= len(SPECIALS)
    share = torch.where(inputs["token_type_ids"] == 1, HIDDEN_SHARE, HIDDEN_SHARE / 3).numpy()
    chosen = torch.from_numpy(rng.random(ids.shape) < share) & eligible
    if not chosen.any():
        chosen[tuple(torch.nonzero(eligible)[0])] = True
    words = ids[chosen]
    ids[chosen] = MASK
    return {**inputs, "input_ids": ids}, torch.nonzero(chosen), words


def pretrain(
    work: Path,
    tokenizer_folder: Path,
    embedder_table: Path,
    out: Path,
    schedule: Schedule,
    shape: RerankerShape = RerankerShape(),
    groups: int = 8,
    length: int = 224,
) -> dict[str, float]:
    """Leaves `reranker.pt` in `out`, to start `train-reranker` from. Validation reports how often the relevant of
    `GROUP` passages comes first as `ndcg@10`'s stand-in, on sentences drawn by other random numbers."""
    seed_everything(schedule.seed)
    device = device_in_use()
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    classes = np.load(tokenizer_folder / "classes.npy")
    text = RunningText(work, tokenizer, classes)
    model = Beginner(Reranker(classes, np.load(embedder_table), text.idf, shape)).to(device)
    model.reranker.mixed_precision = schedule.mixed_precision

    def batch(seed: int):
        rng = random.Random(seed)
        drawn = [text.group(rng, GROUP) for _ in range(groups)]
        pairs = [(question, passage) for question, passages in drawn for passage in passages]
        inputs, hidden_at, words = hide_words(collate(pairs, length), np.random.default_rng(seed))
        named = torch.from_numpy(classes)[words].to(torch.int64)
        return to_device(inputs, device), hidden_at.to(device), named.to(device)

    def loss_of(step: int) -> Tensor:
        logits, naming, _ = model(*batch(schedule.seed * 1_000_003 + step))
        return RERANKER_LOSSES["listwise-bce"](logits, torch.ones_like(logits)) + naming

    def validate() -> dict[str, float]:
        found = [model(*batch(_VALIDATION_SEED + number)) for number in range(4)]
        first = torch.cat([(logits[:, :1] > logits[:, 1:]).all(dim=1) for logits, _, _ in found]).float().mean()
        named = torch.stack([accuracy for _, _, accuracy in found]).mean()
        return {"ndcg@10": round(first.item(), 4), "named": round(named.item(), 4)}

    best = train(model, loss_of, validate, out, schedule.in_full_precision())
    torch.save(model.reranker.state_dict(), out / "reranker.pt")
    return best
