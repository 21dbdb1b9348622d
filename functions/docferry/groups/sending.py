"""Sends groups to the index, and waits until it has worked on them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from tenacity.nap import sleep

from docferry.errors import QuotaExceeded, RequestRefused
from docferry.groups.differences import Difference
from docferry.indexes import Index
from docferry.model import Group, S3Object
from docferry.state import lines
from docferry.state.keys import staging_key
from docferry.state.store import Store

FIRST_LOOK_SECONDS = 1.0
LOOK_SECONDS = 15.0
PATIENCE_SECONDS = 300.0
"""How long the index may work on a group before the run gives it up."""


class Sender:
    """Sends groups for one run.

    ``ordering`` is the number that its calls carry. ``check`` raises when the run may not send any more, ``in_time``
    says whether to wait on.
    """

    def __init__(
        self,
        store: Store,
        index: Index,
        run: str,
        *,
        ordering: int,
        check: Callable[[], None],
        in_time: Callable[[], bool],
    ) -> None:
        self._store = store
        self.index = index
        self._run = run
        self._ordering = ordering
        self._check = check
        self._in_time = in_time

    def send(self, changes: Iterable[Difference]) -> Iterator[tuple[Difference, str]]:
        """Send groups; give each that was answered at once: those refused, with the reason.

        What is not given was accepted, and is being worked on. Raises Throttled, ServiceUnavailable and Conflict.
        """
        for change in changes:
            # Q Business has no ordering: an attempt that slept must not undo what a later one has put.
            self._check()
            try:
                if change.wanted is None:
                    self.index.remove_group(change.id, self._ordering)
                else:
                    self._put(change.wanted)
            except (RequestRefused, QuotaExceeded) as error:
                yield change, str(error)

    def verdicts(self, changes: Iterable[Difference]) -> Iterator[tuple[Difference, str]]:
        """Wait for what was accepted; give each with an empty text once it is done, or with why it is not."""
        waiting, pause, waited = list(changes), FIRST_LOOK_SECONDS, 0.0
        while waiting:
            unsettled = []
            for change in waiting:
                verdict = self._verdict(change)
                if verdict is None:
                    unsettled.append(change)
                else:
                    yield change, verdict
            waiting = unsettled
            if waiting and (waited >= PATIENCE_SECONDS or not self._in_time()):
                yield from ((change, "the index is still at work on it") for change in waiting)
                return
            if waiting:
                sleep(pause)
                waited += pause
                pause = min(2 * pause, LOOK_SECONDS)

    def _verdict(self, change: Difference) -> str | None:
        found = self.index.group_status(change.id, self._ordering)
        match found.status:
            case "FAILED":
                return found.message or "the index could not process it"
            case "SUCCEEDED" if change.wanted is not None:
                return ""
            case "DELETED" | "NOT_FOUND" if change.wanted is None:
                return ""
            case _:
                return None

    def _put(self, group: Group) -> None:
        limits = self.index.limits
        if len(group.users) + len(group.groups) <= limits.group_members:
            self.index.set_group(group, self._ordering)
            return
        if len(group.groups) > limits.group_groups:
            raise RequestRefused(
                f"has {len(group.groups):,} groups as members; the index takes {limits.group_groups:,}"
            )
        if self.index.role_arn is None:
            raise RequestRefused(
                f"has {len(group.users) + len(group.groups):,} members, more than a request takes; give the connector "
                "an index.role_arn that reads S3"
            )
        self.index.set_group(group, self._ordering, self._staged(group))

    def _staged(self, group: Group) -> S3Object:
        # The format that both services take is published only as a download: one object a line, with these members.
        kinds = (("USER", group.users), ("GROUP", group.groups))
        members = (lines.encode({"id": name, "type": kind}) for kind, names in kinds for name in names)
        content = b"\n".join(members)
        key = staging_key(self._run, f"group-{hashlib.sha256(group.id.encode()).hexdigest()}-{self._ordering}")
        self._store.put_content(key, content)
        return S3Object(self._store.bucket, key, len(content))
