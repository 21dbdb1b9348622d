"""One document an id: the listing that change detection reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.crawl.listing import unique
from docferry.model import Document, Listed, Principal, Skipped
from docferry.state import lines
from docferry.state.lines import is_document
from tests.unit.fakes import document


def encoded(*records: Document | Skipped) -> list[bytes]:
    """Lines in the order of a sorted stream: by id, then by line."""
    return [line for _, line in sorted((record.id, lines.encode(record)) for record in records)]


def test_ids_that_occur_once_pass_unchanged() -> None:
    """Nothing is decoded, nothing is changed."""
    listing = encoded(document("a"), Skipped("b", "is empty"), document("c"))

    assert list(unique(listing)) == listing


def test_of_documents_with_one_id_one_is_indexed_and_the_others_say_why_not() -> None:
    """Two files whose sidecars name the same id must not replace each other with every run."""
    listing = encoded(*(document("a", locator=locator) for locator in ("/1", "/2", "/3")))

    first, *others = unique(listing)

    assert lines.decode(first, Document).locator == "/1"
    assert [lines.decode(other, Skipped) for other in others] == [
        Skipped("a", f"/{number} has the same document id as /1, which is indexed under it") for number in (2, 3)
    ]


def test_what_was_skipped_under_the_id_of_a_document_stays_skipped() -> None:
    """The document comes first: change detection would otherwise take it for one more."""
    listing = encoded(Skipped("a", "is empty"), document("a"))

    assert [is_document(line) for line in unique(listing)] == [True, False]


def test_an_id_of_the_source_is_not_the_inboxes() -> None:
    """Neither when the source has the document, nor when it is skipped there: it may be kept back for its access."""
    handed_in = document("a", origin="inbox")
    for mine in (document("a", "v2", locator="z"), Skipped("a", "sidecar is broken")):
        lines_of = list(unique(encoded(mine, handed_in)))

        documents = [lines.decode(line, Document) for line in lines_of if is_document(line)]
        assert documents == [mine] if isinstance(mine, Document) else documents == []
        assert any(b"the document in the inbox has the same document id as" in line for line in lines_of)


ANN, CREW = (Principal("ann", "USER", "ALLOW"),), (Principal("crew", "GROUP", "ALLOW"),)


@pytest.mark.parametrize(
    "mine",
    [Skipped("a", "z: the index cannot have it", access_control=ANN), Skipped("a", "z: is broken", locator="z")],
)
@pytest.mark.parametrize(
    "handed_in",
    [document("a", origin="inbox"), Skipped("a", "a: nobody knows", access_control=CREW, origin="inbox")],
)
def test_of_what_is_held_the_source_says_what_becomes_of_it(mine: Skipped, handed_in: Listed) -> None:
    """Whichever line sorts first. The inbox must neither hide that fewer may see it, nor say so in its place."""
    first, *others = unique(sorted(encoded(mine, handed_in)))

    assert lines.decode(first, Skipped) == mine
    assert [lines.decode(other, Skipped).access_control for other in others] == [()]


def test_what_is_in_the_inbox_alone_keeps_its_access_control() -> None:
    """Fewer may see it now than the index shows it to."""
    alone = encoded(Skipped("a", "nobody knows", access_control=CREW, origin="inbox"))

    assert list(unique(alone)) == alone


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123"), st.booleans()), max_size=8))
def test_no_id_has_two_documents_and_nothing_is_lost(entries: list[tuple[str, str, bool]]) -> None:
    """Each entry comes out once, and each id that had a document has exactly one."""
    records = [
        Skipped(id_, "is empty") if skipped else document(id_, locator=locator) for id_, locator, skipped in entries
    ]

    result = list(unique(encoded(*records)))

    documents = [lines.line_id(line) for line in result if is_document(line)]
    assert documents == sorted({record.id for record in records if isinstance(record, Document)})
    assert [lines.line_id(line) for line in result] == sorted(record.id for record in records)
