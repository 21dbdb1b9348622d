"""Counts what runs on the emulators call, and finds how many calls there are for one of each driver of the cost model.

`python -m benchmarks.costs` prints the ``counted`` part of laptop/docferry_laptop/costs/calibration.yaml anew. Shards,
chunks and pages are made small, so that some dozen documents fill several of each.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import yaml

from benchmarks.trial import Trial, trial
from docferry.delivery import shards
from docferry.indexes import Verify
from docferry.sources import s3
from docferry.sources.bucket import neighbours
from docferry.sources.folder import files
from docferry.state import sorting
from docferry_laptop.costs.calibration import Requests, load
from docferry_laptop.costs.limits import Sizes
from docferry_laptop.costs.model import drivers
from docferry_laptop.costs.usage import FunctionUse, Usage
from docferry_laptop.costs.workload import Workload

ALONE = 1_000
"""Documents are opened one by one: with pages so small, nobody could say which of them are neighbours."""
SMALL = Sizes(shard_documents=20, chunk_lines=20, page_keys=20, alone_at_first=ALONE)
HOW = "`python -m benchmarks.costs` counts runs on the emulators"

DRIVERS: dict[str, dict[str, tuple[str, ...]]] = {
    "crawl": {
        "s3_puts": ("run", "first", "chunks", "put_shards", "delete_shards", "source_pages"),
        "s3_gets": ("run", "first", "chunks", "source_sidecars"),
        "index_calls": ("run", "first", "declared", "undeclared"),
    },
    "commit": {
        "s3_puts": ("run", "first", "changes", "looked_up"),
        "s3_gets": ("run", "first", "changes", "put_shards", "delete_shards", "looked_up"),
        "index_calls": ("run", "changes", "looked_up_calls"),
    },
    "put_batch": {
        "s3_puts": ("put_shards",),
        "s3_gets": ("put_shards", "source_opened"),
        "index_calls": ("put_requests",),
    },
    "delete_batch": {
        "s3_puts": ("delete_shards",),
        "s3_gets": ("delete_shards",),
        "index_calls": ("delete_requests",),
    },
    "start_sync": {"s3_puts": ("changes",), "s3_gets": ("changes",), "index_calls": ("changes",)},
    "stop_sync": {"s3_puts": ("changes",), "s3_gets": ("changes",), "index_calls": ("changes",)},
    "poll_sync": {"s3_puts": ("polls",), "s3_gets": ("polls",), "index_calls": ("polls",)},
    "workflow": {"s3_puts": ("changes",), "s3_gets": ("changes",), "index_calls": ("changes",)},
}
"""What the calls of a function may depend on, by the class of the call."""
TRANSITIONS = ("run", "changes", "polls", "children")

SCENARIOS: tuple[tuple[str, str, bool, Verify, float], ...] = (
    ("files", "kendra", False, "metrics", 1),
    ("files", "qbusiness", True, "auto", 1),
    ("s3", "kendra", True, "auto", 60),
    ("s3", "qbusiness", False, "metrics", 1),
)
"""Kinds of source and index, whether there are sidecars, when statuses are asked for, and the seconds of indexing."""
NOTHING = FunctionUse()


def main() -> None:
    """Count, and print."""
    rows = [
        (drivers(work, SMALL) | {"polls": used.functions.get("poll_sync", NOTHING).invocations}, used)
        for work, used in counted()
    ]
    known = load().read.functions
    functions: dict[str, dict[str, dict[str, float]]] = {}
    for function, kinds in DRIVERS.items():
        for kind, names in kinds.items():
            read: dict[str, float] = getattr(known.get(function, Requests()), kind)
            calls = [
                (
                    row,
                    getattr(used.functions.get(function, NOTHING), kind)
                    - sum(each * row[name] for name, each in read.items()),
                )
                for row, used in rows
            ]
            functions.setdefault(function, {})[kind] = solve(calls, names)
    transitions = solve([(row, used.transitions) for row, used in rows], TRANSITIONS)
    print(
        yaml.safe_dump({"counted": {"how": HOW, "functions": functions, "transitions": transitions}}, sort_keys=False)
    )


def counted() -> Iterator[tuple[Workload, Usage]]:
    """What runs of different kinds have to do, and what they use."""
    for source, index, sidecars, verify, indexing in SCENARIOS:
        with ExitStack() as stack:
            for module, name in ((shards, "SHARD_DOCUMENTS"), (sorting, "CHUNK_LINES"), (s3, "PAGE_LENGTH")):
                stack.enter_context(patch.object(module, name, 20))
            stack.enter_context(patch.object(files, "PAGE_LENGTH", 20))
            stack.enter_context(patch.object(neighbours, "AT_FIRST", ALONE))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            made = trial(folder, source, index, sidecars=sidecars, verify=verify, indexing_seconds=indexing)
            yield from runs(stack.enter_context(made))


def runs(connector: Trial) -> Iterator[tuple[Workload, Usage]]:
    """A first run, and those after it: no changes, puts, deletes, and both."""
    connector.write(range(55))
    yield connector.sync()
    yield connector.sync()
    connector.write(range(25))
    yield connector.sync()
    connector.remove(range(45, 55))
    yield connector.sync()
    connector.write(range(50, 120))
    connector.remove(range(25))
    yield connector.sync()
    yield connector.sync()


def solve(rows: list[tuple[dict[str, float], float]], names: tuple[str, ...]) -> dict[str, float]:
    """The least squares: how much there is for one of each driver. Leaves out what is nothing."""
    square = [[_sum((row[one], row[other]) for row, _ in rows) for other in names] for one in names]
    right = [_sum((row[one], value) for row, value in rows) for one in names]
    for column in range(len(names)):
        pivot = next((row for row in range(column, len(names)) if square[row][column]), None)
        if pivot is None:
            raise ValueError(f"no run tells {names[column]} from {', '.join(names[:column])}: add one to SCENARIOS")
        square[column], square[pivot] = square[pivot], square[column]
        right[column], right[pivot] = right[pivot], right[column]
        for row in range(len(names)):
            if row != column:
                factor = square[row][column] / square[column][column]
                square[row] = [one - factor * other for one, other in zip(square[row], square[column], strict=True)]
                right[row] -= factor * right[column]
    found = {name: round(float(right[place] / square[place][place]), 2) for place, name in enumerate(names)}
    return {name: int(value) if value.is_integer() else value for name, value in found.items() if value}


def _sum(pairs: Iterable[tuple[float, float]]) -> Fraction:
    return sum((Fraction(one) * Fraction(other) for one, other in pairs), Fraction(0))


if __name__ == "__main__":
    main()
