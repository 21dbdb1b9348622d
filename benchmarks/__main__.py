"""`make bench`: memory and speed, side by side with the plain alternative in one run.

The machine may be busy, so times are shown as ratios of two things measured one after the other.
"""

import json
import subprocess
import sys
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.bucket import served
from benchmarks.diff import DOCUMENTS
from benchmarks.diff import ratios as diff_ratios
from benchmarks.listing import KEYS
from benchmarks.listing import figures as listing_figures
from benchmarks.search import SCAN, SEARCHES, filled
from benchmarks.start import ratios
from benchmarks.unchanged import FILES
from benchmarks.unchanged import ratios as unchanged_ratios

SIZES = (10_000, 200_000)
PHASES = {
    "crawl": "Crawl: list, sort, compare, write the change set",
    "commit": "Commit: merge the outcomes into the manifest",
    "plain": "The alternative: listing and manifest in memory, as dicts",
}
# Documents of an emulated index. More do not fit: it is what one unit of Kendra's capacity holds.
FEW, MANY = 1_000, 100_000
ROUNDS = 7


def main() -> None:
    """Run every benchmark and print its table."""
    console = Console(width=110)
    start(console)
    listing(console)
    unchanged(console)
    diff(console)
    sync(console)
    search(console)


def start(console: Console) -> None:
    """How long commands take, against a program that does no more than build a boto3 client."""
    with console.status("starting commands"):
        measured = ratios()
    table = Table(title="From start to exit, against building a boto3 client", title_justify="left")
    table.add_column("")
    table.add_column("time", justify="right")
    for name, ratio in measured.items():
        table.add_row(name, f"x {ratio:.2f}")
    console.print(table)


def listing(console: Console) -> None:
    """How much less CPU time a page of a listing takes than with boto3 as it comes."""
    with console.status("reading listings"):
        measured = listing_figures()
    console.print(
        f"\nA page of ListObjectsV2 with {KEYS:,} keys: boto3 takes x {measured['boto3']:.1f} of the time of source s3"
        f"\nThe page with its documents: {measured['documents_ms']:.1f} ms of CPU; ElementTree alone takes "
        f"{measured['elementtree_ms']:.1f} ms for its XML"
    )


def unchanged(console: Console) -> None:
    """How much longer a crawl of an unchanged folder takes that reads every file."""
    with console.status("crawling files"):
        measured = unchanged_ratios()
    table = Table(title=f"\nCrawl of {FILES:,} unchanged files, each with a sidecar", title_justify="left")
    table.add_column("size of a file")
    table.add_column("speed, against `verify: always`", justify="right")
    for size, ratio in measured.items():
        table.add_row(size, f"x {ratio:.1f}")
    console.print(table)


def diff(console: Console) -> None:
    """How long it takes to find that nothing has changed, against other ways to compare as many JSON lines."""
    with console.status("comparing; this takes a few minutes"):
        measured = diff_ratios()
    table = Table(title=f"\nDiff of {DOCUMENTS:,} unchanged JSON lines, by CPU time", title_justify="left")
    table.add_column("")
    table.add_column("against DuckDB", justify="right")
    for name, ratio in measured.items():
        table.add_row(name, f"x {ratio:.2f}")
    console.print(table)


def sync(console: Console) -> None:
    """Memory and speed of the crawl and the commit."""
    with console.status("measuring; this takes a few minutes"), served() as endpoint:
        measured = {(phase, size): measure(phase, size, endpoint) for size in SIZES for phase in PHASES}
    table = Table(title="Peak memory above an idle process with the same imports, in MiB", title_justify="left")
    table.add_column("")
    for size in SIZES:
        table.add_column(f"{size:,} documents", justify="right")
    table.add_column("growth", justify="right")
    for phase, title in PHASES.items():
        peaks = [measured[phase, size]["peak_mib"] for size in SIZES]
        table.add_row(title, *(f"{peak:.1f}" for peak in peaks), f"x {peaks[1] / max(peaks[0], 0.1):.1f}")
    console.print(table)
    speed = measured["plain", SIZES[1]]["seconds"] / measured["plain", SIZES[1]]["merge_seconds"]
    console.print(f"\nComparing {SIZES[1]:,} unchanged documents: the merge is {speed:.1f} x as fast as the dicts.")


def search(console: Console) -> None:
    """How searches of an emulated index slow down as it grows: each is asked of a small and a large one in turn."""
    with console.status("filling an index; this takes a few minutes"), filled(FEW) as small, filled(MANY) as large:
        taken = {
            name: [(small.seconds(name), large.seconds(name)) for _ in range(ROUNDS)] for name in (*SEARCHES, SCAN)
        }
        mib = large.peak_mib
    few = {name: median(pair[0] for pair in pairs) for name, pairs in taken.items()}
    many = {name: median(pair[1] for pair in pairs) for name, pairs in taken.items()}
    table = Table(title=f"\nSearches of an emulated index of {MANY:,} documents, by time", title_justify="left")
    table.add_column("")
    table.add_column(f"against {FEW:,} documents", justify="right")
    table.add_column("against a scan of all texts", justify="right")
    for name in SEARCHES:
        table.add_row(name, f"x {many[name] / few[name]:.1f}", f"x {many[name] / many[SCAN]:.2f}")
    console.print(table)
    console.print(f"\nThe index takes {mib:.0f} MiB of memory, {mib * 1024 / MANY:.1f} KiB a document.")


def measure(phase: str, size: int, endpoint: str) -> dict[str, Any]:
    """Run one phase in a process of its own; return what it measured."""
    arguments = [sys.executable, "-m", "benchmarks.phase", phase, str(size), endpoint]
    measured: dict[str, Any] = json.loads(subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout)
    return measured


if __name__ == "__main__":
    main()
