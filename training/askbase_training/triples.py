"""Mined groups of passages for training and judging rerankers, as token ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from askbase_training.dataset import PASSAGE_TOKENS, Bags, encode_texts, in_part, is_validation
from askbase_training.jsonl import read_jsonl
from askbase_training.tokenizer import CLS, PAD, SEP

QUESTION_LIMIT = 61  # with [CLS] and [SEP] inside the positions that match features cover


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


def to_device(inputs: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    return {name: tensor.to(device) for name, tensor in inputs.items()}
