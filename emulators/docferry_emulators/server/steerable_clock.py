"""A clock that runs, and can be pushed ahead: an hour of indexing need not be waited for."""

import threading
from datetime import datetime, timedelta

from docferry_emulators.clock import Clock


class SteerableClock:
    """Another clock, plus however far it was advanced."""

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        with self._lock:
            return self._inner.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Let so much time go by."""
        self._inner.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Jump ahead; what is due by then is done with the next request."""
        with self._lock:
            self._ahead += timedelta(seconds=max(0.0, seconds))
