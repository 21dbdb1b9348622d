"""Calls in threads, ahead of the one who needs their results: the wait for one answer is the wait for many.

How many are under way is bounded, and with it the memory that they take. The context of the caller goes with each call.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 16
"""Calls of S3 under way at a time. At 20 to 60 ms each they are some 400 a second; S3 takes 3,500
writes a second below one prefix: https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html."""


def in_order(
    function: Callable[[T], R],
    items: Iterable[T],
    at_once: int = AT_ONCE,
    *,
    weight: Callable[[T], int] = lambda _: 0,
    most: int = 0,
) -> Iterator[R]:
    """The results of a function, in the order of the items.

    At most ``at_once`` calls are under way, or done and not yet asked for; items are taken no further ahead. Of items
    that have a ``weight``, the calls for no more than ``most`` together, or for one. Raises what a call raises, in its
    turn; calls that have not begun then never begin.
    """
    rest, under_way = iter(items), deque[Future[R]]()
    weights, weighs = deque[int](), 0
    threads = ThreadPoolExecutor(at_once)
    try:
        for item in rest:
            weights.append(weight(item))
            weighs += weights[-1]
            while under_way and weighs > most:
                weighs -= weights.popleft()
                yield under_way.popleft().result()
            under_way.append(threads.submit(copy_context().run, function, item))
            if len(under_way) == at_once:
                weighs -= weights.popleft()
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


class Behind:
    """Calls whose results are not waited for one by one."""

    def __init__(self, threads: ThreadPoolExecutor, at_once: int) -> None:
        self._threads = threads
        self._at_once = at_once
        self._under_way = deque[Future[Any]]()

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Begin a call, as soon as fewer than the allowed number are under way. Raises what an earlier one raised."""
        if len(self._under_way) == self._at_once:
            self._under_way.popleft().result()
        self._under_way.append(self._threads.submit(copy_context().run, function, *arguments))

    def wait(self) -> None:
        """Wait for all of them. Raises what one of them raised."""
        while self._under_way:
            self._under_way.popleft().result()


@contextmanager
def behind(at_once: int = AT_ONCE) -> Iterator[Behind]:
    """Calls that are all done when the block has ended well. Raises what one of them raised."""
    threads = ThreadPoolExecutor(at_once)
    try:
        calls = Behind(threads, at_once)
        yield calls
        calls.wait()
    finally:
        threads.shutdown(cancel_futures=True)
