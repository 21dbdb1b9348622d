"""Batching: requests that the service takes, in order, with nothing lost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from docferry.delivery.batching import Put, inline_bytes, requests
from docferry.model import S3Object
from tests.unit.fakes import LIMITS, document

LINE = inline_bytes((document("d00"), b""))
SIZES = st.lists(st.one_of(st.integers(0, 900), st.just(-1)), max_size=40)


def puts(sizes: list[int]) -> list[Put]:
    """Documents with so many bytes inline; -1 stands for content on S3."""
    return [
        (document(f"d{number:02}"), S3Object("bucket", "key", 10**9) if size < 0 else b"x" * size)
        for number, size in enumerate(sizes)
    ]


@given(SIZES, st.integers(1, 5), st.integers(900 + LINE, 2_000))
def test_every_request_keeps_to_the_limits_and_nothing_is_lost(sizes: list[int], count: int, room: int) -> None:
    """Each request has at most so many documents and bytes; together they are all documents, in order."""
    limits = structs.replace(LIMITS, documents=count, inline_bytes=room)
    everything = puts(sizes)

    made = list(requests(everything, limits))

    assert [put for request in made for put in request] == everything
    for request in made:
        assert 0 < len(request) <= count
        assert sum(map(inline_bytes, request)) <= room


@given(SIZES, st.integers(1, 5), st.integers(900 + LINE, 2_000))
def test_a_request_ends_only_when_the_next_document_does_not_fit(sizes: list[int], count: int, room: int) -> None:
    """No request is smaller than it has to be: each costs a second of the service's time."""
    made = list(requests(puts(sizes), structs.replace(LIMITS, documents=count, inline_bytes=room)))

    for request, following in pairwise(made):
        full = len(request) == count
        assert full or sum(map(inline_bytes, request)) + inline_bytes(following[0]) > room


def test_a_document_is_measured_before_it_is_added() -> None:
    """Two documents that only together are too large go in two requests."""
    room = 2 * LINE + 999
    limits = structs.replace(LIMITS, inline_bytes=room)

    assert [len(request) for request in requests(puts([500, 499]), limits)] == [2]
    assert [len(request) for request in requests(puts([500, 500]), limits)] == [1, 1]


def test_content_on_s3_weighs_nothing_in_the_request() -> None:
    """Only the description of such a document is sent."""
    limits = structs.replace(LIMITS, inline_bytes=10 * LINE)

    assert [len(request) for request in requests(puts([-1] * 10), limits)] == [10]


def test_documents_are_taken_only_as_they_are_needed() -> None:
    """Content is opened one request ahead, never all of it at once."""
    taken = []

    def opened() -> Put:
        taken.append(1)
        return document(f"d{len(taken):02}"), b"x"

    made = requests((opened() for _ in range(100)), structs.replace(LIMITS, documents=3))
    next(made)

    assert len(taken) == 4
