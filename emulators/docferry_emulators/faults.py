"""Faults on demand. They are set, not random, so a test that fails once fails every time."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from botocore.exceptions import ConnectionClosedError
from msgspec import Struct, field

from docferry_emulators.errors import InternalFailure, Throttled

EndStatus = Literal["FAILED", "INCOMPLETE", "ABORTED"]
EndedDocument = Literal["PARTIALLY_INDEXED", "METADATA_PARTIALLY_INDEXED", "METADATA_UPDATE_FAILED", "IGNORED"]


class LostReply(ConnectionClosedError, ConnectionAbortedError):  # noqa: N818 - named after what happened
    """The call took effect, but its reply did not arrive.

    In process, botocore sees its own ConnectionClosedError. In a server, werkzeug sees a ConnectionAbortedError and
    drops the connection.
    """

    def __init__(self) -> None:
        super().__init__(endpoint_url="the emulator")


class Knobs(Struct, kw_only=True, forbid_unknown_fields=True):
    """Faults to inject. An operation is named as in the API; ``"*"`` stands for every operation.

    A call is named ``"BatchPutDocument#2"``: the second call of that operation, counted over all services.
    """

    throttle_every: dict[str, int] = field(default_factory=dict)
    """Refuse every n-th call of an operation."""
    rate: dict[str, float] = field(default_factory=dict)
    """How many calls per second an operation allows: a token bucket that holds the calls of one second."""
    throttle: set[str] = field(default_factory=set)
    """Calls to refuse as throttled."""
    fail: set[str] = field(default_factory=set)
    """Calls that have no effect and end with status 500."""
    fail_every: dict[str, int] = field(default_factory=dict)
    lose_reply: set[str] = field(default_factory=set)
    """Calls that take effect, but whose reply is lost."""
    cut_reply: set[str] = field(default_factory=set)
    """Calls that take effect, but whose reply breaks off in the middle of its body."""
    reject: dict[str, str] = field(default_factory=dict)
    """Ids of documents that a put or delete rejects, each with the message."""
    fail_documents: dict[str, str] = field(default_factory=dict)
    """Ids of documents that are accepted, but then cannot be indexed or deleted, each with the message."""
    end_documents: dict[str, EndedDocument] = field(default_factory=dict)
    """Ids of documents that are accepted, but whose indexing ends with one of Bedrock's statuses."""
    stuck_documents: set[str] = field(default_factory=set)
    """Ids of documents that stay in work as long as they are named here; ``"*"`` stands for every document."""
    reject_groups: dict[str, str] = field(default_factory=dict)
    """Names of groups whose put or delete is refused, each with the message."""
    fail_groups: dict[str, str] = field(default_factory=dict)
    """Names of groups whose put is accepted, but then FAILED, each with the message."""
    stuck: bool = False
    """Jobs stay SYNCING_INDEXING until this is False again."""
    end_jobs: EndStatus | None = None
    """How every job ends, no matter what happened to its documents."""
    over_capacity: Literal["documents", "text"] | None = None
    """Pretend that the index is full: ``documents`` rejects each new document, ``text`` refuses the whole request."""


class Faults:
    """The knobs, and the counters that they need. ``hooks`` run before a call takes effect."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.knobs = Knobs()
        self.calls: Counter[str] = Counter()
        self.hooks: dict[str, Callable[[], None]] = {}
        """Functions, by call (``"BatchPutDocument#2"``) or by operation. They may do anything, and may raise."""
        self._now = now
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def reset(self) -> None:
        """Remove all faults and hooks, and set the counters to zero."""
        self.knobs = Knobs()
        self.calls.clear()
        self.hooks.clear()
        self._buckets.clear()

    def before(self, operation: str) -> str:
        """Count a call and return its name. Raises the error that a knob or a hook asks for."""
        with self._lock:
            self.calls[operation] += 1
            self.calls["*"] += 1
            call = f"{operation}#{self.calls[operation]}"
            knobs = self.knobs
            if call in knobs.throttle or self._every(knobs.throttle_every, operation) or not self._token(operation):
                raise Throttled("Rate exceeded")
            if call in knobs.fail or self._every(knobs.fail_every, operation):
                raise InternalFailure("The service failed on request")
        for name in (operation, call):
            if hook := self.hooks.get(name):
                hook()
        return call

    def after(self, call: str) -> None:
        """Raise LostReply if a knob asks to lose the reply to this call."""
        if call in self.knobs.lose_reply:
            raise LostReply

    def _every(self, table: dict[str, int], operation: str) -> bool:
        return any(
            name in table and table[name] > 0 and self.calls[name] % table[name] == 0 for name in (operation, "*")
        )

    def _token(self, operation: str) -> bool:
        rate = self.knobs.rate.get(operation, self.knobs.rate.get("*"))
        if rate is None:
            return True
        now = self._now().timestamp()
        size = max(1.0, rate)
        tokens, then = self._buckets.get(operation, (size, now))
        tokens = min(size, tokens + (now - then) * rate)
        self._buckets[operation] = (tokens - 1, now) if tokens >= 1 else (tokens, now)
        return tokens >= 1
