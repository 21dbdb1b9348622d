"""What is wanted of a simulated run, and what it took."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from benchmarks.scale.repository import FOLDER, Edition, Edits
from docferry.runtime.lambdas import FUNCTIONS
from docferry_laptop.costs import calibration
from docferry_laptop.costs.bill import Bill
from docferry_laptop.costs.usage import Usage

Scenario = Literal["first", "one_percent", "unchanged", "all_changed"]
FIRST: Scenario = "first"
SCENARIOS: dict[Scenario, Edits] = {
    FIRST: Edits(),
    "one_percent": Edits(edited_one_in=100, gone_one_in=10_000),
    "unchanged": Edits(),
    "all_changed": Edits(edited_one_in=1),
}
"""What was done to the repository before each run."""
USUAL: tuple[Scenario, ...] = (FIRST, "one_percent", "unchanged")
"""What is run where nothing else is asked for: a run of which all changed takes as long as the first."""
NEARLY = 14 / 15
"""Of the time that Lambda gives an invocation: past this it is too near to the end."""
HANDLER_MIB = 256
"""What a handler may take above its imports."""


class Most(Struct):
    """The most that any invocation of a function has needed: seconds, and MiB."""

    seconds: float = 0.0
    memory_mib: float = 0.0
    disk_mib: float = 0.0


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be run. ``rate`` is in calls of an operation a second that the index takes.

    ``folder``: how many documents a folder of the repository has.
    """

    documents: int
    scenario: Scenario
    rate: float
    sidecars: bool = False
    folder: int = FOLDER
    seed: int = 0
    counts_processor: bool = True

    @property
    def edition(self) -> Edition:
        """The repository as the run finds it."""
        edits = SCENARIOS[self.scenario]
        return Edition(
            documents=self.documents, edits=edits, sidecars=self.sidecars, folder=self.folder, seed=self.seed
        )


class Measured(Struct, frozen=True, kw_only=True):
    """What a run took: seconds of virtual time, MiB, numbers of calls, and US dollars without the index itself.

    ``longest_s`` is the longest invocation. ``sending_s`` is from the first to the last put, ``ideal_s`` what its calls
    take at the rate of the index. ``correct``: the run has succeeded, the index holds what the repository does, and
    was sent what is new or was edited, and nothing else.
    """

    documents: int
    scenario: str
    wall_s: float
    invocations: int
    longest_s: float
    memory_mib: float
    disk_mib: float
    s3_calls: int
    index_calls: int
    history_events: int
    dollars: float
    sidecars: bool
    correct: bool
    status: str
    throttled: int
    children_at_once: int
    child_events: int
    sending_s: float
    ideal_s: float
    functions: dict[str, Most]
    usage: Usage
    bill: Bill
    problems: tuple[str, ...]


def problems_of(found: dict[str, Most], events: int, child_events: int, *, correct: bool) -> Iterator[str]:
    """Where a run comes too near to what AWS allows."""
    service = calibration.load().service
    if not correct:
        yield "the index does not hold what the repository does, or was sent what it had"
    for function in FUNCTIONS:
        most = found.get(function.name, Most())
        if most.seconds > NEARLY * service.function_seconds.value:
            yield f"{function.name} takes {most.seconds:,.0f} s"
        if most.memory_mib > min(HANDLER_MIB, function.memory):
            yield f"{function.name} takes {most.memory_mib:,.0f} MiB of memory"
        if most.disk_mib > getattr(function, "ephemeral_storage", service.disk_mib.value):
            yield f"{function.name} takes {most.disk_mib:,.0f} MiB of disk"
    if max(events, child_events) > service.history_events.value:
        yield f"a history has {max(events, child_events):,} events"
