from pathlib import Path

import pytest

pytest.importorskip("transformers")

from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast  # noqa: E402

from askbase_training.hugging_face import (  # noqa: E402
    BiEncoder,
    CrossEncoder,
    fine_tune_bi_encoder,
    fine_tune_cross_encoder,
    write_teacher_scores,
)
from askbase_training.jsonl import read_jsonl  # noqa: E402
from askbase_training.training_loop import Schedule  # noqa: E402

CONFIG = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
SHORT = Schedule(steps=2, learning_rate=1e-3, warm_up=1, evaluate_every=2)


@pytest.fixture(scope="module")
def bert(tmp_path_factory, pairs) -> dict[str, Path]:
    """A cross-encoder and a bi-encoder with random weights, saved as a user would have them."""
    root = tmp_path_factory.mktemp("bert")
    characters = sorted({char for pair in pairs for char in (pair["query"] + pair["positive"]).lower()})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *("##" + char for char in characters)]
    (root / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(root / "vocab.txt"))
    config = BertConfig(vocab_size=len(pieces), num_labels=1, **CONFIG)
    folders = {"cross": root / "cross", "bi": root / "bi"}
    for name, model in (("cross", BertForSequenceClassification(config)), ("bi", BertModel(config))):
        model.save_pretrained(folders[name])
        tokenizer.save_pretrained(folders[name])
    return folders


def test_a_cross_encoder_is_fine_tuned_and_saved(bert, triples_file, tmp_path):
    triples = list(read_jsonl(triples_file))
    metrics = fine_tune_cross_encoder(CrossEncoder(str(bert["cross"]), 64), triples, tmp_path, SHORT)
    assert 0 < metrics["ndcg@10"] <= 1
    assert CrossEncoder(str(tmp_path / "model"), 64)(["q"], ["p"]).shape == (1,)


def test_a_bi_encoder_is_fine_tuned_and_saved(bert, triples_file, tmp_path):
    triples = list(read_jsonl(triples_file))
    metrics = fine_tune_bi_encoder(BiEncoder(str(bert["bi"]), limit=64), triples, tmp_path, SHORT, batch=4)
    assert 0 < metrics["ndcg@10"] <= 1
    assert (tmp_path / "model" / "config.json").exists()


def test_a_teacher_scores_the_relevant_passage_first_and_then_the_others(bert, triples_file, tmp_path):
    count = write_teacher_scores(CrossEncoder(str(bert["cross"]), 64), triples_file, tmp_path / "scored.jsonl")
    scored = list(read_jsonl(tmp_path / "scored.jsonl"))
    assert len(scored) == count
    assert all(len(triple["scores"]) == 1 + len(triple["negatives"]) for triple in scored)
