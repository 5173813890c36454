import json
from pathlib import Path

import pytest

from askbase_training.jsonl import read_jsonl, write_jsonl
from askbase_training.prepare import prepare

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
