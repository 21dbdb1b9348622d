"""The move itself: a plan of the new connector says what will not arrive, and a run of it fills the new index."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from msgspec import Struct, structs

from docferry.connector import Connector
from docferry.errors import ConfigurationError
from docferry.model import Document
from docferry.reporting.report import Report
from docferry.state import manifest
from docferry_cli.migration import checklist, planned
from docferry_cli.migration.arrivals import Arrivals, Sources
from docferry_cli.migration.facts import Migration
from docferry_cli.migration.pair import Pair, check_alone, remarks
from docferry_cli.migration.planned import Plan, way_of_content
from docferry_cli.next_steps import NextSteps
from docferry_cli.result import REFUSED, for_programs
from docferry_cli.running import Outcome, follow, report_of, watch
from docferry_cli.targets import Opened, Where

NOTHING = "the source has no document that the new index takes"


class Moved(Struct, frozen=True):
    """What came of a move, and of the run that has filled the new index, if there was one."""

    migration: Migration
    filled: Outcome | None = None


def move(where: Where, pair: Pair, told: Callable[[Migration], None], *, fills: bool) -> Moved:
    """List what will not arrive, and, if asked to, fill the new index.

    ``told`` is given the list before anything is sent. Raises ConfigurationError where the new index is not its
    connector's alone.
    """
    steps = NextSteps(where, pair.new.connector)
    with where.run_beside(pair.new.connector) as (opened, beside):
        check_alone(opened)
        run = opened.start(dry_run=True).run
        follow(opened, run, steps.of_run("watch", run))
        listed = judged(where, pair, opened, beside, report_of(opened, run))
        told(listed)
        if not fills or listed.stage != "listed":
            return Moved(listed)
        run = opened.start().run
        filled = watch(opened, run, steps.of_run("watch", run))
    stage = "filled" if filled.report.status == "SUCCEEDED" else "filling failed"
    done = structs.replace(
        listed, stage=stage, fill=for_programs(filled), next="" if stage == "filled" else again(where, pair)
    )
    # What the index does not take is in the list already.
    return Moved(done, structs.replace(filled, skipped=[]))


def judged(
    where: Where, pair: Pair, opened: Opened, beside: Callable[[Connector], Opened], report: Report
) -> Migration:
    """What a plan of the new connector says of the move. Raises ConfigurationError for a plan that was refused."""
    old, new = pair.old.connector, pair.new.connector
    if report.error.startswith(REFUSED):
        raise ConfigurationError(report.error.partition(": ")[2])
    said = Migration(
        connector=old.name,
        to=new.name,
        kinds=(old.index.kind, new.index.kind),
        target=where.target,
        stage="not possible",
        plan=report.run,
    )
    if report.status != "SUCCEEDED":
        return structs.replace(said, obstacles=(report.error,), next=again(where, pair, fills=False))
    plan = Plan(opened, report.run, way=way_of_content(pair.new, opened.index))
    held_by_old, before, problem = _before(old, beside)
    arrivals = Arrivals(pair.names, Sources(before, plan.coming(), plan.refused()))
    missing, obstacles = tuple(arrivals.missing()), tuple(plan.obstacles()) or tuple(_nothing(report))
    secret = checklist.sample(*arrivals.sample, new.name) if arrivals.sample is not None else None
    stage = "not possible" if obstacles else "listed" if _changes(report) else "filled"
    return structs.replace(
        said,
        stage=stage,
        due=report.added + report.modified - plan.unsendable,
        there=report.unchanged,
        held_by_old=held_by_old,
        missing=missing,
        obstacles=obstacles,
        notes=tuple(chain((one for one in report.notes if one not in obstacles), remarks(pair), problem)),
        unknown=tuple(checklist.unknown(pair, where.target)),
        checklist=tuple(checklist.steps(where, pair, secret)),
        next=again(where, pair) if stage == "listed" else "",
    )


def _changes(report: Report) -> int:
    return report.added + report.modified + report.deleted


def _nothing(report: Report) -> Iterator[str]:
    if not _changes(report) and not report.unchanged:
        yield NOTHING


def again(where: Where, pair: Pair, *, fills: bool = True) -> str:
    """The command that goes on with the move."""
    old, new = pair.names
    return where.command("migrate", old, "--to", new, *(["--yes"] if fills else []))


def _before(old: Connector, beside: Callable[[Connector], Opened]) -> tuple[int | None, Iterable[Document], list[str]]:
    """How many documents the old index holds, and which; or why that is not known."""
    try:
        store = beside(old).store
    except ConfigurationError as error:
        return None, [], [f"{old.name} has not run here, so what its index holds is not known ({error})"]
    current = manifest.pointer(store)
    return (current.value.documents if current else 0), planned.held(store), []
