"""Extracts the text of a document by its content type. Imports a library when the first document needs it."""

import csv
import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

# Control characters. The search marks its highlights with two of them, so no text may contain any.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unreadable(Exception):  # noqa: N818 - named after what is wrong with the document
    """The content does not match its content type, or the emulator cannot read that content type."""


def extract(content_type: str | None, content: bytes) -> str:
    """Return the text of a document. Raises Unreadable.

    Content without a content type counts as plain text. Text has to be UTF-8, as the services require.
    """
    reader = _READERS.get(content_type or "PLAIN_TEXT")
    if reader is None:
        raise Unreadable(f"Content type {content_type} is not supported.")
    try:
        text = reader(content)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"The content cannot be read as {content_type}: {error}"[:500]) from error
    return _CONTROL.sub(" ", text).encode("utf-8", "replace").decode()


def _plain(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The content is not UTF-8.") from error


def _html(content: bytes) -> str:
    # lxml takes a tenth of the time of Beautiful Soup, and documentation has many large pages.
    import lxml.etree  # type: ignore[import-untyped,unused-ignore]
    import lxml.html  # type: ignore[import-untyped,unused-ignore]

    try:
        page = lxml.html.document_fromstring(_plain(content).encode(), lxml.html.HTMLParser(encoding="utf-8"))
    except lxml.etree.ParserError:  # the page has only white space and comments
        return ""
    lxml.etree.strip_elements(page, "script", "style", "template", lxml.etree.Comment, with_tail=False)
    return _lines("\n".join(page.itertext()))


def _xml(content: bytes) -> str:
    from bs4 import BeautifulSoup

    return _lines(BeautifulSoup(content, "xml").get_text("\n"))


def _lines(text: str) -> str:
    return "\n".join(line for line in (part.strip() for part in text.splitlines()) if line)


def _csv(content: bytes) -> str:
    return "\n".join(" ".join(row) for row in csv.reader(io.StringIO(_plain(content), newline="")))


def _json(content: bytes) -> str:
    return "\n".join(_leaves(msgspec.json.decode(_plain(content))))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield str(value)


def _pdf(content: bytes) -> str:
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def _word(content: bytes) -> str:
    import docx

    document = docx.Document(io.BytesIO(content))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def _zipped(parts: str, element: str) -> Callable[[bytes], str]:
    def read(content: bytes) -> str:
        from bs4 import BeautifulSoup

        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(name for name in archive.namelist() if re.fullmatch(parts, name))
            soups = [BeautifulSoup(archive.read(name), "xml") for name in names]
        return "\n".join(found.get_text() for soup in soups for found in soup.find_all(element))

    return read


def _rtf(content: bytes) -> str:
    from striprtf.striprtf import rtf_to_text

    if not content.lstrip().startswith(b"{\\rtf"):
        raise Unreadable("The content is not RTF.")
    text: str = rtf_to_text(content.decode("latin-1"), errors="replace")  # type: ignore[no-untyped-call]  # it has no types
    return text


_READERS: dict[str, Callable[[bytes], str]] = {
    "PLAIN_TEXT": _plain,
    "MD": _plain,
    "HTML": _html,
    "XML": _xml,
    "XSLT": _xml,
    "CSV": _csv,
    "JSON": _json,
    "PDF": _pdf,
    "MS_WORD": _word,
    "PPT": _zipped(r"ppt/slides/slide\d+\.xml", "t"),
    "MS_EXCEL": _zipped(r"xl/(sharedStrings|worksheets/sheet\d+)\.xml", "t"),
    "RTF": _rtf,
}
