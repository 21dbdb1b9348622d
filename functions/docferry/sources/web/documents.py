"""A page as a document."""

from functools import partial

from docferry.errors import DocumentUnreadable
from docferry.sources.records.record import Record, Skip
from docferry.sources.web.failures import PageFailed, PageRefused
from docferry.sources.web.notes import Note
from docferry.sources.web.pages import Pages


def document(note: Note, content: bytes | None, pages: Pages) -> Record | Skip:
    """The document of a page, or why its type cannot be indexed."""
    if note.problem or note.content_type is None:
        return Skip(id=note.url, reason=note.problem)
    return Record(
        id=note.url,
        content_type=note.content_type,
        title=note.title,
        content=content,
        open=partial(_again, note, pages),
        version=note.version,
        uri=note.url,
        updated_at=note.updated_at,
    )


def _again(note: Note, pages: Pages) -> bytes:
    """Read a page that has not changed, but whose content is needed. Raises DocumentUnreadable."""
    try:
        found = pages.fetch(note.url, None)
    except (PageFailed, PageRefused) as error:
        raise DocumentUnreadable(str(error)) from error
    if found is None or found.content is None or found.note.version != note.version:
        raise DocumentUnreadable("has changed while it was crawled; the next run sends it")
    return found.content
