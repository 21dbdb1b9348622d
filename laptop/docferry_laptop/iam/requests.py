"""Reads an HTTP request as the call of an AWS service: the operation and its parameters, by botocore's own models."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from botocore.model import OperationModel, ServiceModel
from lxml import etree  # type: ignore[import-untyped]  # it has no stubs
from msgspec import Struct

from docferry_emulators.wire.protocol import service_model
from docferry_laptop.iam.calls import OPERATIONS, Call, UnknownCall

# Where botocore has another name for a service than its signature.
MODELS = {"states": "stepfunctions", "bedrock": "bedrock-agent"}
SERVICES = frozenset(service for service, _ in OPERATIONS)


class Request(Struct, frozen=True):
    """An HTTP request. ``path`` is as it was sent, ``headers`` have names in lower case, ``body`` reads the body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Callable[[], bytes]


class Route(Struct, frozen=True):
    """How a request for an operation looks: its path, and what its query and its headers must have."""

    operation: OperationModel
    path: re.Pattern[str]
    literals: frozenset[tuple[str, str]]
    query: frozenset[str]
    headers: frozenset[str]

    @property
    def weight(self) -> tuple[int, int]:
        """How exactly the request is described: what it must have counts more, labels in the path count less."""
        return len(self.literals) + len(self.query) + len(self.headers), -self.path.groups


def read(service: str, request: Request) -> Call:
    """Read a request for the service that its signature names. Raises UnknownCall."""
    if service not in SERVICES:
        raise UnknownCall(f"a call of {service}")
    model = service_model(MODELS.get(service, service))
    match model.metadata["protocol"]:
        case "json":
            return Call(service, request.headers.get("x-amz-target", "").rpartition(".")[2], _json(request))
        case "query":
            form = {name: values[-1] for name, values in parse_qs(request.body().decode()).items()}
            return Call(service, form.get("Action", ""), form)
        case _:
            return _by_route(service, model, request)


def _by_route(service: str, model: ServiceModel, request: Request) -> Call:
    query = {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()}
    for route in _routes(model.service_name):
        matched = route.path.fullmatch(request.path)
        if (
            matched
            and route.operation.http["method"] == request.method
            and route.literals <= set(query.items())
            and route.query <= query.keys()
            and route.headers <= request.headers.keys()
        ):
            labels = {name: unquote(value) for name, value in matched.groupdict().items()}
            params = {**_body(service, route.operation, request), **dict(_given(route, query, request)), **labels}
            return Call(service, route.operation.name, params)
    raise UnknownCall(f"{service}: {request.method} {request.path}")


@cache
def _routes(name: str) -> tuple[Route, ...]:
    """Return the routes of a service, those that describe a request most exactly first."""
    model = service_model(name)
    found = (_route(model.operation_model(operation)) for operation in model.operation_names)
    return tuple(sorted(found, key=lambda route: route.weight, reverse=True))


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    parts = [_pattern(part) for part in re.split(r"(\{[^}]+\})", path.rstrip("/"))]
    shape: Any = operation.input_shape
    required = {
        (member.serialization.get("location"), member.serialization.get("name", name))
        for name, member in (shape.members.items() if shape else ())
        if name in shape.required_members
    }
    return Route(
        operation,
        re.compile("".join(parts) + "/?", re.DOTALL),
        frozenset((name, values[0]) for name, values in parse_qs(query, keep_blank_values=True).items()),
        frozenset(name for location, name in required if location == "querystring"),
        frozenset(name.lower() for location, name in required if location == "header"),
    )


def _pattern(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}")
    return f"(?P<{name.rstrip('+')}>.+)" if name.endswith("+") else f"(?P<{name}>[^/]+)"


def _given(route: Route, query: Mapping[str, str], request: Request) -> Iterator[tuple[str, str]]:
    """Yield the parameters in the query and the headers."""
    shape: Any = route.operation.input_shape
    for name, member in shape.members.items() if shape else ():
        given = {"querystring": query, "header": request.headers}.get(member.serialization.get("location", ""))
        sent = member.serialization.get("name", name)
        value = (given or {}).get(sent if given is query else sent.lower())
        if value is not None:
            yield name, value


def _body(service: str, operation: OperationModel, request: Request) -> Mapping[str, Any]:
    """Read what permissions depend on in the body. What is uploaded, or passed to a function, does not count."""
    if service == "s3":
        return {"Delete": _deleted(request.body())} if operation.name == "DeleteObjects" else {}
    return {} if operation.has_streaming_input or service == "lambda" else _json(request)


def _json(request: Request) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(request.body() or b"{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UnknownCall(f"a call whose body is no JSON object: {error}") from error


def _deleted(body: bytes) -> dict[str, Any]:
    try:
        tree = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise UnknownCall(f"s3:DeleteObjects with a body that is no XML: {error}") from error
    return {"Objects": [{"Key": key.text or ""} for key in tree.iterfind(".//{*}Object/{*}Key")]}
