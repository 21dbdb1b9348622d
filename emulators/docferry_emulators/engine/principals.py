"""Groups: who is a member, from when on, and so to which groups a person belongs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from docferry_emulators.engine.access import Identity
from docferry_emulators.engine.context import Context
from docferry_emulators.engine.paging import place_of, token_of
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import ResourceMissing, ValidationFailed

SUMMARIES = 10
IN_PROGRESS = 5
"""The most PutPrincipalMapping actions of one group at a time; more are refused (docs/emulator.md, rule 17)."""

Scoped = tuple[str, str | None]
"""A name and the data source in which it counts; None means everywhere."""


class Members(Struct, frozen=True):
    """The members of a group."""

    users: tuple[Scoped, ...] = ()
    groups: tuple[Scoped, ...] = ()


class Action(Struct, frozen=True):
    """A put or delete of a group, and its progress."""

    group: str
    ordering: int
    status: Literal["PROCESSING", "SUCCEEDED", "FAILED", "DELETING", "DELETED"]
    received: float
    updated: float
    message: str | None


class Principals:
    """The table of group mappings. The processed action with the highest ordering id counts."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store

    def put(self, index: Resource, source: str | None, group: str, members: Members | str, ordering: int) -> None:
        """Map a group to its members. A text in ``members`` says why they cannot be read: then the action fails."""
        self._refuse(group)
        members = self._context.faults.knobs.fail_groups.get(group) or members
        now = self._context.now()
        row = self._store.one(
            "SELECT count(*) AS n FROM mappings WHERE index_id = ? AND data_source = ? AND name = ?"
            " AND members IS NOT NULL AND due > ?",
            *(index.id, source or "", group, now),
        )
        assert row is not None
        if row["n"] >= IN_PROGRESS:
            raise ValidationFailed(f"More than {IN_PROGRESS} actions for the group {group} are in progress.")
        failed = isinstance(members, str)
        self._insert(
            index,
            source,
            group,
            ordering,
            msgspec.json.encode(Members() if failed else members),
            members if failed else None,
        )

    def delete(self, index: Resource, source: str | None, group: str, ordering: int) -> None:
        """Delete a group. Raises ResourceMissing for a group that never existed."""
        self._refuse(group)
        if not self.actions(index.id, source, group):
            raise ResourceMissing(f"Group '{group}' does not exist.", "GROUP", group)
        self._insert(index, source, group, ordering, None, None)

    def actions(self, index_id: str, source: str | None, group: str) -> list[Action]:
        """Return the last actions on a group. The one with the highest ordering id comes first."""
        rows = self._store.all(
            "SELECT * FROM mappings WHERE index_id = ? AND data_source = ? AND name = ?"
            " ORDER BY ordering DESC, seq DESC LIMIT ?",
            *(index_id, source or "", group, SUMMARIES),
        )
        return [self._action(row) for row in rows]

    def page(
        self, index_id: str, source: str | None, *, column: str, before: float, token: str | None, limit: int
    ) -> tuple[list[Action], str | None]:
        """Return a page of the groups whose last action is older than ``before``, and the token of the next page.

        ``before`` is compared with ``column``: ``ordering`` or ``due``. The groups are sorted by name, and those of one
        name by data source. Without ``source`` they are the groups of all data sources.
        """
        listing = f"groups/{index_id}/{source or ''}"
        after = place_of(listing, token) or ("", "")
        rows = self._store.all(
            f"SELECT * FROM ({_LAST}) WHERE place = 1 AND {column} < ? AND members IS NOT NULL"  # noqa: S608 - of two
            " AND (name, data_source) > (?, ?) AND (? IS NULL OR data_source = ?) ORDER BY name, data_source LIMIT ?",
            *(index_id, self._context.now(), before, *after, source, source, limit + 1),
        )
        found = [self._action(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return found, None
        return found, token_of(listing, (rows[limit - 1]["name"], rows[limit - 1]["data_source"]))

    def expand(self, index_id: str, identity: Identity) -> Identity:
        """Add every group to which an identity belongs, directly or through other groups."""
        rows = self._store.all(
            f"SELECT * FROM ({_LAST}) WHERE place = 1 AND members IS NOT NULL",  # noqa: S608 - a constant
            *(index_id, self._context.now()),
        )
        waiting = {
            (row["name"], row["data_source"] or None): msgspec.json.decode(row["members"], type=Members) for row in rows
        }
        users, groups = set(identity.users), set(identity.groups)
        while joined := {key for key, members in waiting.items() if _belongs(users, groups, members, key[1], identity)}:
            groups |= joined
            waiting = {key: members for key, members in waiting.items() if key not in joined}
        return Identity(identity.users, frozenset(groups), identity.fold)

    def _refuse(self, group: str) -> None:
        if message := self._context.faults.knobs.reject_groups.get(group):
            raise ValidationFailed(message)

    def _insert(
        self, index: Resource, source: str | None, group: str, ordering: int, members: bytes | None, message: Any
    ) -> None:
        now = self._context.now()
        self._store.run(
            "INSERT INTO mappings (index_id, data_source, name, ordering, members, message, received, due)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(index.id, source or "", group, ordering, members, message),
            *(now, now + self._context.settings.mapping_seconds),
        )
        self._store.run(
            "DELETE FROM mappings WHERE index_id = ?1 AND data_source = ?2 AND name = ?3 AND due <= ?4 AND seq NOT IN"
            " (SELECT seq FROM mappings WHERE index_id = ?1 AND data_source = ?2 AND name = ?3"
            " ORDER BY ordering DESC, seq DESC LIMIT ?5)",
            *(index.id, source or "", group, now, SUMMARIES),
        )

    def _action(self, row: Any) -> Action:
        done = row["due"] <= self._context.now()
        status: Literal["PROCESSING", "SUCCEEDED", "FAILED", "DELETING", "DELETED"]
        if row["members"] is None:
            status = "DELETED" if done else "DELETING"
        elif row["message"] is not None and done:
            status = "FAILED"
        else:
            status = "SUCCEEDED" if done else "PROCESSING"
        return Action(
            row["name"],
            row["ordering"],
            status,
            row["received"],
            row["due"] if done else row["received"],
            row["message"] if done else None,
        )


# A failed action changes nothing, so the action before it still counts.
_LAST = (
    "SELECT *, row_number() OVER (PARTITION BY data_source, name ORDER BY ordering DESC, seq DESC) AS place"
    " FROM mappings WHERE index_id = ? AND due <= ? AND message IS NULL"
)


def _belongs(users: set[Scoped], groups: set[Scoped], members: Members, scope: str | None, identity: Identity) -> bool:
    return _any(users, ((identity.fold(name), source) for name, source in members.users), scope) or _any(
        groups, members.groups, scope
    )


def _any(mine: set[Scoped], members: Iterable[Scoped], scope: str | None) -> bool:
    return any((name, None) in mine or (name, source or scope) in mine for name, source in members)


def read_members(content: bytes) -> Members | str:
    """Read a list of members from S3. Returns a text that says why, if the list cannot be read.

    The services publish their format only as a download, so this accepts more than one form: JSON or JSON lines, whose
    objects have ``type`` USER or GROUP, a name under any usual key, and maybe ``dataSourceId``.
    """
    users: list[Scoped] = []
    groups: list[Scoped] = []
    try:
        entries = _entries(content)
        for entry in entries:
            folded = {key.lower(): value for key, value in entry.items()}
            name = next(folded[key] for key in ("id", "name", "userid", "groupid", "groupname") if key in folded)
            target = {"USER": users, "GROUP": groups}[folded["type"].upper()]
            target.append((str(name), folded.get("datasourceid")))
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError, KeyError, StopIteration, TypeError):
        return "The list of members on S3 cannot be read."
    return Members(tuple(users), tuple(groups))


def _entries(content: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        whole = msgspec.json.decode(content)
    except msgspec.DecodeError:
        whole = [msgspec.json.decode(line) for line in content.splitlines() if line.strip()]
    if isinstance(whole, dict):
        lists = [value for value in whole.values() if isinstance(value, list)]
        return [entry for part in lists for entry in part] if lists else [whole]
    entries: Sequence[Mapping[str, Any]] = whole
    return entries
