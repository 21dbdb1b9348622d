"""One message, in the form of an EventBridge event's detail. docs/schemas/event.json describes it for programs."""

import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

What = Literal["failed", "withheld", "exposed", "recovered"]

SOURCE = "docferry"
"""The source of the events."""

DETAIL_TYPES: dict[What, str] = {
    "failed": "Run Failed",
    "withheld": "Deletes Withheld",
    "exposed": "Documents Exposed",
    "recovered": "Connector Recovered",
}

FORMAT = 1
"""The version of the schema. A member that is added does not change it."""

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: fewer than 100 characters of ASCII.
SUBJECT_LENGTH = 99


class Cause(Struct, frozen=True):
    """Something that was wrong, and the last run that told of it."""

    what: What
    run: str


class Message(Struct, frozen=True, kw_only=True):
    """What happened to a connector at the end of a run.

    ``id`` is the same whenever the message is sent. ``index`` has the kind and the ids of the index data source.
    ``execution_id`` is that of the sync job, None without one. ``error`` is the name of the error, empty when the run
    did not fail. ``counts`` are in documents, as in the report; ``withheld_groups`` are groups. ``command`` is what to
    run next, ``report`` shows all that is known, document ids too. ``recovered_from`` is what was wrong before.

    No text of a message is taken from a document, a file, or an error: it leaves the account as an e-mail.
    """

    id: str
    what: What
    connector: str
    index: dict[str, str]
    run: str
    execution: str
    execution_id: str | None
    time: datetime
    title: str
    why: str
    error: str
    counts: dict[str, int]
    command: str
    report: str
    recovered_from: tuple[Cause, ...] = ()
    version: int = FORMAT


def message_id(connector: str, run: str, what: What) -> str:
    """The id of a message. It depends on nothing else, so that a repeated message has it again."""
    return f"{connector}/{run}/{what}"


def command(verb: str, run: str, connector: str) -> str:
    """A docferry command about a run of a connector in AWS."""
    return f"docferry {verb} {shlex.quote(printable(run))} --connector {connector} --target aws"


def subject(message: Message) -> str:
    """The subject of an e-mail."""
    plain = f"Docferry: {message.connector}: {message.title}".encode("ascii", "replace").decode()
    return plain[:SUBJECT_LENGTH]


def body(message: Message) -> str:
    """The text of an e-mail."""
    return "\n".join([*_body(message), ""])


def _body(message: Message) -> Iterator[str]:
    yield f"{message.connector}: {message.title}"
    yield ""
    yield message.why
    yield ""
    yield f"Next: {message.command}"
    if message.command != message.report:
        yield f"See all of it first: {message.report}"
    yield ""
    yield f"Connector: {message.connector}"
    yield f"Index: {', '.join(f'{name} {value}' for name, value in message.index.items())}"
    yield f"Run: {printable(message.run)}"
    yield f"Execution: {printable(message.execution)}"
    if message.execution_id is not None:
        yield f"Sync job: {message.execution_id}"
    counted = (f"{name.replace('_', ' ')} {count:,}" for name, count in message.counts.items() if count)
    yield f"Counts: {', '.join(counted) or 'none'}"
    yield f"Time: {message.time:%Y-%m-%d %H:%M:%S} UTC"
    yield f"Message: {printable(message.id)} (a message that comes twice has the same id)"


def printable(text: str) -> str:
    """A text without control characters. Who starts an execution chooses its name."""
    return "".join(character if character.isprintable() else "?" for character in text)
