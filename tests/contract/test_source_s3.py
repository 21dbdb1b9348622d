"""The source of kind ``s3``: the promises of every source, and what S3 adds to them."""

from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from moto import mock_aws

from docferry.errors import AccessDenied, ConfigurationError, DocumentUnreadable, DocumentVanished, SourceUnavailable
from docferry.model import Content, Document, Opened, Principal, S3Object, Skipped
from docferry.sources import Source, opener, s3
from docferry.sources.bucket import neighbours
from docferry.sources.s3 import S3
from tests.contract.source_suite import CREW, Repository, SourceSuite, listing, sidecar

BUCKET = "demo-documents"
LATE = "a.md-" + "x" * 20
"""Sorts between ``a.md`` and its sidecar."""

TROUBLE = [("SlowDown", 503), ("InternalError", 500), ("ServiceUnavailable", 503), ("RequestTimeout", 400)]


class Knobs:
    """A client of S3 that notes its calls, and fails those it is told to."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[tuple[str, str]] = []
        self.failures: dict[tuple[str, str], Exception] = {}
        self.replaced: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        attribute = self.replaced.get(name) or getattr(self._client, name)
        if not callable(attribute) or name == "meta":
            return attribute

        def call(**params: Any) -> Any:
            what = (name, params.get("Key", ""))
            self.calls.append(what)
            if what in self.failures:
                raise self.failures[what]
            return attribute(**params)

        return call


class Bucket:
    """A bucket as the suite wants it."""

    def __init__(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = client
        self.knobs = Knobs(client)
        self._monkeypatch = monkeypatch

    def put(self, path: str, content: bytes = b"text", **params: Any) -> None:
        """See Repository.put."""
        self.client.put_object(Bucket=BUCKET, Key=path, Body=content, **params)

    def remove(self, path: str) -> None:
        """See Repository.remove."""
        self.client.delete_object(Bucket=BUCKET, Key=path)

    def source(self, **settings: Any) -> Source:
        """See Repository.source."""
        given = msgspec.convert({"bucket": BUCKET, **settings}, s3.S3Settings)
        return S3(connector="demo", settings=given, clients={"s3": self.knobs}.__getitem__)

    def read(self, content: Content) -> bytes:
        """See Repository.read."""
        assert isinstance(content, S3Object)
        data: bytes = self.client.get_object(Bucket=content.bucket, Key=content.key)["Body"].read()
        assert len(data) == content.size
        return data

    def uri(self, quoted: str) -> str:
        """See Repository.uri."""
        return f"https://s3.eu-west-1.amazonaws.com/{BUCKET}/{quoted}"

    def small_pages(self, length: int) -> None:
        """See Repository.small_pages."""
        self._monkeypatch.setattr(s3, "PAGE_LENGTH", length)

    def fail(self, operation: str, code: str, status: int, key: str = "") -> None:
        """Let an operation fail, for one key."""
        error = {"Error": {"Code": code, "Message": "on purpose"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        self.knobs.failures[operation, key] = ClientError(error, operation)  # type: ignore[arg-type] # a part is enough


# Outside of mock_aws, which makes a new default session each time: botocore reads its models from disk once a session.
SESSION = boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name="eu-west-1")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Give an empty bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = SESSION.client("s3", config=Config(retries={"total_max_attempts": 1}))
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield Bucket(client, monkeypatch)


def skipped(bucket: Bucket, **settings: Any) -> Skipped:
    """Return the one thing that is listed, as skipped."""
    (item,) = listing(bucket.source(**settings))
    assert isinstance(item, Skipped), item
    return item


def document(bucket: Bucket, **settings: Any) -> Document:
    """Return the first document that is listed."""
    item = listing(bucket.source(**settings))[0]
    assert isinstance(item, Document), item
    return item


class TestS3(SourceSuite):
    """The promises of every source."""

    @pytest.fixture
    def repository(self, bucket: Bucket) -> Repository:
        """Give an empty bucket."""
        return bucket


class InPages(Bucket):
    """A bucket whose source opens each document by a new page of the listing."""

    def source(self, **settings: Any) -> Source:
        """See Repository.source."""
        self._monkeypatch.setattr(neighbours, "AT_FIRST", 0)
        source = super().source(**settings)
        one_by_one = source.open

        def open_(document: Document) -> Opened:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(source, "open", one_by_one)
                return opener(source)(document)

        self._monkeypatch.setattr(source, "open", open_)
        return source


class TestS3InPages(TestS3):
    """The promises of every source, of one that opens what lies close together."""

    @pytest.fixture
    def repository(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Repository:
        """Give an empty bucket."""
        return InPages(bucket.client, monkeypatch)


class TestTheListing:
    """What a listing holds, and what keeps it from being made."""

    def test_only_keys_below_the_prefix_are_listed_under_their_whole_key(self, bucket: Bucket) -> None:
        """A wider prefix later on gives no document another id."""
        for key in ("handbook/a.md", "handbook.md", "other/a.md"):
            bucket.put(key)
        assert [item.id for item in listing(bucket.source(prefix="handbook/"))] == ["demo/handbook/a.md"]

    def test_empty_objects_that_stand_for_folders_are_ignored(self, bucket: Bucket) -> None:
        """The S3 console makes them; they are no documents."""
        bucket.put("folder/", b"")
        bucket.put("folder/a.md")
        assert [item.id for item in listing(bucket.source())] == ["demo/folder/a.md"]

    @pytest.mark.parametrize("storage", ["GLACIER", "DEEP_ARCHIVE"])
    def test_an_archived_object_is_skipped(self, bucket: Bucket, storage: str) -> None:
        """The index could not read it; what is indexed of it stays."""
        bucket.put("a.md", StorageClass=storage)
        assert f"is archived ({storage})" in skipped(bucket).skipped

    def test_the_checkpoint_is_the_last_key(self, bucket: Bucket) -> None:
        """A page without a document moves the crawl on too."""
        bucket.small_pages(1)
        for key in ("a.md.metadata.json", "b.md.metadata.json", "c.md"):
            bucket.put(key, b"{}")
        pages = list(bucket.source().pages(None))
        assert [(len(page.listed), page.checkpoint) for page in pages] == [
            (0, "a.md.metadata.json"),
            (0, "b.md.metadata.json"),
            (1, "c.md"),
        ]

    def test_content_is_never_read(self, bucket: Bucket) -> None:
        """A listing costs no transfer: the index reads from S3 itself."""
        bucket.put("a.md")
        source = bucket.source()
        source.open(document(bucket))
        assert {operation for operation, _ in bucket.knobs.calls} == {"list_objects_v2", "head_object"}

    def test_a_missing_bucket_is_a_mistake_in_the_settings(self, bucket: Bucket) -> None:
        """The text names the setting and the bucket."""
        with pytest.raises(ConfigurationError, match=r"source\.bucket: there is no bucket nowhere"):
            listing(bucket.source(bucket="nowhere"))

    def test_a_directory_bucket_is_refused(self, bucket: Bucket) -> None:
        """It lists in no order, so neither checkpoints nor sidecars could be relied on."""
        with pytest.raises(ConfigurationError, match="directory bucket"):
            listing(bucket.source(bucket="demo--euw1-az1--x-s3"))

    def test_a_denied_listing_says_what_to_allow(self, bucket: Bucket) -> None:
        """The cure is in the text."""
        bucket.fail("list_objects_v2", "AccessDenied", 403)
        with pytest.raises(AccessDenied, match="allow s3:ListBucket"):
            listing(bucket.source())

    @pytest.mark.parametrize(("code", "status"), TROUBLE)
    def test_trouble_in_s3_is_an_outage(self, bucket: Bucket, code: str, status: int) -> None:
        """A listing that ends early never looks complete."""
        bucket.fail("list_objects_v2", code, status)
        with pytest.raises(SourceUnavailable, match=code):
            listing(bucket.source())

    def test_trouble_on_a_later_page_is_an_outage(self, bucket: Bucket) -> None:
        """The pages before it are kept, and the crawl goes on after their checkpoint."""
        bucket.small_pages(1)
        for number in range(20):
            bucket.put(f"{number:02}.md")
        pages = bucket.source().pages(None)
        assert next(pages).checkpoint == "00.md"
        bucket.fail("list_objects_v2", "SlowDown", 503)
        with pytest.raises(SourceUnavailable):
            list(pages)

    @pytest.mark.parametrize(
        "error", [EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")], ids=str
    )
    def test_a_broken_connection_is_an_outage(self, bucket: Bucket, error: Exception) -> None:
        """The network is tried again later."""
        bucket.knobs.failures["list_objects_v2", ""] = error
        with pytest.raises(SourceUnavailable, match="cannot be reached"):
            listing(bucket.source())

    def test_missing_credentials_are_a_mistake_in_the_settings(self, bucket: Bucket) -> None:
        """Trying again brings none."""
        bucket.knobs.failures["list_objects_v2", ""] = NoCredentialsError()
        with pytest.raises(ConfigurationError, match="credentials"):
            listing(bucket.source())

    def test_any_other_refusal_names_the_operation(self, bucket: Bucket) -> None:
        """A code nobody thought of is passed on as it is."""
        bucket.fail("list_objects_v2", "InvalidArgument", 400)
        with pytest.raises(ConfigurationError, match="list_objects_v2: InvalidArgument: on purpose"):
            listing(bucket.source())


class TestSidecars:
    """A sidecar that is missed makes its document public."""

    @pytest.mark.parametrize("length", [1, 2, 3, 5, 8])
    def test_a_sidecar_on_a_later_page_is_found(self, bucket: Bucket, length: int) -> None:
        """Any number of keys may sort between a document and its sidecar."""
        for number in range(6):
            bucket.put(f"{LATE}{number}.md")
        bucket.put("a.md")
        bucket.put("a.md.metadata.json", sidecar(AccessControlList=[CREW]))
        bucket.small_pages(length)
        assert document(bucket).access_control == (Principal("crew", "GROUP", "ALLOW"),)

    @pytest.mark.parametrize("length", [1, 2, 3, 1000])
    def test_the_page_after_a_document_says_that_it_has_no_sidecar(self, bucket: Bucket, length: int) -> None:
        """The end of a page costs no request."""
        bucket.small_pages(length)
        for name in ("a.md", "b.md", "c.md", "d.md", "e.md", "f.md"):
            bucket.put(name)
        assert len(listing(bucket.source())) == 6
        assert {operation for operation, _ in bucket.knobs.calls} == {"list_objects_v2"}

    @pytest.mark.parametrize("length", [1, 2])
    def test_an_absence_that_two_pages_do_not_show_is_asked_for(self, bucket: Bucket, length: int) -> None:
        """It is certain only after a look."""
        for number in range(6):
            bucket.put(f"{LATE}{number}.md")
        bucket.put("a.md")
        bucket.small_pages(length)
        assert document(bucket).access_control == ()
        assert ("get_object", "a.md.metadata.json") in bucket.knobs.calls

    def test_an_absent_sidecar_inside_a_page_costs_no_call(self, bucket: Bucket) -> None:
        """The page itself says that there is none."""
        bucket.put("a.md")
        bucket.put("b.md")
        listing(bucket.source())
        assert [operation for operation, _ in bucket.knobs.calls] == ["list_objects_v2"]

    def test_a_sidecar_outside_of_include_still_counts(self, bucket: Bucket) -> None:
        """Patterns select documents."""
        bucket.put("a.md")
        bucket.put("a.md.metadata.json", sidecar(Title="A title"))
        assert document(bucket, include=["*.md"]).title == "A title"

    def test_a_prefix_that_ends_in_a_name_hides_no_sidecar(self, bucket: Bucket) -> None:
        """A sidecar begins with all that its document begins with."""
        bucket.put("a.md")
        bucket.put("a.md.metadata.json", sidecar(Title="A title"))
        assert document(bucket, prefix="a.md").title == "A title"

    @pytest.mark.parametrize("prefix", ["metadata", "metadata/"])
    def test_sidecars_can_lie_below_a_prefix_of_their_own(self, bucket: Bucket, prefix: str) -> None:
        """As in the services' own connectors: the prefix, the whole key, the suffix."""
        bucket.put("docs/a.md")
        bucket.put("metadata/docs/a.md.metadata.json", sidecar(Title="A title"))
        assert document(bucket, prefix="docs/", metadata_prefix=prefix).title == "A title"

    def test_with_a_metadata_prefix_a_sidecar_beside_its_document_is_not_read(self, bucket: Bucket) -> None:
        """As in the services' own connectors: they look only there."""
        bucket.put("a.md")
        bucket.put("a.md.metadata.json", sidecar(Title="A title"))
        assert document(bucket, metadata_prefix="metadata/").title == "a.md"

    def test_a_broken_sidecar_is_named_by_its_key(self, bucket: Bucket) -> None:
        """The person who mends it finds it."""
        bucket.put("docs/a.md")
        bucket.put("metadata/docs/a.md.metadata.json", b"broken")
        reason = skipped(bucket, prefix="docs/", metadata_prefix="metadata").skipped
        assert reason.startswith("sidecar metadata/docs/a.md.metadata.json: is not JSON")

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("AccessDenied", 403),
            ("InvalidObjectState", 403),
            ("KMS.DisabledException", 400),
            ("NoSuchKey", 404),  # listed a moment ago
        ],
    )
    def test_an_unreadable_sidecar_keeps_its_document_back(self, bucket: Bucket, code: str, status: int) -> None:
        """Who may see the document is written where nobody can read it."""
        bucket.put("a.md")
        bucket.put("a.md.metadata.json", b"{}")
        bucket.fail("get_object", code, status, key="a.md.metadata.json")
        item = skipped(bucket)
        assert item.locator == "a.md"
        assert code in item.skipped

    @pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket"])
    def test_a_sidecar_that_may_exist_keeps_its_document_back(self, bucket: Bucket, code: str) -> None:
        """Only NoSuchKey says that there is none: without s3:ListBucket a missing key is denied instead."""
        bucket.put("a.md")
        bucket.fail("get_object", code, 403, key="metadata/a.md.metadata.json")
        assert skipped(bucket, metadata_prefix="metadata").locator == "a.md"

    @pytest.mark.parametrize(("code", "status"), TROUBLE)
    def test_trouble_in_s3_during_a_sidecar_is_an_outage(self, bucket: Bucket, code: str, status: int) -> None:
        """The page is listed again, with all its sidecars."""
        bucket.put("a.md")
        bucket.put("a.md.metadata.json", b"{}")
        bucket.fail("get_object", code, status, key="a.md.metadata.json")
        with pytest.raises(SourceUnavailable):
            listing(bucket.source())

    def test_a_broken_connection_during_a_sidecar_is_an_outage(self, bucket: Bucket) -> None:
        """The same for the network."""
        bucket.put("a.md")
        bucket.put("a.md.metadata.json", b"{}")
        bucket.knobs.failures["get_object", "a.md.metadata.json"] = ReadTimeoutError(endpoint_url="x")
        with pytest.raises(SourceUnavailable):
            listing(bucket.source())


class TestOpening:
    """HeadObject tells what there is now."""

    def test_the_content_is_a_reference(self, bucket: Bucket) -> None:
        """Bucket, key and size; no byte passes through the functions."""
        bucket.put("a.md")
        opened = bucket.source().open(document(bucket))
        assert opened.content == S3Object(BUCKET, "a.md", 4)
        assert opened.version.startswith("etag:")
        assert '"' not in opened.version

    @pytest.mark.parametrize(("code", "status"), [("403", 403), ("400", 400)])
    def test_a_denied_document_cannot_be_read(self, bucket: Bucket, code: str, status: int) -> None:
        """One object with a key of its own does not end the run."""
        bucket.put("a.md")
        bucket.fail("head_object", code, status, key="a.md")
        with pytest.raises(DocumentUnreadable, match=f"s3://{BUCKET}/a.md cannot be read"):
            bucket.source().open(document(bucket))

    def test_a_missing_document_has_vanished(self, bucket: Bucket) -> None:
        """HeadObject has no body, so the code is the number."""
        bucket.put("a.md")
        bucket.fail("head_object", "404", 404, key="a.md")
        with pytest.raises(DocumentVanished):
            bucket.source().open(document(bucket))

    def test_a_document_archived_since_the_listing_cannot_be_read(self, bucket: Bucket) -> None:
        """The index would fail on it in silence."""
        bucket.put("a.md")
        listed = document(bucket)
        bucket.put("a.md", StorageClass="GLACIER")
        with pytest.raises(DocumentUnreadable, match="is archived"):
            bucket.source().open(listed)

    def test_of_neighbours_a_page_of_the_listing_tells(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not of those that a storage class may have archived by itself: each of them is asked for."""
        monkeypatch.setattr(neighbours, "AT_FIRST", 0)
        for name in ("a.md", "b.md", "c.md"):
            bucket.put(name)
        bucket.put("d.md", StorageClass="INTELLIGENT_TIERING")
        source = bucket.source()
        documents = [one for one in listing(source) if isinstance(one, Document)]
        bucket.put("b.md", b"changed")
        bucket.remove("c.md")
        bucket.knobs.calls.clear()

        open_ = opener(source)
        opened = [open_(documents[0]), open_(documents[1])]
        with pytest.raises(DocumentVanished):
            open_(documents[2])
        open_(documents[3])

        assert opened[0].version == documents[0].version
        assert opened[1].version != documents[1].version
        assert bucket.read(opened[1].content) == b"changed"
        assert bucket.knobs.calls == [("list_objects_v2", ""), ("head_object", "c.md"), ("head_object", "d.md")]

    @pytest.mark.parametrize(("code", "status"), [("503", 503), ("500", 500), ("SlowDown", 503)])
    def test_trouble_in_s3_is_an_outage(self, bucket: Bucket, code: str, status: int) -> None:
        """It says nothing about the document."""
        bucket.put("a.md")
        bucket.fail("head_object", code, status, key="a.md")
        with pytest.raises(SourceUnavailable):
            bucket.source().open(document(bucket))

    def test_a_broken_connection_is_an_outage(self, bucket: Bucket) -> None:
        """The same for the network."""
        bucket.put("a.md")
        bucket.knobs.failures["head_object", "a.md"] = EndpointConnectionError(endpoint_url="x")
        with pytest.raises(SourceUnavailable):
            bucket.source().open(document(bucket))


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucket": "UPPER"},
        {"bucket": "ab"},
        {"bucket": "s3://demo"},
        {"prefix": 5},
        {"role_arn": "x"},
        {"bucket": None},
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    """Types, forms and names are checked before anything is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"bucket": BUCKET, **wrong}, s3.S3Settings)
