"""A few generated lines of Chinese and English stand in for the training data."""

import itertools
import os
import random
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from askbase_training.dataset import is_validation  # noqa: E402
from askbase_training.jsonl import write_jsonl  # noqa: E402
from askbase_training.tokenizer import save_tokenizer, train_tokenizer  # noqa: E402

GOODS = [
    ("耳机", "headphones"),
    ("键盘", "keyboard"),
    ("水壶", "kettle"),
    ("台灯", "lamp"),
    ("背包", "backpack"),
    ("雨伞", "umbrella"),
    ("手表", "watch"),
    ("鼠标", "mouse"),
    ("音箱", "speaker"),
    ("冰箱", "fridge"),
    ("相机", "camera"),
    ("电视", "television"),
    ("沙发", "sofa"),
    ("床单", "sheet"),
    ("手套", "gloves"),
]
TOPICS = [
    ("{}可以退货吗？", "{}在签收后三十天内可以退货。请保留包装。退款五天到账。"),
    ("{}保修多久？", "{}的保修期是两年。人为损坏不在保修范围内。请提供发票。"),
    (
        "How long is the {} warranty?",
        "The {} has a warranty of two years. Damage by water is not covered. Keep the bill.",
    ),
    ("Who returns the {}?", "You may return the {} within thirty days. Keep the box. Refunds take five days."),
]


HELD_OUT = {"lamp", "sofa", "watch"}


def _group(english: str, number: int) -> str:
    """A name that falls on the side of the validation split that `HELD_OUT` asks for."""
    names = (f"{english}-{number}-{salt}" for salt in itertools.count())
    return next(name for name in names if is_validation(name) == (english in HELD_OUT))


def generated_pairs() -> list[dict]:
    pairs = []
    for chinese, english in GOODS:
        for number, (question, answer) in enumerate(TOPICS):
            word = chinese if number < 2 else english
            pairs.append(
                {
                    "query": question.format(word),
                    "positive": answer.format(word),
                    "source": "shop-zh" if number < 2 else "shop-en",
                    "kind": "question",
                    "group": _group(english, number),
                    "language": "zh" if number < 2 else "en",
                }
            )
    return pairs


@pytest.fixture(scope="session")
def pairs() -> list[dict]:
    return generated_pairs()


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory, pairs: list[dict]) -> Path:
    """A folder as `prepare` leaves it."""
    folder = tmp_path_factory.mktemp("work")
    write_jsonl(folder / "pairs.jsonl", pairs)
    write_jsonl(folder / "texts.jsonl", [{"text": "今天下雨。小明带了一把伞。他没有淋湿。"}])
    return folder


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory, pairs: list[dict]) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    texts = [text for pair in pairs for text in (pair["query"], pair["positive"])] * 3
    save_tokenizer(train_tokenizer(texts, han_words=2000, latin_words=200, latin_pieces=120), folder)
    return folder


@pytest.fixture(scope="session")
def table_file(tmp_path_factory: pytest.TempPathFactory, tokenizer_folder: Path) -> Path:
    """A random embedding table of 16 dimensions."""
    classes = np.load(tokenizer_folder / "classes.npy")
    path = tmp_path_factory.mktemp("table") / "table.npy"
    np.save(path, np.random.default_rng(0).normal(size=(classes.max() + 1, 16)).astype(np.float32))
    return path


@pytest.fixture(scope="session")
def triples_file(tmp_path_factory: pytest.TempPathFactory, pairs: list[dict]) -> Path:
    rng = random.Random(0)
    triples = []
    for pair in pairs:
        others = [other["positive"] for other in pairs if other["positive"] != pair["positive"]]
        negatives = rng.sample(others, 4)
        triples.append({**pair, "negatives": negatives, "scores": [2.0, -1.0, -1.5, -2.0, -3.0]})
    path = tmp_path_factory.mktemp("triples") / "triples.jsonl"
    write_jsonl(path, triples)
    return path
