"""Uploads to a bucket: the run that they start looks at their keys alone, in the source and in the manifest."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from docferry.connector import Connector, Part
from docferry.indexes import Reader
from docferry.reporting import ledger
from docferry.reporting.report import Report
from docferry.state import manifest, parts
from docferry.workflow.signals import signals
from docferry.workflow.trigger import trigger
from docferry_laptop.executions import Execution
from docferry_laptop.laptop import Laptop
from tests.workflow.services import PUBLIC
from tests.workflow.world import World

BUCKET = "documents"
SECRET = {"AccessControlList": [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}]}


class Uploads(World):
    """A bucket that tells of its objects, and the connector that syncs it."""

    s3: Any
    events: list[str]

    @classmethod
    def begin(cls, aws: Laptop, kind: str, lists: Path | None = None) -> "Uploads":
        """With an empty bucket. ``lists``: documents have access control; who is in a group is written there."""
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        connector = Connector("team", Part("s3", {"bucket": BUCKET, "prefix": "docs/"}), Part(kind))
        found = cls.of(aws, Path(), connector) if lists is None else cls.restricted(aws, Path(), connector, lists)
        found.s3, found.events = s3, []
        return found

    def put(self, name: str, text: str = "some text", **sidecar: Any) -> None:
        """Upload an object, with a sidecar when it says anything. Its events are to be delivered."""
        for key, body in ((name, text), (f"{name}.metadata.json", json.dumps(sidecar) if sidecar else "")):
            if body:
                self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
                self.events.append(_event(key, "Object Created"))

    def take_away(self, key: str) -> None:
        """Remove an object."""
        self.s3.delete_object(Bucket=BUCKET, Key=key)
        self.events.append(_event(key, "Object Deleted"))

    def tell(self, *bodies: str) -> str | None:
        """Deliver messages to the trigger; return the execution that it has started."""
        heard = signals({"Records": [{"body": body} for body in bodies]}, BUCKET)
        step_functions = self.deployment.wired.step_functions
        return trigger(self.store, step_functions, self.deployment.state_machine, heard).execution

    def deliver(self) -> Report:
        """Deliver all events; when the run that they start has ended, its end, too."""
        arn = self.tell(*self.events)
        self.events.clear()
        assert arn is not None
        result = self.finish(Execution(arn, arn.rpartition(":")[2]))
        self.over(arn, result.status)
        return result

    def over(self, arn: str, status: str = "SUCCEEDED") -> None:
        """Tell the trigger that an execution has ended."""
        self.tell(json.dumps({"source": "aws.states", "detail": {"executionArn": arn, "status": status}}))

    def parts(self) -> list[str]:
        """The keys of the parts of the manifest."""
        current = manifest.pointer(self.store)
        return [part.key for part in manifest.parts(self.store, current.value if current else None) or ()]


def _event(key: str, kind: str) -> str:
    detail = {"bucket": {"name": BUCKET}, "object": {"key": key}}
    return json.dumps({"source": "aws.s3", "detail-type": kind, "detail": detail})


@contextmanager
def calls() -> Iterator[list[tuple[str, str, str]]]:
    """The calls of S3 that anybody makes in the block: operation, bucket, and key."""
    made: list[tuple[str, str, str]] = []
    real = BaseClient._make_api_call  # type: ignore[attr-defined]  # where every call passes

    def call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        if client.meta.service_model.service_name == "s3":
            made.append((operation, params.get("Bucket", ""), params.get("Key", "")))
        return real(client, operation, params)

    with patch.object(BaseClient, "_make_api_call", call):
        yield made


@pytest.fixture
def uploads(aws: Laptop, kind: str, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    """Twelve documents, crawled as a schedule has it; the manifest has parts of two documents."""
    monkeypatch.setattr(parts, "PART_LINES", 2)
    uploads = Uploads.begin(aws, kind)
    for number in range(12):
        uploads.put(f"docs/{number:02}.md", f"text {number}")
    uploads.put("docs/named.md", "named", DocumentId="zulu")
    uploads.events.clear()
    assert uploads.sync(trigger="schedule").added == 13
    return uploads


def ids(uploads: Uploads) -> set[str]:
    """The documents of the manifest, which the index holds."""
    uploads.aws.clock.sleep(120)
    held = set(uploads.manifest())
    statuses = uploads.deployment.wired.index.statuses(None, sorted(held))
    assert {status.id for status in statuses if status.status == "INDEXED"} == held
    return held


def test_a_run_of_uploads_makes_calls_in_proportion_to_their_keys(uploads: Uploads) -> None:
    """No listing of the source; a HEAD a key, and a look for the sidecar of what is there."""
    uploads.put("docs/03.md", "another text")
    uploads.take_away("docs/07.md")
    uploads.s3.put_object(Bucket=BUCKET, Key="docs/05.md", Body=b"changed, but its event is lost")

    with calls() as made:
        result = uploads.deliver()

    assert (result.keys, result.modified, result.deleted, result.unchanged) == (2, 1, 1, 0)
    of_source = [(operation, key) for operation, bucket, key in made if bucket == BUCKET]
    # The index reads the content; a worker looks at it before.
    assert [call for call in of_source if call[0] not in {"GetObject", "HeadObject"}] == [("HeadBucket", "")]
    assert {key for _, key in of_source} == {"", "docs/03.md", "docs/03.md.metadata.json", "docs/07.md"}
    assert [operation for operation, key in of_source if key == "docs/07.md"] == ["HeadObject"]
    assert uploads.manifest()["team/docs/05.md"].size == len("text 5")
    assert len(ids(uploads)) == 12

    crawled = uploads.sync(trigger="schedule")
    assert (crawled.keys, crawled.modified, crawled.unchanged) == (None, 1, 11)
    uploads.assert_at_rest()


def test_only_the_parts_of_the_manifest_are_read_that_keys_fall_into(uploads: Uploads) -> None:
    """One of seven; and of what has not changed nothing is sent, and nothing written anew."""
    uploads.put("docs/03.md", "text 3")
    uploads.put("docs/02.md", "text 2")
    of_manifest = uploads.parts()

    with calls() as made:
        result = uploads.deliver()

    assert (result.keys, result.unchanged, result.execution_id) == (2, 2, None)
    read = [key for operation, _, key in made if operation == "GetObject" and key in of_manifest]
    assert (len(of_manifest), read) == (7, of_manifest[1:2])


def test_the_ledger_says_what_a_run_of_uploads_has_looked_at(uploads: Uploads) -> None:
    """As `docferry runs` shows it."""
    uploads.put("docs/new.md")
    uploads.deliver()
    newest = next(ledger.newest(uploads.store))
    assert (newest.trigger, newest.mode, newest.keys, newest.added) == ("upload", "sync", 1, 1)


def test_a_storm_of_events_in_any_order_is_the_source_as_it_is(uploads: Uploads) -> None:
    """Keys that come back, come twice, are outside of the prefix, or have been there for a moment only."""
    for number in range(4):
        uploads.take_away("docs/00.md")
        uploads.put("docs/00.md", f"again {number}")
    uploads.put("outside/x.md")
    uploads.put("docs/moment.md")
    uploads.take_away("docs/moment.md")
    uploads.take_away("docs/named.md")
    uploads.events += uploads.events[::-1]

    result = uploads.deliver()

    assert (result.keys, result.added, result.modified, result.deleted) == (3, 0, 1, 1)
    assert "team/zulu" not in ids(uploads)


def test_a_lost_sidecar_changes_nothing(aws: Laptop, kind: str, tmp_path: Path) -> None:
    """Also one that gave the document another id; neither the run of its event nor a crawl takes anything away."""
    uploads = Uploads.begin(aws, kind, tmp_path)
    uploads.put("docs/01.md", "text 1", **SECRET)
    uploads.put("docs/02.md", "text 2", DocumentId="zulu", **SECRET)
    uploads.events.clear()
    assert uploads.sync(trigger="schedule").added == 2
    before = uploads.manifest()
    for name in ("01", "02"):
        uploads.take_away(f"docs/{name}.md.metadata.json")

    for run in (uploads.deliver(), uploads.sync(trigger="schedule")):
        assert (run.status, uploads.kept_secret(run), run.execution_id) == ("SUCCEEDED", 2, None)
        assert uploads.manifest() == before
    assert ids(uploads) == {"team/docs/01.md", "team/zulu"}


@PUBLIC
def test_a_lost_sidecar_exposes_nothing(uploads: Uploads) -> None:
    """The run of its event holds the document back; then every run looks at all, until a person has decided."""
    uploads.put("docs/01.md", "text 1", **SECRET)
    assert uploads.deliver().modified == 1
    uploads.take_away("docs/01.md.metadata.json")

    result = uploads.deliver()

    assert (result.keys, result.exposed, result.modified) == (1, 1, 0)
    assert uploads.manifest()["team/docs/01.md"].access_control
    uploads.put("docs/02.md", "another")
    whole = uploads.deliver()
    assert (whole.keys, whole.exposed, whole.modified) == (None, 1, 1)
    approved = uploads.sync(approve=whole.run)
    assert approved.approved == 1
    uploads.put("docs/02.md", "yet another")
    assert uploads.deliver().keys == 1


@pytest.mark.parametrize("kind", ["bedrock"])
def test_what_gets_access_control_leaves_an_index_that_has_none(uploads: Uploads) -> None:
    """Also when the sidecar gives it another id. What is without access control goes on as before."""
    uploads.put("docs/01.md", "text 1", **SECRET)
    uploads.put("docs/02.md", "text 2", DocumentId="yankee", **SECRET)
    uploads.put("docs/03.md", "another text")

    result = uploads.deliver()

    assert (result.keys, result.modified, result.deleted, result.skipped) == (3, 1, 2, 2)
    assert not {"team/docs/01.md", "team/docs/02.md", "team/yankee"} & ids(uploads)


def test_more_keys_than_a_run_looks_at_become_a_crawl(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells at less cost what they are."""
    monkeypatch.setattr("docferry.workflow.signals.KEYS", 3)
    for number in range(4):
        uploads.put(f"docs/{number:02}.md", "another")
    result = uploads.deliver()
    assert (result.keys, result.modified, result.unchanged) == (None, 4, 9)


def test_the_run_after_one_that_failed_sees_what_that_was_to_see(uploads: Uploads) -> None:
    """It is started at once, and crawls the whole source."""
    uploads.put("docs/03.md", "another text")
    uploads.end_jobs("FAILED")
    arn = uploads.tell(*uploads.events)
    assert arn is not None
    failed = uploads.finish(Execution(arn, arn.rpartition(":")[2]))
    assert failed.status == "FAILED"
    ended = json.dumps({"source": "aws.states", "detail": {"executionArn": arn, "status": "FAILED"}})

    uploads.end_jobs(None)
    again = uploads.tell(ended)

    assert again is not None
    result = uploads.finish(Execution(again, again.rpartition(":")[2]))
    assert (result.status, result.keys) == ("SUCCEEDED", None)
    assert uploads.manifest()["team/docs/03.md"].size == len("another text")


@pytest.mark.parametrize("kind", ["bedrock"])
def test_who_leaves_a_group_loses_all_of_its_documents_with_the_next_upload(
    aws: Laptop, kind: str, tmp_path: Path
) -> None:
    """In an index that knows no groups that is a change of documents that no key names: the source is crawled."""
    uploads = Uploads.begin(aws, kind, tmp_path)
    uploads.put("docs/a.md", "a text", **SECRET)
    uploads.put("docs/b.md", "a text", **SECRET)
    uploads.events.clear()
    uploads.sync(trigger="schedule")
    uploads.put("docs/b.md", "another text", **SECRET)
    assert uploads.deliver().keys is not None
    groups = tmp_path / "groups.csv"
    groups.write_text(groups.read_text().replace("crew,ann,user", "crew,eve,user"))

    uploads.put("docs/b.md", "a third text", **SECRET)
    result = uploads.deliver()

    assert (result.keys, result.modified) == (None, 2)
    assert any("somebody has joined or left a group" in note for note in result.notes)
    uploads.aws.clock.sleep(120)
    index = uploads.deployment.wired.index
    assert not index.search("text", 10, Reader("ann"))
    assert len(index.search("text", 10, Reader("eve"))) == 2
