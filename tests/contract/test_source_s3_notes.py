"""The source of kind ``s3`` with the notes of its last crawl: fewer requests, ranges side by side, the same listing."""

from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from docferry.model import Document, Principal
from docferry.sources.bucket import keys, notes
from docferry.sources.describing.sidecar import SUFFIX
from tests.contract.source_suite import CREW, Noted, listing, noted, sidecar
from tests.contract.test_source_s3 import BUCKET, SESSION, Bucket, bucket

__all__ = ["bucket"]

SECRET = sidecar(AccessControlList=[CREW])


def calls(bucket: Bucket) -> list[str]:
    """The operations since the last time, and forget them."""
    made = sorted(operation for operation, _ in bucket.knobs.calls)
    bucket.knobs.calls.clear()
    return made


class TestSidecars:
    """An unchanged crawl reads none."""

    def test_an_unchanged_bucket_is_crawled_without_a_get(self, bucket: Bucket) -> None:
        """What is broken stays broken without being read again, too."""
        for number in range(10):
            bucket.put(f"{number}.md")
            bucket.put(f"{number}.md{SUFFIX}", SECRET if number else b"broken")
        first = listing(bucket.source())
        known = noted(bucket.source())
        calls(bucket)

        assert listing(bucket.source(), known=known) == first
        assert calls(bucket) == ["list_objects_v2"]

    def test_notes_are_handed_on_from_crawl_to_crawl(self, bucket: Bucket) -> None:
        """The third crawl knows what the first has read."""
        bucket.put("a.md")
        bucket.put(f"a.md{SUFFIX}", SECRET)
        known = noted(bucket.source())

        assert list(noted(bucket.source(), known).notes()) == list(known.notes())

    def test_only_a_changed_sidecar_is_read(self, bucket: Bucket) -> None:
        """Who loses access loses it with the next crawl."""
        for name in ("a.md", "b.md", "c.md"):
            bucket.put(name)
            bucket.put(name + SUFFIX, SECRET)
        known = noted(bucket.source())
        bucket.put(f"b.md{SUFFIX}", sidecar(AccessControlList=[{**CREW, "Access": "DENY"}]))
        bucket.knobs.calls.clear()

        listed = listing(bucket.source(), known=known)

        assert [item.access_control for item in listed if isinstance(item, Document)] == [
            (Principal("crew", "GROUP", access),)
            for access in ("ALLOW", "DENY", "ALLOW")  # type: ignore[arg-type]  # literals
        ]
        assert [key for operation, key in bucket.knobs.calls if operation == "get_object"] == [f"b.md{SUFFIX}"]

    def test_a_removed_sidecar_is_not_remembered(self, bucket: Bucket) -> None:
        """A note says what a sidecar says, and not that it is there."""
        bucket.put("a.md")
        bucket.put(f"a.md{SUFFIX}", SECRET)
        known = noted(bucket.source())
        bucket.remove(f"a.md{SUFFIX}")

        (item,) = listing(bucket.source(), known=known)

        assert isinstance(item, Document)
        assert item.access_control == ()

    def test_a_long_sidecar_is_read_in_each_crawl(self, bucket: Bucket) -> None:
        """The notes that memory holds are short."""
        bucket.put("a.md")
        bucket.put(f"a.md{SUFFIX}", sidecar(Title="x" * notes.MAX_BYTES))
        known = noted(bucket.source())
        calls(bucket)

        assert len(listing(bucket.source(), known=known)) == 1
        assert calls(bucket) == ["get_object", "list_objects_v2"]

    def test_a_sidecar_below_a_prefix_of_its_own_is_read_in_each_crawl(self, bucket: Bucket) -> None:
        """The listing does not show whether it has changed."""
        bucket.put("docs/a.md")
        bucket.put(f"metadata/docs/a.md{SUFFIX}", SECRET)
        where = {"prefix": "docs/", "metadata_prefix": "metadata"}
        known = noted(bucket.source(**where))
        calls(bucket)

        (item,) = listing(bucket.source(**where), known=known)

        assert isinstance(item, Document)
        assert item.access_control
        assert calls(bucket) == ["get_object", "list_objects_v2"]


class TestRanges:
    """A listing is divided by what the crawl before has noted."""

    @pytest.fixture(autouse=True)
    def _small(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        bucket.small_pages(3)
        monkeypatch.setattr(keys, "RANGE_PAGES", 2)

    def test_an_unchanged_listing_takes_as_many_calls_as_there_are_pages(self, bucket: Bucket) -> None:
        """Dividing costs nothing where nothing has changed but for the last range, which has no end."""
        for number in range(60):
            bucket.put(f"{number:02}.md")
        known = noted(bucket.source())
        first = listing(bucket.source())
        calls(bucket)

        assert listing(bucket.source(), known=known) == first
        assert calls(bucket).count("list_objects_v2") <= 60 // 3 + 1

    def test_a_sidecar_that_comes_with_its_document_during_the_listing_is_found(self, bucket: Bucket) -> None:
        """A later range may have been listed before it came: what that does not show is no proof."""
        bucket.put("z.md")
        known = Noted([notes.of_boundary("a.md")])
        later = Event()
        true = bucket.client.list_objects_v2

        def raced(**params: Any) -> Any:
            if "StartAfter" not in params:
                assert later.wait(10)
                bucket.put(f"a.md{SUFFIX}", SECRET)
                bucket.put("a.md")
                return true(**params)
            found = true(**params)
            later.set()
            return found

        bucket.knobs.replaced["list_objects_v2"] = raced
        listed = listing(bucket.source(), known=known)

        assert isinstance(listed[0], Document)
        assert listed[0].id == "demo/a.md"
        assert listed[0].access_control == (Principal("crew", "GROUP", "ALLOW"),)


NAMES = st.text("aA-./0~\u00e9\u4e2d\U0001f6f3\uffee ", min_size=1, max_size=5).filter(
    lambda name: not name.startswith("/") and "//" not in name and not name.startswith(".") and "/." not in name
)


@st.composite
def buckets(draw: st.DrawFn) -> tuple[dict[str, bool], list[str]]:
    """Names of documents, whether each has a sidecar, and keys to divide at: some of them are keys of the bucket."""
    documents = draw(st.dictionaries(NAMES, st.booleans(), max_size=14))
    boundaries = draw(st.lists(st.one_of(NAMES, st.sampled_from(sorted(documents) or ["a"])), max_size=6))
    return documents, boundaries


@given(
    made=buckets(),
    length=st.integers(1, 7),
    range_pages=st.integers(1, 3),
    ascending=st.booleans(),
    cut=st.integers(0, 12),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_division_lists_every_key_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch,
    made: tuple[dict[str, bool], list[str]],
    length: int,
    range_pages: int,
    cut: int,
    *,
    ascending: bool,
) -> None:
    """Whatever characters are in the keys, wherever it is divided, and wherever it is cut and goes on."""
    documents, boundaries = made
    with mock_aws(), monkeypatch.context() as patched:
        client = SESSION.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        repository = Bucket(client, patched)
        for name, has_sidecar in documents.items():
            repository.put(f"{name}x.md")
            repository.put(f"{name}/", b"")
            if has_sidecar:
                repository.put(f"{name}x.md{SUFFIX}", SECRET)
        plain = listing(repository.source())
        repository.small_pages(length)
        patched.setattr(keys, "RANGE_PAGES", range_pages)
        known = Noted(map(notes.of_boundary, sorted(boundaries) if ascending else boundaries))

        pages = list(repository.source().pages(None, known))
        begun = pages[:cut]
        rest = listing(repository.source(), begun[-1].checkpoint if begun else None, known)

    assert [item for page in pages for item in page.listed] == plain
    assert [item for page in begun for item in page.listed] + rest == plain
    assert [item.id for item in plain] == sorted((item.id for item in plain), key=str.encode)
    secret = {item.locator: bool(item.access_control) for item in plain if isinstance(item, Document)}
    assert secret == {f"{name}x.md": has_sidecar for name, has_sidecar in documents.items()}
