"""Zombies: a function that stands still, loses its execution, and wakes up beside the next run or after it."""

import threading
from typing import Any

from tests.faults.kinds import DOCUMENTS, Fault
from tests.faults.points import Call, Point, Proceed, Watch
from tests.faults.stage import PATIENCE_SECONDS, Ended, Stage

PUTS = frozenset({"BatchPutDocument", "IngestKnowledgeBaseDocuments"})
LATER = {"deck": "ann fay", "crew": "@deck", "large": "ann bob eve gus", "new": "eve fay", "gone": "eve"}
"""The list of groups when the next run reads it."""


class Zombie(Fault):
    """The function stands still at the point, its execution is aborted, the next run goes to its end; then it wakes.

    Meanwhile the source has a document again that the first run found gone. Waking up must change nothing.
    """

    kind = "zombie"

    def __init__(self, stage: Stage, watch: Watch, point: Point) -> None:
        super().__init__(stage, watch, point)
        self.before: tuple[Any, ...] | None = None

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Let another run pass, then proceed."""
        with self.watch.outside():
            self.stage.abort(call.run)
            self.stage.write("c.txt", "c is back")
            # Q Business has no ordering ids: the one call that is under way counts there, as docs/guarantees.md says.
            if self.stage.service == "kendra" or self.point.operation not in {"PutGroup", "DeleteGroup"}:
                self.stage.define({**LATER} if self.stage.connector.groups else {})
            other = self.stage.sync()
            if self.alone and other.status != "SUCCEEDED":
                self.problems.append(f"the next run did not succeed: {other.report}")
            self.before = self._state()
        return proceed()

    def end(self) -> None:
        """Compare what is there with what the next run left."""
        # Bedrock knows no jobs: the one call that is under way counts there, and the run after it sends it again.
        if self.stage.service == "bedrock" and self.point.operation in DOCUMENTS:
            return
        if self.before is not None and self._state() != self.before:
            self.problems.append(f"the zombie changed something: {self.before} became {self._state()}")

    def _state(self) -> tuple[Any, ...]:
        return self.stage.index(), self.stage.manifest(), self.stage.groups(), self.stage.known_groups()


class ZombieAmidst(Fault):
    """The function stands still, its execution is aborted, and it wakes while the next run is sending documents."""

    kind = "zombie, amid the next run"

    def __init__(self, stage: Stage, watch: Watch, point: Point) -> None:
        super().__init__(stage, watch, point)
        self.zombie = 0
        self.other: Ended | None = None
        self._awake = threading.Event()
        self._asleep_again = threading.Event()
        self._thread: threading.Thread | None = None

    def hits(self, call: Call) -> bool:
        """Also at the first put of the next run."""
        return super().hits(call) or (self.struck > 0 and call.run != self.run and call.point.operation in PUTS)

    def strike(self, call: Call, proceed: Proceed) -> Any:
        """Start the next run and wait for its put; or, in the next run, let the zombie go on first."""
        if call.run != self.run:
            self._awake.set()
            self._asleep_again.wait(PATIENCE_SECONDS)
            return proceed()
        self.zombie = call.invocation
        with self.watch.outside():
            self.stage.abort(call.run)
            self.stage.write("c.txt", "c is back")
            self._thread = threading.Thread(target=self._next)
            self._thread.start()
            self._awake.wait(PATIENCE_SECONDS)
        return proceed()

    def returned(self, invocation: int) -> None:
        """Let the next run go on when the zombie is done."""
        if invocation == self.zombie:
            self._asleep_again.set()

    def end(self) -> None:
        """Wait for the next run."""
        self._asleep_again.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_SECONDS)

    def _next(self) -> None:
        self.other = self.stage.sync()
        self._awake.set()
