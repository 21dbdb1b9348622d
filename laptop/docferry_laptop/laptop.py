"""The deployed system on a laptop: the real state machine and handlers, moto, and the two emulators."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
from msgspec import Struct

import docferry_emulators
from docferry.connector import Connector
from docferry.reporting import ledger
from docferry.runtime.assets import DEFINITION
from docferry.runtime.lambdas import FUNCTIONS
from docferry.runtime.settings import Settings
from docferry.runtime.wiring import Wired, wire
from docferry.state.store import Store
from docferry.sync_job import lease
from docferry_emulators import Emulation
from docferry_emulators.clock import Clock, VirtualClock
from docferry_laptop import executions
from docferry_laptop.executions import Execution
from docferry_laptop.indexes import ROLE
from docferry_laptop.moto.lambda_runtime import Deployed, LambdaRuntime, lambda_runtime
from docferry_laptop.moto.speed import calls_within, shortcuts
from docferry_laptop.moto.virtual_time import waiting_on
from docferry_laptop.provision import provision
from docferry_laptop.storage import ACCOUNT, REGION, create_bucket, state_bucket, storage


class Deployment(Struct, frozen=True):
    """A deployed connector: its state machine, and the objects that its functions use."""

    state_machine: str
    wired: Wired

    def start(self, **inputs: object) -> Execution:
        """Start an execution, as a schedule or a person would."""
        return executions.start(self.state_machine, **inputs)


class Laptop:
    """The running AWS of the laptop."""

    def __init__(self, emulation: Emulation, runtime: LambdaRuntime, clock: Clock) -> None:
        self.emulation = emulation
        self.runtime = runtime
        self.clock = clock

    def deploy(self, connector: Connector, topic: str = "") -> Deployment:
        """Deploy a connector: its state bucket, its index and data source, its functions and its state machine.

        ``topic`` is the ARN of a topic that its messages go to.
        """
        connector = provision(connector, self.clock)
        bucket = state_bucket(connector.name)
        create_bucket(bucket)
        settings = Settings(bucket, connector, topic)
        name = f"docferry-{connector.name}"
        arns = {
            function.placeholder: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}-{function.name}"
            for function in FUNCTIONS
        }
        for function in FUNCTIONS:
            self.runtime.deploy(Deployed(arns[function.placeholder], function, settings.to_env()))
        machine = boto3.client("stepfunctions").create_state_machine(
            name=name,
            definition=fill(DEFINITION.read_text(), {**arns, "StateBucket": bucket, "Partition": "aws"}),
            roleArn=ROLE,
        )
        wired = wire(settings)
        clear_lease(wired.store)
        return Deployment(machine["stateMachineArn"], wired)


@contextmanager
def laptop(
    *,
    state: Path | None = None,
    clock: Clock | None = None,
    settings: docferry_emulators.Settings = docferry_emulators.DEFAULTS,
) -> Iterator[Laptop]:
    """Start the laptop's AWS.

    ``state`` is the folder that keeps its data from one process to the next; None keeps the data in memory. Raises
    ConfigurationError when another process uses the folder.
    """
    clock = clock or VirtualClock()
    # This silences the interpreter. It warns that ToleratedFailurePercentage has no effect, but Commit counts the
    # shards itself. It also reports every execution that fails, but the run's own report does that better.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        emulation = stack.enter_context(storage(state=state, clock=clock, settings=settings))
        log = stack.enter_context((state / "functions.log").open("a", encoding="utf-8")) if state is not None else None
        runtime = LambdaRuntime(log)
        stack.enter_context(lambda_runtime(runtime))
        stack.enter_context(waiting_on(clock))
        stack.enter_context(shortcuts())
        stack.enter_context(calls_within())
        # A handler must not outlive the emulation that it calls.
        stack.callback(executions.stop_all)
        yield Laptop(emulation, runtime, clock)


def clear_lease(store: Store) -> None:
    """Free the lease of a run that died with its process."""
    run = lease.abandon(store, boto3.client("stepfunctions"))
    if run is not None:
        ledger.abandon(store, run)


def fill(definition: str, substitutions: Mapping[str, str]) -> str:
    """Fill the ``${Placeholders}`` of a state machine's definition."""
    for name, value in substitutions.items():
        definition = definition.replace(f"${{{name}}}", value)
    return definition
