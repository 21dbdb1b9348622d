"""A connector that is opened where it runs: the same things for a command, on this machine and in AWS."""

from functools import cached_property

from botocore.exceptions import ClientError

from docferry.connector import Connector, Part
from docferry.groups import expansion
from docferry.groups.expansion import Expansion
from docferry.groups.reading import membership
from docferry.indexes import Index
from docferry.runtime import wiring
from docferry.state.keys import LEASE
from docferry.state.store import Store
from docferry.sync_job import lease
from docferry.sync_job.lease import Lease
from docferry_laptop import executions
from docferry_laptop.executions import Execution

# DescribeExecution is eventually consistent. With the pauses between them, these looks take some ten seconds.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
UNSEEN_LOOKS = 50


class Opened:
    """The index data source and the state bucket of a connector. Each makes its client when it is first used.

    ``target`` says where it runs, and ``part`` is the index with its ids there. ``interrupted`` says what becomes of an
    execution when the command that follows it is interrupted. ``look_seconds`` is how often to look at a run.
    """

    interrupted = "interrupted."
    look_seconds = 0.2

    def __init__(self, target: str, connector: Connector, part: Part, bucket: str) -> None:
        self.target = target
        self.connector = connector
        self.part = part
        self.bucket = bucket

    @cached_property
    def index(self) -> Index:
        """The index data source."""
        return wiring.index(self.connector.name, self.part, self.bucket)

    @property
    def answering(self) -> Index | None:
        """The index data source, or None when it cannot be asked now."""
        return self.index

    @cached_property
    def store(self) -> Store:
        """The state bucket."""
        return Store(self.bucket, wiring.client("s3"), self.index.data_source)

    @cached_property
    def expansion(self) -> Expansion | None:
        """Who is in which group, where the index does not know. Raises SourceUnavailable.

        Only runs keep what they find: who asks may not write to the bucket.
        """
        if self.index.service.on_groups or self.index.unprotected == "all":
            return None
        listed, part = self.connector.groups, self.connector.source
        source = wiring.source(self.connector.name, part) if listed else None
        where = membership(listed, source, part.kind, wiring.client("s3")) if listed else None
        return expansion.now(None, where, most=self.index.limits.principals)

    def running(self, run: str) -> bool:  # noqa: ARG002  # who can run something looks at the run
        """Whether the execution of a run has not ended. On this machine a run lives no longer than its command."""
        return False

    def why(self, run: str) -> str:  # noqa: ARG002  # as above
        """Why a run has ended without a report."""
        return "the process that ran it has ended before the run did; the next sync continues from there"


class Startable(Opened):
    """An opened connector whose state machine can be started."""

    def __init__(  # what is opened, and how to start it
        self, target: str, connector: Connector, part: Part, bucket: str, *, state_machine: str, interrupted: str
    ) -> None:
        super().__init__(target, connector, part, bucket)
        self.state_machine = state_machine
        self.interrupted = interrupted
        self._looks: dict[str, int] = {}

    def start(self, **inputs: object) -> Execution:
        """Start an execution, as a person or a program would."""
        execution = executions.start(self.state_machine, **inputs)
        self._looks[execution.run] = UNSEEN_LOOKS
        return execution

    def execution(self, run: str) -> Execution:
        """The execution of a run. It need not exist: its status tells."""
        return Execution(self.state_machine.replace(":stateMachine:", ":execution:") + f":{run}", run)

    def running(self, run: str) -> bool:
        """See Opened. An execution that does not exist may have begun a moment ago.

        One that was started here counts as running for a number of looks, another while it holds a young lease.
        """
        try:
            return self.execution(run).status() in {"RUNNING", "PENDING_REDRIVE"}
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
        if self._looks.get(run, 0) > 0:
            self._looks[run] -= 1
            return True
        held = self.store.read(LEASE, Lease)
        return held is not None and held.value.run == run and held.age < lease.YOUNG

    def why(self, run: str) -> str:
        """See Opened."""
        try:
            return self.execution(run).error()
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return "Step Functions does not know this execution any more"
