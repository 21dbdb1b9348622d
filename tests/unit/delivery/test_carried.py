"""Contents that a listing has carried: each document gets its own back, with few reads."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docferry.delivery import carried
from docferry.delivery.carried import Contents, Spans
from docferry.model import Document
from docferry.state import lines, sorting
from docferry.state.store import Store
from tests.unit.fakes import document


def spans_of(store: Store, pages: list[list[tuple[Document, bytes]]]) -> Spans:
    """Put the contents of pages aside, as a crawl does."""
    chunks = [
        sorting.write_chunk(store, f"listing/{number}", carried.put_aside(store, "run-1", page))
        for number, page in enumerate(pages)
        if page
    ]
    return Spans(sorting.merge(store, chunks))


PAGES = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.binary(min_size=1, max_size=20)), max_size=6), max_size=4
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])  # no key is used twice
@given(pages=PAGES)
def test_each_document_gets_its_own_content_back(store: Store, pages: list[list[tuple[str, bytes]]]) -> None:
    """Over pages in any order, also when ids come twice with different contents."""
    made = [[(document(id_, version=content.hex()), content) for id_, content in page] for page in pages]
    wanted = {lines.encode(one): (one, content) for page in made for one, content in page}
    spans = spans_of(store, made)

    found = [spans.of(one) for one, _ in sorted(wanted.values(), key=lambda pair: lines.encode(pair[0]))]
    contents: dict[bytes, bytes] = {}
    for (line, (one, _)), span in zip(sorted(wanted.items()), found, strict=True):
        assert span is not None
        carried.write_spans(store, "run-1", "put-0", [span])
        opened = Contents(store, "run-1", "put-0").open(one)
        assert isinstance(opened.content, bytes)
        contents[line] = opened.content

    assert contents == {line: content for line, (_, content) in wanted.items()}


def test_what_lies_side_by_side_is_read_at_once(store: Store, monkeypatch: Any) -> None:
    """A shard's documents follow each other by id, and so do their contents."""
    page = [(document(f"{number:03}"), b"x" * 10) for number in reversed(range(100))]
    spans = spans_of(store, [page])
    page.sort(key=lambda pair: pair[0].id)
    carried.write_spans(store, "run-1", "put-0", filter(None, (spans.of(one) for one, _ in page)))
    reads: list[int] = []
    real = store.content_part

    def counted(key: str, offset: int, size: int) -> bytes | None:
        reads.append(size)
        return real(key, offset, size)

    monkeypatch.setattr(store, "content_part", counted)

    contents = Contents(store, "run-1", "put-0")
    for one, _ in page[10:]:
        assert contents.open(one).content == b"x" * 10

    assert reads == [900]
