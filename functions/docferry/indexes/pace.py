"""Pace: a client-side limit for each operation, learnt from the service's throttling.

The services' rates are documented nowhere, and the workers of a run share nothing but the service. So each worker
guesses its share: the pause after a call that got through. A throttled call makes the pause a little longer, and is
tried again soon; a call that gets through makes it shorter, the more the longer it is. So a worker with a small share
gains more than one with a large share, the shares become equal, and a few more calls are tried than the service takes:
what it takes is used up, and a worker that ends leaves its share to the others.

``benchmarks/pacing.py`` counts what comes of it: how long 4 and 40 workers need at 1 to 200 calls a second.
"""

import math
import random
import threading
from collections import defaultdict
from collections.abc import Callable

from tenacity.nap import sleep

from docferry.errors import Throttled

SLOWEST = 60.0
"""Seconds between two calls at most: 40 workers at one call a second have a share of one in 40 s."""
FIRST = 0.05
"""Seconds, after the first throttled call: 20 a second."""
NEGLIGIBLE = 0.001
# A throttled call is tried again after 0.3 s, or after a 20th of the pause where that is longer.
AGAIN = 0.3
AGAIN_SHARE = 0.05
# Throttled: a tenth slower, which a second call in a row adds to. After eight in a row the pause is wrong by far.
SLOWER = 1.1
MANY = 8
MUCH_SLOWER = 1.5
# Got through: the pause shrinks by 15 % for each second of it, as by up to six throttled calls (1.1 ** 6 = 1.77). At
# a pause of 4 s (four workers at one call a second) that is the whole of it, at 0.08 s (at 50 a second) 1 %.
FASTER = 0.15
MOST_FASTER = 0.75
# Each pause is between 3/4 and 5/4 of what it should be: otherwise workers that were throttled together come together.
JITTER = 0.5


class Pace:
    """The pace of one operation in one process. Pure, apart from the dice; ``silence`` is in seconds."""

    def __init__(self, dice: Callable[[], float] = random.random) -> None:
        self._dice = dice
        self._pause = 0.0
        self._in_a_row = 0
        self.slowed = 0
        """How often the pace was slowed down. A call remembers it from when it began."""
        self.silence = 0.0
        """How long the calls have paused since the last one that got through."""

    def pause(self) -> float:
        """The seconds to wait before the next call."""
        pause = self._pause if not self._in_a_row else min(self._pause, max(AGAIN, self._pause * AGAIN_SHARE))
        return pause * (1 - JITTER / 2 + JITTER * self._dice())

    def paused(self, seconds: float) -> None:
        """Note that a call has waited."""
        self.silence += seconds

    def passed(self) -> None:
        """Note that a call got through."""
        self._in_a_row = 0
        self.silence = 0.0
        self._pause /= 1 + min(MOST_FASTER, FASTER * self._pause)
        if self._pause < NEGLIGIBLE:
            self._pause = 0.0

    def throttled(self, began: int) -> None:
        """Note that a call was throttled. ``began`` is ``slowed`` at its begin.

        Of calls that were under way together one counts: the others could not know of it.
        """
        if began < self.slowed:
            return
        self.slowed += 1
        self._in_a_row += 1
        slower = SLOWER if self._in_a_row <= MANY else MUCH_SLOWER
        self._pause = min(SLOWEST, max(FIRST, self._pause * slower))


class Paces:
    """The paces of a process, by operation. Shared by threads: one at a time waits for its turn."""

    def __init__(self) -> None:
        self._paces: dict[str, Pace] = defaultdict(Pace)
        self._turns: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def begin(self, operation: str, left: float = math.inf) -> int:
        """Wait until the next call of an operation may begin; give what ``throttled`` has to know of it.

        Raises Throttled when that is longer than the time that is ``left``, in seconds.
        """
        with self._lock:
            pace, turn = self._paces[operation], self._turns[operation]
        with turn:
            with self._lock:
                pause = pace.pause()
            if pause > left:
                raise Throttled(f"{operation}: the service takes a call in {pause:.0f} s, and {left:.0f} s are left")
            if pause:
                sleep(pause)
            with self._lock:
                pace.paused(pause)
                return pace.slowed

    def throttled(self, operation: str, began: int) -> None:
        """Note that a call was throttled."""
        with self._lock:
            self._paces[operation].throttled(began)

    def passed(self, operation: str) -> None:
        """Note that a call got through."""
        with self._lock:
            self._paces[operation].passed()

    def silence(self, operation: str) -> float:
        """For how many seconds no call of an operation has got through, though some were tried."""
        with self._lock:
            return self._paces[operation].silence

    def break_silence(self) -> None:
        """Count silence anew: a new invocation begins."""
        with self._lock:
            for pace in self._paces.values():
                pace.silence = 0.0

    def forget(self) -> None:
        """Start as a new process does: at full speed."""
        with self._lock:
            self._paces.clear()
