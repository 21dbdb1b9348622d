"""What the commands print with --json, as types: docs/schemas/commands has a JSON schema of each, made of them.

A type that has a place of its own, such as the report of a run, is only named here.
"""

import msgspec
from msgspec import UNSET, Struct, UnsetType

from docferry.changes.plans import Planned
from docferry.reporting.report import Failure, Report


def put(value: object) -> None:
    """Print what a program reads, on one line of standard output."""
    print(msgspec.json.encode(value).decode(), flush=True)  # noqa: T201  # the output of --json


class RunResult(Report, frozen=True, kw_only=True):
    """What a run did, and the documents that it counts, except the skipped ones. Only a plan has ``documents``."""

    failures: list[Failure]
    withheld_documents: list[str]
    exposed_documents: list[str]
    documents: list[Planned] | UnsetType = UNSET


class FailingDocument(Struct, frozen=True):
    """A document that the index refuses: why, and in how many runs. A quarantined one is not sent any more."""

    id: str
    reason: str
    runs: int
    quarantined: bool


class Released(Struct, frozen=True):
    """How many documents were released from quarantine."""

    released: int


class Served(Struct, frozen=True):
    """How a client gets to the stacks that are served: environment variables, and the outputs of each stack."""

    environment: dict[str, str]
    stacks: dict[str, dict[str, str]]


class SourceSetting(Struct, frozen=True):
    """A setting of a kind of source."""

    name: str
    required: bool
    description: str


class SourceKind(Struct, frozen=True, omit_defaults=True):
    """A kind of source. ``missing`` says why it cannot be used here; then the rest is not known."""

    kind: str
    description: str = ""
    settings: tuple[SourceSetting, ...] = ()
    abilities: tuple[str, ...] = ()
    missing: str = ""


class CheckedPromise(Struct, frozen=True):
    """A promise of a source: whether it is kept, and what was seen."""

    check: str
    kept: bool
    seen: str
