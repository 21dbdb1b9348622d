"""`make scale`: what syncs of millions of documents take, call and cost, in a simulated AWS on virtual time.

Each size is synced for the first time; the other scenarios begin with what that run has left. Every run is a process of
its own, so that its memory is its own.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.scale.measured import FIRST, SCENARIOS, USUAL, Measured, Scenario, Wanted
from benchmarks.scale.repository import FOLDER
from docferry_laptop.costs import calibration

MILLION = 1_000_000
SIZES = (10_000, MILLION, 10 * MILLION)
SAVED = Path("build/scale.json")
WITH_SIDECARS = Path("build/scale-sidecars.json")
AT_ONCE = 2


def main() -> int:
    """Run what is asked for, print a table, and save it. 1 when a run comes too near to a limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--documents", type=int, nargs="*", default=SIZES, help="sizes of the repository")
    parser.add_argument("--scenario", choices=SCENARIOS, nargs="*", default=USUAL, help=f"default: {' '.join(USUAL)}")
    parser.add_argument("--rate", type=float, help="calls of one operation a second that the index takes")
    parser.add_argument("--sidecars", action="store_true", help="every document has a sidecar file")
    parser.add_argument("--folder", type=int, default=FOLDER, help="documents of a folder of the repository")
    parser.add_argument("--seed", type=int, default=0, help="which documents change, and the jitter of retries")
    parser.add_argument("--events", action="store_true", help="tell what happens, a line an event, in order")
    chosen = parser.parse_args()
    if chosen.folder < 1:
        parser.error("argument --folder: a folder has one document or more")
    rate = chosen.rate or calibration.load().service.index_rate.value
    series = [
        Wanted(
            documents=size,
            scenario=FIRST,
            rate=rate,
            sidecars=chosen.sidecars,
            folder=chosen.folder,
            seed=chosen.seed,
        )
        for size in chosen.documents
    ]
    found = measured(series, tuple(chosen.scenario), events=chosen.events)
    save(found, WITH_SIDECARS if chosen.sidecars else SAVED)
    show(found, Console(width=150))
    return 1 if any(one.problems for one in found) else 0


def measured(series: list[Wanted], scenarios: tuple[Scenario, ...], *, events: bool = False) -> list[Measured]:
    """Run each series, the largest first, two at a time; the runs by size."""
    largest_first = sorted(series, key=lambda one: one.documents, reverse=True)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        runs = threads.map(lambda first: list(_series(first, scenarios, events=events)), largest_first)
        found = [one for several in runs for one in several]
    order: list[str] = list(SCENARIOS)
    return sorted(found, key=lambda one: (one.documents, one.sidecars, order.index(one.scenario)))


def save(found: list[Measured], path: Path) -> None:
    """Write a list of objects, one a run."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


def show(found: list[Measured], console: Console) -> None:
    """Print a table, and what comes too near to a limit."""
    table = Table(title="Runs in a simulated AWS, on virtual time", title_justify="left")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "scenario" else "right")
    for one in found:
        table.add_row(*row(one))
    console.print(table)
    for one in found:
        for problem in one.problems:
            console.print(f"{one.documents:,} documents, {one.scenario}: {problem}", highlight=False)
        if one.status != "SUCCEEDED":
            console.print(f"{one.documents:,} documents, {one.scenario}: {one.status}", highlight=False)


COLUMNS = (
    *("documents", "scenario", "time", "longest", "invocations", "memory MiB", "disk MiB"),
    *("S3 calls", "index calls", "events", "dollars"),
)


def row(one: Measured) -> tuple[str, ...]:
    """A run as a row of the table. Times are in hours, minutes and seconds."""
    return (
        f"{one.documents:,}",
        one.scenario + (", sidecars" if one.sidecars else ""),
        _duration(one.wall_s),
        _duration(one.longest_s),
        f"{one.invocations:,}",
        f"{one.memory_mib:.0f}",
        f"{one.disk_mib:.0f}",
        f"{one.s3_calls:,}",
        f"{one.index_calls:,}",
        f"{one.history_events:,}",
        f"{one.dollars:,.2f}",
    )


def _series(first: Wanted, scenarios: tuple[Scenario, ...], *, events: bool) -> Iterator[Measured]:
    """A first run, and the others, each on a copy of what it has left."""
    with tempfile.TemporaryDirectory() as folder:
        synced = Path(folder) / FIRST
        before = _run(first, synced, events=events)
        if FIRST in scenarios:
            yield before
        if before.status != "SUCCEEDED":
            return  # nothing is known: each of the others would be a first run again
        others = [one for one in scenarios if one != FIRST]
        for other in others:
            shutil.copytree(synced, Path(folder) / other, copy_function=_linked)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            yield from threads.map(
                lambda other: _run(msgspec.structs.replace(first, scenario=other), Path(folder) / other, events=events),
                others,
            )


def _run(wanted: Wanted, folder: Path, *, events: bool) -> Measured:
    arguments = [sys.executable, "-m", "benchmarks.scale.one", str(folder), *(["--events"] if events else [])]
    done = subprocess.run(arguments, input=msgspec.json.encode(wanted), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Measured)


def _linked(source: str, target: str) -> None:
    """Copy a file that is written anew; the bodies of objects never are."""
    if Path(source).parent.name == "files":
        Path(target).hardlink_to(source)
    else:
        shutil.copy(source, target)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


if __name__ == "__main__":
    sys.exit(main())
