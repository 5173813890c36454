import json
import subprocess
from pathlib import Path

import pytest

from askbase_training.jsonl import read_jsonl, write_jsonl
from askbase_training.prepare import prepare, tokenizer_texts

EXAMINED = "The kettle holds one and a half litres and switches itself off as soon as the water boils."
SOURCES = """
sources:
  - {name: shop, data: shop, license: MIT, read: beir, kind: question, language: en}
  - {name: forum, data: forum, license: MIT, read: beir, kind: question, language: en}
evaluation:
  - {name: exam, corpus: true}
"""


def write_set(folder: Path, pairs: list[tuple[str, str]]) -> None:
    folder.mkdir(parents=True)
    write_jsonl(folder / "corpus.jsonl", ({"_id": f"p{at}", "text": text} for at, (_, text) in enumerate(pairs)))
    write_jsonl(folder / "queries.jsonl", ({"_id": f"q{at}", "text": text} for at, (text, _) in enumerate(pairs)))
    lines = ["query-id\tcorpus-id\tscore", *(f"q{at}\tp{at}\t1" for at in range(len(pairs)))]
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_set(tmp_path / "exam", [("How much does the kettle hold?", EXAMINED)])
    write_set(
        tmp_path / "shop",
        [
            ("When does it switch off?", f"Our best seller. {EXAMINED}"),
            ("How much does the kettle hold?", "It holds a lot."),
            ("Is delivery free?", "Delivery is free from 50 dollars."),
        ],
    )
    write_set(tmp_path / "forum", [("Is the lamp bright?", "It is bright enough to read by.")])
    (tmp_path / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    return tmp_path


def test_what_shares_long_runs_or_questions_with_an_evaluation_set_is_dropped_and_counted(data, tmp_path):
    report = prepare(data / "sources.yaml", data, data, tmp_path)
    assert (report["shop"]["overlap"], report["shop"]["kept"]) == (2, 1)
    kept = [pair["query"] for pair in read_jsonl(tmp_path / "pairs.jsonl")]
    assert sorted(kept) == ["Is delivery free?", "Is the lamp bright?"]
    assert json.loads((tmp_path / "prepare-report.json").read_text())["shop"]["license"] == "MIT"


def test_only_the_named_sources_are_read(data, tmp_path):
    assert list(prepare(data / "sources.yaml", data, data, tmp_path, only=["forum"])) == ["forum"]


TEXTS = """
sources:
  - {name: guide, repository: shop/docs, revision: HEAD, paths: [guide/], license: MIT, read: markdown-text, kind: text,
     language: en}
  - {name: copy, repository: shop/docs, revision: HEAD, paths: [copy/], license: MIT, read: markdown-text, kind: text,
     language: en}
  - {name: none, repository: shop/docs, revision: HEAD, paths: [guide/], license: MIT, read: markdown-text, kind: text,
     language: en, share: 0}
evaluation:
  - {name: exam, corpus: true}
"""
LAMP, KETTLE = ("The lamp is warm and bright. " * 8).strip(), ("The kettle is made of steel. " * 8).strip()


def test_running_text_is_written_by_paragraph_with_its_document_source_and_language(data, tmp_path):
    pages = {"guide/a.md": f"{LAMP}\n\n{KETTLE}", "guide/b.md": f"{EXAMINED} {EXAMINED}", "copy/c.md": LAMP}
    for path, page in pages.items():
        (tmp_path / "shop+docs" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop+docs" / path).write_text(page, encoding="utf-8")
    git = ["git", "-C", str(tmp_path / "shop+docs"), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "docs"]):
        subprocess.run([*git, *arguments], check=True)
    (tmp_path / "sources.yaml").write_text(TEXTS, encoding="utf-8")
    report = prepare(tmp_path / "sources.yaml", data, tmp_path, tmp_path)
    common = {"group": "guide/guide/a.md", "source": "guide", "kind": "text", "language": "en"}
    assert list(read_jsonl(tmp_path / "texts.jsonl")) == [{"text": LAMP, **common}, {"text": KETTLE, **common}]
    assert (report["guide"]["overlap"], report["copy"]["duplicate"], report["none"]["kept"]) == (1, 1, 0)
    assert list(tokenizer_texts(tmp_path)) == []
