"""Worker processes: each has a laptop of its own, with one service after the other on it."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from docferry.indexes import index_class
from tests.faults.catalogue import Case, singles
from tests.faults.harness import SCENARIOS, harness
from tests.faults.stage import RECORDS

if TYPE_CHECKING:
    from multiprocessing.queues import Queue as QueueType

Result = tuple[Case, list[str]]
Queue: TypeAlias = "QueueType[Result | None]"

# A fresh interpreter: the threads of the calling one would not survive a fork.
CONTEXT = multiprocessing.get_context("spawn")


def catalogue(services: list[str]) -> list[Case]:
    """Every single fault on some services."""
    with ProcessPoolExecutor(len(services), mp_context=CONTEXT) as pool:
        return [case for cases in pool.map(enumerated, services) for case in cases]


def scenarios(service: str) -> list[str]:
    """The scenarios of a place: the first layout knew no service without jobs, and not every source can go on."""
    left_out = set()
    if not index_class(service.partition("/")[0]).service.has_jobs:
        left_out.add("first layout")
    if service == RECORDS:
        left_out.add("pieces")
    return [scenario for scenario in SCENARIOS if scenario not in left_out]


def enumerated(service: str) -> list[Case]:
    """Every single fault on a service, from what the reference runs do."""
    with harness(service) as on:
        return [case for scenario in scenarios(service) for case in singles(service, scenario, on.reference(scenario))]


def tried(cases: list[Case], jobs: int) -> Iterator[Result]:
    """Try the cases in processes of their own, and yield what comes of them as it comes."""
    queue: Queue = CONTEXT.Queue()
    parts = [part for number in range(jobs) if (part := sorted(cases[number::jobs]))]
    workers = [CONTEXT.Process(target=work, args=(part, queue)) for part in parts]
    for worker in workers:
        worker.start()
    left = len(workers)
    while left:
        result = queue.get()
        if result is None:
            left -= 1
        else:
            yield result
    for worker in workers:
        worker.join()


def work(cases: list[Case], queue: Queue) -> None:
    """What one process does: cases of one service after the other, sorted by service."""
    try:
        for service, part in groupby(cases, key=lambda case: case.service):
            with harness(service) as on:
                for case in part:
                    queue.put((case, on.violations(case)))
    finally:
        queue.put(None)
