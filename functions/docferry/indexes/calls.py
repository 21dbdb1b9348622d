"""One call of a service: its errors in Docferry's terms, tried again while that may help."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, PartialCredentialsError
from botocore.exceptions import ConnectionError as NoConnectionError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

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
from docferry.indexes.pace import Pace

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

PACE = Pace()
"""Of this process: a Lambda function that stays warm keeps what it has learnt."""


def once(method: Callable[..., Any], **params: Any) -> Any:
    """Call a boto3 client's method once, at its pace. Raises the errors of docferry.errors, never botocore's."""
    operation = getattr(method, "__name__", type(method).__name__)
    PACE.wait(operation)
    try:
        reply = method(**params)
    except ClientError as error:
        problem = translated(error)
        if isinstance(problem, Throttled):
            PACE.throttled(operation)
        raise problem from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ConfigurationError(f"{error}: give the process AWS credentials") from error
    except (HTTPClientError, NoConnectionError) as error:
        raise ServiceUnavailable(str(error)) from error
    except BotoCoreError as error:
        raise RequestRefused(str(error)) from error
    PACE.passed(operation)
    return reply


# 0.5 s doubling to 20 s, with full jitter, is about a minute over 8 attempts: it rides out a burst within one
# Lambda invocation. What lasts longer is the state machine's to wait for.
patiently = retry(
    retry=retry_if_exception_type((Throttled, ServiceUnavailable)),
    wait=wait_random_exponential(multiplier=0.5, max=20),
    stop=stop_after_attempt(8),
    reraise=True,
)(once)
"""``once``, again and again while the error may pass. Only for calls that may be repeated: not for a start."""


def translated(error: ClientError) -> DocferryError:
    """The error of docferry.errors that a service's exception stands for."""
    code = error.response["Error"]["Code"]
    kind = ERRORS.get(code)
    if kind is None:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        kind = ServiceUnavailable if status >= SERVER_ERROR else RequestRefused
    cure = f"; {GONE}" if kind is ResourceNotFound else ""
    return kind(f"{error.operation_name}: {code}: {error.response['Error'].get('Message', '')}{cure}")
