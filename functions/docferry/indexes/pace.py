"""Pace: a client-side limit for each operation, learnt from the service's throttling.

The services' rates are documented nowhere. A call that is throttled slows the operation down by half at least, a call
that gets through speeds it up by a tenth: the rate settles a little under what the service takes.
"""

import threading

from tenacity.nap import sleep

SLOWEST = 30.0
"""Seconds between two calls; throttled at this pace, a call gives up soon."""
FIRST = 0.25
FASTER = 0.9
NEGLIGIBLE = 0.02


class Pace:
    """The pauses before calls, in seconds, by operation. May be shared by threads."""

    def __init__(self) -> None:
        self._pauses: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, operation: str) -> None:
        """Pause before a call, as long as the operation needs it."""
        pause = self.pause(operation)
        if pause:
            sleep(pause)

    def pause(self, operation: str) -> float:
        """The seconds to wait before the next call of an operation."""
        with self._lock:
            return self._pauses.get(operation, 0.0)

    def forget(self) -> None:
        """Start as a new process does: at full speed."""
        with self._lock:
            self._pauses.clear()

    def throttled(self, operation: str) -> None:
        """Note that a call was throttled."""
        with self._lock:
            self._pauses[operation] = min(SLOWEST, max(FIRST, self._pauses.get(operation, 0.0) * 2))

    def passed(self, operation: str) -> None:
        """Note that a call got through."""
        with self._lock:
            pause = self._pauses.get(operation, 0.0) * FASTER
            self._pauses[operation] = pause if pause > NEGLIGIBLE else 0.0
