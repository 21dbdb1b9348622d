"""One call of a service: its errors in Docferry's terms, tried again while that may help."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, PartialCredentialsError
from botocore.exceptions import ConnectionError as NoConnectionError
from tenacity import RetryCallState, retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

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
from docferry.indexes.pace import Paces

ERRORS: dict[str, type[DocferryError]] = {
    "AccessDeniedException": AccessDenied,
    "ConflictException": Conflict,
    "ExpiredTokenException": AccessDenied,
    "InternalServerException": ServiceUnavailable,
    "ResourceInUseException": Conflict,
    "ResourceNotFoundException": ResourceNotFound,
    "ServiceQuotaExceededException": QuotaExceeded,
    "ThrottlingException": Throttled,
    "UnrecognizedClientException": AccessDenied,
    "ValidationException": RequestRefused,
}
"""What the services' exceptions mean to a sync. Codes only: the texts are documented nowhere."""

SERVER_ERROR = 500
GONE = (
    "was the index or its data source deleted? Create it again (`docferry deploy`, where the stack has made it), give "
    "the connector its ids, and run `docferry sync`: it starts from nothing for a new data source"
)

PACE = Paces()
"""Of this process: a Lambda function that stays warm keeps what it has learnt."""

ATTEMPTS = 8
PATIENCE = 300.0
"""Seconds. Of 40 workers at one call a second each gets through every 40 s; in `python -m benchmarks.pacing` none waits
for more than 220 s. Who hears nothing for longer is not one of many: the service takes no calls at all."""

_LEFT: ContextVar[Callable[[], float]] = ContextVar("left", default=lambda: math.inf)


@contextmanager
def within(left: Callable[[], float]) -> Iterator[None]:
    """Begin an invocation whose calls may wait for the service while time is ``left()``, in seconds."""
    PACE.break_silence()
    before = _LEFT.set(left)
    try:
        yield
    finally:
        _LEFT.reset(before)


def once(method: Callable[..., Any], **params: Any) -> Any:
    """Call a boto3 client's method once, at its pace. Raises the errors of docferry.errors, never botocore's."""
    operation = _name(method)
    began = PACE.begin(operation, _LEFT.get()())
    try:
        reply = method(**params)
    except ClientError as error:
        problem = translated(error)
        if isinstance(problem, Throttled):
            PACE.throttled(operation, began)
        raise problem from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ConfigurationError(f"{error}: give the process AWS credentials") from error
    except (HTTPClientError, NoConnectionError) as error:
        raise ServiceUnavailable(str(error)) from error
    except BotoCoreError as error:
        raise RequestRefused(str(error)) from error
    PACE.passed(operation)
    return reply


def _name(method: Callable[..., Any]) -> str:
    return getattr(method, "__name__", type(method).__name__)


# 0.5 s doubling to 20 s, with full jitter, is about a minute over 8 attempts: it rides out a burst within one
# Lambda invocation. What lasts longer is the state machine's to wait for.
def _repeated(*errors: type[DocferryError]) -> Callable[..., Any]:
    return retry(
        retry=retry_if_exception_type(errors),
        wait=wait_random_exponential(multiplier=0.5, max=20),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )(once)


patiently = _repeated(Throttled, ServiceUnavailable)
"""``once``, again and again while the error may pass. Only for calls that may be repeated: not for a start."""


def _given_up(call: RetryCallState) -> bool:
    return _LEFT.get()() <= 0 or PACE.silence(_name(call.args[0])) > PATIENCE


persistently = retry(retry=retry_if_exception_type(Throttled), stop=_given_up, reraise=True)(
    _repeated(ServiceUnavailable)
)
"""``patiently``, for what many workers call at a time, all of the run: one that is throttled goes on at its pace while
the others get through, up to the end of its time (``within``)."""


def translated(error: ClientError) -> DocferryError:
    """The error of docferry.errors that a service's exception stands for."""
    code = error.response["Error"]["Code"]
    kind = ERRORS.get(code)
    if kind is None:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        kind = ServiceUnavailable if status >= SERVER_ERROR else RequestRefused
    cure = f"; {GONE}" if kind is ResourceNotFound else ""
    return kind(f"{error.operation_name}: {code}: {error.response['Error'].get('Message', '')}{cure}")
