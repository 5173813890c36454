"""One reader per file shape; each turns a source into pairs `{query, positive, group}` or stories
(those of running text are in text_readers.py)."""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from askbase_training.jsonl import read_jsonl
from askbase_training.sources import Checkout, Source
from askbase_training.text import HAN, markdown_blocks, markdown_sections, squeeze, window_around
from askbase_training.text_readers import TEXT_READERS

PASSAGE_CHARACTERS = 900
Record = dict
Reader = Callable[[Source, Path, Path], Iterator[Record]]


def _checkout(source: Source, repositories: Path) -> Checkout:
    return Checkout(repositories, source.repository, source.revision)


def read_beir(source: Source, data: Path, _repositories: Path) -> Iterator[Record]:
    folder = data / source.data
    corpus = {entry["_id"]: entry for entry in read_jsonl(folder / "corpus.jsonl")}
    queries = {entry["_id"]: entry["text"] for entry in read_jsonl(folder / "queries.jsonl")}
    with open(folder / "qrels.tsv", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            query, passage, score = line.rstrip("\n").split("\t")
            if int(score) > 0:
                yield {"query": queries[query], "positive": corpus[passage]["text"], "group": passage}


def read_pairs(source: Source, data: Path, _repositories: Path) -> Iterator[Record]:
    for number, entry in enumerate(read_jsonl(data / source.data / "train.jsonl")):
        group = f"{source.name}-{number}"
        yield {"query": entry["query"], "positive": entry["positive"], "group": group}
        if entry.get("ask") and entry["ask"] != entry["query"]:
            yield {"query": entry["ask"], "positive": entry["positive"], "group": group}


def read_squad(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    for path in source.paths:
        for article in json.loads(checkout.read(path))["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    if not question.get("answers"):
                        continue
                    passage = window_around(
                        paragraph["context"], question["answers"][0]["answer_start"], PASSAGE_CHARACTERS
                    )
                    yield {"query": question["question"], "positive": passage, "group": passage[:60]}


def read_sentence_question(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Aligned lines: a sentence of a paragraph, and the question asked about it. Neighbouring sentences of the
    list are put together again, so that the passage is a paragraph and not one sentence."""
    checkout = _checkout(source, repositories)
    sentence_lines, question_lines = (checkout.read(path).decode("utf-8").splitlines() for path in source.paths)
    paragraphs: list[list[str]] = [[]]
    home: dict[str, int] = {}
    for sentence in map(_detokenise, sentence_lines):
        if sentence in home:
            continue
        if sum(map(len, paragraphs[-1])) > 550:
            paragraphs.append([])
        paragraphs[-1].append(sentence)
        home[sentence] = len(paragraphs) - 1
    for sentence, question in zip(sentence_lines, question_lines):
        number = home[_detokenise(sentence)]
        yield {
            "query": _detokenise(question),
            "positive": " ".join(paragraphs[number]),
            "group": f"{source.name}-{number}",
        }


_BRACKETS = {"-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "``": '"', "''": '"'}


def _detokenise(line: str) -> str:
    text = " ".join(_BRACKETS.get(token, token) for token in line.split())
    return re.sub(r"([(\[]) | (?=[)\],.;:?!%])| (?='s\b)", r"\1", text).strip()


def read_question_paragraph(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """JSON lines with a question, the paragraph that answers it and its page's title (Natural Questions as QED has
    them). A paragraph without an answer in it is left out."""
    checkout = _checkout(source, repositories)
    for path in source.paths:
        for line in checkout.read(path).decode("utf-8").splitlines():
            entry = json.loads(line)
            if not entry["answer_text"]:
                continue
            paragraph = _detokenise(entry["paragraph_text"])
            yield {
                "query": _detokenise(entry["question_text"]),
                "positive": f"{entry['title_text']}. {window_around(paragraph, 0, PASSAGE_CHARACTERS)}",
                "group": f"{source.name}-{entry['title_text']}",
            }


def read_story_sections(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Two CSV files a story (`paths`: the folder of questions, the folder of stories): questions name the section of
    the story that answers them."""
    checkout = _checkout(source, repositories)
    questions, stories = source.paths
    paths = checkout.paths(questions, "-questions.csv")
    names = [path.rsplit("/", 1)[1].removesuffix("-questions.csv") for path in paths]
    sections = dict(checkout.read_all([f"{stories}{name}-story.csv" for name in names]))
    for name, (_, page) in zip(names, checkout.read_all(paths)):
        story = sections.get(f"{stories}{name}-story.csv", "section,text\n")
        texts = {row["section"]: row["text"] for row in csv.DictReader(io.StringIO(story))}
        for row in csv.DictReader(io.StringIO(page)):
            passage = texts.get(row["cor_section"], "").replace("\n", " ")
            if passage and row["question"]:
                yield {"query": row["question"], "positive": passage, "group": f"{name}-{row['cor_section']}"}


def read_numbered_story(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    for path in source.paths:
        story: list[str] = []
        for line in checkout.read(path).decode("utf-8").splitlines():
            if "|||" not in line:
                continue
            label, text = (part.strip() for part in line.split("|||")[:2])
            text = text.replace(" ", "")
            if label.startswith("<qid"):
                passage = "".join(story)
                yield {"query": text, "positive": passage, "group": passage[:60]}
                story = []
            else:
                story.append(text)


def read_faq_csv(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    for path in source.paths:
        for row in csv.DictReader(io.StringIO(checkout.read(path).decode("utf-8"))):
            if row.get("lang") == source.language and row["answer"]:
                yield {"query": row["question"], "positive": row["answer"], "group": row["answer"][:60]}


_EMPTY_HEADINGS = re.compile(
    r"^(next steps?|see also|more information|overview|introduction|参考.*|总结|小结|概述|简介|前言|更多.*|另请参阅|"
    r"后续步骤|相关.*|语法图|示例.*|example.*|summary|related.*|references?|附加内容|操作|练习|讨论|exercises|discussions?)$",
    re.I,
)


def read_markdown(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    paths = [path for prefix in source.paths for path in checkout.paths(prefix, ".md")]
    for path, page in checkout.read_all(paths):
        for title, heading, body in markdown_sections(page):
            if len(body) < 60 or not heading:
                continue
            vague = bool(_EMPTY_HEADINGS.match(heading)) or heading == title
            query = title if vague else (f"{title} {heading}" if len(heading) < 12 else heading)
            passage = window_around(body, 0, PASSAGE_CHARACTERS)
            yield {"query": query, "positive": passage, "group": f"{path}#{heading}"}


def read_parallel_markdown(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    paths = [path for prefix in source.paths for path in checkout.paths(prefix, ".md")]
    originals = dict(checkout.read_all([path.replace(*source.replace) for path in paths]))
    for path, page in checkout.read_all(paths):
        original = originals.get(path.replace(*source.replace))
        if original is None:
            continue
        ours, theirs = markdown_blocks(page), markdown_blocks(original)
        if len(ours) != len(theirs):
            continue
        for chinese, english in zip(ours, theirs):
            if HAN.search(chinese) and not HAN.search(english) and len(english) > 8:
                yield {"query": english[:400], "positive": chinese[:400], "group": path}


_MESSAGE = re.compile(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', re.M)
_ROLE = re.compile(r":[a-z:]+:`[!~]?([^`<]*?)(?:\s*<[^`>]*>)?`|``?([^`]*)``?_?|[*|]")


def read_gettext(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    for path, page in checkout.read_all(checkout.paths("", ".po")):
        for original, translation in _MESSAGE.findall(page):
            english, chinese = (squeeze(_ROLE.sub(r"\1\2", _unquoted(block))) for block in (original, translation))
            if len(english) > 12 and HAN.search(chinese):
                yield {"query": english[:500], "positive": chinese[:300], "group": path}


def _unquoted(block: str) -> str:
    text = "".join(line[1:-1] for line in block.splitlines() if line)
    return text.replace("\\n", " ").replace('\\"', '"').replace("\\\\", "\\")


_ENTRY = re.compile(r"^(\S+) (\S+) \[[^\]]*\] /(.+)/$")
_NOTE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\S*\|\S*|\b(CL|abbr|variant of|old variant|see also|see|also written):?.*")


def read_cedict(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    text = gzip.decompress(checkout.read(source.paths[0])).decode("utf-8")
    for line in text.splitlines():
        entry = _ENTRY.match(line)
        if not entry:
            continue
        _traditional, simplified, glosses = entry.groups()
        meanings = [squeeze(_NOTE.sub("", gloss)) for gloss in glosses.split("/")]
        meanings = [meaning for meaning in meanings if meaning]
        if meanings and not glosses.startswith("surname "):
            yield {"query": "; ".join(meanings[:4])[:120], "positive": simplified, "group": simplified}


def read_blanked_story(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    checkout = _checkout(source, repositories)
    for path in source.paths:
        for story in json.loads(checkout.read(path))["data"]:
            context = story["context"]
            for number, choice in enumerate(story.get("answers", [])):
                if choice is not None and choice < len(story["choices"]):
                    context = context.replace(f"[BLANK{number + 1}]", story["choices"][choice])
            yield {"text": re.sub(r"\[BLANK\d+\]", "", context), "group": context[:60]}


READERS: dict[str, Reader] = {
    "beir": read_beir,
    "pairs": read_pairs,
    "squad": read_squad,
    "sentence-question": read_sentence_question,
    "question-paragraph": read_question_paragraph,
    "story-sections": read_story_sections,
    "numbered-story": read_numbered_story,
    "faq-csv": read_faq_csv,
    "markdown": read_markdown,
    "parallel-markdown": read_parallel_markdown,
    "gettext": read_gettext,
    "cedict": read_cedict,
    "blanked-story": read_blanked_story,
    **TEXT_READERS,
}
