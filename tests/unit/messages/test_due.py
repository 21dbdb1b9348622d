"""Which messages the end of a run makes, and what they say."""

import inspect
from typing import Any

import pytest
from msgspec import structs

from docferry import errors
from docferry.connector import Connector, Part
from docferry.errors import DocferryError, DocumentError, RetriableError
from docferry.groups.snapshot import GroupsReport
from docferry.messages import outbox
from docferry.messages.due import End, remember
from docferry.messages.message import SUBJECT_LENGTH, Message, body, command, subject
from docferry.messages.outbox import KEPT, REMEMBERED, Memory, Waiting
from docferry.messages.reasons import ABORTED, REASONS, UNEXPECTED, reason
from docferry.reporting.report import Report
from tests.unit.fakes import NOON

INDEX = {"index_id": "index", "data_source_id": "source", "role_arn": "arn:aws:iam::123456789012:role/Reads"}
CONNECTOR = Connector("handbook", Part("files"), Part("kendra", INDEX))
CHANNELS = ("events", "topic")


def end(number: int, *, plan: bool = False, rebuild: bool = False, held_back: Any = None, **report: Any) -> End:
    """The end of a run that has this number in the ledger, and is named after it."""
    written = Report(**{"run": f"run-{number}", "connector": "handbook", "status": "SUCCEEDED", **report})
    return End(
        connector=CONNECTOR,
        execution=f"arn:{written.run}",
        report=written,
        number=number,
        plan=plan,
        rebuild=rebuild,
        held_back=held_back or {},
        time=NOON,
    )


def failed(number: int) -> End:
    """The end of a run that failed."""
    return end(number, status="FAILED", error="AccessDenied: not allowed to read salaries.txt")


def withheld(number: int, digest: str = "same", **more: Any) -> End:
    """The end of a run that withheld deletes."""
    because = "40 of 50 documents are gone from the source; if that is meant: docferry approve"
    return end(number, held_back={"withheld": digest}, withheld=40, withheld_because=because, **more)


def told(*ends: End) -> list[str]:
    """What all these ends tell, with the run."""
    return [f"{message.what} {message.run}" for message in messages(*ends)]


def messages(*ends: End) -> list[Message]:
    """The messages of all these ends."""
    memory = Memory()
    for one in ends:
        memory = remember(memory, one, CHANNELS)
    return [waiting.message for waiting in memory.waiting]


@pytest.mark.parametrize(
    ("ends", "wanted"),
    [
        ([end(1), end(2)], []),
        ([failed(1), end(2), end(3)], ["failed run-1", "recovered run-2"]),
        ([failed(1), failed(2), end(3)], ["failed run-1", "failed run-2", "recovered run-3"]),
        ([withheld(1), withheld(2), end(3)], ["withheld run-1", "recovered run-3"]),
        ([withheld(1), withheld(2, "another"), end(3)], ["withheld run-1", "withheld run-2", "recovered run-3"]),
        ([withheld(1), failed(2), withheld(3)], ["withheld run-1", "failed run-2", "recovered run-3"]),
        ([withheld(1, status="FAILED", error="sync job x ended FAILED")], ["failed run-1", "withheld run-1"]),
        ([withheld(1), end(2, rebuild=True)], ["withheld run-1"]),
        ([failed(1), end(2, rebuild=True)], ["failed run-1", "recovered run-2"]),
        ([failed(1), end(2, plan=True)], ["failed run-1"]),
        ([withheld(1, plan=True)], []),
        ([failed(1), failed(1), end(2), end(2), failed(1)], ["failed run-1", "recovered run-2"]),
        ([failed(2), end(1)], ["failed run-2"]),
        ([failed(2), failed(1), end(3)], ["failed run-2", "failed run-1", "recovered run-3"]),
    ],
)
def test_what_is_told(ends: list[End], wanted: list[str]) -> None:
    """Each run that fails; what is held back, when the list is another one; and the first run that ends it.

    Neither a repeated end, nor that of an earlier run, nor one that says nothing of deletes ends anything.
    """
    assert told(*ends) == wanted


def test_two_things_at_a_time_have_a_message_each() -> None:
    """Both are over at the same time, too."""
    both = withheld(1, exposed=1)
    found = messages(structs.replace(both, held_back={"withheld": "a", "exposed": "b"}), end(2))

    assert [message.what for message in found] == ["withheld", "exposed", "recovered"]
    assert {cause.what for cause in found[2].recovered_from} == {"withheld", "exposed"}
    assert "40 deletes, 1 document that everybody will see" in found[0].why
    assert found[0].command == found[1].command == "docferry approve run-1 --connector handbook --target aws"


def test_groups_are_told_with_the_deletes() -> None:
    """An approval lets both pass."""
    groups = GroupsReport(
        withheld=2, withheld_because="the list of groups is empty; if that is meant: docferry approve"
    )
    (message,) = messages(end(1, held_back={"withheld": "x"}, groups=groups))

    assert message.title == "2 groups withheld"
    assert message.why.startswith("Groups: the list of groups is empty.")
    assert message.counts["withheld_groups"] == 2
    assert message.command.startswith("docferry approve ")


@pytest.mark.parametrize("groups", [None, GroupsReport(withheld=1, withheld_because="they are many")])
def test_deletes_after_an_incomplete_listing_are_not_offered(groups: GroupsReport | None) -> None:
    """The document that the report names is left out; groups can be approved all the same."""
    because = "the listing is incomplete (salaries: permission denied), and what it does not show may still be there"
    (message,) = messages(end(1, held_back={"withheld": "x"}, withheld=3, withheld_because=because, groups=groups))

    assert "Deletes: the listing is incomplete." in message.why
    assert "salaries" not in message.why
    assert "3 deletes" not in message.why
    assert message.command.startswith("docferry approve " if groups else "docferry report ")


def test_no_word_of_an_error_is_passed_on() -> None:
    """It may name a document, or quote it. The name of the error, and a sentence of ours, say what happened."""
    (message,) = messages(failed(1))

    assert (message.error, message.why) == ("AccessDenied", "The role of a function lacks a permission.")
    assert "salaries" not in body(message)
    assert message.index == {"kind": "kendra", "index_id": "index", "data_source_id": "source"}


@pytest.mark.parametrize(
    ("error", "name", "why"),
    [
        ("KeyError: 'salaries.txt'", "KeyError", UNEXPECTED),
        ("salaries.txt: cannot be read", "", UNEXPECTED),
        ("secret words", "", UNEXPECTED),
        ("", "", UNEXPECTED),
        ("Sandbox.Timedout: Task timed out", "Sandbox.Timedout", REASONS["Sandbox.Timedout"]),
        (ABORTED, "", "The execution was aborted, or timed out."),
        ("sync job 1 ended ABORTED", "", "The sync job did not end well."),
        ("shards without a result: put-1", "", "Some documents were not sent. The next run sends them again."),
    ],
)
def test_why_a_run_failed(error: str, name: str, why: str) -> None:
    """Of an error that is not known, its name is told at most."""
    assert reason(error) == (name, why)


def test_every_error_that_ends_a_run_has_its_reason() -> None:
    """A new one needs a sentence."""
    of_runs = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, DocferryError) and not issubclass(kind, DocumentError)
    } - {DocferryError.__name__, RetriableError.__name__, errors.FatalError.__name__}
    of_runs.remove(errors.NotDeployed.__name__)  # said by commands alone

    assert of_runs <= REASONS.keys()
    assert {name for name in REASONS if "." not in name} == of_runs


def test_the_name_of_a_run_is_quoted_and_printable() -> None:
    """Whoever starts an execution names it."""
    assert command("approve", "it's", "handbook") == """docferry approve 'it'"'"'s' --connector handbook --target aws"""
    (message,) = messages(end(1, status="FAILED", run="a\x1b[31m\nb"))

    assert "\x1b" not in body(message)
    assert "--connector handbook" in next(line for line in body(message).splitlines() if line.startswith("Next: "))


def test_a_subject_is_one_that_sns_takes() -> None:
    """ASCII, and not too long, whatever the connector is called."""
    (message,) = messages(failed(1))

    assert subject(message) == "Docferry: handbook: a run failed"
    long = subject(structs.replace(message, title="ü" * 200))
    assert len(long) == SUBJECT_LENGTH
    assert long.isascii()


def test_what_was_sent_by_one_channel_waits_for_the_other() -> None:
    """And is forgotten when both have it."""
    memory = remember(Memory(), failed(1), CHANNELS)
    (waiting,) = memory.waiting

    half = outbox.sent(memory, [(waiting.message.id, "events")])
    assert half.waiting == (Waiting(waiting.message, ("topic",)),)
    assert outbox.sent(half, [(waiting.message.id, "topic")]).waiting == ()


def test_what_nothing_takes_is_counted() -> None:
    """The record does not grow for ever: neither with messages, nor with runs."""
    memory = Memory()
    for number in range(KEPT + 3):
        memory = remember(memory, failed(number), CHANNELS)

    assert (len(memory.waiting), memory.lost, len(memory.runs)) == (KEPT, 3, REMEMBERED)
    assert memory.waiting[-1].message.run == f"run-{KEPT + 2}"
    assert outbox.sent(memory, [], told=3).lost == 0
