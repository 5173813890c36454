import hashlib
import json
from pathlib import Path

import numpy as np

from askbase_training.evaluate import evaluate_set, load_set
from askbase_training.export import TEXT_INPUTS, ExportedEmbedder, export_onnx
from askbase_training.jsonl import write_jsonl
from askbase_training.model_folder import write_model_folder
from askbase_training.scoring import embedder_of

DESCRIPTION = {
    "name": "tiny",
    "kind": "embedder",
    "license": "MIT",
    "source": "test",
    "maxLength": 64,
    "dimensions": 16,
    "pooling": "none",
    "queryPrefix": "",
    "passagePrefix": "",
}


def test_a_written_folder_can_be_loaded_and_names_its_files_by_hash(tokenizer_folder: Path, table_file, tmp_path):
    classes = np.load(tokenizer_folder / "classes.npy")
    export_onnx(
        ExportedEmbedder(classes, np.load(table_file)),
        tmp_path / "e.onnx",
        TEXT_INPUTS,
        "sentence_embedding",
        len(classes),
    )
    golden = [{"text": "耳机退货", "kind": "query"}]
    folder = tmp_path / "tiny"
    write_model_folder(folder, DESCRIPTION, {"int8": tmp_path / "e.onnx"}, tokenizer_folder / "tokenizer.json", golden)
    manifest = json.loads((folder / "manifest.json").read_text())
    (entry,) = manifest["files"]
    assert entry["sha256"] == hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest()
    vector = embedder_of(folder)(["耳机退货"], "query")[0]
    assert np.allclose(vector[:8], manifest["golden"]["texts"][0]["vector"]["int8"], atol=1e-5)


def test_evaluation_reports_every_stage_of_a_set_in_beir_layout(tokenizer_folder: Path, tmp_path):
    folder = tmp_path / "shop"
    write_jsonl(folder / "corpus.jsonl", [{"_id": "a", "text": "耳机可以退货"}, {"_id": "b", "text": "键盘保修两年"}])
    write_jsonl(folder / "queries.jsonl", [{"_id": "q", "text": "保修几年"}])
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tb\t1\n", encoding="utf-8")

    def embed(texts, _kind):
        return np.array([[1.0, float("保修" in text)] for text in texts], dtype=np.float32)

    def rerank(_query, texts):
        return np.array([float("退货" in text) for text in texts])

    metrics, details = evaluate_set(load_set(tmp_path, "shop", []), embed, rerank)
    assert [metrics[stage]["hit@1"] for stage in ("lexical", "dense", "fused", "reranked")] == [1.0, 1.0, 1.0, 0.0]
    assert len(details["q"]["logits"]) == 2
