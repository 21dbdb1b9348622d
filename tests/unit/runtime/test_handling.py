"""What is around every handler: settings, typed events, logs with the run in each line, metrics, errors by name."""

import json
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
    UnknownServiceError,
)
from msgspec import Struct

from docferry.connector import Connector, Part
from docferry.errors import ConfigurationError, ServiceUnavailable, Throttled
from docferry.runtime import handling
from docferry.runtime.handling import Handler, handles
from docferry.runtime.lambdas import FUNCTIONS
from docferry.runtime.settings import Settings
from docferry.runtime.wiring import Wired
from docferry.state.runs import Run
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry_laptop.moto.lambda_runtime import Deployed, LambdaContext
from tests.unit.fakes import FakeIndex, wired

EVENT = {"run": "run-1", "execution": "arn:run-1", "crawled": {"more": "than the handler reads"}}


class Applied(Struct, frozen=True):
    """A result with counts."""

    shard: str = "put-00000"
    added: int = 3
    modified: int = 0
    deleted: int = 0
    failed: int = 1


class Printed:
    """What a handler has printed."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def lines(self) -> list[dict[str, Any]]:
        """Each line; all of them are JSON."""
        return [json.loads(line) for line in self._capture.readouterr().out.splitlines()]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """What is printed during the test."""
    return Printed(capsys)


@pytest.fixture
def context() -> Any:
    """The context that Lambda hands over."""
    return LambdaContext(Deployed("arn:aws:lambda:us-east-1:123456789012:function:f", FUNCTIONS[0], {}))


@pytest.fixture
def clients(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Let functions of one connector run here; gives the settings that clients were built for."""
    # Powertools keeps a logger, with its stream, for each name: the name is one that no other test has.
    settings = Settings(store.bucket, Connector(f"handbook-{store.bucket}", Part("files"), Part("kendra")))
    for name, value in settings.to_env().items():
        monkeypatch.setenv(name, value)
    built: list[Settings] = []

    def wire(settings: Settings) -> Wired:
        built.append(settings)
        return wired(store, FakeIndex())

    monkeypatch.setattr(handling, "wire", wire)
    return built


def handler_of(state: Callable[[Wired, Run], Struct]) -> Handler:
    """A handler, as functions/*.py make it."""

    @handles(Run)
    def handler(wired: Wired, event: Run, _context: Any) -> Struct:
        return state(wired, event)

    return handler


@pytest.mark.usefixtures("clients")
def test_a_handler_gets_a_typed_event_and_gives_plain_json(context: Any) -> None:
    """Members that the state does not read pass by; the result can travel through Step Functions."""
    seen = []

    def state(_: Wired, event: Run) -> Applied:
        seen.append(event)
        return Applied()

    result = handler_of(state)(EVENT, context)

    assert seen == [Run("run-1", "arn:run-1")]
    assert result == {"shard": "put-00000", "added": 3, "modified": 0, "deleted": 0, "failed": 1}


def test_every_log_line_names_the_run_and_the_sync_job(
    store: Store, clients: list[Settings], context: Any, printed: Printed
) -> None:
    """A person who searches the logs for either finds everything that was done in it."""
    sync_job.start(store, FakeIndex(), "run-1")

    handler_of(lambda _wired, _event: Applied())(EVENT, context)

    logged = [line for line in printed.lines() if "_aws" not in line]
    assert logged
    for line in logged:
        assert line["run"] == "run-1"
        assert line["execution_id"] == "execution-1"
        assert line["state"] == "test_handling"
        assert line["service"] == clients[0].connector.name
    assert logged[-1]["message"] == "done"
    assert logged[-1]["result"]["added"] == 3


@pytest.mark.usefixtures("clients")
def test_a_run_without_a_job_is_logged_all_the_same(context: Any, printed: Printed) -> None:
    """The crawl comes before the job."""
    handler_of(lambda _wired, _event: Applied())(EVENT, context)

    (done,) = [line for line in printed.lines() if "_aws" not in line]
    assert done["run"] == "run-1"
    assert done.get("execution_id") is None


@pytest.mark.usefixtures("clients")
def test_threads_do_not_mix_up_their_runs(context: Any, printed: Printed) -> None:
    """On a laptop the children of a Map are threads: one that ends takes nothing from the others' log lines."""
    inside, other_ended = threading.Event(), threading.Event()

    def slow(_: Wired, event: Run) -> Applied:
        if event.run == "slow":
            inside.set()
            assert other_ended.wait(10)
        return Applied()

    handler = handler_of(slow)
    thread = threading.Thread(target=handler, args=({**EVENT, "run": "slow"}, context))
    thread.start()
    assert inside.wait(10)
    handler({**EVENT, "run": "quick"}, context)
    other_ended.set()
    thread.join()

    assert [line["run"] for line in printed.lines() if "_aws" not in line] == ["quick", "slow"]


def test_counts_in_the_result_are_metrics(clients: list[Settings], context: Any, printed: Printed) -> None:
    """In the embedded metric format: CloudWatch reads them from the log."""
    handler_of(lambda _wired, _event: Applied())(EVENT, context)

    (metrics,) = [line for line in printed.lines() if "_aws" in line]
    (described,) = metrics["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "Docferry"
    assert {metric["Name"] for metric in described["Metrics"]} == {
        "DocumentsAdded",
        "DocumentsModified",
        "DocumentsDeleted",
        "DocumentsFailed",
    }
    assert (metrics["DocumentsAdded"], metrics["DocumentsFailed"]) == ([3.0], [1.0])
    assert metrics["service"] == clients[0].connector.name
    assert metrics["state"] == "test_handling"
    assert sorted(described["Dimensions"][0]) == ["service", "state"]


@pytest.mark.usefixtures("clients")
def test_a_result_without_counts_has_no_metrics(context: Any, printed: Printed) -> None:
    """An empty metric would be an error of Powertools."""
    handler_of(lambda _wired, event: event)(EVENT, context)

    assert not [line for line in printed.lines() if "_aws" in line]


@pytest.mark.usefixtures("clients")
def test_an_expected_error_is_raised_as_it_is_and_logged_as_a_warning(context: Any, printed: Printed) -> None:
    """Lambda reports an exception under the name of its class, which is what Retry and Catch name."""

    def state(*_: object) -> Struct:
        raise Throttled("slow down")

    with pytest.raises(Throttled, match="slow down"):
        handler_of(state)(EVENT, context)

    (line,) = printed.lines()
    assert line["level"] == "WARNING"
    assert line["message"] == "Throttled: slow down"
    assert line["run"] == "run-1"


def answer(code: str, status: int) -> ClientError:
    """What S3 refuses a call with."""
    reply: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, "PutObject")


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(
    "error",
    [
        answer("SlowDown", 503),
        answer("InternalError", 500),
        answer("RequestTimeout", 400),
        ReadTimeoutError(endpoint_url="https://s3"),
        EndpointConnectionError(endpoint_url="https://s3"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_what_keeps_the_state_bucket_from_answering_is_tried_again(
    error: Exception, context: Any, printed: Printed
) -> None:
    """Retry names no error of botocore: without a name that it knows, one 503 of S3 would end a run."""

    def state(*_: object) -> Struct:
        raise error

    with pytest.raises(ServiceUnavailable, match=re.escape(str(error))):
        handler_of(state)(EVENT, context)

    (line,) = printed.lines()
    assert line["level"] == "WARNING"


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(
    "error",
    [
        answer("AccessDenied", 403),
        UnknownServiceError(service_name="s4", known_service_names="s3"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(error: Exception, context: Any, printed: Printed) -> None:
    """A person has to do something first, and reads the trace."""

    def state(*_: object) -> Struct:
        raise error

    with pytest.raises(type(error)):
        handler_of(state)(EVENT, context)

    (line,) = printed.lines()
    assert line["level"] == "ERROR"


@pytest.mark.usefixtures("clients")
def test_an_unexpected_error_is_logged_with_its_trace(context: Any, printed: Printed) -> None:
    """A bug is to be found from the log."""

    def state(*_: object) -> Struct:
        raise KeyError("oops")

    with pytest.raises(KeyError):
        handler_of(state)(EVENT, context)

    (line,) = printed.lines()
    assert line["level"] == "ERROR"
    assert line["exception_name"] == "KeyError"
    assert "test_handling.py" in line["exception"]
    assert line["run"] == "run-1"


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize("event", [{}, {"run": "run-1"}, {"run": 1, "execution": "arn"}])
def test_an_event_that_does_not_fit_is_refused(context: Any, event: dict[str, Any]) -> None:
    """The state never sees half an event."""
    seen = []

    with pytest.raises(ConfigurationError, match="input of the execution"):
        handler_of(lambda _wired, event: seen.append(event) or Applied())(event, context)  # type: ignore[func-returns-value]
    assert seen == []


def test_clients_are_built_once_a_process(clients: list[Settings], context: Any) -> None:
    """Building them takes longer than most invocations."""
    handler = handler_of(lambda _wired, _event: Applied())

    handler(EVENT, context)
    handler(EVENT, context)

    assert len(clients) == 1


def test_a_function_without_its_environment_says_so(monkeypatch: pytest.MonkeyPatch, context: Any) -> None:
    """It was deployed wrongly; nothing is done."""
    for name in ("STATE_BUCKET", "CONNECTOR"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(ConfigurationError, match="STATE_BUCKET is not set"):
        handler_of(lambda _wired, _event: Applied())(EVENT, context)
