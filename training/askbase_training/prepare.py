"""`prepare`: reads every source, drops what overlaps with an evaluation set, writes `pairs.jsonl` and
`texts.jsonl`."""

import json
import random
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from askbase_training.jsonl import read_jsonl, write_jsonl
from askbase_training.overlap import OverlapIndex
from askbase_training.readers import READERS
from askbase_training.sources import Source, load_sources
from askbase_training.text import is_chinese, squeeze

# Answers of the medical sets share greetings and boilerplate ("contact your doctor …") across topics, so a training
# answer is dropped only where more than this share of its runs stands in an answer of a test question.
ALLOWED_SHARE = 0.5


def prepare(
    sources_file: Path, data: Path, repositories: Path, out: Path, only: Sequence[str] = (), seed: int = 7
) -> dict:
    """`only` names the sources to read (an entry of several repositories: all of them); all, where it is empty."""
    listing = load_sources(sources_file)
    index = _evaluation_index(data, [name for name in listing.evaluation if not name.startswith("medical")])
    medical = {
        name: _evaluation_index(data, [name], judged_only=True)
        for name in listing.evaluation
        if name.startswith("medical")
    }
    report: dict[str, dict] = {}
    pairs, texts = [], []
    paragraphs: set[tuple[str, str]] = set()
    for source in listing.sources:
        if only and source.name not in only and source.name.partition("/")[0] not in only:
            continue
        counts: Counter = Counter()
        seen = paragraphs if source.kind == "text" else set()  # books share chapters
        kept = list(_kept(source, data, repositories, index, medical, counts, seen))
        if source.limit and len(kept) > source.limit:
            kept = random.Random(seed).sample(kept, source.limit)
        counts["kept"] = len(kept)
        report[source.name] = {"license": source.license, "kind": source.kind, **counts}
        print(f"{source.name}: {dict(counts)}", flush=True)
        pairs += [record for record in kept if "query" in record]
        texts += [record for record in kept if "text" in record]
    random.Random(seed).shuffle(pairs)
    write_jsonl(out / "pairs.jsonl", pairs)
    write_jsonl(out / "texts.jsonl", texts)
    (out / "prepare-report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
    return report


def _evaluation_index(data: Path, names: list[str], judged_only: bool = False) -> OverlapIndex:
    passages, questions = [], []
    for name in names:
        corpus = {entry["_id"]: entry["text"] for entry in read_jsonl(data / name / "corpus.jsonl")}
        passages += [corpus[passage] for passage in _judged(data / name)] if judged_only else corpus.values()
        questions += [entry["text"] for entry in read_jsonl(data / name / "queries.jsonl")]
        unanswerable = data / name / "unanswerable.jsonl"
        if unanswerable.exists():
            questions += [entry["text"] for entry in read_jsonl(unanswerable)]
    return OverlapIndex(passages, questions)


def _judged(folder: Path) -> set[str]:
    lines = (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {line.split("\t")[1] for line in lines}


def _in_share(group: str, share: float) -> bool:
    """Whether a document is one of the `share` of its source that is kept; the same ones each time."""
    return zlib.crc32(group.encode("utf-8")) < share * 2**32


def _kept(
    source: Source,
    data: Path,
    repositories: Path,
    index: OverlapIndex,
    medical: dict[str, OverlapIndex],
    counts: Counter,
    seen: set[tuple[str, str]],
) -> Iterator[dict]:
    for record in READERS[source.read](source, data, repositories):
        if source.share is not None and not _in_share(record["group"], source.share):
            continue
        counts["read"] += 1
        record = {key: squeeze(value) for key, value in record.items()}
        body = record.get("positive") or record["text"]
        key = (record.get("query", ""), body)
        if key in seen or not body or record.get("query") == "":
            counts["duplicate"] += 1
            continue
        seen.add(key)
        if index.shared(body) or index.shared(record.get("query", "")) or index.is_question(record.get("query", "")):
            counts["overlap"] += 1
            continue
        own = medical.get(source.name)
        if own and (own.share(body) > ALLOWED_SHARE or own.is_question(record["query"])):
            counts["overlap"] += 1
            continue
        language = source.language or ("zh" if is_chinese(body) else "en")
        yield {**record, "source": source.name, "kind": source.kind, "language": language}


def tokenizer_texts(work: Path, seed: int = 1) -> Iterator[str]:
    """What the tokeniser counts: each question and each passage once, the glosses of the dictionary twice (they hold
    everyday English words the documentation lacks), less of the Python manual, stories but no other running text."""
    rng = random.Random(seed)
    seen: set[int] = set()
    for record in read_jsonl(work / "pairs.jsonl"):
        if record["kind"] == "dictionary":
            yield from (record["query"], record["query"])
            continue
        if record["source"] == "python-docs" and rng.random() < 0.7:
            continue
        yield record["query"]
        if hash(record["positive"]) not in seen:
            seen.add(hash(record["positive"]))
            yield record["positive"][:2500]
    for record in read_jsonl(work / "texts.jsonl"):
        if record.get("kind") != "text":
            yield record["text"]
