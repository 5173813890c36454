import json
import subprocess
from pathlib import Path

import pytest

from askbase_training.readers import READERS
from askbase_training.sources import Source, load_sources

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
    "book/cells.md": "# Cells\n\n{: .note}\n\nCells divide ([\\[link\\]](#fig-1)). "
    + "Import of salt is slow, as\nis that of sugar. " * 4,
    "zh/guide.md": "---\ntitle: 保修\n---\n\n# 保修\n\n> [!NOTE]\n> 请务必一直保留订单号 `order_id`。\n\n"
    + "| 表 | 格 |\n| --- | --- |\n\n"
    + "保修期内可以免费维修，[详情](warranty.md)请看说明书。\n" * 3
    + "\n## 退货\n\n"
    + "收到货以后的三十天之内可以退货。" * 40
    + "\n",
    "zh/lesson.ipynb": json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["# 课程\n", "\n", "这一课讲怎样清洗水壶。" * 6]},
                {"cell_type": "code", "source": "print('不读代码')"},
            ]
        }
    ),
    "modules/m1/index.cnxml": '<document xmlns="http://cnx.rice.edu/cnxml"><title>Heat</title><content>'
    "<para>Water boils at a <term>hundred</term> degrees (see <link target-id='f'/>).</para>"
    f"<figure><caption>A kettle.</caption></figure><para>{'It then turns into steam, slowly. ' * 4}</para>"
    f"<exercise><problem><para>{'Why does it boil at all? ' * 9}</para></problem></exercise></content></document>",
    "modules/m2/index.cnxml": '<document xmlns="http://cnx.rice.edu/cnxml"><title>References</title><content>'
    f"<para>{'A list of books about kettles. ' * 6}</para></content></document>",
    "text/chapter-1.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
    f'<body><h2>One</h2><p>The sea was calm.<a epub:type="noteref">7</a> {"We sailed on. " * 12}</p></body></html>',
    "text/colophon.xhtml": "not read",
    "laws/A1.json": json.dumps(
        {
            "法規內容": [
                {"編章節": "第 一 章"},
                {"條號": "第 1 條", "條文內容": "消費者得於收受商品後七日內，退回\r\n商品。" * 3},
                {"編章節": "第 二 章"},
                {"條號": "第 2 條", "條文內容": "企業經營者應於十五日內，返還價金。" * 4},
            ]
        },
        ensure_ascii=False,
    ),
    "classics/论语/bitext.txt": "古文：学而时习之。\n现代文：学了又按时温习它，不也是很愉快的事情吗？\n\n" * 3,
    "europe/xx.json": json.dumps(
        {
            "Introduction": {"Background": {"text": "<p>" + "The islands were settled by sailors. " * 6 + "</p>"}},
            "Geography": {
                "Terrain": {"text": "hills in the north, with a narrow and sandy plain along the coast"},
                "Elevation": {"highest point": {"text": "an old volcano in the middle of the larger island"}},
                "Area": {"text": "7 sq km"},
            },
            "Government": {"Country name": {"conventional short form": {"text": "Lampland"}}},
        }
    ),
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
    fields = {"kind": "question", **fields}
    source = Source(name="shop", license="MIT", read=reader, repository="shop/docs", revision="HEAD", **fields)
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


def read_texts(repositories: Path, reader: str, prefix: str, language: str) -> list[tuple[str, str]]:
    records = read(repositories, reader, kind="text", paths=(prefix,), language=language)
    return [(record["group"], record["text"]) for record in records]


def test_a_markdown_page_becomes_paragraphs_of_whole_sentences_without_its_marks(repositories):
    first, *returns = read_texts(repositories, "markdown-text", "zh/guide", "zh")
    assert first == ("shop/zh/guide.md", "请务必一直保留订单号 order_id。" + "保修期内可以免费维修，详情请看说明书。" * 3)
    assert [group for group, _ in returns] == ["shop/zh/guide.md"] * 2
    assert "".join(text for _, text in returns) == "收到货以后的三十天之内可以退货。" * 40
    assert all(text.endswith("。") and len(text) <= 500 for _, text in returns)


def test_in_an_english_page_lines_are_joined_and_bare_links_to_figures_left_out(repositories):
    assert read_texts(repositories, "markdown-text", "book/", "en") == [
        ("shop/book/cells.md", "Cells divide. " + ("Import of salt is slow, as is that of sugar. " * 4).strip())
    ]


def test_of_a_notebook_only_the_text_cells_are_read(repositories):
    assert read_texts(repositories, "notebook-text", "zh/", "zh") == [
        ("shop/zh/lesson.ipynb", "这一课讲怎样清洗水壶。" * 6)
    ]


def test_a_textbook_module_is_read_without_figures_exercises_and_back_matter(repositories):
    assert read_texts(repositories, "cnxml", "modules/", "en") == [
        (
            "shop/modules/m1/index.cnxml",
            "Water boils at a hundred degrees. " + ("It then turns into steam, slowly. " * 4).strip(),
        )
    ]


def test_a_book_is_read_by_chapters_without_numbers_of_notes(repositories):
    assert read_texts(repositories, "epub-text", "text/", "en") == [
        ("shop/text/chapter-1.xhtml", "The sea was calm. " + ("We sailed on. " * 12).strip())
    ]


def test_a_law_is_read_by_chapters_with_its_wrapped_lines_joined(repositories):
    assert read_texts(repositories, "law-json", "laws/", "zh") == [
        ("shop/laws/A1.json", "消費者得於收受商品後七日內，退回商品。" * 3),
        ("shop/laws/A1.json", "企業經營者應於十五日內，返還價金。" * 4),
    ]


def test_of_classical_chinese_with_translation_the_translation_is_read(repositories):
    assert read_texts(repositories, "modern-lines", "classics/", "zh") == [
        ("shop/classics/论语/bitext.txt", "学了又按时温习它，不也是很愉快的事情吗？" * 3)
    ]


def test_short_facts_about_a_country_are_put_together_behind_its_name(repositories):
    (_, history), (group, facts) = read_texts(repositories, "factbook", "", "en")
    assert group == "shop/europe/xx.json"
    assert history.startswith("The islands were settled by sailors. The islands")
    assert facts.startswith("Lampland (Geography). Terrain: hills in the north") and "Elevation, highest point" in facts
    assert "sq km" not in facts


REVISION = "0123456789abcdef0123456789abcdef01234567"


def test_an_entry_with_several_repositories_stands_for_a_source_each(tmp_path):
    entry = {"name": "books", "license": "MIT", "read": "cnxml", "kind": "text", "language": "en"}
    pairs = [["shop/kettles", REVISION], ["shop/lamps", REVISION]]
    listing = {"sources": [{**entry, "repositories": pairs}], "evaluation": []}
    (tmp_path / "sources.yaml").write_text(json.dumps(listing), encoding="utf-8")
    found = load_sources(tmp_path / "sources.yaml").sources
    assert [(source.name, source.repository, source.revision) for source in found] == [
        ("books/kettles", "shop/kettles", REVISION),
        ("books/lamps", "shop/lamps", REVISION),
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"repositories": "shop/kettles"}, "source books: `repositories` must be a list"),
        ({"repositories": ["shop/kettles"]}, "must hold .repository, revision., not 'shop/kettles'"),
        ({"repositories": [["shop/kettles", "main"]]}, "the 40 digits of a commit"),
        ({"repositories": [["shop/kettles", REVISION]], "revision": REVISION}, "either `repositories` or"),
    ],
)
def test_a_wrong_list_of_repositories_is_named(tmp_path, fields, message):
    listing = {"sources": [{"name": "books", **fields}], "evaluation": []}
    (tmp_path / "sources.yaml").write_text(json.dumps(listing), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_sources(tmp_path / "sources.yaml")
