"""Virtual time: what happens at once, what takes its turn, and what is ended."""

import threading
import time
from typing import Any

import pytest

from benchmarks.scale.threads import Pool, instead_of_real_time
from benchmarks.scale.virtual import Ended, Owner, Simulation

FOREVER = 1e9


def owner(simulation: Simulation, *, ends: float = FOREVER) -> Owner:
    """Let the current task be of a new owner."""
    simulation.current.owner = Owner(1.0, ends)
    return simulation.current.owner


def threads(simulation: Simulation, most: int) -> Pool:
    """A pool of the simulation."""

    class Threads(Pool):
        pass

    Threads.simulation = simulation
    return Threads(most)


def test_threads_work_side_by_side() -> None:
    """Ten waits of a second in five threads take two seconds, and their results come in order."""
    simulation = Simulation(counts_processor=False)

    def wait(number: int) -> int:
        simulation.sleep(1)
        return number

    def body() -> tuple[list[int], float]:
        owner(simulation)
        with threads(simulation, 5) as pool:
            return list(pool.map(wait, range(10))), simulation.now

    assert simulation.run(body) == (list(range(10)), 2.0)


def test_the_error_of_a_thread_reaches_who_asks() -> None:
    """An error in a thread is raised by its result, as a real pool does."""
    simulation = Simulation(counts_processor=False)

    def fail() -> None:
        simulation.sleep(3)
        raise KeyError("gone")

    def body() -> float:
        owner(simulation)
        with threads(simulation, 1) as pool, pytest.raises(KeyError):
            pool.submit(fail).result()
        return simulation.now

    assert simulation.run(body) == 3.0


def test_the_earliest_task_comes_first() -> None:
    """Tasks run in the order of their times, whichever was started first."""
    simulation = Simulation(counts_processor=False)
    seen: list[Any] = []

    def task(name: str, seconds: float) -> None:
        for _ in range(2):
            simulation.sleep(seconds)
            seen.append((name, simulation.now))

    def body() -> None:
        simulation.start(lambda: task("slow", 5))
        simulation.start(lambda: task("fast", 2))

    simulation.run(body)
    assert seen == [("fast", 2.0), ("fast", 4.0), ("slow", 5.0), ("slow", 10.0)]


def test_an_owner_is_ended_in_time() -> None:
    """Whoever waits past the end of its owner is ended then, and so is everything that it does afterwards."""
    simulation = Simulation(counts_processor=False)

    def body() -> float:
        owner(simulation, ends=10)
        with pytest.raises(Ended):
            simulation.sleep(20)
        with pytest.raises(Ended):
            simulation.sleep(0)
        return simulation.current.now

    assert simulation.run(body) == 10.0


def test_processor_time_passes_slower() -> None:
    """The tasks of one owner share a processor that is as many times slower as it says."""
    simulation = Simulation(counts_processor=False)

    def body() -> float:
        simulation.current.owner = Owner(4.0, FOREVER)
        with threads(simulation, 2) as pool:
            list(pool.map(simulation.work, (1.0, 1.0)))
        return simulation.now

    assert simulation.run(body) == 8.0


def test_the_clock_is_virtual() -> None:
    """What sleeps, or asks for the time, does so on virtual time."""
    simulation = Simulation(counts_processor=False)

    def body() -> float:
        time.sleep(3600)
        return time.monotonic()

    with instead_of_real_time(simulation):
        assert simulation.run(body) == 3600.0


def test_a_lock_is_waited_for() -> None:
    """Who waits for a lock gets it when the one before lets go, and each after the other."""
    simulation = Simulation(counts_processor=False)

    def hold(lock: threading.Lock) -> float:
        with lock:
            began = simulation.now
            time.sleep(4)
        return began

    def body() -> list[float]:
        owner(simulation)
        with threads(simulation, 3) as pool:
            return list(pool.map(hold, [threading.Lock()] * 3))

    with instead_of_real_time(simulation):
        assert simulation.run(body) == [0.0, 4.0, 8.0]
