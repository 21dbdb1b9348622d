"""What stands in for the clock and for threads: sleep, locks, executors and their futures, on virtual time."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import tenacity.nap
from greenlet import getcurrent

from benchmarks.scale.virtual import Simulation, Task

REAL_MONOTONIC, REAL_SLEEP = time.monotonic, time.sleep


class Lock:
    """Stands in for threading.Lock: a task that waits for it lets others run. Fair, as no real one is."""

    simulation: Simulation

    def __init__(self) -> None:
        self._held = False
        self._waiting: deque[Task] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002  # threading's
        """See threading.Lock."""
        del timeout
        while self._held:
            if not blocking:
                return False
            self.simulation.park(self._waiting)
        self._held = True
        return True

    def release(self) -> None:
        """See threading.Lock."""
        self._held = False
        if self._waiting:
            self.simulation.wake(deque([self._waiting.popleft()]))

    def locked(self) -> bool:
        """See threading.Lock."""
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Pool(Executor):
    """Stands in for ThreadPoolExecutor: its threads are tasks of the current owner."""

    simulation: Simulation

    def __init__(self, max_workers: int | None = None, *_: Any, **__: Any) -> None:
        self._most = max_workers or 8
        self._threads = 0
        self._items: deque[tuple[_Future, Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = deque()
        self._unfinished: set[_Future] = set()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See Executor."""
        future = _Future(self.simulation)
        self._items.append((future, fn, args, kwargs))
        self._unfinished.add(future)
        if self._threads < self._most:
            self._threads += 1
            self.simulation.start(self._work, owner=self.simulation.current.owner)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # Executor's
        """See Executor."""
        if cancel_futures:
            while self._items:
                future = self._items.popleft()[0]
                future.cancel()
                self._unfinished.discard(future)
        for future in list(self._unfinished) if wait else ():
            future.exception()

    def _work(self) -> None:
        while self._items:
            future, function, args, kwargs = self._items.popleft()
            if not future.set_running_or_notify_cancel():
                self._unfinished.discard(future)
                continue
            try:
                result = function(*args, **kwargs)
                self.simulation.worked()
            except BaseException as error:  # noqa: BLE001  # as ThreadPoolExecutor does: whoever asks for the result gets it
                future.set_exception(error)
            else:
                future.set_result(result)
            self._unfinished.discard(future)
            future.tell()
        self._threads -= 1


class _Future(Future[Any]):
    """A result that a task waits for on virtual time."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation
        self._parked: deque[Task] = deque()
        self._done_at = 0.0

    def tell(self) -> None:
        """Let those go on that wait for the result."""
        self._done_at = self._simulation.current.now
        self._simulation.wake(self._parked)

    def result(self, timeout: float | None = None) -> Any:
        """See Future."""
        self._wait()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """See Future."""
        self._wait()
        return super().exception(timeout)

    def _wait(self) -> None:
        if not self.done():
            self._simulation.park(self._parked)
        else:
            task = self._simulation.current
            task.now = max(task.now, self._done_at)


@contextmanager
def instead_of_real_time(simulation: Simulation) -> Iterator[None]:
    """Let `time.sleep`, `time.monotonic` and the locks that are made in the block be those of the simulation.

    Tenacity is let sleep with the same, also where a test has let it sleep otherwise.
    """

    def sleep(seconds: float) -> None:
        if isinstance(getcurrent(), Task):
            simulation.sleep(seconds)
        else:
            REAL_SLEEP(seconds)

    def monotonic() -> float:
        return simulation.now if isinstance(getcurrent(), Task) else REAL_MONOTONIC()

    class Locks(Lock):
        """Locks of this simulation."""

    Locks.simulation = simulation
    with (
        patch.object(time, "sleep", sleep),
        patch.object(time, "monotonic", monotonic),
        patch.object(tenacity.nap, "time", time),
        patch.object(threading, "Lock", Locks),
    ):
        yield
