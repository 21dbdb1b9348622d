"""Tags of resources, by ARN."""

from collections.abc import Iterable

from docferry_emulators.engine.context import Context
from docferry_emulators.errors import ValidationFailed

MOST = 200


class Tags:
    """The table of tags. A tag may be spelled as in either service, with ``Key`` or with ``key``."""

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
        """Remove tags. Ignores a key that does not exist."""
        for key in keys:
            self._store.run("DELETE FROM tags WHERE arn = ? AND key = ?", arn, key)

    def of(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource."""
        return {row["key"]: row["value"] for row in self._store.all("SELECT * FROM tags WHERE arn = ?", arn)}

    def forget(self, resource_id: str) -> None:
        """Delete the tags of a deleted resource. Its id is unique, and the last part of its ARN."""
        self._store.run("DELETE FROM tags WHERE arn LIKE '%/' || ?", resource_id)
