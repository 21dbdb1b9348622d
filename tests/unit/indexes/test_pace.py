"""The pace of calls follows what the service takes, and the workers of a run share it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pacing import RATES, WORKERS, paced
from docferry.errors import Throttled
from docferry.indexes.calls import PATIENCE
from docferry.indexes.pace import AGAIN, JITTER, MANY, SLOWEST, Pace, Paces
from docferry_emulators.clock import VirtualClock

NEAR = 1.1
"""How much longer than the ideal a run may take."""
LONGEST = SLOWEST * (1 + JITTER / 2)


def steady() -> float:
    """Dice that always show the middle: a pause is exactly what it should be."""
    return 0.5


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("rate", RATES)
def test_all_workers_together_settle_near_the_rate_of_the_service(rate: int, workers: int) -> None:
    """A run takes about as long as the service makes it, and no worker gives up while others get through."""
    run = paced(rate, workers)

    assert run.ratio <= NEAR
    assert run.silence < PATIENCE


def test_an_operation_that_is_never_throttled_never_waits() -> None:
    """Full speed is the default."""
    pace = Pace()
    for _ in range(10):
        pace.passed()

    assert pace.pause() == 0


def test_a_throttled_operation_waits_and_others_do_not(clock: VirtualClock) -> None:
    """Each operation has a pace of its own."""
    paces = Paces()
    paces.throttled("put", paces.begin("put"))
    before = clock.now()

    paces.begin("delete")
    assert clock.now() == before
    paces.begin("put")

    assert clock.now() > before


def test_calls_that_were_under_way_together_slow_down_once() -> None:
    """The second could not know that the first would be throttled; one that began after it could."""
    pace, other = Pace(steady), Pace(steady)
    for _ in range(20):
        pace.throttled(0)
    other.throttled(0)
    assert pace.pause() == other.pause()

    pace.throttled(pace.slowed)

    assert pace.pause() > other.pause()


def test_a_throttled_call_is_tried_again_long_before_a_worker_has_its_share() -> None:
    """Who has just got through makes room for the others."""
    pace = Pace(steady)
    for _ in range(3 * MANY):
        pace.throttled(pace.slowed)
    again = pace.pause()

    pace.passed()

    assert AGAIN <= again < pace.pause()


def test_calls_that_get_through_bring_the_speed_back() -> None:
    """After a while nothing waits any more."""
    pace = Pace()
    pace.throttled(0)
    for _ in range(10_000):
        pace.passed()

    assert pace.pause() == 0


@given(st.lists(st.booleans()), st.floats(0, 1))
def test_no_pause_is_longer_than_the_longest(throttled: list[bool], shown: float) -> None:
    """Whatever the service answers."""
    pace = Pace(lambda: shown)
    for one in throttled:
        pace.throttled(pace.slowed) if one else pace.passed()

    assert 0 <= pace.pause() <= LONGEST


def test_nobody_waits_longer_than_time_is_left(clock: VirtualClock) -> None:
    """What would come too late is not waited for: the invocation has to end in time."""
    paces, before = Paces(), clock.now()
    paces.throttled("put", paces.begin("put"))

    with pytest.raises(Throttled, match="0 s are left"):
        paces.begin("put", left=0.001)

    assert clock.now() == before


def test_silence_lasts_from_one_call_that_gets_through_to_the_next(clock: VirtualClock) -> None:
    """It is the time that calls have waited for their turn."""
    paces, before = Paces(), clock.now()
    for _ in range(5):
        paces.throttled("put", paces.begin("put"))
    paces.begin("put")

    # A clock counts whole microseconds.
    assert paces.silence("put") == pytest.approx((clock.now() - before).total_seconds(), abs=1e-5)
    paces.passed("put")
    assert paces.silence("put") == 0
