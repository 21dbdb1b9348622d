"""Virtual time: tasks that run one at a time, always the one whose time is the earliest.

A task is a greenlet: real code, which stops where it calls a simulated service and goes on when the reply is there. The
processor time that real code takes is measured, and passes on virtual time too, as many times as long as the processor
of its ``Owner`` is slower. The tasks of one owner share its processor.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

MOMENT = 0.0002
"""Seconds. Who only asks for the time gets it this old: the processor time of a call costs more than that call."""


class Ended(BaseException):
    """The owner of a task was ended from outside, as Lambda ends a function that is out of time.

    Not an Exception: the code of a function must not handle it.
    """


class Owner:
    """What tasks run for. ``slower``: how many times as long its processor takes; ``ends``: when it is ended."""

    def __init__(self, slower: float, ends: float) -> None:
        self.slower = slower
        self.ends = ends
        self.over = False
        self.busy_until = 0.0


class Task(greenlet):  # type: ignore[misc]  # greenlet is untyped
    """Something that happens on virtual time. ``now`` is in seconds since the start of the simulation."""

    def __init__(self, body: Callable[[], Any], parent: greenlet, now: float, owner: Owner | None) -> None:
        super().__init__(body, parent)
        self.now = now
        self.owner = owner


class Simulation:
    """The tasks, by time. ``counts_processor``: whether the processor time of real code passes."""

    def __init__(self, *, counts_processor: bool = True) -> None:
        self._waiting: list[tuple[float, int, Task]] = []
        self._order = count()
        self._hub = getcurrent()
        self._counts_processor = counts_processor
        self._since = self._looked = 0.0

    def run(self, body: Callable[[], T]) -> T:
        """Run a task, and all that it starts, to their ends; return what the first one returns."""
        results: list[T] = []
        self._hub = getcurrent()
        self.start(lambda: results.append(body()), now=0.0, owner=None)
        while self._waiting:
            _, _, task = heapq.heappop(self._waiting)
            task.switch()
        return results[0]

    def start(self, body: Callable[[], Any], *, now: float | None = None, owner: Owner | None = None) -> None:
        """Start a task beside the current one."""

        def begin() -> None:
            self._count_from_here()
            body()

        began = self.now if now is None else now
        task = Task(begin, self._hub, began, owner)
        heapq.heappush(self._waiting, (began, next(self._order), task))

    @property
    def current(self) -> Task:
        """The task that runs."""
        task = getcurrent()
        assert isinstance(task, Task), "called from outside of the simulation"
        return task

    @property
    def owner(self) -> Owner | None:
        """Whom the task that runs is for; None outside of the simulation, too."""
        task = getcurrent()
        return task.owner if isinstance(task, Task) else None

    @property
    def now(self) -> float:
        """The time of the current task, but for what it has worked in the last moment."""
        return self.current.now if time.perf_counter() - self._looked < MOMENT else self.worked().now

    def worked(self) -> Task:
        """Let the processor time pass that the current task has taken since it was asked last. Raises Ended."""
        task = self.current
        owner = task.owner
        if owner is None:
            return task
        since = self._since
        self._count_from_here()
        self._work(task, owner, self._since - since if self._counts_processor else 0.0)
        return task

    def work(self, seconds: float) -> None:
        """Let processor time pass for something that the simulation leaves out."""
        task = self.current
        if task.owner is not None:
            self._work(task, task.owner, seconds)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the current task. Others whose time comes earlier run meanwhile. Raises Ended."""
        task = self.worked()
        self._go_on(task, task.now + max(0.0, seconds))

    def answer(self, seconds: float) -> None:
        """Let the time of a reply pass. What the simulation itself has worked since ``worked`` is left out."""
        task = self.current
        self._go_on(task, task.now + seconds)

    def park(self, waiters: deque[Task]) -> None:
        """Stop the current task, until ``wake`` is called with it. Raises Ended."""
        task = self.worked()
        waiters.append(task)
        self._hub.switch()
        self._resumed(task)

    def wake(self, waiters: deque[Task]) -> None:
        """Let the tasks go on that are parked, at the time of the current one."""
        now = self.current.now
        while waiters:
            task = waiters.popleft()
            task.now = max(task.now, now)
            heapq.heappush(self._waiting, (task.now, next(self._order), task))

    def _count_from_here(self) -> None:
        self._since, self._looked = time.thread_time(), time.perf_counter()

    def _work(self, task: Task, owner: Owner, seconds: float) -> None:
        if owner.over:
            raise Ended
        task.now = max(task.now, owner.busy_until) + seconds * owner.slower if seconds else task.now
        owner.busy_until = max(owner.busy_until, task.now) if seconds else owner.busy_until
        if task.now > owner.ends:
            task.now, owner.over = owner.ends, True
            raise Ended

    def _go_on(self, task: Task, until: float) -> None:
        if task.owner is not None:
            until = min(until, task.owner.ends)
        task.now = until
        if self._waiting and self._waiting[0][0] < until:
            heapq.heappush(self._waiting, (until, next(self._order), task))
            self._hub.switch()
        self._resumed(task)

    def _resumed(self, task: Task) -> None:
        self._count_from_here()
        if task.owner is not None and (task.owner.over or task.now >= task.owner.ends):
            task.owner.over = True
            raise Ended
