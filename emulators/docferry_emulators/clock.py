"""Time, as a thing that can be handed over: real for a server, virtual for a run that need not wait."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the emulators and the local workflow take the time from."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so much time go by."""
        ...


class VirtualClock:
    """Stands still until somebody sleeps, then jumps. Never runs behind the time it was started with."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the virtual time, in UTC."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Jump ahead."""
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))


class WallClock:
    """The machine's clock, run ``scale`` times as fast since it was made."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._start = datetime.now(UTC)
        self._zero = time.monotonic()

    def now(self) -> datetime:
        """Return the scaled time, in UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._zero) * self._scale)

    def sleep(self, seconds: float) -> None:
        """Wait for a number of scaled seconds."""
        time.sleep(max(0.0, seconds) / self._scale)
