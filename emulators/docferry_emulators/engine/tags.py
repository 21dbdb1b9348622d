"""Tags of resources, by ARN."""

from collections.abc import Iterable

from docferry_emulators.engine.context import Context
from docferry_emulators.errors import ValidationFailed

MOST = 200


class Tags:
    """The table of them. Keys are spelled as on the wire of either service: ``Key`` or ``key``."""

    def __init__(self, context: Context) -> None:
        self._store = context.store

    def put(self, arn: str, tags: Iterable[dict[str, str]]) -> None:
        """Add or replace tags. Raises ValidationFailed when there would be too many."""
        for tag in tags:
            lower = {name.lower(): value for name, value in tag.items()}
            self._store.run("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", arn, lower["key"], lower["value"])
        if len(self.of(arn)) > MOST:
            raise ValidationFailed.of("tags", f"A resource has at most {MOST} tags.")

    def remove(self, arn: str, keys: Iterable[str]) -> None:
        """Take tags away; one that is not there is no error."""
        for key in keys:
            self._store.run("DELETE FROM tags WHERE arn = ? AND key = ?", arn, key)

    def of(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource."""
        return {row["key"]: row["value"] for row in self._store.all("SELECT * FROM tags WHERE arn = ?", arn)}

    def forget(self, resource_id: str) -> None:
        """Delete the tags of a resource that goes; ids are unique, and the last part of an ARN."""
        self._store.run("DELETE FROM tags WHERE arn LIKE '%/' || ?", resource_id)
