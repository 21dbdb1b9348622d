"""The users that an access control list stands for, in an index that knows no groups.

Who joins or leaves a group changes the documents that name it: their lines have a digest of these users, and the users
themselves are kept under it, for the puts. Memory holds the direct members of every group, each user's name once.
"""

import hashlib
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from sys import intern

from msgspec import Struct, structs

from docferry.groups import snapshot
from docferry.groups.reading import Membership, MembershipUnreadable
from docferry.groups.snapshot import GroupsReport, Progress
from docferry.model import Document, Group, Listed, Principal, Skipped
from docferry.state import lines
from docferry.state.keys import GROUPS_REPORT, members_key, run_key
from docferry.state.store import Store

AccessControl = tuple[Principal, ...]

NO_LIST = "the connector has no `groups` that say who is in it"
UNREADABLE = "the list of groups cannot be used:"
REMEMBERED = 10_000
"""Access control lists whose users are remembered: many documents have the same one."""


class Unexpandable(Exception):  # noqa: N818  # says what is wrong with a list, and is always caught
    """It is not known who may see a document. The text says why."""


class Expansion:
    """Expands access control by the groups of one run, and keeps the users for its puts. Without a store it only looks.

    ``unknown`` says why no group is known, if none is. An index takes lists of up to ``most`` users.
    """

    def __init__(self, store: Store | None, groups: Iterable[Group], *, most: int, unknown: str = "") -> None:
        self._store = store
        self._most = most
        self._unknown = unknown
        self._groups = {group.id: Group(group.id, tuple(map(intern, group.users)), group.groups) for group in groups}
        self._kept = lru_cache(maxsize=REMEMBERED)(self._keep)

    def of(self, entry: Listed) -> Listed:
        """A listed document with the digest of who its groups stand for, or why it is skipped."""
        if not isinstance(entry, Document) or all(one.type == "USER" for one in entry.access_control):
            return entry
        kept = self._kept(entry.access_control)
        if isinstance(kept, _Refused):
            return Skipped(entry.id, kept.reason, access_control=entry.access_control, place=entry.locator)
        return structs.replace(entry, members=kept)

    def users(self, access_control: AccessControl) -> AccessControl:
        """The users of an access control list and of its groups, sorted. A DENY stays one. Raises Unexpandable."""
        found = {
            Principal(name, "USER", one.access)
            for one in access_control
            for name in (self._members(one.name) if one.type == "GROUP" else (one.name,))
        }
        if len(found) > self._most:
            raise Unexpandable(f"its groups have {len(found):,} members in all; the index takes {self._most:,}")
        return tuple(sorted(found, key=lambda one: (one.name, one.access)))

    def _members(self, name: str) -> Iterator[str]:
        """The users in a group and in the groups within it. Groups that contain each other have the same users."""
        seen, ahead = {name}, deque([name])
        while ahead:
            inner = ahead.popleft()
            group = self._groups.get(inner)
            if group is None:
                raise Unexpandable(self._why(inner))
            yield from group.users
            ahead.extend(one for one in group.groups if one not in seen)
            seen.update(group.groups)

    def _why(self, name: str) -> str:
        because = self._unknown or "the list of groups has no member of it"
        return f"its access control names the group {name!r}, and {because}: the index takes users alone"

    def _keep(self, access_control: AccessControl) -> "str | _Refused":
        try:
            users = self.users(access_control)
        except Unexpandable as error:
            return _Refused(str(error))
        digest = hashlib.sha256(lines.encode(users)).hexdigest()
        if self._store is not None:
            self._store.write(members_key(digest), users)
        return digest


class _Refused(Struct, frozen=True):
    reason: str


def of_run(store: Store, run: str, membership: Membership | None, *, most: int) -> Expansion:
    """The expansion by the groups as this run has read them first. Raises SourceUnavailable."""
    if membership is None:
        return Expansion(store, (), most=most, unknown=NO_LIST)
    progress = snapshot.progress(store, run)
    if progress is None:
        taken = snapshot.take(store, run, membership)
        # Groups that contain each other stand for the same users, so none is refused here.
        report = GroupsReport(unreadable=taken.report.unreadable, defined=taken.report.defined)
        progress = Progress(report=report, digest=taken.digest)
        store.write(run_key(run, GROUPS_REPORT), progress)
    if progress.report.unreadable:
        return Expansion(store, (), most=most, unknown=f"{UNREADABLE} {progress.report.unreadable}")
    return Expansion(store, snapshot.wanted(store, run), most=most)


def now(store: Store | None, membership: Membership | None, *, most: int) -> Expansion:
    """The expansion by the groups as they are listed now. Without a store it only looks. Raises SourceUnavailable."""
    if membership is None:
        return Expansion(store, (), most=most, unknown=NO_LIST)
    members: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"user": [], "group": []})
    try:
        for one in membership.members():
            members[one.group][one.kind].append(one.member)
    except MembershipUnreadable as error:
        return Expansion(store, (), most=most, unknown=f"{UNREADABLE} {error}")
    groups = (Group(name, tuple(of["user"]), tuple(of["group"])) for name, of in members.items())
    return Expansion(store, groups, most=most)
