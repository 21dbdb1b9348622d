"""A clock that runs, and that can be moved ahead to skip an hour of indexing."""

import threading
from datetime import datetime, timedelta

from docferry_emulators.clock import Clock


class SteerableClock:
    """Another clock, plus the time by which it was advanced."""

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        with self._lock:
            return self._inner.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        self._inner.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Jump ahead by this many seconds. The next request does the work that is due by then.

        Raises OverflowError, and stays where it is, where the calendar ends.
        """
        with self._lock:
            ahead = self._ahead + timedelta(seconds=seconds)
            self._inner.now() + ahead
            self._ahead = ahead
