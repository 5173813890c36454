"""`pretrain`: masked words. Words of running passages are hidden from the reranker's transformer, which has to pick
their vectors out of those of all words hidden in the batch. Optional: it gives the transformer a start from text
without questions."""

import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from askbase_training.dataset import PASSAGE_TOKENS, Bags, encode_texts
from askbase_training.jsonl import read_jsonl
from askbase_training.reranker import Reranker, RerankerShape, inverse_document_frequencies
from askbase_training.tokenizer import MASK, SPECIALS
from askbase_training.training_loop import Schedule, seed_everything, train
from askbase_training.triples import collate

MASKED_SHARE = 0.15
_TEMPERATURE = 0.07


class MaskedWords(nn.Module):
    """The reranker's trunk with a head that names a hidden word by its vector."""

    def __init__(self, reranker: Reranker):
        super().__init__()
        self.reranker = reranker
        self.name_word = nn.Linear(reranker.shape.hidden, reranker.rows.values.shape[1])

    def forward(self, inputs: dict[str, Tensor], hidden_at: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and accuracy; `hidden_at` `[count, 2]` are the hidden positions, `words` their class ids."""
        states = self.reranker.states(**inputs)
        named = F.normalize(self.name_word(states[hidden_at[:, 0], hidden_at[:, 1]]), dim=-1)
        choices, targets = torch.unique(words, return_inverse=True)
        scores = named @ self.reranker.rows(choices).T / _TEMPERATURE
        return F.cross_entropy(scores, targets), (scores.argmax(dim=1) == targets).float().mean()


def hide_words(
    inputs: dict[str, Tensor], classes: np.ndarray, rng: np.random.Generator
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    ids = inputs["input_ids"].clone()
    eligible = ids >= len(SPECIALS)
    chosen = torch.from_numpy(rng.random(ids.shape) < MASKED_SHARE) & eligible
    if not chosen.any():
        chosen[tuple(torch.nonzero(eligible)[0])] = True
    words = torch.from_numpy(classes)[ids[chosen]].to(torch.int64)
    ids[chosen] = MASK
    return {**inputs, "input_ids": ids}, torch.nonzero(chosen), words


def pretrain(
    work: Path,
    tokenizer_folder: Path,
    embedder_table: Path,
    out: Path,
    schedule: Schedule,
    shape: RerankerShape = RerankerShape(),
    batch: int = 48,
    length: int = 160,
) -> dict[str, float]:
    """Leaves `reranker.pt` in `out`, to start `train-reranker` from. Validation reports accuracy as `ndcg@10`'s
    stand-in, since there is nothing to rank yet."""
    seed_everything(schedule.seed)
    tokenizer = Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))
    classes = np.load(tokenizer_folder / "classes.npy")
    texts = list(dict.fromkeys(r["positive"] for r in read_jsonl(work / "pairs.jsonl") if r["kind"] != "dictionary"))
    random.Random(schedule.seed).shuffle(texts)
    passages = encode_texts(tokenizer, texts, PASSAGE_TOKENS)
    held_out = min(64, max(1, len(passages) // 10))
    model = MaskedWords(
        Reranker(classes, np.load(embedder_table), inverse_document_frequencies(passages, classes), shape)
    )

    def masked(positions: list[int], seed: int):
        halves = [_halves(passages, at) for at in positions]
        return hide_words(collate(halves, length), classes, np.random.default_rng(seed))

    def loss_of(step: int) -> Tensor:
        rng = random.Random(schedule.seed * 1_000_003 + step)
        return model(*masked([rng.randrange(held_out, len(passages)) for _ in range(batch)], step))[0]

    def validate() -> dict[str, float]:
        _, accuracy = model(*masked(list(range(held_out)), 0))
        return {"ndcg@10": round(accuracy.item(), 4)}

    best = train(model, loss_of, validate, out, schedule)
    torch.save(model.reranker.state_dict(), out / "reranker.pt")
    return best


def _halves(passages: Bags, at: int) -> tuple[np.ndarray, np.ndarray]:
    """The first tokens of a passage as one segment, what follows as the other."""
    ids = passages[at]
    cut = min(40, max(1, len(ids) // 3))
    return ids[:cut], ids[cut:]
