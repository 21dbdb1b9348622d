"""The pace of calls follows what the service takes."""

from hypothesis import given
from hypothesis import strategies as st

from docferry.indexes.pace import SLOWEST, Pace
from docferry_emulators.clock import VirtualClock
from docferry_laptop.moto.virtual_time import waiting_on


def test_an_operation_that_is_never_throttled_never_waits() -> None:
    """Full speed is the default."""
    pace = Pace()
    for _ in range(10):
        pace.passed("put")

    assert pace.pause("put") == 0


def test_a_throttled_operation_waits_and_others_do_not() -> None:
    """Each operation has a pace of its own."""
    pace, clock = Pace(), VirtualClock()
    pace.throttled("put")
    before = clock.now()

    with waiting_on(clock):
        pace.wait("delete")
        assert clock.now() == before
        pace.wait("put")

    assert clock.now() > before


def test_calls_that_get_through_bring_the_speed_back() -> None:
    """After a while nothing waits any more."""
    pace = Pace()
    pace.throttled("put")
    for _ in range(100):
        pace.passed("put")

    assert pace.pause("put") == 0


@given(st.lists(st.booleans()))
def test_no_pause_is_longer_than_the_longest(throttled: list[bool]) -> None:
    """Whatever the service answers."""
    pace = Pace()
    for one in throttled:
        (pace.throttled if one else pace.passed)("put")

    assert 0 <= pace.pause("put") <= SLOWEST
