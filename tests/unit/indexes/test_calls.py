"""One call of a service: every error in Docferry's terms, and tried again only while that may help."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from docferry.errors import (
    AccessDenied,
    ConfigurationError,
    Conflict,
    DocferryError,
    QuotaExceeded,
    RequestRefused,
    ResourceNotFound,
    ServiceUnavailable,
    Throttled,
)
from docferry.indexes.calls import PACE, PATIENCE, once, patiently, persistently, translated, within
from docferry_emulators.clock import VirtualClock

ATTEMPTS = 8


def client_error(code: str, status: int = 400) -> ClientError:
    """An error as boto3 raises it."""
    reply: Any = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, "BatchPutDocument")


class Failing:
    """A method of a client that raises these errors, one a call, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **params: Any) -> str:
        """Answer, or not."""
        self.calls.append(params)
        if self._errors:
            raise self._errors.pop(0)
        return "answer"


CODES: list[tuple[str, int, type[DocferryError]]] = [
    ("AccessDeniedException", 400, AccessDenied),
    ("AccessDeniedException", 403, AccessDenied),
    ("ConflictException", 409, Conflict),
    ("ResourceInUseException", 400, Conflict),
    ("InternalServerException", 500, ServiceUnavailable),
    ("ResourceNotFoundException", 404, ResourceNotFound),
    ("ServiceQuotaExceededException", 402, QuotaExceeded),
    ("ThrottlingException", 400, Throttled),
    ("ThrottlingException", 429, Throttled),
    ("ValidationException", 400, RequestRefused),
    # Codes that nobody has heard of: the status decides.
    ("SomethingNew", 400, RequestRefused),
    ("SomethingNew", 500, ServiceUnavailable),
    ("503", 503, ServiceUnavailable),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES)
def test_an_exception_of_a_service_has_its_meaning(code: str, status: int, kind: type[DocferryError]) -> None:
    """The text names the operation, the code and what the service said."""
    error = translated(client_error(code, status))

    assert type(error) is kind
    assert str(error).partition(";")[0] == f"BatchPutDocument: {code}: why"


BROKEN: list[tuple[Exception, type[DocferryError]]] = [
    (boto.EndpointConnectionError(endpoint_url="https://kendra"), ServiceUnavailable),
    (boto.ConnectTimeoutError(endpoint_url="https://kendra"), ServiceUnavailable),
    (boto.ReadTimeoutError(endpoint_url="https://kendra"), ServiceUnavailable),
    (boto.ConnectionClosedError(endpoint_url="https://kendra"), ServiceUnavailable),
    (boto.SSLError(endpoint_url="https://kendra", error=OSError("handshake")), ServiceUnavailable),
    (boto.ProxyConnectionError(proxy_url="http://proxy"), ServiceUnavailable),
    (boto.HTTPClientError(error="reset"), ServiceUnavailable),
    (boto.NoCredentialsError(), ConfigurationError),
    (boto.PartialCredentialsError(provider="env", cred_var="secret"), ConfigurationError),
    (boto.ParamValidationError(report="Invalid length"), RequestRefused),
]


@pytest.mark.parametrize(("error", "kind"), BROKEN, ids=lambda value: getattr(value, "__name__", type(value).__name__))
def test_a_broken_way_to_the_service_may_mend_and_a_bad_request_does_not(
    error: Exception, kind: type[DocferryError]
) -> None:
    """A connection that cannot be made says nothing of the documents; what boto3 itself refuses does."""
    with pytest.raises(kind) as raised:
        once(Failing(error))

    assert type(raised.value) is kind
    assert raised.value.__cause__ is error


def test_another_exception_is_a_bug_and_passes() -> None:
    """It is not dressed up as an error of the service."""
    with pytest.raises(ZeroDivisionError):
        once(Failing(ZeroDivisionError()))


@pytest.mark.parametrize("call", [once, patiently, persistently])
def test_an_answer_is_given_back(call: Callable[..., Any]) -> None:
    """The parameters go through as they are."""
    method = Failing()

    assert call(method, IndexId="i", Documents=[]) == "answer"
    assert method.calls == [{"IndexId": "i", "Documents": []}]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerException"])
def test_what_may_pass_is_waited_for(clock: VirtualClock, code: str) -> None:
    """All attempts but the last may fail, and some time goes by between them."""
    start = clock.now()
    method = Failing(*[client_error(code)] * (ATTEMPTS - 1))

    assert patiently(method) == "answer"
    assert len(method.calls) == ATTEMPTS
    assert 0 < (clock.now() - start).total_seconds() < 120


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (client_error("ThrottlingException"), Throttled),
        (client_error("InternalServerException", 500), ServiceUnavailable),
        (boto.EndpointConnectionError(endpoint_url="https://kendra"), ServiceUnavailable),
    ],
)
def test_what_does_not_pass_is_raised_under_its_own_name(error: Exception, kind: type[DocferryError]) -> None:
    """The workflow waits longer than one invocation can; it knows the error by its class."""
    method = Failing(*[error] * 99)

    with pytest.raises(kind):
        patiently(method)
    assert len(method.calls) == ATTEMPTS


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ConflictException", "ValidationException", "ServiceQuotaExceededException"]
)
def test_what_cannot_pass_is_not_tried_again(code: str) -> None:
    """The same request gets the same answer."""
    method = Failing(client_error(code))

    with pytest.raises(DocferryError):
        patiently(method)
    assert len(method.calls) == 1


def test_a_call_that_must_not_be_repeated_is_not() -> None:
    """A start whose reply was lost may have opened a job."""
    method = Failing(client_error("ThrottlingException"))

    with pytest.raises(Throttled):
        once(method)
    assert len(method.calls) == 1


def test_a_worker_that_is_throttled_goes_on_while_its_calls_get_through() -> None:
    """Its pace says when; how often it was throttled does not count."""
    method = Failing(*[client_error("ThrottlingException")] * 20)

    assert persistently(method) == "answer"
    assert len(method.calls) == 21


@pytest.mark.usefixtures("clock")
def test_a_worker_gives_up_when_nothing_gets_through_any_more() -> None:
    """The service takes no calls at all: the state machine waits longer than one invocation can."""
    method = Failing(*[client_error("ThrottlingException")] * 9_999)

    with pytest.raises(Throttled):
        persistently(method)
    assert PATIENCE < PACE.silence("Failing") < 2 * PATIENCE

    with within(lambda: 1_000):
        assert PACE.silence("Failing") == 0


def test_a_worker_gives_up_when_its_time_is_over() -> None:
    """Lambda would end it amid a call, and what it knows would be lost."""
    method, left = Failing(*[client_error("ThrottlingException")] * 99), iter([10.0, 10.0, 10.0, 0.0])

    with within(lambda: next(left)), pytest.raises(Throttled):
        persistently(method)
    assert len(method.calls) == 2


@pytest.mark.usefixtures("clock")
def test_a_worker_waits_for_a_service_that_fails_as_long_as_anybody() -> None:
    """Nobody knows how long that takes."""
    method = Failing(*[client_error("InternalServerException", 500)] * 99)

    with pytest.raises(ServiceUnavailable):
        persistently(method)
    assert len(method.calls) == ATTEMPTS
