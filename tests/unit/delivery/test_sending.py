"""Delivery: what became of each document of a request, whatever the service answers."""

from collections.abc import Callable, Sequence

import pytest

from docferry.delivery.sending import ATTEMPTS, deliver
from docferry.errors import AccessDenied, DocferryError, QuotaExceeded, RequestRefused, ServiceUnavailable, Throttled
from docferry.indexes import Rejection
from docferry_emulators.clock import VirtualClock

Answer = list[Rejection] | DocferryError


class Service:
    """Answers each call by a function of its documents, and notes what was sent."""

    def __init__(self, answer: Callable[[int, Sequence[str]], Answer]) -> None:
        self._answer = answer
        self.sent: list[str] = []

    def __call__(self, request: Sequence[str]) -> list[Rejection]:
        """Take one request."""
        self.sent.append("".join(request))
        answer = self._answer(len(self.sent), request)
        if isinstance(answer, DocferryError):
            raise answer
        return answer


def rejected(ids: Sequence[str], code: str = "InvalidRequest") -> list[Rejection]:
    """Rejections of these documents."""
    return [Rejection(id_, code, f"{id_} is bad") for id_ in ids]


def delivered(service: Service, request: str = "abc") -> dict[str, str]:
    """Deliver a request of one-letter documents."""
    return deliver(list(request), service, str)


def test_an_answer_without_rejections_is_an_acknowledgement() -> None:
    """One call, no reasons."""
    service = Service(lambda *_: [])

    assert delivered(service) == {}
    assert service.sent == ["abc"]


def test_a_rejected_document_has_a_reason_and_is_not_sent_again(clock: VirtualClock) -> None:
    """A document that the service finds invalid is invalid the next time too."""
    start = clock.now()
    service = Service(lambda *_: rejected("b"))

    assert delivered(service) == {"b": "InvalidRequest: b is bad"}
    assert service.sent == ["abc"]
    assert clock.now() == start


def test_documents_that_the_service_failed_on_are_sent_again_and_only_those(clock: VirtualClock) -> None:
    """An InternalError passes: after some waiting the same document is taken."""
    start = clock.now()
    service = Service(lambda call, _: rejected("bc" if call == 1 else "c" if call == 2 else "", "InternalError"))

    assert delivered(service) == {}
    assert service.sent == ["abc", "bc", "c"]
    assert clock.now() > start


@pytest.mark.usefixtures("clock")
def test_a_document_that_the_service_always_fails_on_is_given_up() -> None:
    """The number of attempts is bounded, and the last answer is the reason."""
    service = Service(lambda _, request: rejected([id_ for id_ in request if id_ == "b"], "InternalError"))

    assert delivered(service) == {"b": "InternalError: b is bad"}
    assert service.sent == ["abc", *"b" * (ATTEMPTS - 1)]


@pytest.mark.usefixtures("clock")
def test_the_last_answer_counts() -> None:
    """A document that is found invalid at the second attempt is not sent a third time."""
    service = Service(lambda call, _: rejected("b", "InternalError" if call == 1 else "InvalidRequest"))

    assert delivered(service) == {"b": "InvalidRequest: b is bad"}
    assert service.sent == ["abc", "b"]


def test_a_refused_request_is_sent_document_by_document() -> None:
    """One bad document does not keep nine good ones out of the index."""
    service = Service(lambda _, request: RequestRefused("bad member") if "b" in request else [])

    assert delivered(service) == {"b": "InvalidRequest: bad member"}
    assert service.sent == ["abc", "a", "b", "c"]


def test_a_refused_request_of_one_document_is_not_sent_again() -> None:
    """The refusal is about that document."""
    service = Service(lambda *_: RequestRefused("bad member"))

    assert delivered(service, "a") == {"a": "InvalidRequest: bad member"}
    assert service.sent == ["a"]


@pytest.mark.usefixtures("clock")
def test_what_fails_while_documents_are_sent_alone_is_retried() -> None:
    """Taking a request apart does not take away the other rules."""

    def answer(call: int, request: Sequence[str]) -> Answer:
        if len(request) > 1:
            return RequestRefused("bad member")
        return rejected(request, "InternalError") if call == 2 else []

    service = Service(answer)

    assert delivered(service) == {}
    assert service.sent == ["abc", "a", "b", "c", "a"]


def test_a_full_index_rejects_the_whole_request() -> None:
    """Documents that found no room are not in the index; the run goes on with deletes and smaller ones."""
    service = Service(lambda *_: QuotaExceeded("the index is full"))

    assert delivered(service) == dict.fromkeys("abc", "the index is full")
    assert service.sent == ["abc"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("error", [QuotaExceeded("full"), RequestRefused("bad")])
def test_what_was_accepted_at_first_stays_accepted(error: DocferryError) -> None:
    """A second attempt that is refused is about the documents in it, not about those before."""
    service = Service(lambda call, _: rejected("b", "InternalError") if call == 1 else error)

    assert delivered(service)["b"].endswith(str(error))


@pytest.mark.parametrize("error", [Throttled("slow"), ServiceUnavailable("gone"), AccessDenied("no")])
def test_what_is_about_no_document_is_raised(error: DocferryError) -> None:
    """The shard as a whole is tried again, or fails; no document is blamed."""
    service = Service(lambda *_: error)

    with pytest.raises(type(error)):
        delivered(service)
    assert service.sent == ["abc"]


def test_nothing_to_send_sends_one_empty_request_at_most() -> None:
    """Batching makes no empty requests; delivery does not fail on one."""
    service = Service(lambda *_: [])

    assert delivered(service, "") == {}
