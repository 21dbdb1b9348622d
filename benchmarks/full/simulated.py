"""Figures that the simulated AWS gives: throttled runs against the ideal, put calls against the minimum, memory."""

import tempfile
from math import ceil
from pathlib import Path

from msgspec import structs

from benchmarks import pacing
from benchmarks.full.figures import Figure, Figures
from benchmarks.scale.measured import FIRST, Measured, Wanted
from benchmarks.scale.world import World
from docferry.indexes import index_class

RATES = (1.0, 2.0, 5.0, 50.0, 200.0)
SECONDS = pacing.SECONDS
"""How long the documents of a throttled run take at the rate of the index."""
MILLION = 1_000_000
WITHIN = 1.1
FIXED = (
    "{:,} documents cost {:,.4f} dollars in all. A run of any size goes through each state and calls each function: "
    "that is most of it, and for few documents makes the figure for a million large."
)
PER_REQUEST = index_class("kendra").limits.documents


def throttled() -> Figures:
    """First syncs into indexes of different rates, each of as many documents as take the same time."""
    figures = []
    for rate in RATES:
        wanted = Wanted(documents=int(rate * SECONDS * PER_REQUEST), scenario=FIRST, rate=rate)
        with tempfile.TemporaryDirectory() as folder:
            measured = World(Path(folder) / FIRST).run(wanted, lambda _now, _text: None)
        assert measured.correct, measured.status
        figures.append(Figure(f"{rate:g} calls a second", measured.sending_s / measured.ideal_s, WITHIN))
    return Figures(
        key="throttled",
        title="An index that throttles",
        how=(
            f"First syncs in the simulated AWS, of as many documents as the index takes in {SECONDS // 60} minutes at "
            "so many calls a second: the time from the first to the last put, against the time that this many calls "
            "take at that rate. In shorter runs the last shard, which one worker sends alone, weighs more."
        ),
        unit="times as long",
        figures=tuple(figures),
    )


def put_calls(runs: list[Measured]) -> Figures:
    """The requests of first syncs, against the fewest that can put so many documents."""
    figures = [
        Figure(
            f"{one.documents:,} documents",
            (one.usage.of("put_batch").index_calls - one.throttled) / ceil(one.documents / PER_REQUEST),
            1.0,
        )
        for one in runs
        if one.scenario == FIRST and one.correct
    ]
    return Figures(
        key="put-calls",
        title="Put calls",
        how=(
            "BatchPutDocument calls of first syncs that were not throttled, against one for each "
            f"{PER_REQUEST} documents."
        ),
        unit="times as many",
        figures=tuple(figures),
        digits=3,
    )


def memory(runs: list[Measured]) -> Figures:
    """What each function needs above its imports, at most, in first syncs."""
    figures = [
        Figure(f"{name}, {one.documents:,}", most.memory_mib, None)
        for one in runs
        if one.scenario == FIRST
        for name, most in sorted(one.functions.items())
        if name in {"crawl", "put_batch", "commit"}
    ]
    return Figures(
        key="memory",
        title="Memory at each size",
        how=(
            "The peak of the resident memory of a process while a function runs in it, above what was in use before it "
            "was called. Of workers that run side by side, the peak of all divided by their number."
        ),
        unit="MiB",
        figures=tuple(figures),
        digits=0,
    )


def per_million(runs: list[Measured]) -> Figures:
    """What a first sync of a million documents costs, with sidecars and without."""
    goals = {False: 0.20, True: 0.60}
    figures, notes = [], []
    for one in runs:
        if one.scenario == FIRST and one.correct:
            name = f"{one.documents:,}, {'with' if one.sidecars else 'without'} sidecars"
            figure = Figure(name, one.dollars / one.documents * MILLION, goals[one.sidecars])
            figures.append(figure)
            if one.documents < MILLION and figure.value > goals[one.sidecars]:
                notes.append(FIXED.format(one.documents, one.dollars))
    notes += [_dearest(one) for one in runs if one.scenario == FIRST and one.correct]
    return Figures(
        key="dollars",
        title="Dollars for a million new documents",
        how="What first syncs cost in the simulated AWS, without the index itself, for a million documents each.",
        unit="dollars",
        figures=tuple(figures),
        notes=tuple(notes),
    )


def _dearest(one: Measured) -> str:
    lines = sorted(one.bill.lines, key=lambda line: -line.dollars)[:4]
    named = "; ".join(f"{line.name} {line.dollars:,.4f} ({line.quantity:,.0f})" for line in lines)
    return f"Of {one.documents:,} documents{', with sidecars' if one.sidecars else ''}: {named}."


def with_sidecars(series: list[Wanted]) -> list[Wanted]:
    """The series, and once more with sidecars: the largest one up to a million."""
    largest = max((one for one in series if one.documents <= MILLION), key=lambda one: one.documents, default=None)
    return [*series, structs.replace(largest, sidecars=True)] if largest else series
