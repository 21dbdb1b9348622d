"""Calls in threads: in order, bounded, and in the context of the caller."""

import threading
from contextvars import ContextVar

import pytest

from docferry.state.ahead import behind, in_order

AT_ONCE = 3


class Gauge:
    """Counts how many calls have begun and how many results were asked for."""

    def __init__(self) -> None:
        self.begun = 0
        self.most_ahead = 0
        self.taken = 0
        self._lock = threading.Lock()

    def call(self, item: int) -> int:
        """Count one call."""
        with self._lock:
            self.begun += 1
            self.most_ahead = max(self.most_ahead, self.begun - self.taken)
        return item * 2


def test_results_come_in_the_order_of_the_items() -> None:
    """Whichever call ends first."""
    first_may_end = threading.Event()

    def call(item: int) -> int:
        if item == 0:
            assert first_may_end.wait(60)
        else:
            first_may_end.set()
        return item

    assert list(in_order(call, range(5), AT_ONCE)) == [0, 1, 2, 3, 4]


def test_no_more_calls_begin_than_are_allowed() -> None:
    """However many items there are: memory holds so many results."""
    gauge = Gauge()
    for taken, _ in enumerate(in_order(gauge.call, range(50), AT_ONCE), 1):
        gauge.taken = taken

    assert gauge.begun == 50
    # One more than are allowed is begun when a result is handed over.
    assert gauge.most_ahead <= AT_ONCE + 1


def test_an_error_comes_in_its_turn() -> None:
    """What comes before it is not lost; not even an error that is no Exception is."""

    class Ended(BaseException):
        """The end of a process."""

    def call(item: int) -> int:
        if item == 2:
            raise Ended
        return item

    results = in_order(call, range(100), AT_ONCE)

    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(Ended):
        next(results)


def test_results_that_nobody_asks_for_are_handed_back() -> None:
    """An open file among them has to be closed."""
    unused: list[int] = []
    results = in_order(lambda item: item, range(100), AT_ONCE, unused=unused.append)
    assert next(results) == 0

    results.close()  # type: ignore[attr-defined]  # it is a generator

    assert set(unused) <= {1, 2, 3}


def test_calls_have_the_context_of_the_one_who_makes_them() -> None:
    """The run and the invocation are told to the threads that work for it."""
    of_whom: ContextVar[str] = ContextVar("of_whom", default="nobody")
    of_whom.set("mine")

    assert list(in_order(lambda _: of_whom.get(), range(4), 2)) == ["mine"] * 4
    seen: list[str] = []
    with behind(2) as calls:
        calls.call(lambda: seen.append(of_whom.get()))
    assert seen == ["mine"]


def test_calls_behind_are_done_at_the_end_of_the_block() -> None:
    """All of them."""
    gauge = Gauge()
    with behind(AT_ONCE) as calls:
        for item in range(20):
            calls.call(gauge.call, item)

    assert gauge.begun == 20


def test_an_error_of_a_call_behind_ends_the_block() -> None:
    """Nobody goes on as if it had worked."""

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), behind(AT_ONCE) as calls:
        calls.call(fail)
