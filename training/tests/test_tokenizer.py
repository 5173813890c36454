from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from askbase_training.tokenizer import CLS, SEP, UNK


@pytest.fixture(scope="module")
def tokenizer(tokenizer_folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def classes(tokenizer_folder: Path) -> np.ndarray:
    return np.load(tokenizer_folder / "classes.npy")


def test_chinese_is_cut_into_words(tokenizer):
    tokens = tokenizer.encode("我们可以在家里学习", add_special_tokens=False).tokens
    assert "".join(tokens) == "我们可以在家里学习"
    assert {"我们", "可以", "学习"} <= set(tokens)


def test_no_text_has_an_unknown_token(tokenizer):
    text = "龘齉 🌍 한국어 Ωμέγα \u200b\ufeff\ue000 Ünïcödé ①②③ ﷽"
    assert UNK not in tokenizer.encode(text).ids


def test_case_width_and_accents_make_no_difference(tokenizer):
    assert tokenizer.encode("ＣＡＦÉ").ids == tokenizer.encode("cafe").ids


def test_traditional_and_simplified_spellings_share_a_class(tokenizer, classes):
    simplified = tokenizer.encode("退货", add_special_tokens=False).ids
    traditional = tokenizer.encode("退貨", add_special_tokens=False).ids
    assert simplified != traditional
    assert [classes[i] for i in simplified] == [classes[i] for i in traditional]


def test_forms_of_an_english_word_share_a_class(tokenizer, classes):
    one, other = (tokenizer.token_to_id(word) for word in ("return", "returns"))
    assert classes[one] == classes[other]
    assert classes[one] != classes[tokenizer.token_to_id("refunds")]


def test_a_pair_is_joined_with_separators_and_token_types(tokenizer):
    encoding = tokenizer.encode("退货", "days")
    assert encoding.ids[0] == CLS
    assert encoding.ids.count(SEP) == 2
    first = encoding.ids.index(SEP) + 1
    assert encoding.type_ids == [0] * first + [1] * (len(encoding.ids) - first)


def test_special_tokens_keep_their_ids_as_classes(classes):
    assert list(classes[:5]) == [0, 1, 2, 3, 4]
