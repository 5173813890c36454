"""Reads the question against what was found of it: which of its words matter, which are missing, and whether what
stands around the best match is the kind of thing that was asked for. It sees the question's words and how each meets
the passage, not the passage itself, so it costs a hundredth of a transformer over both and can be trained on all
candidates of all questions before the transformer starts."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TOKEN_SIGNS = 10  # how one word of the question meets the passage
_HEADS = 3
_KERNEL = 5


class QuestionReader(nn.Module):
    def __init__(self, dimensions: int, signs: int, hidden: int = 64):
        super().__init__()
        self.word = nn.Linear(dimensions, hidden)
        self.meeting = nn.Linear(TOKEN_SIGNS, hidden)
        self.neighbours = nn.Conv1d(hidden, hidden, _KERNEL, padding=_KERNEL // 2)
        self.norm = nn.LayerNorm(hidden)
        self.importance = nn.Linear(hidden, _HEADS)
        self.expected = nn.Linear(_HEADS * hidden, hidden)
        self.around = nn.Linear(dimensions, hidden)
        self.judge = nn.Sequential(
            nn.Linear((_HEADS + 1) * hidden + signs, hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, 1)
        )
        nn.init.normal_(self.judge[3].weight, std=1e-3)
        nn.init.zeros_(self.judge[3].bias)

    def forward(self, words: Tensor, meeting: Tensor, question: Tensor, around: Tensor, signs: Tensor) -> Tensor:
        """`[batch, 1]`, from the question's word vectors `[batch, tokens, dimensions]`, how each meets the passage
        `[batch, tokens, TOKEN_SIGNS]`, a mask `[batch, tokens]`, the mean vector of the words around the best match
        `[batch, dimensions]`, and the signs of matching `[batch, signs]`."""
        mask = question[:, :, None]
        states = F.gelu(self.word(words) + self.meeting(meeting)) * mask
        states = self.norm(states + F.gelu(self.neighbours(states.transpose(1, 2)).transpose(1, 2))) * mask
        weights = torch.softmax(self.importance(states) + (1 - mask) * -1e4, dim=1)
        read = (weights.transpose(1, 2) @ states).flatten(1)
        fitting = self.expected(read) * self.around(around)
        return self.judge(torch.cat([read, fitting, signs], dim=1))
