"""What a manifest says, corrected by what the index reports of its data source."""

from docferry.changes.drift import compared, orphan
from docferry.indexes import DocumentStatus
from docferry.model import Document
from docferry.state import lines
from tests.unit.fakes import document


def corrected(known: list[Document], *statuses: DocumentStatus) -> list[tuple[str, str]]:
    """The ids and versions of the documents that the index may hold."""
    found = compared(map(lines.encode, known), map(lines.encode, statuses), "handbook")
    return [(one.id, one.version) for one in (lines.decode(line, Document) for line in found)]


def test_what_the_index_lacks_and_what_it_has_besides_is_doubtful() -> None:
    """What belongs to somebody else is not looked at."""
    known = [document("handbook/a"), document("handbook/b")]
    held = [DocumentStatus(id_, "INDEXED") for id_ in ("elsewhere/x", "handbook/b", "handbook/c")]

    assert corrected(known, *held) == [("handbook/a", ""), ("handbook/b", known[1].version), ("handbook/c", "")]


def test_what_is_listed_twice_is_one_document() -> None:
    """A list that is read page by page while it changes may show it again."""
    twice = [DocumentStatus("handbook/c", "INDEXED")] * 2

    assert corrected([], *twice) == [("handbook/c", "")]
    assert corrected([document("handbook/c")], *twice) == [("handbook/c", document("handbook/c").version)]
    assert orphan("handbook/c").version == ""
