"""`make bench-full`: everything that is measured, saved as build/bench.json, and docs/benchmarks.md made of it."""

import argparse
import platform
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from benchmarks.full import page, plot, simulated
from benchmarks.full.beyond_listing import beyond_listing
from benchmarks.full.client_calls import client_calls
from benchmarks.full.diff_lines import diff_lines
from benchmarks.full.figures import Benchmark, Figures
from benchmarks.full.langchain_index import langchain
from benchmarks.full.laptop_sync import laptop_sync
from benchmarks.full.listing_pages import listing_pages
from benchmarks.full.ready import ready
from benchmarks.scale import __main__ as scale
from benchmarks.scale.measured import FIRST, USUAL, Measured, Wanted
from docferry_laptop.costs import calibration

ALONE: tuple[Benchmark, ...] = (
    diff_lines,
    langchain,
    beyond_listing,
    listing_pages,
    client_calls,
    ready,
    laptop_sync,
    simulated.throttled,
)
"""What is measured one after the other, with nothing beside it."""
SAVED = Path("build/bench.json")


def main() -> None:
    """Measure, save, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full", description=__doc__)
    parser.add_argument("--documents", type=int, nargs="*", default=scale.SIZES, help="sizes of the repository")
    parser.add_argument("--into", type=Path, default=Path("docs"), help="the folder of benchmarks.md")
    chosen = parser.parse_args()
    console = Console(width=150)
    figures = []
    for benchmark in ALONE:
        with console.status(benchmark.__name__):
            figures.append(_told(benchmark(), console))
    with console.status("simulating millions of documents; ten million take half an hour"):
        runs = _runs(tuple(chosen.documents))
    scale.show(runs, console)
    plain = [one for one in runs if not one.sidecars]
    scale.save(plain, scale.SAVED)
    made = (simulated.put_calls(plain), simulated.memory(plain), simulated.per_million(runs))
    figures += [_told(one, console) for one in made]
    now = datetime.now(UTC).date().isoformat()
    run = page.Run(date=now, machine=_machine(), figures=tuple(figures), scale=tuple(runs))
    SAVED.write_bytes(msgspec.json.format(msgspec.json.encode(run)))
    write(run, chosen.into)


def write(run: page.Run, folder: Path) -> None:
    """Write the page and its plots, in the place of older ones."""
    plots = folder / page.PLOTS
    plots.mkdir(parents=True, exist_ok=True)
    for old in plots.glob("*.svg"):
        old.unlink()
    for one in run.figures:
        if one.figures:
            (plots / f"{one.key}.svg").write_text(plot.svg(one), encoding="utf-8")
    (folder / "benchmarks.md").write_text(page.page(run), encoding="utf-8")


def _runs(sizes: tuple[int, ...]) -> list[Measured]:
    """Every size with the usual scenarios, and a first sync of a million documents with sidecars."""
    rate = calibration.load().service.index_rate.value
    series = [Wanted(documents=size, scenario=FIRST, rate=rate) for size in sizes]
    return scale.measured(simulated.with_sidecars(series), USUAL)


def _told(made: Figures, console: Console) -> Figures:
    for one in made.figures:
        goal = "" if one.goal is None else f" (goal {one.goal:,.{made.digits}f})"
        console.print(f"{made.title}: {one.name}: {one.value:,.{made.digits}f} {made.unit}{goal}", highlight=False)
    return made


def _machine() -> str:
    return f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
