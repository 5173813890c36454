"""One reader per shape of running text; each yields `{text, group}`: a paragraph, and the document it stands in.
Paragraphs come in the order of their document."""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from pathlib import Path

from askbase_training.paragraphs import collapse, paragraphs
from askbase_training.sources import Checkout, Source
from askbase_training.text import markdown_sections

Record = dict


def _files(source: Source, repositories: Path, suffix: str) -> Iterator[tuple[str, str]]:
    checkout = Checkout(repositories, source.repository, source.revision)
    return checkout.read_all([path for prefix in source.paths for path in checkout.paths(prefix, suffix)])


def _records(source: Source, path: str, sections: Iterable[Iterable[str]]) -> Iterator[Record]:
    for blocks in sections:
        for paragraph in paragraphs(blocks, source.language):
            yield {"text": paragraph, "group": f"{source.name}/{path}"}


_REFERENCE = "the figure"  # for links to figures that have no words of their own
_IN_BRACKETS = re.compile(rf"\s*\((?:see |see also )?(?:(?:,|;|and|or)?\s*{_REFERENCE})+\)", re.I)
_NOT_PROSE = re.compile(
    r"(?i:<(table|script|style|pre|math)\b.*?</\1>)|<div data-type=\"(?:exercise|problem|solution|abstract)\".*?</div>"
    r"|\$\$.*?\$\$|\{:.*?\}|:[a-z]+:`[^`\n]*`|^\s*(?:\||import [^\n]* from |!!!|\^$)[^\n]*$",
    re.S | re.M,
)
_BARE_LINK = re.compile(r"\[\\\[link\\\]\]\([^)\n]*\)")
_ESCAPED = re.compile(r"\\([\[\]()*_#&!.-])")
_INSIDE_WORD = re.compile(r"(?<=\w)_(?=\w)")
_UNDERSCORE = "\0"  # stands for one within a name, which is no mark of emphasis
_DIRECTIVE = re.compile(  # [!INCLUDE [title](file)], [!NOTE], [!VIDEO address], [^note]
    r"\[?!\w+ ?\[[^\]\n]*\](?:\([^)\n]*\))?\]?|\[!\w+(?: [^\]\n]*)?\]|\^?\[\^[^\]\n]*\]:?"
)


def read_markdown_text(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Markdown pages, without code, tables, formulas and headings; a heading ends a paragraph."""
    for path, page in _files(source, repositories, ".md"):
        yield from _records(source, path, _markdown_blocks(page, source.language))


def read_notebook_text(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Jupyter notebooks: the Markdown cells, as `markdown-text` reads a page."""
    for path, notebook in _files(source, repositories, ".ipynb"):
        cells = [cell["source"] for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "markdown"]
        page = "\n\n".join(cell if isinstance(cell, str) else "".join(cell) for cell in cells)
        yield from _records(source, path, _markdown_blocks(page, source.language))


def _markdown_blocks(page: str, language: str) -> Iterator[list[str]]:
    """The blocks of each section: what stands between empty lines, in Chinese each line (there a line break within a
    paragraph is rare, and list items that run together cannot be told apart)."""
    page = page.replace("\r\n", "\n").removeprefix("\ufeff")
    page = _IN_BRACKETS.sub("", _BARE_LINK.sub(_REFERENCE, page))
    page = _INSIDE_WORD.sub(_UNDERSCORE, _DIRECTIVE.sub("", _NOT_PROSE.sub("\n", page)))
    for _title, _heading, body in markdown_sections(page):
        body = _ESCAPED.sub(r"\1", body.replace(_UNDERSCORE, "_"))
        yield body.split("\n") if language == "zh" else re.split(r"\n\s*\n", body)


def _name(element: ElementTree.Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _inline(element: ElementTree.Element, without: frozenset[str]) -> str:
    """The text of an element, but not of those named in `without`."""
    if _name(element) in without:
        return ""
    if _name(element) == "link" and "target-id" in element.attrib and not "".join(element.itertext()).strip():
        return _REFERENCE
    parts = [element.text or "", *(_inline(child, without) + (child.tail or "") for child in element)]
    return "".join("".join(parts).split()) if _name(element) == "math" else "".join(parts)


_CNXML_APART = frozenset(
    "list figure table equation code media exercise footnote iframe glossary metadata title".split()
)
_CNXML_LEFT_OUT = _CNXML_APART - {"list", "title"}
_BACK_MATTER = re.compile(r"(references|index|answer key|bibliography|preface)\b", re.I)


def read_cnxml(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Modules of a textbook in CNXML (OpenStax): `<para>`s, and lists whose items are sentences. Exercises, figures,
    tables, formulas on a line of their own, glossaries and back matter are left out; an empty link to one of them reads
    "the figure"."""
    for path, module in _files(source, repositories, ".cnxml"):
        document = ElementTree.fromstring(module.encode("utf-8"))
        title = next((collapse("".join(e.itertext())) for e in document.iter() if _name(e) == "title"), "")
        contents = [child for child in document if _name(child) == "content"]
        if not _BACK_MATTER.match(title):
            yield from _records(source, path, [_cnxml_blocks(content) for content in contents])


def _cnxml_blocks(element: ElementTree.Element) -> Iterator[str]:
    for child in element:
        if _name(child) == "para":
            yield _cnxml_text(child)
            yield from map(_cnxml_list, (part for part in child.iter() if _name(part) == "list"))
        elif _name(child) == "list":
            yield _cnxml_list(child)
        elif _name(child) not in _CNXML_LEFT_OUT:
            yield from _cnxml_blocks(child)


def _cnxml_text(element: ElementTree.Element) -> str:
    text = _IN_BRACKETS.sub("", collapse(_inline(element, _CNXML_APART)))
    return re.sub(r" (?=[.,;:])", "", text)


def _cnxml_list(element: ElementTree.Element) -> str:
    items = [_cnxml_text(item) for item in element.iter() if _name(item) == "item"]
    return " ".join(item for item in items if len(item) > 60)


_NOT_CHAPTERS = re.compile("colophon|imprint|uncopyright|titlepage|halftitle|endnotes|loi|dedication|index")


def read_epub_text(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Chapters of a book as XHTML (Standard Ebooks): the `<p>`s, without the numbers of notes."""
    for path, page in _files(source, repositories, ".xhtml"):
        if _NOT_CHAPTERS.match(path.rpartition("/")[2]):
            continue
        chapter = ElementTree.fromstring(page.encode("utf-8"))
        for link in (element for element in chapter.iter() if _name(element) == "a"):
            if any(key.endswith("}type") and value == "noteref" for key, value in link.attrib.items()):
                link.text = None
        for line_break in (element for element in chapter.iter() if _name(element) == "br"):
            line_break.text = " "
        yield from _records(source, path, [("".join(p.itertext()) for p in chapter.iter() if _name(p) == "p")])


def read_law_json(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Laws of Taiwan, a JSON file each: `法規內容` lists articles (`條文內容`, wrapped at a fixed width) and the
    headings between them (`編章節`)."""
    for path, text in _files(source, repositories, ".json"):
        chapters: list[list[str]] = [[]]
        for entry in json.loads(text.removeprefix("\ufeff")).get("法規內容", []):
            if "編章節" in entry:
                chapters.append([])
            chapters[-1].append("".join(entry.get("條文內容", "").split()))
        yield from _records(source, path, chapters)


_MODERN = "现代文："


def read_modern_lines(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """Classical Chinese and its translation, a sentence a line (`古文：`, `现代文：`): the translation, sentences of a
    chapter put together again."""
    for path, chapter in _files(source, repositories, "bitext.txt"):
        lines = [line.removeprefix(_MODERN) for line in chapter.splitlines() if line.startswith(_MODERN)]
        yield from _records(source, path, [lines])


_COUNTRY = re.compile(r"(?!meta)[a-z-]+/[a-z]{2}\.json$")
_MARKUP = re.compile(r"<[^>]+>")
_BREAK = re.compile(r"(?:<br\s*/?>\s*){2,}|</p>")


def read_factbook(source: Source, _data: Path, repositories: Path) -> Iterator[Record]:
    """The World Factbook, a JSON file a country: sections of fields, nested, with HTML in `text`. Long fields are
    paragraphs; the short ones of a section are put together behind the country's name."""
    for path, text in _files(source, repositories, ".json"):
        if not _COUNTRY.match(path):
            continue
        country = json.loads(text)
        yield from _records(source, path, [_country_blocks(country)])


def _country_blocks(country: dict) -> Iterator[str]:
    names = country.get("Government", {}).get("Country name", {})
    forms = [names.get(f"conventional {form} form", {}).get("text", "none") for form in ("short", "long")]
    name = next((form for form in map(_plain_field, forms) if form and form != "none"), "")
    for title, section in country.items():
        fields = [text for label, field in section.items() for text in _fields(label, field)]
        yield from (field for field in fields if len(field) >= 150)
        short = [field.rstrip(".") + "." for field in fields if len(field) < 150]
        for at in range(0, len(short), 6):
            yield " ".join([f"{name} ({title}).", *short[at : at + 6]])


def _fields(label: str, field: dict) -> Iterator[str]:
    for part in _BREAK.split(field.get("text", "")):
        text = _plain_field(part)
        if len(text) >= 40:
            yield text if label == "Background" else f"{label}: {text}"
    for inner, value in field.items():
        if isinstance(value, dict):
            yield from _fields(label if inner == "note" else f"{label}, {inner.strip()}", value)


def _plain_field(text: str) -> str:
    return collapse(_MARKUP.sub(" ", text))


TEXT_READERS = {
    "markdown-text": read_markdown_text,
    "notebook-text": read_notebook_text,
    "cnxml": read_cnxml,
    "epub-text": read_epub_text,
    "law-json": read_law_json,
    "modern-lines": read_modern_lines,
    "factbook": read_factbook,
}
