"""A connector that is opened where it runs: the same things for a command, on this machine and in AWS."""

from functools import cached_property

from docferry.connector import Connector, Part
from docferry.indexes import Index
from docferry.runtime import wiring
from docferry.state.store import Store
from docferry_laptop import executions
from docferry_laptop.executions import Execution


class Opened:
    """The index data source and the state bucket of a connector. Each makes its client when it is first used.

    ``target`` says where it runs, and ``part`` is the index with its ids there.
    """

    def __init__(self, target: str, connector: Connector, part: Part, bucket: str) -> None:
        self.target = target
        self.connector = connector
        self.part = part
        self.bucket = bucket

    @cached_property
    def index(self) -> Index:
        """The index data source."""
        return wiring.index(self.connector.name, self.part)

    @cached_property
    def store(self) -> Store:
        """The state bucket."""
        return Store(self.bucket, wiring.client("s3"), self.index.data_source)


class Startable(Opened):
    """An opened connector whose state machine can be started.

    ``interrupted`` says what becomes of an execution when the command that follows it is interrupted.
    """

    def __init__(  # what is opened, and how to start it
        self, target: str, connector: Connector, part: Part, bucket: str, *, state_machine: str, interrupted: str
    ) -> None:
        super().__init__(target, connector, part, bucket)
        self.state_machine = state_machine
        self.interrupted = interrupted

    def start(self, **inputs: object) -> Execution:
        """Start an execution, as a person or a program would."""
        return executions.start(self.state_machine, **inputs)

    def execution(self, run: str) -> Execution:
        """The execution of a run. It need not exist: its status tells."""
        return Execution(self.state_machine.replace(":stateMachine:", ":execution:") + f":{run}", run)
