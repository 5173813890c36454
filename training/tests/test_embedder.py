from pathlib import Path

import numpy as np
import torch

from askbase_training.embedder import StaticEmbedder, parts_of
from askbase_training.export import TEXT_INPUTS, ExportedEmbedder, export_onnx, open_session
from askbase_training.train_embedder import train_embedder
from askbase_training.training_loop import Schedule


def test_words_are_made_of_characters_or_letter_groups():
    assert parts_of("退货") == ["退", "货"]
    assert parts_of("lamps") == ["<lam", "lamp", "amps", "mps>"]


def test_a_bag_of_tokens_becomes_a_unit_vector_and_gradients_reach_the_parts():
    model = StaticEmbedder(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "退货", "退"], np.full(7, 1 / 7), 8)
    vectors = model(model.table(), torch.tensor([5, 6, 6]), torch.tensor([0, 2]))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2))
    vectors[0, 0].backward()
    assert model.parts.grad.abs().sum() > 0


def test_training_ranks_held_out_questions_and_resumes_where_it_stopped(work: Path, tokenizer_folder: Path, tmp_path):
    short = Schedule(steps=4, learning_rate=0.01, warm_up=2, evaluate_every=4)
    train_embedder(work, tokenizer_folder, tmp_path, short, batch=8)
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    assert saved["state"]["step"] == 4
    train_embedder(work, tokenizer_folder, tmp_path, Schedule(8, 0.01, 2, 4), batch=8)
    assert torch.load(tmp_path / "last.pt", weights_only=True)["state"]["step"] == 8
    assert (tmp_path / "table.npy").exists()


def test_the_exported_graph_gives_pytorchs_vectors(tokenizer_folder: Path, table_file: Path, tmp_path):
    classes = np.load(tokenizer_folder / "classes.npy")
    model = ExportedEmbedder(classes, np.load(table_file))
    path = tmp_path / "model.onnx"
    assert export_onnx(model, path, TEXT_INPUTS, "sentence_embedding", len(classes)) < 1e-5
    ids = np.array([[2, 10, 11, 3, 0, 0]], dtype=np.int64)
    mask = np.array([[1, 1, 1, 1, 0, 0]], dtype=np.int64)
    session = open_session(path)
    padded = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    plain = session.run(None, {"input_ids": ids[:, :4], "attention_mask": mask[:, :4]})[0]
    assert np.allclose(padded, plain, atol=1e-6)
    assert np.allclose(np.linalg.norm(padded), 1.0, atol=1e-5)
