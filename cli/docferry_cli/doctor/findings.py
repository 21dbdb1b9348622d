"""What a check finds, and what the whole examination says."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from docferry_cli.doctor.context import Context
from docferry_cli.options import Target

Status = Literal["ok", "wrong", "unknown", "not here"]


class Ok(Struct, frozen=True):
    """All is well. ``seen`` says what was looked at."""

    seen: str


class Wrong(Struct, frozen=True):
    """Something is wrong, and how a person mends it. ``cure`` is empty when ``what`` says it already."""

    what: str
    cure: str = ""


class Unknown(Struct, frozen=True):
    """It cannot be told. ``why`` names what is missing, such as the right to call something."""

    why: str


class NotHere(Struct, frozen=True):
    """There is nothing to look at. ``why`` says where it would be."""

    why: str


Result = Ok | Wrong | Unknown | NotHere

EVERYWHERE: frozenset[Target] = frozenset({"here", "stack", "aws"})
DEPLOYED: frozenset[Target] = frozenset({"stack", "aws"})


class Check(Struct, frozen=True):
    """One check: its name, the function that looks, and the targets that it is made for."""

    name: str
    look: Callable[[Context], Result]
    targets: frozenset[Target] = EVERYWHERE


class Finding(Struct, frozen=True):
    """What one check has found.

    ``status`` is ``not here`` for a check that is made for another target. ``said`` is what was seen, what is wrong, or
    why it cannot be told. ``cure`` is what to do, or empty.
    """

    check: str
    status: Status
    said: str = ""
    cure: str = ""


class Examination(Struct, frozen=True):
    """All findings about one connector. ``status`` is the worst of them: wrong before unknown before ok."""

    connector: str
    target: Target
    status: Literal["ok", "wrong", "unknown"]
    findings: list[Finding]
