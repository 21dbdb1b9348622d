"""Turns an HTTP request into a method call and back. The protocol of each service is in its responses.py."""

import re
import uuid
from abc import abstractmethod
from email.utils import format_datetime
from functools import cache
from typing import Any, ClassVar

import msgspec
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from moto.core.responses import BaseResponse

from docferry_emulators.backend import EngineBackend, Wire
from docferry_emulators.emulation import current
from docferry_emulators.errors import EmulatorError, OperationNotImplemented, SerializationFailed

Reply = tuple[int, dict[str, str], bytes]

_SCOPE = re.compile(r"Credential=[^,\s]*/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")


def signed_service(authorization: str) -> str | None:
    """Return the service that a signature is for, or None without a signature."""
    match = _SCOPE.search(authorization)
    return match[2] if match else None


@cache
def service_model(service: str, longest: frozenset[tuple[str, int]] = frozenset()) -> ServiceModel:
    """Return botocore's model of a service.

    ``longest`` has pairs of the name of a shape and the maximum that is checked for it, instead of the model's.
    """
    model = Loader().load_service_model(service, "service-2")
    shapes = {name: {**model["shapes"][name], "max": most} for name, most in longest}
    return ServiceModel({**model, "shapes": {**model["shapes"], **shapes}}, service)


class ServiceResponse(BaseResponse):  # type: ignore[misc]
    """Handles one request: route, count, inject faults, parse and validate, do work that is due, call, answer.

    The method of an operation has the operation's name in snake case. It takes the parsed request, and returns the
    reply.
    """

    # The body is JSON, or it is refused. So moto need not try to read it as a query string.
    use_raw_body = True
    service: ClassVar[str]
    content_type: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(service_name=self.service)

    @property
    @abstractmethod
    def backend(self) -> EngineBackend:
        """The backend of the account and region of the request."""

    @abstractmethod
    def route(self) -> tuple[OperationModel, dict[str, str]]:
        """Return the operation and the labels of its path. Raises UnknownOperation."""

    @abstractmethod
    def parse(self, operation: OperationModel, labels: dict[str, str]) -> Wire:
        """Read the request. Raises ValidationFailed or SerializationFailed."""

    @abstractmethod
    def refuse(self, error: EmulatorError) -> Reply:
        """Write an error as this service does."""

    def call_action(self) -> Reply:
        """Answer the request."""
        emulation = current()
        try:
            operation, labels = self.route()
            method = getattr(self, xform_name(operation.name), None)
            if method is None:
                raise OperationNotImplemented(f"The emulator does not implement {operation.name}.")
            call = emulation.faults.before(operation.name)
            request = self.parse(operation, labels)
            with emulation.engine.request():
                result: Wire | None = method(request)
            emulation.faults.after(call)
            reply = self.answer(operation, result or {})
            if call in emulation.faults.knobs.cut_reply:
                reply = _cut(reply)
        except EmulatorError as error:
            reply = self.refuse(error)
        status, headers, body = reply
        headers |= {"x-amzn-requestid": str(uuid.uuid4()), "Content-Type": self.content_type}
        headers["Date"] = format_datetime(emulation.clock.now(), usegmt=True)
        return status, headers, body

    def answer(self, operation: OperationModel, result: Wire) -> Reply:
        """Write a reply as JSON: its times are as the model has them. An operation without a result has no body."""
        body = msgspec.json.encode(result) if operation.output_shape and operation.output_shape.members else b""
        return operation.http.get("responseCode", 200), {}, body

    def get_region_from_url(self, request: Any, full_url: str) -> str:
        """Prefer the region of the signature: a path may contain anything, even text that looks like a host name."""
        if match := _SCOPE.search(request.headers.get("Authorization", "")):
            return match[1]
        try:
            region: str = super().get_region_from_url(request, full_url.split("/")[2])
        except IndexError:  # a signature without a scope; signatures are not checked
            region = self.default_region
        return region


def _cut(reply: Reply) -> Reply:
    status, headers, body = reply
    return status, {**headers, "Content-Length": str(len(body))}, body[: len(body) // 2]


def decode(body: bytes) -> Any:
    """Read a JSON body. An empty body is an empty structure. Raises SerializationFailed."""
    if not body:
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SerializationFailed(f"The body is not valid JSON: {error}") from error
