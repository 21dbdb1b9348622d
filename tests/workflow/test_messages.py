"""What people and programs are told at the end of runs, through the real state machine, on both channels."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from docferry.connector import Connector, DeleteGuard, Part
from docferry.messages import outbox
from docferry.model import Skipped
from docferry.sources import Page
from docferry.sources.folder.files import Files
from docferry.state.keys import LEASE, MESSAGES, REPORT, run_key
from docferry.sync_job.lease import Lease
from docferry.workflow import janitor
from docferry_laptop.laptop import Laptop
from tests.messages import Listener
from tests.workflow.services import PUBLIC
from tests.workflow.world import World

PRIVATE = "salaries-2026"
"""Is in the names of all documents, and in no message."""
FILES = tuple(f"{PRIVATE}-{number}.txt" for number in range(4))


ONCE = pytest.mark.parametrize("kind", ["kendra"])
"""For what has nothing to do with the service."""


class Guarded(Listener):
    """Makes sure that no message names a document, in the event or in the e-mail."""

    def _received(self, name: str) -> list[str]:
        bodies = super()._received(name)
        assert PRIVATE not in "".join(bodies)
        return bodies


@pytest.fixture
def listener(aws: Laptop) -> Listener:
    """Listens from before the first run on."""
    del aws
    return Guarded()


@pytest.fixture
def told(aws: Laptop, tmp_path: Path, kind: str, listener: Listener) -> World:
    """A connector with some documents that tells on both channels, and withholds more than one delete."""
    folder = tmp_path / "team"
    folder.mkdir()
    guard = DeleteGuard(documents=1, percent=10)
    connector = Connector("team", Part("files", {"path": str(folder)}), Part(kind), guard)
    world = World.restricted(aws, folder, connector, tmp_path)
    world.deployment = aws.deploy(world.connector, listener.topic)
    for name in FILES:
        write(world, name)
    return world


def write(world: World, name: str) -> None:
    """Write a document that ann may see."""
    world.write(name)
    world.write(f"{name}.metadata.json", acl("ann"))


def acl(user: str) -> str:
    """A sidecar that says who may see a document."""
    return json.dumps({"AccessControlList": [{"Name": user, "Type": "USER", "Access": "ALLOW"}]})


def whats(events: list[dict[str, Any]]) -> list[str]:
    """What happened, in the order in which it was told."""
    return [event["what"] for event in events]


def again(world: World, run: str) -> None:
    """Let the clean-up of a run be called once more, as a rule that delivers at least once does."""
    janitor.janitor(world.deployment.wired, janitor.Request(run, execution(world, run)))


def execution(world: World, run: str) -> str:
    """The ARN of the execution of a run."""
    return world.deployment.state_machine.replace(":stateMachine:", ":execution:") + f":{run}"


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the functions have logged and counted."""
    return lambda: caplog.text + capsys.readouterr().out


@contextmanager
def refusing(*operations: str) -> Iterator[None]:
    """Let a service refuse some operations."""
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(caller: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        if operation in operations:
            described: Any = {"Error": {"Code": "AccessDeniedException", "Message": "on request"}}
            raise ClientError(described, operation)
        return real(caller, operation, params)

    with patch.object(BaseClient, "_make_api_call", call):
        yield


def test_a_failed_run_and_the_first_good_one_after_it(told: World, listener: Listener) -> None:
    """What, why, and what to run; each once, on both channels, with one id. A run that goes well tells nothing."""
    assert told.sync().status == "SUCCEEDED"
    assert not told.store.exists(MESSAGES)
    write(told, f"{PRIVATE}-new.txt")
    told.end_jobs("FAILED")
    failed = told.sync()
    (event,), (mail,) = listener.events(), listener.mails()

    assert (event["what"], event["run"], event["connector"]) == ("failed", failed.run, "team")
    assert event["id"] == mail.attributes["id"] == f"team/{failed.run}/failed"
    assert event["why"] == "The sync job did not end well."
    assert event["execution_id"] == failed.execution_id
    assert event["index"]["data_source_id"]
    assert event["command"] == f"docferry report {failed.run} --connector team --target aws"
    assert mail.subject == "Docferry: team: a run failed"
    assert event["command"] in mail.text

    told.end_jobs(None)
    well = told.sync()
    (event,) = listener.events()
    (mail,) = listener.mails()
    assert (event["what"], event["run"]) == ("recovered", well.run)
    assert event["recovered_from"] == [{"what": "failed", "run": failed.run}]
    assert mail.subject == "Docferry: team: recovered"


@ONCE
def test_a_run_that_dies_is_told_by_its_clean_up(told: World, listener: Listener) -> None:
    """Whatever calls it, and however often."""
    failed = told.sync(mode="no such mode")
    again(told, failed.run)

    (event,) = listener.events()
    assert (event["what"], event["error"]) == ("failed", "ConfigurationError")
    assert event["why"] == "A setting is missing or wrong."
    assert len(listener.mails()) == 1


def test_withheld_deletes(told: World, listener: Listener) -> None:
    """Told when they are withheld, not again as long as they are the same, and when they are not withheld any more."""
    told.sync()
    for name in FILES[:2]:
        (told.folder / name).unlink()
    first = told.sync()
    told.sync()
    (event,) = listener.events()
    (mail,) = listener.mails()

    assert (event["what"], event["run"], event["counts"]["withheld"]) == ("withheld", first.run, 2)
    assert event["why"].startswith(
        "Deletes: 2 of 4 documents are gone from the source, more than 1 and more than 10 %."
    )
    assert event["command"] == f"docferry approve {first.run} --connector team --target aws"
    assert event["report"] in mail.text
    assert mail.subject == "Docferry: team: 2 deletes withheld"

    approved = told.sync(approve=first.run)
    (event,) = listener.events()
    assert (event["what"], event["run"]) == ("recovered", approved.run)
    assert event["recovered_from"] == [{"what": "withheld", "run": first.run}]


@PUBLIC
def test_exposed_documents(told: World, listener: Listener) -> None:
    """The message says that an approval makes them public."""
    told.sync()
    sidecar = told.folder / f"{FILES[0]}.metadata.json"
    sidecar.unlink()
    exposing = told.sync()
    (event,) = listener.events()

    assert (event["what"], event["run"], event["counts"]["exposed"]) == ("exposed", exposing.run, 1)
    assert "1 document that everybody will see" in event["why"]
    assert listener.mails()[0].subject == "Docferry: team: 1 document without access control held back"

    sidecar.write_text(acl("ann"), encoding="utf-8")
    told.sync()
    assert whats(listener.events()) == ["recovered"]


@ONCE
def test_an_incomplete_listing_names_no_document_and_no_approval(
    told: World, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that it withholds can be approved."""
    told.sync()
    (told.folder / FILES[0]).unlink()
    real = Files.pages

    def pages(*args: Any, **options: Any) -> Iterator[Page]:
        yield from real(*args, **options)
        yield Page([Skipped(f"team/{PRIVATE}", "permission denied", incomplete=True)], None)

    monkeypatch.setattr(Files, "pages", pages)
    told.sync()

    (event,) = listener.events()
    assert event["why"] == "Deletes: the listing is incomplete."
    assert event["command"] == event["report"]


@ONCE
def test_a_plan_tells_nothing(told: World, listener: Listener) -> None:
    """Whoever makes one looks at it, also at one that fails."""
    told.sync()
    for name in FILES[:3]:
        (told.folder / name).unlink()

    assert told.sync(mode="plan").withheld == 3
    # It fails.
    assert told.sync(mode="plan", approve="no-such-run").status == "FAILED"

    assert listener.events() == []


@ONCE
@pytest.mark.parametrize(
    ("operation", "silent", "heard"), [("PutEvents", "events", "mails"), ("Publish", "mails", "events")]
)
def test_a_message_that_cannot_be_sent_waits_for_the_next_run(
    told: World, listener: Listener, warned: Callable[[], str], operation: str, silent: str, heard: str
) -> None:
    """Each run ends as it would; log and metric say what is missing. The other channel gets each message once."""
    with refusing(operation):
        told.end_jobs("FAILED")
        failed = told.sync()
        told.end_jobs(None)
        assert told.sync().status == "SUCCEEDED"
    assert len(getattr(listener, heard)()) == 2
    assert getattr(listener, silent)() == []
    assert outbox.read(told.store).waiting[0].message.id == f"team/{failed.run}/failed"
    said = warned()
    assert "takes none: An error occurred (AccessDeniedException)" in said
    assert '"MessagesUnsent":[2.0]' in said

    told.sync()

    assert len(getattr(listener, silent)()) == 2
    assert getattr(listener, heard)() == []
    assert outbox.read(told.store).waiting == ()


@ONCE
def test_a_message_that_is_repeated_has_its_id_again(told: World, listener: Listener) -> None:
    """Even when what was sent is known to nobody any more."""
    told.end_jobs("FAILED")
    run = told.sync().run
    (event,) = listener.events()
    told.store.delete(MESSAGES)

    again(told, run)

    (repeated,) = listener.events()
    assert {**repeated, "time": ""} == {**event, "time": ""}


@ONCE
def test_a_function_that_dies_after_it_has_sent_sends_the_same_again(told: World, listener: Listener) -> None:
    """Not a word of it is another."""
    told.end_jobs("FAILED")
    with refusing("PutEvents", "Publish"):
        run = told.sync().run
    unsent = outbox.read(told.store)
    again(told, run)
    told.store.write(MESSAGES, unsent)

    again(told, run)

    one, other = listener.events()
    assert one == other
    assert len({mail.text for mail in listener.mails()}) == 1


@ONCE
def test_a_damaged_record_of_messages_is_begun_anew(told: World, listener: Listener, warned: Callable[[], str]) -> None:
    """The run tells what it has to tell. Log and metric say that messages may be lost."""
    told.store.put_content(MESSAGES, b"damaged")
    told.end_jobs("FAILED")
    told.sync()

    assert whats(listener.events()) == ["failed"]
    said = warned()
    assert "messages.json is begun anew, and what waited in it is lost" in said
    assert "MessagesUnsent" in said


@ONCE
def test_a_run_that_died_without_a_clean_up_is_told_by_the_next(told: World, listener: Listener) -> None:
    """The run that takes the lease over tells of the one before it; a clean-up that is late tells no more."""
    told.end_jobs("FAILED")
    dead = told.sync().run
    told.end_jobs(None)
    listener.events()
    for key in (MESSAGES, run_key(dead, REPORT)):
        told.store.delete(key)
    told.store.write(LEASE, Lease(execution(told, dead), dead, datetime.now(UTC)))

    told.sync()
    again(told, dead)

    events = listener.events()
    assert whats(events) == ["failed", "recovered"]
    assert events[0]["id"] == f"team/{dead}/failed"
    assert events[0]["why"] == "The execution was aborted, or timed out."
