"""Delivery of one request of documents, down to what became of each of them."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from docferry.errors import QuotaExceeded, RequestRefused
from docferry.indexes import Rejection

T = TypeVar("T")

INTERNAL_ERROR = "InternalError"
"""The one code that the services call their own fault (ErrorCode of FailedDocuments)."""

INVALID_REQUEST = "InvalidRequest"
"""The code that blames the document: sent again as it is, it is rejected again."""

ATTEMPTS = 4


def deliver(
    request: Sequence[T], send: Callable[[Sequence[T]], list[Rejection]], id_of: Callable[[T], str]
) -> dict[str, str]:
    """Send a request; return why each document that was not accepted was not, by id.

    Documents that fail with InternalError are sent again, the others are not. When the service refuses the request as
    a whole, each document is sent alone, so that only the bad one fails. Raises Throttled and ServiceUnavailable.
    """
    reasons: dict[str, str] = {}
    left = list(request)

    def attempt() -> list[T]:
        nonlocal left
        rejections = _sent(left, send, id_of)
        reasons.update({one.id: ": ".join(filter(None, (one.code, one.message))) for one in rejections})
        again = {rejected.id for rejected in rejections if rejected.code == INTERNAL_ERROR}
        accepted = {id_of(item) for item in left} - {rejected.id for rejected in rejections}
        for id_ in accepted:
            reasons.pop(id_, None)
        left = [item for item in left if id_of(item) in again]
        return left

    # What is still an InternalError after the last attempt stays in the reasons.
    with suppress(RetryError):
        Retrying(
            retry=retry_if_result(bool),
            wait=wait_random_exponential(multiplier=1, max=20),
            stop=stop_after_attempt(ATTEMPTS),
        )(attempt)
    return reasons


def _sent(
    request: Sequence[T], send: Callable[[Sequence[T]], list[Rejection]], id_of: Callable[[T], str]
) -> list[Rejection]:
    """Send once; a refusal of the whole request becomes the rejection of the documents that it is about."""
    try:
        return send(request)
    except QuotaExceeded as error:
        return [Rejection(id_of(item), "", str(error)) for item in request]
    except RequestRefused as error:
        if len(request) == 1:
            return [Rejection(id_of(request[0]), INVALID_REQUEST, str(error))]
        return [rejection for item in request for rejection in _sent([item], send, id_of)]
