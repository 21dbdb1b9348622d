"""The groups of a run: read once, sorted, and kept on S3, so that every attempt of the run works with the same."""

import hashlib
from collections.abc import Iterator
from functools import partial
from itertools import groupby, islice

from msgspec import Struct

from docferry.groups.cycles import cycles
from docferry.groups.reading import Membership, MembershipUnreadable
from docferry.model import Group
from docferry.state import lines, sorting
from docferry.state.keys import GROUPS_REPORT, listing_key, run_key
from docferry.state.sorting import Chunk
from docferry.state.store import Store

# No name has a control character, and this one comes before every other character: rows are sorted as groups are.
BETWEEN = "\0"
NAMED = 20
"""How many groups a report names: it travels through the state machine."""


class GroupsReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run did about groups (``groups.json``), in groups.

    ``unreadable`` says why nothing was done. ``defined`` are those that the list has. ``refused`` are not sent, because
    each contains itself: ``cycles`` names a way round for each set of them. ``failed`` are those that the index did not
    take; ``failures`` has the first of them, with the reasons. ``undefined`` are named by documents, and are not in the
    list. Nothing here has more than NAMED members.
    """

    unreadable: str = ""
    defined: int = 0
    put: int = 0
    deleted: int = 0
    withheld: int = 0
    withheld_because: str = ""
    refused: int = 0
    cycles: tuple[tuple[str, ...], ...] = ()
    failed: int = 0
    failures: dict[str, str] = {}
    undefined: tuple[str, ...] = ()

    def notes(self) -> Iterator[str]:
        """What a person should know, in sentences."""
        if self.unreadable:
            yield f"groups: {self.unreadable}; no group was changed"
        for way in self.cycles:
            yield f"groups: {way[0]} contains itself: {' → '.join(way)}; these groups stay as they are indexed"
        if self.refused and len(self.cycles) == NAMED:
            yield f"groups: {self.refused:,} contain themselves in all"
        if self.withheld:
            yield f"groups: {self.withheld:,} are not deleted: {self.withheld_because}"
        for name, reason in self.failures.items():
            yield f"groups: {name} was not taken, and is tried again by the next run: {reason}"
        if self.failed > len(self.failures):
            yield f"groups: {self.failed:,} were not taken in all"
        if self.undefined:
            named, more = ", ".join(self.undefined), ", ..." if len(self.undefined) == NAMED else ""
            yield f"groups: documents name {named}{more}, and the list of groups has no member of them"


class Progress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a run has come with groups (``groups.json``).

    ``refused`` are all groups that contain themselves. ``forgotten``: a run that sends all groups has begun anew.
    ``digest`` is that of the groups with their members; empty when they could not be read.
    """

    report: GroupsReport
    refused: frozenset[str] = frozenset()
    forgotten: bool = False
    digest: str = ""


class Row(Struct, frozen=True):
    """One member, as an id that sorts by group, kind and member."""

    id: str


def progress(store: Store, run: str) -> Progress | None:
    """How far a run has come with groups; None when it has not begun."""
    record = store.read(run_key(run, GROUPS_REPORT), Progress)
    return record.value if record else None


def report(store: Store, run: str) -> GroupsReport | None:
    """What a run did about groups; None when it had nothing to do with them."""
    found = progress(store, run)
    return found.report if found else None


def take(store: Store, run: str, membership: Membership) -> Progress:
    """Read the members of all groups, and keep them for this run. Raises SourceUnavailable.

    A list that cannot be read is told in the report, and leaves no groups.
    """
    try:
        chunks = list(_chunks(store, run, membership))
    except MembershipUnreadable as error:
        return Progress(report=GroupsReport(unreadable=str(error)))
    nested: dict[str, tuple[str, ...]] = {}
    digest = hashlib.sha256()
    with store.writing(listing_key(run, "groups")) as stream:
        few = sorting.few(store, partial(listing_key, run), chunks)
        for group in _grouped(sorting.merge(store, few)):
            stream.add(group)
            digest.update(lines.encode(group) + b"\n")
            if group.groups:
                nested[group.id] = group.groups
    found = cycles(nested)
    refused = frozenset(name for _, names in found for name in names)
    ways = tuple(way[:NAMED] for way, _ in found[:NAMED])
    report = GroupsReport(defined=stream.count, refused=len(refused), cycles=ways)
    return Progress(report=report, refused=refused, digest=digest.hexdigest())


def wanted(store: Store, run: str) -> Iterator[Group]:
    """The groups that ``take`` has read, sorted by name."""
    return (lines.decode(line, Group) for line in store.lines(listing_key(run, "groups")))


def _chunks(store: Store, run: str, membership: Membership) -> Iterator[Chunk]:
    members = membership.members()
    number = 0
    while rows := [
        Row(BETWEEN.join((one.group, one.kind, one.member))) for one in islice(members, sorting.CHUNK_LINES)
    ]:
        yield sorting.write_chunk(store, listing_key(run, f"members-{number:05}"), rows)
        number += 1


def _grouped(rows: Iterator[bytes]) -> Iterator[Group]:
    """The groups of sorted rows. A member that is listed twice counts once."""
    members = (lines.line_id(row).split(BETWEEN) for row in rows)
    for name, found in groupby(members, key=lambda row: row[0]):
        kinds: dict[str, dict[str, None]] = {"user": {}, "group": {}}
        for _, kind, one in found:
            kinds[kind][one] = None
        yield Group(name, tuple(kinds["user"]), tuple(kinds["group"]))
