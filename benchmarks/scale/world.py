"""One run of one connector in the simulated AWS, and what it took."""

import io
import os
import pickle
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from benchmarks.scale import disk, repository
from benchmarks.scale.bucket import Bucket
from benchmarks.scale.calls import Calls, Tell
from benchmarks.scale.kendra import ABSENT, KEPT, PUT, Kendra, Service
from benchmarks.scale.lambdas import Lambda, Running, environments
from benchmarks.scale.machine import Machine
from benchmarks.scale.measured import Measured, Wanted, problems_of
from benchmarks.scale.s3 import S3
from benchmarks.scale.threads import Pool, instead_of_real_time
from benchmarks.scale.virtual import Simulation
from docferry.connector import Connector, Part
from docferry.runtime import handling, wiring
from docferry.runtime.assets import DEFINITION
from docferry.runtime.settings import Settings
from docferry_laptop.costs import bill, calibration, prices

STATE_BUCKET = "state"
CONNECTOR = Connector(
    "scale",
    Part("s3", {"bucket": repository.NAME}),
    Part(
        "kendra",
        {
            "index_id": "01234567-89ab-cdef-0123-456789abcdef",
            "data_source_id": "01234567-89ab-cdef-0123-456789abcde0",
            "role_arn": "arn:aws:iam::123456789012:role/kendra",
        },
    ),
)


class World:
    """What outlives a run, in a folder: the state bucket, and what the index holds."""

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.pickle"
        self.bucket = Bucket(folder)
        self.service: Service = pickle.loads(self._index.read_bytes()) if self._index.exists() else Service()

    def save(self) -> None:
        """Leave what the index holds in the folder."""
        self._index.write_bytes(pickle.dumps(self.service))

    def run(self, wanted: Wanted, tell: Tell) -> Measured:
        """Run the connector once."""
        random.seed(wanted.seed)  # the jitter of tenacity
        first = not any(self.service.holds)
        self.service.restart(wanted.rate, wanted.edition.numbers)
        simulation = Simulation(counts_processor=wanted.counts_processor)
        calls = Calls(simulation, calibration.load(), tell)
        s3 = S3(calls, self.bucket, wanted.edition)
        functions = Lambda(calls)
        definition = msgspec.json.decode(DEFINITION.read_bytes())
        machine = Machine(calls, functions, s3, definition, wanted.seed)
        clients = {"s3": s3, "kendra": Kendra(calls, self.service), "stepfunctions": machine, "events": Events(calls)}
        with _simulated(simulation, calls, clients) as printed:
            outcome, events, ended = simulation.run(
                lambda: (*machine.execute(f"{wanted.scenario}-{wanted.seed}", {}), simulation.now)
            )
        usage = calls.usage
        figures = calls.figures.bytes
        usage.log_bytes = printed.tell() + figures.transition_log * usage.transitions
        charged = bill.of_run(usage, prices.load())
        found = functions.most
        puts = int(usage.of("put_batch").index_calls)
        correct = not outcome.error and self.service.holds == _held(wanted.edition, first=first)
        return Measured(
            documents=wanted.documents,
            scenario=wanted.scenario,
            wall_s=round(ended, 1),
            invocations=int(usage.invocations),
            longest_s=round(max(one.seconds for one in found.values()), 1),
            memory_mib=round(max(one.memory_mib for one in found.values()), 1),
            disk_mib=round(max(one.disk_mib for one in found.values()), 1),
            s3_calls=int(usage.s3_puts + usage.s3_gets) + calls.free,
            index_calls=int(usage.index_calls),
            history_events=events,
            dollars=round(charged.dollars, 4),
            sidecars=wanted.sidecars,
            correct=correct,
            status=f"{outcome.error}: {outcome.cause}" if outcome.error else "SUCCEEDED",
            throttled=self.service.throttled,
            children_at_once=machine.children,
            child_events=machine.child_events,
            sending_s=round(self.service.last_put - (self.service.first_put or 0.0), 1),
            ideal_s=round((puts - self.service.throttled) / wanted.rate, 1),
            functions=dict(found),
            usage=usage,
            bill=charged,
            problems=tuple(problems_of(found, events, machine.child_events, correct=correct)),
        )


def _held(edition: repository.Edition, *, first: bool) -> bytearray:
    """What the index is to hold after a run that finds this edition: see ``Service``."""
    held = bytearray(edition.numbers)
    for number in range(edition.numbers):
        put = first or edition.new(number) or edition.edited(number)
        held[number] = ABSENT if not edition.exists(number) else PUT if put else KEPT
    return held


@contextmanager
def _simulated(simulation: Simulation, calls: Calls, clients: dict[str, Any]) -> Iterator[io.TextIOBase]:
    """Put the simulation in the place of AWS, of threads, and of the clock. Gives what functions print."""
    settings = Settings(STATE_BUCKET, CONNECTOR)
    printed = Printed()

    def client(name: str) -> Any:
        return clients[name]

    def disk_now() -> disk.Disk | None:
        owner = simulation.owner
        return owner.disk if isinstance(owner, Running) else None

    class Threads(Pool):
        """Threads of this simulation."""

    Threads.simulation = simulation
    handling._wired.cache_clear()  # noqa: SLF001  # its clients are of the simulation before
    handling.logger.cache_clear()
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, settings.to_env()))
        stack.enter_context(patch.object(wiring, "client", client))
        stack.enter_context(patch.object(sys, "stdout", printed))
        stack.enter_context(instead_of_real_time(simulation))
        stack.enter_context(disk.counted(disk_now))
        stack.enter_context(environments(calls))
        for module in [module for name, module in sys.modules.items() if name.startswith("docferry.")]:
            if hasattr(module, "ThreadPoolExecutor"):
                stack.enter_context(patch.object(module, "ThreadPoolExecutor", Threads))
        yield printed
    handling._wired.cache_clear()  # noqa: SLF001  # as before
    handling.logger.cache_clear()


class Events:
    """EventBridge: takes the messages of a run."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """See EventBridge. A call takes as long as one of S3."""
        self._calls.simulation.worked()
        self._calls.simulation.answer(self._calls.times.s3_call.seconds)
        return {"Entries": [{"EventId": str(number)} for number, _ in enumerate(Entries)]}


class Printed(io.TextIOBase):
    """Counts what is printed, and forgets it: it is what goes to CloudWatch Logs."""

    def __init__(self) -> None:
        self._bytes = 0

    def write(self, text: str) -> int:
        """Count a text."""
        self._bytes += len(text.encode())
        return len(text)

    def tell(self) -> int:
        """How many bytes were printed."""
        return self._bytes
