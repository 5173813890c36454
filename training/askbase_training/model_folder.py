"""`write-model-folder`: the folder the product loads: model files, tokenizer.json, manifest.json with golden values."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from askbase_training.export import open_session

# Absolute: on a reranker's logit, on each component of an embedder's unit vector.
TOLERANCE = {
    "reranker": {"fp32": 0.001, "fp16": 0.03, "int8": 0.1},
    "embedder": {"fp32": 0.0005, "fp16": 0.003, "int8": 0.005},
}
GOLDEN_COMPONENTS = 8


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_file(folder: Path) -> tuple[Path, Path, int]:
    """The first model file, the tokenizer file and the longest input, in tokens, that the manifest names."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return folder / manifest["files"][0]["path"], folder / manifest["tokenizer"]["path"], manifest["maxLength"]


def encode_inputs(tokenizer: Tokenizer, texts: Sequence[str | tuple[str, str]], names: Sequence[str], limit: int):
    tokenizer.enable_truncation(limit, strategy="only_second" if isinstance(texts[0], tuple) else "longest_first")
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    encodings = tokenizer.encode_batch(list(texts))
    every = {
        "input_ids": [encoding.ids for encoding in encodings],
        "attention_mask": [encoding.attention_mask for encoding in encodings],
        "token_type_ids": [encoding.type_ids for encoding in encodings],
    }
    return {name: np.array(every[name], dtype=np.int64) for name in names}


def run_model(path: Path, tokenizer: Tokenizer, texts: Sequence[str | tuple[str, str]], limit: int) -> np.ndarray:
    """First output for each text on its own (a batch of one, as the golden check runs it)."""
    session = open_session(path)
    names = [entry.name for entry in session.get_inputs()]
    return np.concatenate([session.run(None, encode_inputs(tokenizer, [text], names, limit))[0] for text in texts])


def write_model_folder(
    folder: Path,
    description: dict,
    files: dict[str, Path],
    tokenizer_file: Path,
    golden: Sequence[dict],
) -> dict:
    """`description`: the manifest's own fields (name, kind, license, source, maxLength, …). `files`: precision → ONNX
    file. `golden`: `{query, passage}` for a reranker, `{text, kind}` for an embedder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tokenizer_file, folder / "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    entries, outputs = [], {}
    reranker = description["kind"] == "reranker"
    prefixes = {"query": description.get("queryPrefix", ""), "passage": description.get("passagePrefix", "")}
    texts = [
        (entry["query"], entry["passage"]) if reranker else prefixes[entry["kind"]] + entry["text"] for entry in golden
    ]
    for precision, source in files.items():
        target = folder / f"model.{precision}.onnx"
        shutil.copyfile(source, target)
        outputs[precision] = run_model(target, tokenizer, texts, description["maxLength"])
        entries.append(
            {
                "path": target.name,
                "precision": precision,
                "bytes": target.stat().st_size,
                "sha256": fingerprint(target),
            }
        )
    manifest = {
        "schemaVersion": 1,
        **description,
        "tokenizer": {"path": "tokenizer.json", "sha256": fingerprint(folder / "tokenizer.json")},
        "files": entries,
        "golden": {
            "tolerance": {precision: TOLERANCE[description["kind"]][precision] for precision in files},
            ("pairs" if reranker else "texts"): [
                {**entry, ("logit" if reranker else "vector"): _expected(outputs, number, reranker)}
                for number, entry in enumerate(golden)
            ],
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return manifest


def _expected(outputs: dict[str, np.ndarray], number: int, reranker: bool) -> dict:
    if reranker:
        return {precision: round(float(values[number, 0]), 5) for precision, values in outputs.items()}
    return {
        precision: [round(float(value), 6) for value in values[number, :GOLDEN_COMPONENTS]]
        for precision, values in outputs.items()
    }
