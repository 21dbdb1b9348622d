"""What every Lambda handler has around it: settings, a typed event, logs, metrics and traces."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, Protocol, TypeVar

import msgspec
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from docferry.errors import ConfigurationError, DocferryError, ServiceUnavailable
from docferry.runtime.log_texts import DONE, failure
from docferry.runtime.settings import Settings
from docferry.runtime.wiring import Wired, wire
from docferry.state.passing import may_pass
from docferry.sync_job import job as sync_job


class OfRun(Protocol):
    """Every event says which run it belongs to."""

    @property
    def run(self) -> str:
        """The name of the execution."""
        ...


Event = TypeVar("Event", bound=OfRun)
Handler = Callable[[dict[str, Any], LambdaContext], Any]
StateFunction = Callable[[Wired, Event, LambdaContext], Struct]

COUNTED = {
    "added": "DocumentsAdded",
    "modified": "DocumentsModified",
    "deleted": "DocumentsDeleted",
    "failed": "DocumentsFailed",
}
"""Fields of a result that are metrics too."""


def handles(event_type: type[Event]) -> Callable[[StateFunction[Event]], Handler]:
    """Turn ``state(wired, event, context)`` into a Lambda handler.

    The event is read into ``event_type``; every log line carries the run and the execution id of
    its sync job; counts in the result become metrics; an error reaches Step Functions under the name of its class. What
    keeps the state bucket from answering, and may pass, is a ServiceUnavailable: Retry knows that name, and none of
    botocore's.
    """

    def decorate(state: StateFunction[Event]) -> Handler:
        name = state.__module__.rpartition(".")[2]

        def handler(raw: dict[str, Any], context: LambdaContext) -> Any:
            settings = Settings.from_env(os.environ)
            log = logger(settings.connector.name)
            with _keys(log, {"state": name, "run": raw.get("run")}), _subsegment(settings.connector.name, name):
                try:
                    event = read(raw, event_type)
                    works_with = wired(settings)
                    record = sync_job.of_run(works_with.store, event.run)
                    log.thread_safe_append_keys(execution_id=record.execution_id if record else None)
                    result = state(works_with, event, context)
                except DocferryError as error:
                    log.warning(failure(error))
                    raise
                except Exception as error:
                    if isinstance(error, ClientError | BotoCoreError) and may_pass(error):
                        passing = ServiceUnavailable(str(error))
                        log.warning(failure(passing))
                        raise passing from error
                    log.exception("unexpected error")
                    raise
                built: dict[str, Any] = msgspec.to_builtins(result)
                log.info(DONE, result=built)
                counted = {metric: built[field] for field, metric in COUNTED.items() if field in built}
                count(settings.connector.name, name, counted)
                return built

        return handler

    return decorate


def read(raw: dict[str, Any], event_type: type[Event]) -> Event:
    """The event of a function. Raises ConfigurationError, which names the member of the input that is wrong."""
    try:
        return msgspec.convert(raw, event_type)
    except msgspec.ValidationError as error:
        raise ConfigurationError(
            f"the input of the execution is not valid: {error}; statemachine/README.md lists its members"
        ) from error


@contextmanager
def _keys(logger: Logger, keys: dict[str, str | None]) -> Iterator[None]:
    # Not append_context_keys: those keys are shared by all threads of the process, as the children of a Map are on a
    # laptop.
    logger.thread_safe_append_keys(**keys)
    try:
        yield
    finally:
        logger.thread_safe_clear_keys()


def wired(settings: Settings) -> Wired:
    """What the functions of a connector work with, built once a process."""
    return _wired(tuple(sorted(settings.to_env().items())))


@cache
def _wired(env: tuple[tuple[str, str], ...]) -> Wired:
    return wire(Settings.from_env(dict(env)))


@cache
def logger(connector: str) -> Logger:
    """The logger of the functions of a connector."""
    return Logger(service=connector, log_uncaught_exceptions=False)


def _subsegment(connector: str, state: str) -> AbstractContextManager[Any]:
    # Outside Lambda Powertools traces nothing; and the X-Ray SDK takes as long to import as all of boto3.
    return (
        _tracer(connector).provider.in_subsegment(f"## {state}") if "LAMBDA_TASK_ROOT" in os.environ else nullcontext()
    )


@cache
def _tracer(connector: str) -> Tracer:
    return Tracer(service=connector)


def count(connector: str, state: str, counts: dict[str, int]) -> None:
    """Write counts as metrics, by their names."""
    if not counts:
        return
    # Not powertools' Metrics, whose state is shared by all threads of the process: on a laptop the Map's children are
    # threads of one process.
    metrics = EphemeralMetrics(namespace="Docferry", service=connector)
    metrics.add_dimension("state", state)
    for metric, number in counts.items():
        metrics.add_metric(metric, MetricUnit.Count, number)
    metrics.flush_metrics()
