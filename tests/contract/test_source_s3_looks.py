"""Single keys of a bucket: what a look says of one is what a listing says, and it costs no listing."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docferry.errors import ConfigurationError, SourceUnavailable
from docferry.model import Document, Skipped
from docferry.sources import Look, Watched
from tests.contract.source_suite import CREW, listing, sidecar
from tests.contract.test_source_s3 import BUCKET, TROUBLE, Bucket, bucket

__all__ = ["bucket"]

KEYS = ("a.md", "b.txt", "docs/c.md", "docs/d.zip", "docs/e/", "other/f.md", "docs/g.md.METADATA.JSON", "acl.json")
TEXTS = st.sampled_from([b"text", b"", b"another text"])
SIDECARS = st.sampled_from(
    [
        sidecar(Title="A title"),
        sidecar(DocumentId="named"),
        sidecar(AccessControlList=[CREW], DocumentId="docs/c.md"),
        sidecar(ContentType="MD"),
        b"broken",
    ]
)
SETTINGS = st.sampled_from(
    [
        {},
        {"prefix": "docs/"},
        {"metadata_prefix": "metadata"},
        {"exclude": ["docs/**"]},
        {"include": ["*.md"], "metadata_prefix": "docs/"},
    ]
)


def watched(on: Bucket, /, **wanted: Any) -> Watched:
    """The source, as one that looks at single keys."""
    source = on.source(**wanted)
    assert isinstance(source, Watched)
    return source


def look(bucket: Bucket, *keys: str, **wanted: Any) -> dict[str, Look]:
    """What the source says of keys."""
    return {look.locator: look for look in watched(bucket, **wanted).look(keys)}


@given(
    objects=st.dictionaries(st.sampled_from(KEYS), TEXTS),
    sidecars=st.dictionaries(st.sampled_from(KEYS), SIDECARS),
    below=st.sampled_from(["", "metadata/", "docs/"]),
    wanted=SETTINGS,
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_look_says_what_a_listing_says(
    bucket: Bucket, objects: dict[str, bytes], sidecars: dict[str, bytes], below: str, wanted: dict[str, Any]
) -> None:
    """Of every key, whatever lies beside it; what is not there is gone, and nothing else is."""
    for found in bucket.client.list_objects(Bucket=BUCKET).get("Contents", []):
        bucket.remove(found["Key"])
    there = objects | {f"{below}{key}.metadata.json": text for key, text in sidecars.items()}
    for key, content in there.items():
        bucket.put(key, content)
    listed = listing(bucket.source(**wanted))

    source = watched(bucket, **wanted)
    places = {place for key in [*there, *KEYS] if (place := source.concerned(key)) is not None}
    looks = {look.locator: look for look in source.look(sorted(places))}

    assert looks.keys() == places
    assert sorted((one.listed for one in looks.values() if one.listed), key=repr) == sorted(listed, key=repr)
    assert {one.locator for one in looks.values() if one.gone} == places - there.keys()


@pytest.mark.parametrize(
    ("key", "wanted", "place"),
    [
        ("docs/a.md", {}, "docs/a.md"),
        ("docs/a.md.metadata.json", {}, "docs/a.md"),
        ("a.md", {"prefix": "docs/"}, None),
        ("a.md.metadata.json", {"prefix": "docs/"}, None),
        ("docs/a.md", {"exclude": ["docs/**"]}, None),
        ("docs/a.md.metadata.json", {"exclude": ["docs/**"]}, None),
        ("meta/docs/a.md.metadata.json", {"metadata_prefix": "meta"}, "docs/a.md"),
        ("meta/docs/a.md.metadata.json", {"metadata_prefix": "meta", "prefix": "docs/"}, "docs/a.md"),
        ("docs/a.md.metadata.json", {"metadata_prefix": "meta"}, None),
        (".metadata.json", {}, None),
        ("acl.json", {"acl": "acl.json"}, None),
    ],
)
def test_a_key_concerns_the_document_that_it_is_or_describes(
    bucket: Bucket, key: str, wanted: dict[str, Any], place: str | None
) -> None:
    """A sidecar's change is its document's; a key outside of the settings is nobody's."""
    assert watched(bucket, **wanted).concerned(key) == place


def test_the_file_of_access_control_concerns_every_document(bucket: Bucket) -> None:
    """And no other key does."""
    source = watched(bucket, acl="acl.json")
    assert source.concerns_all("acl.json")
    assert not source.concerns_all("a.md")
    assert not watched(bucket).concerns_all("acl.json")


def test_a_look_lists_nothing(bucket: Bucket) -> None:
    """One HeadObject a key, one look for the sidecar of each that is there, and one for the bucket."""
    bucket.put("a.md")
    bucket.put("b.md")
    look(bucket, "a.md", "b.md", "c.md")
    assert sorted(bucket.knobs.calls) == [
        ("get_object", "a.md.metadata.json"),
        ("get_object", "b.md.metadata.json"),
        ("head_bucket", ""),
        ("head_object", "a.md"),
        ("head_object", "b.md"),
        ("head_object", "c.md"),
    ]


@pytest.mark.parametrize(("code", "status"), [("403", 403), ("400", 400)])
def test_a_key_that_may_not_be_looked_at_is_not_gone(bucket: Bucket, code: str, status: int) -> None:
    """It is skipped with its locator: what is indexed of it stays, and the others are looked at."""
    bucket.put("b.md")
    bucket.fail("head_object", code, status, key="a.md")
    found = look(bucket, "a.md", "b.md")
    refused = found["a.md"].listed
    assert isinstance(refused, Skipped)
    assert refused.locator == "a.md"
    assert not found["a.md"].gone
    assert isinstance(found["b.md"].listed, Document)


@pytest.mark.parametrize(("code", "status"), TROUBLE)
def test_trouble_in_s3_during_a_look_is_an_outage(bucket: Bucket, code: str, status: int) -> None:
    """Nobody can say then whether the key is gone."""
    bucket.fail("head_object", code, status, key="a.md")
    with pytest.raises(SourceUnavailable):
        look(bucket, "a.md")


def test_keys_of_a_bucket_that_is_gone_are_not_gone(bucket: Bucket) -> None:
    """HeadObject answers 404 for them, too; a purge it is not."""
    bucket.put("a.md")
    found = watched(bucket, bucket="nowhere").look(["a.md", "b.md"])
    with pytest.raises(ConfigurationError, match=r"source\.bucket: there is no bucket nowhere"):
        list(found)
