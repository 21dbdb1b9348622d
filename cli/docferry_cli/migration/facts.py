"""What `docferry migrate` says. `--json` prints one Migration."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from docferry_cli.printed import RunResult

Stage = Literal["listed", "filled", "filling failed", "not possible"]
"""``listed``: nothing was sent yet. ``filled``: the new index holds all that it takes.

``not possible``: the fill would be refused, or the source could not be listed."""


class Missing(Struct, frozen=True):
    """A document that the new index will not hold, and why.

    ``id`` is what comes after the connector's name in the ids of both. ``held``: the old index has it, so people who
    search find it there today.
    """

    id: str
    reason: str
    held: bool


class Step(Struct, frozen=True):
    """Something to do, or to look at, around the switch of the application.

    ``command`` is empty where it is not Docferry's to do.
    """

    what: str
    command: str = ""


class Migration(Struct, frozen=True, kw_only=True):
    """What a move from the index of ``connector`` to that of ``to`` comes to.

    ``plan`` is the run that has listed the source and sent nothing. ``due`` are documents that a fill sends, ``there``
    those that the new index holds already as the source has them. ``missing`` are those that it will not hold.
    ``obstacles`` are reasons for which a fill would send nothing at all. ``unknown`` says what cannot be told before.
    ``fill`` is what the fill did, if there was one.
    """

    connector: str
    to: str
    kinds: tuple[str, str]
    target: str
    stage: Stage
    plan: str
    due: int = 0
    there: int = 0
    held_by_old: int | None = None
    missing: tuple[Missing, ...] = ()
    obstacles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    checklist: tuple[Step, ...] = ()
    next: str = ""
    fill: RunResult | UnsetType = UNSET
