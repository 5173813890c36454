"""A small cross-encoder that is told where the two texts meet.

Both texts run through one transformer as `[CLS] question [SEP] passage [SEP]`. Before it, the graph itself computes
from the token ids how the texts match: which tokens occur on the other side (exactly, in another spelling or stem, in
pairs), how near the nearest token of the other side is (cosine of the embedder's vectors), how rare each token is, and
what each token's counterpart on the other side looks like. The transformer so starts from matching instead of having
to learn it, which is what little training data is best spent on.

The logit is a sum, so that each part learns what the ones before it leave open: a linear and a small layer on the signs
of matching (how much of the question, weighted by rarity, stands in the passage and in its best windows of 24 and 96
tokens; BM25; cosines), a reader of the question (`question_reader.py`), and the transformer.

In the transformer the question reads everything, the passage only the question and, through a convolution, what stands
near: what a passage far away says of itself hardly changes whether it answers (Schlatt et al., ECIR 2024, found the same
of larger cross-encoders), and a layer then costs half. So there is time for six.

Everything from `class_ids` on is computed with plain matrix operations, so that the exported graph runs anywhere.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from askbase_training.question_reader import QuestionReader
from askbase_training.tokenizer import SPECIALS

QUESTION_TOKENS = 64  # match features cover this many leading positions: [CLS], the question and its [SEP]
_FEATURES = 9
_SIGNS = 19
_STATE_SIGNS = 17  # from here on signs come from learned states
_WINDOW_BLOCKS = (3, 12)
_BLOCK = 8
_NEAR = 0.35
_DROPPED = 0.1
_WORD_SPREAD = 0.1
OUTPUT_OF_READER = "reader.judge.3."


@dataclass(frozen=True)
class RerankerShape:
    """`attention`: width of queries, keys and values over all heads; `word`: what the transformer learns of each class
    beside the embedder's vector; `context`: width of the states whose cosines are a sign of matching."""

    hidden: int = 128
    layers: int = 6
    heads: int = 2
    attention: int = 64
    feed_forward: int = 256
    context: int = 64
    kernel: int = 7
    word: int = 24


class Mixing(nn.Module):
    """One transformer layer (pre-norm). Order comes from a depthwise convolution instead of position vectors, so
    that nothing depends on where in a long passage the answer stands. The question reads everything; the passage reads
    the question and, through the convolution, what stands near."""

    def __init__(self, shape: RerankerShape):
        super().__init__()
        self.heads, self.attention = shape.heads, shape.attention
        self.norm = nn.LayerNorm(shape.hidden)
        self.near = nn.Conv1d(shape.hidden, shape.hidden, shape.kernel, padding=shape.kernel // 2, groups=shape.hidden)
        self.query_key_value = nn.Linear(shape.hidden, 3 * shape.attention)
        self.out = nn.Linear(shape.attention, shape.hidden)
        self.norm_feed = nn.LayerNorm(shape.hidden)
        self.feed = nn.Sequential(
            nn.Linear(shape.hidden, shape.feed_forward), nn.GELU(), nn.Linear(shape.feed_forward, shape.hidden)
        )
        self.drop = nn.Dropout(_DROPPED)

    def forward(self, states: Tensor, mask: Tensor, asking: Tensor, blocked: Tensor) -> Tensor:
        """`asking`: `[batch, leading]`, 1 on [CLS], the question and its [SEP]; `blocked`: `[batch, 1, 1, sequence]`."""
        leading = asking.shape[1]
        normed = self.norm(states)
        near = F.gelu(self.near((normed * mask[:, :, None]).transpose(1, 2)).transpose(1, 2))
        query, key, value = self.query_key_value(normed).split(self.attention, dim=2)
        unasked = (1 - asking)[:, None, None, :] * -1e4
        read = self._attend(query, key[:, :leading], value[:, :leading], unasked)
        overall = self._attend(query[:, :leading], key, value, blocked)
        first = read[:, :leading] + (overall - read[:, :leading]) * asking[:, :, None]
        mixed = self.out(torch.cat([first, read[:, leading:]], dim=1))
        states = states + self.drop(near + mixed)
        return states + self.drop(self.feed(self.norm_feed(states)))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, blocked: Tensor) -> Tensor:
        batch, length, width = query.shape
        split = (batch, -1, self.heads, width // self.heads)
        query, key, value = (part.reshape(split).transpose(1, 2) for part in (query, key, value))
        scores = query * (width // self.heads) ** -0.5 @ key.transpose(-1, -2)
        weights = torch.softmax(scores + blocked, dim=-1)
        return (weights @ value).transpose(1, 2).reshape(batch, length, width)


class VectorTable(nn.Module):
    """A frozen table in int8 with one scale per row: a fourth of the size, and the same numbers in the exported file and
    in every precision of it."""

    def __init__(self, rows: Tensor):
        super().__init__()
        scale = rows.abs().amax(dim=1).clamp(min=1e-8) / 127
        self.register_buffer("values", torch.round(rows / scale[:, None]).to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        return self.values[ids].to(torch.float32) * self.scale[ids][..., None]


class View(NamedTuple):
    """A batch as the model sees it. `question` and `passage` are 1 on content tokens of either side, `valid` where both
    meet; `match` holds `[batch, question, sequence]` matrices: cosine, same class, same class in a row of two."""

    class_ids: Tensor
    token_type_ids: Tensor
    mask: Tensor
    vectors: Tensor
    rarity: Tensor
    question: Tensor
    passage: Tensor
    valid: Tensor
    match: dict[str, Tensor]
    asking: Tensor


class Reranker(nn.Module):
    """`table`: the embedder's folded class table, whose rows' lengths are its term weights; `idf`: rarity of each class
    (`[classes]`, 0 to 1, zero for special tokens)."""

    def __init__(self, classes: np.ndarray, table: np.ndarray, idf: np.ndarray, shape: RerankerShape = RerankerShape()):
        super().__init__()
        self.shape = shape
        rows = F.normalize(torch.tensor(table, dtype=torch.float32), dim=-1)
        self.register_buffer("classes", torch.tensor(classes, dtype=torch.int32))
        self.rows = VectorTable(rows)
        lengths = torch.tensor(table, dtype=torch.float32).norm(dim=-1)
        self.register_buffer("lengths", lengths / lengths.mean())
        self.register_buffer("idf", torch.tensor(idf, dtype=torch.float32))
        hidden = shape.hidden
        self.reduce = nn.Linear(rows.shape[1], hidden)
        self.words = nn.Embedding(rows.shape[0], shape.word)
        nn.init.normal_(self.words.weight, std=_WORD_SPREAD)
        self.widen = nn.Linear(shape.word, hidden)
        self.compare = nn.Linear(3 * hidden, hidden)
        self.describe = nn.Sequential(nn.Linear(_FEATURES, 32), nn.GELU(), nn.Linear(32, hidden))
        self.kind = nn.Embedding(2, hidden)
        self.special = nn.Embedding(len(SPECIALS), hidden)
        self.norm_in = nn.LayerNorm(hidden)
        self.layers = nn.ModuleList(Mixing(shape) for _ in range(shape.layers))
        self.norm_out = nn.LayerNorm(hidden)
        self.context = nn.Linear(hidden, shape.context)
        self.gate = nn.Linear(hidden, 1)
        self.sharpness = nn.Parameter(torch.tensor(8.0))
        self.attend = nn.Linear(hidden, 1)
        self.judge = nn.Sequential(nn.Linear(2 * hidden + _SIGNS, 64), nn.GELU(), nn.Linear(64, 1))
        self.combine = nn.Sequential(nn.Linear(_SIGNS, 32), nn.GELU(), nn.Linear(32, 1))
        self.direct = nn.Linear(_SIGNS, 1)
        self.reader = QuestionReader(rows.shape[1], _STATE_SIGNS)
        self._start_from_coverage()
        self.question_tokens = QUESTION_TOKENS
        self.mixed_precision = False  # of the layers: what matches is counted, and cosines compared, in full precision
        self.register_buffer("scale", torch.ones(1))
        self.register_buffer("shift", torch.zeros(1))

    # the first layers are fitted before the transformer, which then learns what they leave open
    learning_rate_scales = {"sharpness": 10.0, "reader": 0.2, "combine": 0.2, "direct": 0.2}

    @torch.no_grad()
    def _start_from_coverage(self) -> None:
        """An untrained model ranks by the signs of matching alone; the transformer learns what they leave open."""
        for last in (self.judge[2], self.combine[2]):
            last.weight.zero_()
            last.bias.zero_()
        self.direct.weight.fill_(1.0)
        self.direct.weight[0, _STATE_SIGNS:] = 0.0
        self.direct.bias.fill_(-6.0)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Logits `[batch, 1]`; above 0 means relevant enough to answer from."""
        view = self.view(input_ids, attention_mask, token_type_ids)
        signs = self.signs(view)
        read = self.reader(*self.reading(view), signs)
        return (read + self._judge(self._run(view), view, signs)) * self.scale + self.shift

    @contextlib.contextmanager
    def questions_up_to(self, positions: int) -> Iterator[None]:
        """Matches only so many leading positions, where the [SEP] of every question is known to stand among them: the same
        numbers, sooner."""
        self.question_tokens = min(positions, QUESTION_TOKENS)
        yield
        self.question_tokens = QUESTION_TOKENS

    @property
    def device(self) -> torch.device:
        return self.idf.device

    def round_words(self) -> None:
        """The learned words as int8, for the exported file."""
        self.words = VectorTable(self.words.weight.detach())

    def by_reading_alone(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[batch, 1]` of the transformer without the layers on signs of matching, and its last states `[batch,
        sequence, hidden]`."""
        view = self.view(input_ids, attention_mask, token_type_ids)
        states = self._run(view)
        signs = states.new_zeros(len(states), _SIGNS)
        return self.judge(torch.cat([states[:, 0], self._gathered(states, view), signs], dim=1)), states

    def view(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> "View":
        leading = self.question_tokens
        if torch.jit.is_tracing():  # an exported graph counts for itself how far the questions of a batch reach
            leading = (attention_mask * (1 - token_type_ids)).sum(dim=1).amax().clamp(max=QUESTION_TOKENS)
        class_ids = self.classes[input_ids]
        mask = attention_mask.to(torch.float32)
        content = mask * (class_ids >= len(SPECIALS)).to(torch.float32)
        passage = content * token_type_ids.to(torch.float32)
        question = (content * (1 - token_type_ids.to(torch.float32)))[:, :leading]
        vectors = self.rows(class_ids)
        valid = question[:, :, None] * passage[:, None, :]
        near = vectors[:, :leading] @ vectors.transpose(1, 2) * valid
        exact = (class_ids[:, :leading, None] == class_ids[:, None, :]).to(torch.float32) * valid
        follow = F.pad(exact, (0, 1, 0, 1))[:, 1:, 1:] * exact
        before = F.pad(exact, (1, 0, 1, 0))[:, :-1, :-1] * exact
        match = {"near": near, "exact": exact, "pairs": torch.maximum(follow, before)}
        rarity = self.idf[class_ids]
        asking = (mask * (1 - token_type_ids.to(torch.float32)))[:, :leading]
        return View(class_ids, token_type_ids, mask, vectors, rarity, question, passage, valid, match, asking)

    def _run(self, view: "View") -> Tensor:
        states = self._enter(view)
        blocked = (1 - view.mask)[:, None, None, :] * -1e4
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed_precision):
            for layer in self.layers:
                states = layer(states, view.mask, view.asking, blocked)
        return self.norm_out(states.float())

    def _enter(self, view: "View") -> Tensor:
        """What a token is, what it meets on the other side, and how."""
        question, passage, match = view.question, view.passage, view.match
        reduced = self.reduce(view.vectors)
        sharp = match["near"] * self.sharpness + (1 - view.valid) * -1e4
        for_question = torch.softmax(sharp, dim=2) @ reduced * question[:, :, None]
        for_passage = torch.softmax(sharp, dim=1).transpose(1, 2) @ reduced[:, : question.shape[1]] * passage[:, :, None]
        missing = passage.shape[1] - question.shape[1]
        counterpart = for_passage + F.pad(for_question, (0, 0, 0, missing))
        compared = self.compare(torch.cat([reduced, counterpart, reduced * counterpart], dim=-1))
        exact, near, pairs = (
            match[name].amax(dim=1) + F.pad(match[name].amax(dim=2), (0, missing))
            for name in ("exact", "near", "pairs")
        )
        rarity = view.rarity
        features = [exact, near, pairs, rarity, exact * rarity, near * rarity, pairs * rarity, passage]
        features.append(passage.sum(dim=1, keepdim=True).log1p().expand_as(passage) / 6)
        described = self.describe(torch.stack(features, dim=-1))
        is_special = (view.class_ids < len(SPECIALS))[:, :, None]
        special = self.special(view.class_ids.clamp(max=len(SPECIALS) - 1)) * is_special
        known = self.widen(self.words(view.class_ids))
        return self.norm_in(compared + known + described + special + self.kind(view.token_type_ids))

    def _judge(self, states: Tensor, view: "View", matching: Tensor) -> Tensor:
        leading = view.question.shape[1]
        gate = torch.sigmoid(self.gate(states[:, :leading])[..., 0])
        weights = _shares(view.rarity[:, :leading] * view.question * gate)
        meaning = F.normalize(self.context(states), dim=-1)
        alike = (meaning[:, :leading] @ meaning.transpose(1, 2) * view.valid).amax(dim=2)
        learned = [_weighted(weights, view.match["exact"].amax(dim=2)), _weighted(weights, alike)]
        signs = torch.cat([matching, torch.stack(learned, dim=1)], dim=1)
        read = self.judge(torch.cat([states[:, 0], self._gathered(states, view), signs], dim=1))
        return read + self.combine(signs) + self.direct(signs)

    def _gathered(self, states: Tensor, view: "View") -> Tensor:
        attention = self.attend(states)[..., 0] + (1 - view.passage) * -1e4
        return (torch.softmax(attention, dim=1)[:, None, :] @ states)[:, 0]

    def signs(self, view: "View") -> Tensor:
        """`[batch, signs]`: how the texts match as far as that needs no learning: coverage of the question by the whole
        passage and by its best windows, BM25, and cosines of the embedder's vectors."""
        rarity, match = view.rarity[:, : view.question.shape[1]] * view.question, view.match
        shares, rare_shares = _shares(rarity), _shares(rarity.square())
        exact, near, pairs = (match[name].amax(dim=2) for name in ("exact", "near", "pairs"))
        saturated = _saturated(match["exact"].sum(dim=2), view)
        length = view.passage.sum(dim=1, keepdim=True)
        signs = [
            _weighted(shares, exact),
            _weighted(shares, near),
            _weighted(shares, pairs),
            _weighted(rare_shares, exact),
            _weighted(shares, saturated),
            _weighted(rarity, saturated) / 8,
            (rarity * (1 - exact)).amax(dim=1),
            *self._best_windows(match["exact"], shares),
            *self._best_windows(F.relu(match["near"] - _NEAR) / (1 - _NEAR), shares),
            *self._best_windows(match["pairs"], shares)[:1],
            *self._cosines(view),
            length[:, 0].log1p() / 6,
            view.question.sum(dim=1).log1p() / 4,
        ]
        return torch.stack(signs, dim=1)

    def reading(self, view: "View") -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What `QuestionReader` reads besides the signs."""
        question, match = view.question, view.match
        leading = question.shape[1]
        rarity = view.rarity[:, :leading] * question
        exact, near, pairs = (match[name].amax(dim=2) for name in ("exact", "near", "pairs"))
        found = match["exact"].sum(dim=2)
        spots = [self._best_spot(match["exact"], _shares(rarity), size) for size in _WINDOW_BLOCKS]
        together = [(match["exact"] * spot[:, None, :]).amax(dim=2) for spot in spots]
        soft = (F.relu(match["near"] - _NEAR) / (1 - _NEAR)).sum(dim=2).log1p()
        lengths = self.lengths[view.class_ids[:, :leading]] * question
        meeting = [exact, near, pairs, *together, _saturated(found, view), soft, rarity, rarity * (1 - exact), lengths]
        unmatched = view.passage * (1 - match["exact"].amax(dim=1)) * spots[0] * self.lengths[view.class_ids]
        around = (view.vectors * unmatched[:, :, None]).sum(dim=1) / unmatched.sum(dim=1, keepdim=True).clamp(min=1e-4)
        return view.vectors[:, :leading], torch.stack(meeting, dim=-1), question, around

    @staticmethod
    def _best_spot(exact: Tensor, shares: Tensor, size: int) -> Tensor:
        """`[batch, sequence]`, 1 in the (first) window of `size` blocks that covers most of the question."""
        blocks = F.max_pool1d(F.pad(exact, (0, _BLOCK - 1)), _BLOCK, stride=_BLOCK)
        covered = (shares[:, None, :] @ F.max_pool1d(F.pad(blocks, (0, size - 1)), size, stride=1))[:, 0]
        first = covered.argmax(dim=1, keepdim=True) * _BLOCK
        at = torch.arange(exact.shape[2], device=exact.device)[None, :]
        return ((at >= first) & (at < first + size * _BLOCK)).to(torch.float32)

    @staticmethod
    def _best_windows(matrix: Tensor, shares: Tensor) -> list[Tensor]:
        """The highest coverage of the question inside any window of 24 and of 96 tokens."""
        blocks = F.max_pool1d(F.pad(matrix, (0, _BLOCK - 1)), _BLOCK, stride=_BLOCK)
        found = []
        for size in _WINDOW_BLOCKS:
            windows = F.max_pool1d(F.pad(blocks, (0, size - 1)), size, stride=1)
            found.append((shares[:, None, :] @ windows)[:, 0].amax(dim=1))
        return found

    def _cosines(self, view: "View") -> list[Tensor]:
        """The embedder's cosine of question and passage, and of the question and the passage's best windows."""
        weighted = view.vectors * self.lengths[view.class_ids][:, :, None]
        asked = _unit((weighted[:, : view.question.shape[1]] * view.question[:, :, None]).sum(dim=1))
        said = weighted * view.passage[:, :, None]
        found = [(_unit(said.sum(dim=1)) * asked).sum(dim=1)]
        blocks = F.avg_pool1d(F.pad(said.transpose(1, 2), (0, _BLOCK - 1)), _BLOCK, stride=_BLOCK)
        for size in _WINDOW_BLOCKS:
            windows = F.avg_pool1d(F.pad(blocks, (0, size - 1)), size, stride=1)
            found.append((_unit(windows.transpose(1, 2)) @ asked[:, :, None])[:, :, 0].amax(dim=1))
        return found


def _saturated(found: Tensor, view: "View") -> Tensor:
    """BM25's saturation of a term's count, with k1 = 1.2, b = 0.75, for a mean length of 150 tokens."""
    return found * 2.2 / (found + 0.3 + 0.9 * view.passage.sum(dim=1, keepdim=True) / 150)


def _shares(weights: Tensor) -> Tensor:
    return weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-4)


def _weighted(weights: Tensor, values: Tensor) -> Tensor:
    return (weights * values).sum(dim=1)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.square().sum(dim=-1, keepdim=True).clamp(min=1e-8).sqrt()


def inverse_document_frequencies(bags, classes: np.ndarray) -> np.ndarray:
    """Rarity of each class over the passages in `bags`, scaled to 0–1; special tokens 0."""
    counts = np.zeros(classes.max() + 1)
    for number in range(len(bags)):
        counts[np.unique(classes[bags[number]])] += 1
    idf = np.log((len(bags) + 1) / (counts + 0.5))
    idf = np.clip(idf / np.log(len(bags) + 1), 0.0, 1.0)
    idf[: len(SPECIALS)] = 0
    return idf.astype(np.float32)
