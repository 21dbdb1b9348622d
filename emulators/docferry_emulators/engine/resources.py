"""Applications, indexes, knowledge bases, data sources, retrievers and users: create, change, list and delete."""

import uuid
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from docferry_emulators.engine.context import Context
from docferry_emulators.engine.paging import place_of, token_of
from docferry_emulators.errors import Conflicting, ResourceMissing

NAMES = {
    "application": "Application",
    "index": "Index",
    "data_source": "DataSource",
    "retriever": "Retriever",
    "knowledge_base": "KnowledgeBase",
}


class Resource(Struct):
    """One resource. ``body`` is what its service has stored, under the service's own names."""

    scope: str
    kind: str
    parent: str
    id: str
    status: str
    body: dict[str, Any]
    created: float
    updated: float
    seq: int = 0

    @property
    def label(self) -> str:
        """The kind of the resource, as the services print it."""
        return NAMES.get(self.kind, self.kind.title())

    @property
    def service(self) -> str:
        """The service to which the resource belongs."""
        return self.scope.split("/", 1)[0]

    @property
    def account(self) -> str:
        """The account to which the resource belongs."""
        return self.scope.split("/")[1]


def _conflict() -> dict[str, Any]:
    raise Conflicting("The client token was used before with other parameters.")


def _uuid() -> str:
    return str(uuid.uuid4())


class Resources:
    """The table of resources. The settings say how long CREATING, UPDATING and DELETING take."""

    def __init__(self, context: Context, *, purge: Callable[[Resource], None]) -> None:
        self._context = context
        self._store = context.store
        self._purge = purge

    def create(  # one parameter a column
        self,
        scope: str,
        kind: str,
        body: dict[str, Any],
        *,
        parent: str = "",
        name: str | None = None,
        new_id: Callable[[], str] = _uuid,
    ) -> Resource:
        """Make a resource with a new id. With ``name``, that is its id, and it is ACTIVE at once."""
        now = self._context.now()
        seconds = 0.0 if name is not None else self._context.settings.resource_seconds
        resource = Resource(
            scope=scope,
            kind=kind,
            parent=parent,
            id=name if name is not None else new_id(),
            status="CREATING" if seconds else "ACTIVE",
            body=body,
            created=now,
            updated=now,
        )
        cursor = self._store.run(
            "INSERT INTO resources (scope, kind, parent, id, status, body, created, updated, due)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            scope,
            kind,
            parent,
            resource.id,
            resource.status,
            msgspec.json.encode(body).decode(),
            now,
            now,
            now + seconds if seconds else None,
        )
        assert cursor.lastrowid is not None
        resource.seq = cursor.lastrowid
        return resource

    def find(self, scope: str, kind: str, name: str, *, parent: str = "") -> Resource | None:
        """Return a resource, or None when it does not exist."""
        row = self._store.one(
            "SELECT * FROM resources WHERE scope = ? AND kind = ? AND parent = ? AND id = ?", scope, kind, parent, name
        )
        return None if row is None else _resource(row)

    def get(self, scope: str, kind: str, name: str, *, parent: str = "") -> Resource:
        """Return a resource. Raises ResourceMissing."""
        resource = self.find(scope, kind, name, parent=parent)
        if resource is None:
            label = NAMES.get(kind, kind.title())
            raise ResourceMissing(f"{label} '{name}' does not exist.", kind.upper(), name)
        return resource

    def active(self, scope: str, kind: str, name: str, *, parent: str = "") -> Resource:
        """Return a resource that is ACTIVE. Raises ResourceMissing or Conflicting."""
        resource = self.get(scope, kind, name, parent=parent)
        if resource.status != "ACTIVE":
            raise Conflicting(
                f"{resource.label} '{name}' is {resource.status}, not ACTIVE.", resource.kind.upper(), name
            )
        return resource

    def save(self, resource: Resource, *, transition: bool = True) -> None:
        """Write a changed body. With ``transition``, the resource is UPDATING first."""
        now = self._context.now()
        seconds = self._context.settings.resource_seconds if transition else 0.0
        resource.updated = now
        if seconds:
            resource.status = "UPDATING"
        self._store.run(
            "UPDATE resources SET body = ?, status = ?, updated = ?, due = coalesce(?, due) WHERE seq = ?",
            msgspec.json.encode(resource.body).decode(),
            resource.status,
            now,
            now + seconds if seconds else None,
            resource.seq,
        )

    def delete(self, resource: Resource) -> None:
        """Begin to delete a resource and everything in it. Does nothing if that has begun before."""
        if resource.status == "DELETING":
            return
        now = self._context.now()
        seconds = self._context.settings.resource_seconds
        self._store.run(
            "UPDATE resources SET status = 'DELETING', updated = ?, due = ? WHERE seq = ?",
            now,
            now + seconds,
            resource.seq,
        )
        if not seconds:
            self.settle(now)

    def remove(self, resource: Resource) -> None:
        """Delete a resource and everything in it at once."""
        for child in self.children(resource):
            self.remove(child)
        self._purge(resource)
        self._store.run("DELETE FROM resources WHERE seq = ?", resource.seq)

    def children(self, resource: Resource) -> list[Resource]:
        """Return the resources in a resource. A user has none, though its id may equal that of another resource."""
        if resource.kind not in NAMES:
            return []
        rows = self._store.all("SELECT * FROM resources WHERE scope = ? AND parent = ?", resource.scope, resource.id)
        return [_resource(row) for row in rows]

    def page(
        self, scope: str, kind: str, *, parent: str = "", token: str | None = None, limit: int = 100
    ) -> tuple[list[Resource], str | None]:
        """Return a page of resources, oldest first, and the token of the next page."""
        listing = f"{scope}/{kind}/{parent}"
        after = place_of(listing, token) or 0
        rows = self._store.all(
            "SELECT * FROM resources WHERE scope = ? AND kind = ? AND parent = ? AND seq > ? ORDER BY seq LIMIT ?",
            scope,
            kind,
            parent,
            after,
            limit + 1,
        )
        found = [_resource(row) for row in rows[:limit]]
        return found, token_of(listing, found[-1].seq) if len(rows) > limit else None

    def count(self, scope: str, kind: str, *, parent: str = "") -> int:
        """Return how many resources there are."""
        row = self._store.one(
            "SELECT count(*) FROM resources WHERE scope = ? AND kind = ? AND parent = ?", scope, kind, parent
        )
        assert row is not None
        return int(row[0])

    def once(  # a request, and the ways in which services treat one that repeats
        self,
        scope: str,
        operation: str,
        token: str | None,
        request: Any,
        create: Callable[[], dict[str, Any]],
        *,
        reused: Callable[[], dict[str, Any]] = _conflict,
        remember: float | None = None,
    ) -> dict[str, Any]:
        """Answer a repeated client token with the first reply.

        ``reused`` answers a token that comes with another request; by default it raises Conflicting. A token is
        forgotten after ``remember`` seconds; None remembers it for ever.
        """
        if token is None:
            return create()
        digest = sha256(msgspec.json.encode(request, order="sorted")).hexdigest()
        now = self._context.now()
        row = self._store.one(
            "SELECT digest, reply FROM tokens WHERE scope = ? AND operation = ? AND token = ? AND at >= ?",
            *(scope, operation, token, 0 if remember is None else now - remember),
        )
        if row is None:
            reply = create()
            self._store.run(
                "INSERT OR REPLACE INTO tokens (scope, operation, token, digest, reply, at) VALUES (?, ?, ?, ?, ?, ?)",
                *(scope, operation, token, digest, msgspec.json.encode(reply).decode(), now),
            )
            return reply
        if row["digest"] != digest:
            return reused()
        replied: dict[str, Any] = msgspec.json.decode(row["reply"])
        return replied

    def settle(self, now: float) -> None:
        """Apply every transition that is due."""
        for row in self._store.all("SELECT * FROM resources WHERE due <= ? ORDER BY due, seq", now):
            if row["status"] == "DELETING":
                self.remove(_resource(row))
            else:
                self._store.run("UPDATE resources SET status = 'ACTIVE', due = NULL WHERE seq = ?", row["seq"])


def _resource(row: Any) -> Resource:
    return Resource(
        scope=row["scope"],
        kind=row["kind"],
        parent=row["parent"],
        id=row["id"],
        status=row["status"],
        body=msgspec.json.decode(row["body"]),
        created=row["created"],
        updated=row["updated"],
        seq=row["seq"],
    )
