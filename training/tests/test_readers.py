import subprocess
from pathlib import Path

import pytest

from askbase_training.readers import READERS
from askbase_training.sources import Source

FILES = {
    "docs/returns.md": "# Returns\n\n## How do refunds work\n\n" + "Refunds are paid to the card you used. " * 3,
    "zh/returns.md": "# 退货\n\n退款会退回原来的银行卡。\n",
    "en/returns.md": "# Returns\n\nRefunds go back to the bank card.\n",
    "a.po": 'msgid ""\nmsgstr "x"\n\nmsgid ""\n"Keep the \\"bill\\" for "\n"two years."\nmsgstr "请保留发票两年。"\n',
    "story.txt": "1 ||| 今天 下雨 。\n2 ||| 小明 带 了 伞 。\n<qid_0> ||| 谁 带 了 伞 ？\n",
    "sentences.txt": "the lamp -lrb- small -rrb- is warm .\nthe kettle is hot .\n",
    "questions.txt": "what is warm ?\nwhat is hot ?\n",
    "natural.jsonl": '{"question_text": "who made the lamp", "paragraph_text": "Mei made it .", "title_text": "Lamp", '
    '"answer_text": ["Mei"]}\n{"question_text": "why", "paragraph_text": "No .", "title_text": "X", "answer_text": []}\n',
    "asked/fox-questions.csv": "question_id,cor_section,question\n1,2,Who opened the gate?\n2,7,Who is nowhere?\n",
    "told/fox-story.csv": 'section,text\n1,A fox came.\n2,"The boy\nopened it."\n',
}


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real git repository with one small file of each shape."""
    root = tmp_path_factory.mktemp("repositories")
    folder = root / "shop+docs"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "docs"]):
        subprocess.run([*git, *arguments], check=True)
    return root


def read(repositories: Path, reader: str, **fields) -> list[dict]:
    source = Source(
        name="shop", license="MIT", read=reader, kind="question", repository="shop/docs", revision="HEAD", **fields
    )
    return list(READERS[reader](source, Path(), repositories))


def test_markdown_pairs_a_heading_with_its_section(repositories):
    (pair,) = read(repositories, "markdown", paths=("docs/",))
    assert pair["query"] == "How do refunds work"
    assert pair["positive"].startswith("Refunds are paid")


def test_parallel_pages_pair_block_by_block(repositories):
    pairs = read(repositories, "parallel-markdown", paths=("zh/",), replace=("zh/", "en/"))
    assert ("Refunds go back to the bank card.", "退款会退回原来的银行卡。") in [
        (pair["query"], pair["positive"]) for pair in pairs
    ]


def test_message_catalogues_pair_original_and_translation(repositories):
    (pair,) = read(repositories, "gettext")
    assert pair["query"] == 'Keep the "bill" for two years.'
    assert pair["positive"] == "请保留发票两年。"


def test_a_numbered_story_is_joined_and_paired_with_its_question(repositories):
    (pair,) = read(repositories, "numbered-story", paths=("story.txt",))
    assert pair["query"] == "谁带了伞？"
    assert pair["positive"] == "今天下雨。小明带了伞。"


def test_neighbouring_sentences_become_one_passage(repositories):
    pairs = read(repositories, "sentence-question", paths=("sentences.txt", "questions.txt"))
    assert [pair["query"] for pair in pairs] == ["what is warm?", "what is hot?"]
    assert {pair["positive"] for pair in pairs} == {"the lamp (small) is warm. the kettle is hot."}


def test_a_question_and_its_paragraph_carry_the_pages_title_and_unanswered_ones_are_left_out(repositories):
    (pair,) = read(repositories, "question-paragraph", paths=("natural.jsonl",))
    assert (pair["query"], pair["positive"]) == ("who made the lamp", "Lamp. Mei made it.")


def test_a_question_about_a_story_is_paired_with_the_section_it_names(repositories):
    (pair,) = read(repositories, "story-sections", paths=("asked/", "told/"))
    assert (pair["query"], pair["positive"]) == ("Who opened the gate?", "The boy opened it.")
