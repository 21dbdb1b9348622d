"""The delete guard: an empty or shrunken listing is more often an outage, or a slip, than a purge. Pure."""

from collections.abc import Callable, Container

from msgspec import Struct

from docferry.changes.detection import WITHDRAWN
from docferry.connector import DeleteGuard
from docferry.model import Change

INCOMPLETE = "the listing is incomplete"
"""How the reason begins that no approval overcomes. A document may be named after it."""
CURE = "; if that is meant: "
"""Stands before the command that approves."""


class Findings(Struct, frozen=True, kw_only=True):
    """What a crawl found that speaks for or against its deletes.

    ``deletes`` are all that are due, except what is withdrawn; ``of_source`` those of documents that came from the
    source, not from the inbox. ``manifest`` is how many documents the index is known to hold. ``incomplete`` says why
    the listing is not whole; ``empty`` that the source listed no document at all; ``changed`` which of its settings are
    others than those of the last crawl that withheld nothing. ``approval`` is the run whose list a person approved.
    ``strangers``: documents that the manifest did not know, in a data source that others write to, or may write to
    unseen.
    """

    deletes: int
    of_source: int
    manifest: int
    incomplete: str | None = None
    empty: bool = False
    changed: tuple[str, ...] = ()
    approval: str | None = None
    strangers: int = 0


class Verdict(Struct, frozen=True):
    """Which deletes are withheld, and why. ``withholds`` is asked in ascending order of the ids."""

    because: str
    withholds: Callable[[Change], bool]


def judge(guard: DeleteGuard, found: Findings, approved: Container[str], command: str) -> Verdict | None:
    """Decide which deletes of a crawl are withheld, and why. None: all of them pass.

    What is withdrawn always passes: the source lists it, and the index would go on showing it to people who may not
    see it. ``approved`` are the ids of the list that a person approved, asked for in ascending order; ``command`` is
    what approves this run. No approval lets a delete pass after an incomplete listing, because the document may still
    be there.
    """
    if not found.deletes:
        return None
    gone = f"{found.deletes:,} of {found.manifest:,} documents"
    limit = f"more than {guard.documents:,} and more than {guard.percent} %"
    cure = f"{CURE}{command}"
    many = found.deletes > guard.documents and found.deletes * 100 > guard.percent * found.manifest
    which = _every if many else _of_source
    rules: tuple[tuple[object, str, Callable[[Change], bool]], ...] = (
        (
            found.incomplete,
            f"{INCOMPLETE} ({found.incomplete}), and what it does not show may still be there",
            _every,
        ),
        (
            found.approval,
            f"they are not in the list of run {found.approval}, which is what was approved{cure}",
            lambda change: change.id not in approved,
        ),
        (
            found.of_source and found.empty,
            f"the source lists no document at all, as a share that is not mounted does{cure}",
            which,
        ),
        (
            found.of_source and found.changed,
            f"the settings of the source have changed ({', '.join(found.changed)}), and {gone} are not in it now{cure}",
            which,
        ),
        (many, f"{gone} are gone from the source, {limit}{cure}", _every),
        (
            found.strangers,
            f"{found.strangers:,} documents are others' perhaps, who write to the data source, too{cure}",
            lambda change: not change.document.locator,
        ),
    )
    return next((Verdict(because, _but_withdrawn(withholds)) for applies, because, withholds in rules if applies), None)


def _but_withdrawn(withholds: Callable[[Change], bool]) -> Callable[[Change], bool]:
    return lambda change: change.why != WITHDRAWN and withholds(change)


def _every(change: Change) -> bool:  # noqa: ARG001  # a predicate like the others
    return True


def _of_source(change: Change) -> bool:
    return change.document.origin == "source"
