"""Requests made from botocore's models: a valid one of an operation, and one for every way to violate it."""

import base64
import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from botocore import xform_name
from botocore.model import OperationModel, Shape
from moto.core.request import Request

from docferry_emulators.bedrock.responses import BedrockAgentResponse, BedrockAgentRuntimeResponse
from docferry_emulators.kendra.responses import KendraResponse
from docferry_emulators.qbusiness.responses import QBusinessResponse
from docferry_emulators.wire.protocol import ServiceResponse, service_model
from docferry_emulators.wire.validation import pattern

RESPONSES: dict[str, type[ServiceResponse]] = {
    "kendra": KendraResponse,
    "qbusiness": QBusinessResponse,
    "bedrock-agent": BedrockAgentResponse,
    "bedrock-agent-runtime": BedrockAgentRuntimeResponse,
}
UUID = "3f2b8c1e-5d7a-4e90-9b1c-0a2d4f6e8b13"
SCOPE = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=0"
ARN = "arn:aws:iam::123456789012:role/docferry"
CANDIDATES = (
    *("a", "docs", UUID, ARN, "https://example.com/a", "bucket-name", "en", "ab", "10s", "0"),
    *("arn:aws:lambda:eu-west-1:123456789012:function:enrich", "arn:aws:sso:::instance/ssoins-1234567890abcdef"),
    *("example.service-now.com", "d-1234567890", "fs-12345678", "2024-01-02", "https://example.atlassian.net/"),
    *("https://example.com", "1234567890abcdef"),
    *("example.com", "ann@example.com", "arn:aws:iam::123456789012:saml-provider/example"),
    *("KB12345678", "123456789012", "DRAFT", "s3://bucket-name/key", "arn:aws:s3:::bucket-name"),
    *(
        "arn:aws:bedrock:eu-west-1:123456789012:knowledge-base/KB12345678",
        f"arn:aws:kms:eu-west-1:123456789012:key/{UUID}",
    ),
    *("arn:aws:bedrock:eu-west-1::foundation-model/rerank", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s"),
    *(f"arn:aws:kendra:eu-west-1:123456789012:index/{UUID}", "arn:aws:aoss:eu-west-1:123456789012:collection/docs"),
    *("arn:aws:es:eu-west-1:123456789012:domain/docs", "arn:aws:rds:eu-west-1:123456789012:cluster:docs"),
    f"arn:aws:redshift-serverless:eu-west-1:123456789012:workgroup/{UUID}",
    "arn:aws:neptune-graph:eu-west-1:123456789012:graph/g-1234567890",
)
SPOILERS = ("\x07", "!", " ", "é", "ü!", "a b", "-", "_")
DEEPEST = 6

Path = tuple[str | int, ...]

COUNTED: Counter[str] = Counter()
"""What the conformance test has checked so far."""


def implemented(service: str) -> list[str]:
    """The operations that the emulator has."""
    names = service_model(service).operation_names
    return [name for name in names if hasattr(RESPONSES[service], xform_name(name))]


def valid_string(shape: Any) -> str:
    """A string that satisfies every constraint of a shape."""
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
    if enum := shape.metadata.get("enum"):
        first: str = enum[0]
        return first
    for text in (*CANDIDATES, "a" * low):
        if low <= len(text) <= high and pattern(shape.metadata.get("pattern", r"[\s\S]*")).fullmatch(text):
            return text
    raise AssertionError(f"no sample for {shape.name} {shape.metadata}")


def valid(shape: Any, *, full: bool, depth: int = 0) -> Any:
    """A valid value as it is in JSON; with every optional member, or with none."""
    kind = shape.type_name
    if kind == "structure":
        if shape.is_document_type:
            return {"type": "CUSTOM", "version": "1.0.0"}
        names = list(shape.members) if full and depth < DEEPEST else list(shape.required_members)
        if shape.is_tagged_union:
            names = [next(name for name, member in shape.members.items() if not _repeats(shape, member))]
        return {name: valid(shape.members[name], full=full, depth=depth + 1) for name in names}
    if kind == "list":
        count = max(1, shape.metadata.get("min", 0))
        return [valid(shape.member, full=full, depth=depth + 1) for _ in range(count)]
    if kind == "map":
        return {valid(shape.key, full=full): valid(shape.value, full=full)}
    if kind == "string":
        return valid_string(shape)
    simple: dict[str, Any] = {
        "integer": max(1, shape.metadata.get("min", 1)),
        "long": max(1, shape.metadata.get("min", 1)),
        "float": 1.0,
        "double": 1.0,
        "boolean": True,
        "blob": base64.b64encode(b"x").decode(),
        "timestamp": 1714979289.654,
    }
    return simple[kind]


def _repeats(shape: Any, member: Any) -> bool:
    """Whether a member is a list of its own structure, as in a filter of filters."""
    return member.type_name == "list" and bool(member.member.name == shape.name)


def violations(shape: Any, depth: int = 0) -> Iterator[tuple[Path, Any, str]]:
    """Every way to violate a constraint: where, by what value (None: leave it out), and which words say so."""
    if depth > DEEPEST or getattr(shape, "is_document_type", False):
        return
    kinds = {"structure": _structure_violations, "list": _list_violations}
    if shape.type_name in kinds:
        yield from kinds[shape.type_name](shape, depth)
    elif shape.type_name == "string":
        yield from _string_violations(shape)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None:
            yield (), low - 1, f"value greater than or equal to {low}"
        if high is not None:
            yield (), high + 1, f"value less than or equal to {high}"


def _structure_violations(shape: Any, depth: int) -> Iterator[tuple[Path, Any, str]]:
    for name, member in shape.members.items():
        if name in shape.required_members:
            yield (name,), None, "must not be null"
        for path, value, words in violations(member, depth + 1):
            yield (name, *path), value, words
    if shape.is_tagged_union:
        yield (), {}, "exactly one"


def _list_violations(shape: Any, depth: int) -> Iterator[tuple[Path, Any, str]]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    item = valid(shape.member, full=False)
    if low:
        yield (), [item] * (low - 1), f"length greater than or equal to {low}"
    if high is not None:
        yield (), [item] * (high + 1), f"length less than or equal to {high}"
    for path, value, words in violations(shape.member, depth + 1):
        yield (0, *path), value, words


def _string_violations(shape: Any) -> Iterator[tuple[Path, Any, str]]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    text = valid_string(shape)
    if low:
        yield (), text[: low - 1], f"length greater than or equal to {low}"
    if high is not None:
        yield (), (text or "a").ljust(high + 1, "a"), f"length less than or equal to {high}"
    if shape.metadata.get("enum"):
        yield (), "NO_SUCH_VALUE", "enum value set"
    if expression := shape.metadata.get("pattern"):
        for spoiler in SPOILERS:
            spoiled = (text[: -len(spoiler)] + spoiler) if len(text) > len(spoiler) else spoiler
            if len(spoiled) >= (low or 0) and not pattern(expression).fullmatch(spoiled):
                yield (), spoiled, "regular expression pattern"
                return


def set_at(value: Any, path: Path, new: Any) -> Any:
    """A copy with one place changed, or without it."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if new is None:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return changed


def shown(path: Path) -> str:
    """The path as an error message prints it."""
    parts = [f"{step + 1}.member" if isinstance(step, int) else step[0].lower() + step[1:] for step in path]
    return ".".join(parts)


def send(service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    """Send raw parameters, past the checks of boto3."""
    model = service_model(service).operation_model(operation)
    method, path, body = _http(model, params)
    headers = {"Authorization": SCOPE.format(service)}
    if service == "kendra":
        headers |= {
            "X-Amz-Target": f"AWSKendraFrontendService.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
    elif body:
        headers["Content-Type"] = "application/json"
    host = f"https://{service}.eu-west-1.amazonaws.com"
    request = Request.from_primitives(method, host + path, headers, body)
    status, replied, content = RESPONSES[service].dispatch(request, request.raw_url, request.headers)
    return status, replied, json.loads(content) if content else {}


def _http(model: OperationModel, params: dict[str, Any]) -> tuple[str, str, bytes]:
    path, query, body = model.http["requestUri"], [], {}
    shape: Any = model.input_shape
    for name, value in params.items():
        member: Shape = shape.members[name]
        location, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri":
            path = path.replace("{" + wire + "}", quote(value, safe=""))
        elif location == "querystring":
            values = value if isinstance(value, list) else [value]
            if member.type_name == "timestamp":
                values = ["2024-05-06T07:08:09.654Z"]
            query += [(wire, str(one).lower() if isinstance(one, bool) else one) for one in values]
        else:
            body[wire] = value
    text = json.dumps(body).encode() if body or model.http["requestUri"] == "/" else b""
    return model.http["method"], path + (f"?{urlencode(query)}" if query else ""), text
