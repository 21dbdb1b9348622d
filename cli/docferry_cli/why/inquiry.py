"""Explains one document of one connector: every part, what the next sync does, and what to do."""

from itertools import islice

from msgspec import Struct, structs

from docferry.changes.quarantine import Failing
from docferry.model import Document
from docferry_cli.next_steps import NextSteps
from docferry_cli.targets import Opened
from docferry_cli.why import answer, due, looking, reads
from docferry_cli.why.advice import advice
from docferry_cli.why.answer import Index, Manifest, Match, Next, Why, described
from docferry_cli.why.evidence import Evidence, Question
from docferry_cli.why.fates import Told
from docferry_cli.why.identify import Meant, identify
from docferry_cli.why.looking import NOT_ASKED, Seen, Step
from docferry_cli.why.parts import attempt
from docferry_cli.why.places import Places


class Found(Struct, kw_only=True):
    """What one connector answers. ``document`` only when exactly one fits; ``problems`` say what could not be read."""

    matches: list[Match] = []
    document: Why | None = None
    nearest: list[Match] = []
    problems: list[str] = []


def inquire(opened: Opened, question: Question, steps: NextSteps, step: Step = lambda _: None) -> Found:
    """Find out which document is meant, and explain it. ``step`` is told how far the listing of a source has come.

    ``steps`` are the commands that go on with the connector.
    """
    evidence = Evidence(opened, question, step)
    found = identify(evidence)
    name = opened.connector.name
    if found.meant is not None:
        why = explain(evidence, found.meant, steps)
        locator = found.meant.held.locator if found.meant.held is not None else ""
        return Found(document=why, matches=[Match(connector=name, id=why.id, locator=locator)])
    source = f"the source of {name} cannot be read from this machine: {evidence.source_problem}"
    unread = [evidence.manifest_problem, source if evidence.source_problem else ""]
    return Found(
        matches=[Match(connector=name, id=one.id, locator=one.locator) for one in found.several],
        nearest=[Match(connector=name, id=one.id, locator=one.locator) for one in found.near],
        problems=[*filter(None, unread), *found.doubts],
    )


def explain(evidence: Evidence, meant: Meant, steps: NextSteps) -> Why:
    """Ask every part about a document."""
    opened, reader, id_ = evidence.opened, evidence.question.reader, meant.id
    seen = meant.seen or _seen(evidence, meant)
    told = meant.told or evidence.told(id_)
    failing = evidence.failing(id_)
    following = Next(due="unknown")
    if not evidence.manifest_problem:
        following = attempt(
            lambda: due.due(opened, evidence.source, id_, seen, held=meant.held, failing=failing),
            lambda problem: Next(due="unknown", why=(problem,)),
        )
    listed = seen.listed if isinstance(seen.listed, Document) and seen.listed.id == id_ else None
    why = Why(
        id=id_,
        connector=opened.connector.name,
        target=opened.target,
        service=opened.part.kind,
        source=seen.says,
        next=following,
        manifest=_manifest(evidence, meant.held, told),
        fates=told.fates,
        failures=_failures(failing),
        index=attempt(lambda: _status(evidence, id_), lambda problem: Index(status=None, message=problem)),
        reader=reads.reads(opened, reader, held=meant.held, listed=listed) if reader is not None else None,
        advice="",
        # A command of this machine holds the state folder alone, so what seems to run there has died.
        running=told.running if opened.target == "aws" else "",
        notes=tuple(dict.fromkeys(evidence.notes)),
    )
    return structs.replace(why, advice=advice(why, steps))


def _seen(evidence: Evidence, meant: Meant) -> Seen:
    """Look at the source for a document that was found elsewhere."""
    if not evidence.question.source:
        return NOT_ASKED
    if meant.held is not None and meant.held.origin == "inbox":
        return evidence.handed_in(meant.id) or _absent("the inbox does not hold it any more")
    path = meant.id.removeprefix(f"{evidence.opened.connector.name}/")
    places = (meant.held.locator, path) if meant.held is not None else (path,)
    wanted = Places(evidence.places.connector, meant.id, (meant.id,), tuple(dict.fromkeys(filter(None, places))))
    seen = evidence.look(wanted.locators)
    if seen is None and not evidence.direct:
        seen = evidence.listing(wanted)
    if evidence.source_problem:
        return looking.unreadable(evidence.source_problem)
    return _under(meant.id, seen) if seen is not None else _absent("there is nothing at its place in the source")


def _under(id_: str, seen: Seen) -> Seen:
    """What was seen at the place, unless a sidecar gives it another id now. One that is skipped may have no id."""
    if isinstance(seen.listed, Document) and seen.listed.id != id_:
        return structs.replace(_absent(f"the source lists {seen.listed.id} at its place"), other=seen.listed)
    return seen


def _absent(reason: str) -> Seen:
    return Seen(answer.Source(state="absent", reason=reason))


def _manifest(evidence: Evidence, held: Document | None, told: Told) -> Manifest:
    if held is None:
        problem = evidence.manifest_problem
        return Manifest(held=None if problem else False, problem=problem)
    return Manifest(held=True, document=described(held), doubtful=not held.version, since=told.since, sent=told.sent)


def _failures(failing: Failing | None) -> answer.Failures | None:
    if failing is None:
        return None
    return answer.Failures(
        runs=failing.runs, reason=failing.reason, last_run=failing.last_run, quarantined=failing.quarantined
    )


def _status(evidence: Evidence, id_: str) -> Index:
    """What the index says. Q Business lists its documents, and cannot be asked for one."""
    index = evidence.opened.index
    most = None if index.limits.statuses_by_id else evidence.question.limit
    count = 0
    for count, one in enumerate(islice(index.statuses(None, [id_]), most), 1):  # noqa: B007  # read after the loop
        if one.id == id_:
            return Index(status=one.status, message=one.message, updated_at=one.updated_at)
    if most is not None and count >= most:
        text = f"it is not among the first {count:,} documents that the index lists; --limit lists more"
        return Index(status=None, message=text)
    return Index(status="NOT_FOUND")
