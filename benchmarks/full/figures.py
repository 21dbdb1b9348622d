"""What a benchmark gives: figures with their names, and what they are to be compared with."""

from collections.abc import Callable

from msgspec import Struct


class Figure(Struct, frozen=True):
    """One bar. ``goal`` is the figure that is aimed at, None without one."""

    name: str
    value: float
    goal: float | None = None


class Figures(Struct, frozen=True, kw_only=True):
    """The result of one benchmark.

    ``key`` names its plot, ``how`` says in sentences what was measured against what, ``unit`` what the values are, such
    as "times as long" or "MiB". ``notes`` say what could not be measured, or why a figure misses its goal.
    """

    key: str
    title: str
    how: str
    unit: str
    figures: tuple[Figure, ...]
    digits: int = 2
    notes: tuple[str, ...] = ()


Benchmark = Callable[[], Figures]
