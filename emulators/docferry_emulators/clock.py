"""Clocks: real time for a server, virtual time for a run that should not wait."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The source of time for the emulators and the local workflow."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        ...


class VirtualClock:
    """A clock that stands still until ``sleep`` is called, then jumps ahead. It never goes back."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the virtual time, in UTC."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Jump ahead by this many seconds."""
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))


class WallClock:
    """The machine's clock. From the moment this object is made, it runs ``scale`` times as fast."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._start = datetime.now(UTC)
        self._zero = time.monotonic()

    def now(self) -> datetime:
        """Return the scaled time, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._zero) * self._scale)

    def sleep(self, seconds: float) -> None:
        """Wait for this many scaled seconds."""
        time.sleep(max(0.0, seconds) / self._scale)
