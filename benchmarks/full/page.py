"""docs/benchmarks.md: the figures of one run, and nothing else."""

from collections.abc import Iterator
from textwrap import fill

from msgspec import Struct

from benchmarks.full.figures import Figures
from benchmarks.scale.__main__ import COLUMNS, row
from benchmarks.scale.measured import Measured
from docferry_laptop.costs import calibration, prices

PLOTS = "benchmarks"
COLUMNS_OF_TEXT = 120


class Run(Struct, frozen=True, kw_only=True):
    """All that one run has measured (``build/bench.json``). ``date`` is a day, ``machine`` the processor and system."""

    date: str
    machine: str
    figures: tuple[Figures, ...]
    scale: tuple[Measured, ...]


def page(run: Run) -> str:
    """The page as Markdown."""
    return "\n".join(_page(run))


def _page(run: Run) -> Iterator[str]:
    yield from (
        "# Benchmarks",
        "",
        fill(
            "`make bench-full` writes this page from one run, with its plots; every figure here is of that run. It "
            f"was on {run.date}, on {run.machine}. Times are shown as ratios of two things that were measured in "
            "turn, wherever there is something to compare with.",
            COLUMNS_OF_TEXT,
        ),
        "",
    )
    for one in run.figures:
        yield from _section(one)
    yield from _scale(run.scale)


def _section(one: Figures) -> Iterator[str]:
    yield from (f"## {one.title}", "", fill(one.how, COLUMNS_OF_TEXT), "")
    if one.figures:
        goals = any(figure.goal is not None for figure in one.figures)
        yield f"| | {one.unit} |" + (" goal |" if goals else "")
        yield "| --- | ---: |" + (" ---: |" if goals else "")
        for figure in one.figures:
            goal = "" if figure.goal is None else f"{figure.goal:,.{one.digits}f}"
            yield f"| {figure.name} | {figure.value:,.{one.digits}f} |" + (f" {goal} |" if goals else "")
        yield from ("", f"![{one.title}]({PLOTS}/{one.key}.svg)", "")
    for note in one.notes:
        yield from (fill(note, COLUMNS_OF_TEXT), "")


def _scale(runs: tuple[Measured, ...]) -> Iterator[str]:
    service, times = calibration.load().service, calibration.load().times
    yield from (
        "## Millions of documents",
        "",
        fill(
            "Runs in a simulated AWS: the real handlers, the real definition of the workflow, the real adapter of "
            "Amazon Kendra and the real source `s3`, on virtual time. S3, Lambda, Step Functions and the index are "
            "simulated, with the latencies and limits of `laptop/docferry_laptop/costs/calibration.yaml` and the "
            f"prices of `prices.yaml` beside it ({prices.load().region}, {prices.load().as_of}); `docferry cost` "
            f"uses the same. The index takes {service.index_rate.value} calls of one operation a second, each in "
            f"{times.index_call.seconds:g} s, and indexes {1 / times.indexing_document.seconds:,.0f} documents a "
            "second. Processor time is measured, and stretched by the memory of a function. Dollars are without the "
            "index itself, which costs the same while nothing happens.",
            COLUMNS_OF_TEXT,
        ),
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"| ---: | --- |{' ---: |' * (len(COLUMNS) - 2)}",
        *(f"| {' | '.join(row(one))} |" for one in runs),
        "",
    )
    problems = [f"- {one.documents:,} documents, {one.scenario}: {text}" for one in runs for text in one.problems]
    if problems:
        yield from ("What comes too near to a limit:", "", *problems, "")
