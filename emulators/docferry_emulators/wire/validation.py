"""Reads a request according to botocore's model, and finds every constraint that the request violates.

boto3 checks required members, types and minima. It leaves maxima, patterns and enums to the service, so they are
checked here. One pass does both: it turns JSON into values (blobs into bytes) and collects the violations.
"""

import binascii
import math
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import regex  # type: ignore[import-untyped,unused-ignore]
from botocore.model import Shape

from docferry_emulators.errors import Field, SerializationFailed, ValidationFailed

# The years 1 to 9999, which datetime can express, in epoch seconds.
FIRST_SECOND, LAST_SECOND = -62135596800, 253402300799
LONG = 2**63
INTEGER = 2**31


def read(shape: Shape, value: Any) -> Any:
    """Turn a decoded request into values, under the member names of the model.

    Unknown members are dropped and null counts as absent, as the real services do. Timestamps become epoch seconds.
    Raises ValidationFailed, which lists every violation, and SerializationFailed for a wrong JSON type.
    """
    problems: list[Field] = []
    try:
        parsed = _read(shape, value, "", problems)
    except RecursionError:
        raise ValidationFailed("The request is nested too deeply") from None
    if problems:
        noun = "validation error" if len(problems) == 1 else "validation errors"
        text = "; ".join(problem.message for problem in problems)
        raise ValidationFailed(f"{len(problems)} {noun} detected: {text}"[:2048], tuple(problems))
    return parsed


@lru_cache(maxsize=512)
def pattern(text: str) -> regex.Pattern[str]:
    """Compile a pattern of the model. A value has to match it completely.

    Uses ``regex``, because ``re`` does not know the categories of Unicode. Kendra writes one pattern, that of a Lambda
    ARN, between slashes that do not belong to it. Bedrock writes a digit in one pattern, that of a tagged ARN, with the
    wrong slash.
    """
    return regex.compile(text.removeprefix("/").removesuffix("/").replace("/d{", r"\d{").replace("/d+", r"\d+"))


def _read(shape: Shape, value: Any, path: str, problems: list[Field]) -> Any:
    return _READERS[shape.type_name](shape, value, path, problems)


def _violation(problems: list[Field], path: str, constraint: str, *, null: bool = False) -> None:
    said = f"Value null at '{path}'" if null else f"Value at '{path}'"
    problems.append(Field(path, f"{said} failed to satisfy constraint: Member must {constraint}"))


def _wrong_type(path: str, expected: str) -> SerializationFailed:
    return SerializationFailed(f"Value at '{path or 'body'}' must be {expected}")


def _measure(shape: Shape, size: float, path: str, problems: list[Field], what: str) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        _violation(problems, path, f"have {what} greater than or equal to {low}")
    if high is not None and size > high:
        _violation(problems, path, f"have {what} less than or equal to {high}")


def _structure(shape: Any, value: Any, path: str, problems: list[Field]) -> Any:
    if shape.is_document_type:
        return value
    if not isinstance(value, dict):
        raise _wrong_type(path, "a structure")
    parsed = {}
    for name, shown, member, required in _members(shape):
        raw = value.get(name)
        if raw is not None:
            parsed[name] = _read(member, raw, f"{path}.{shown}" if path else shown, problems)
        elif required:
            _violation(problems, f"{path}.{shown}" if path else shown, "not be null", null=True)
    if shape.is_tagged_union and len(parsed) != 1:
        _violation(problems, path, f"have exactly one of the members {', '.join(shape.members)} set")
    return parsed


@cache
def _members(shape: Any) -> list[tuple[str, str, Shape, bool]]:
    # The services print member paths in lower camel case, no matter which case the wire uses.
    return [
        (name, name[0].lower() + name[1:], member, name in shape.required_members)
        for name, member in shape.members.items()
    ]


def _list(shape: Any, value: Any, path: str, problems: list[Field]) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong_type(path, "a list")
    _measure(shape, len(value), path, problems, "length")
    parsed = []
    for number, item in enumerate(value, 1):
        here = f"{path}.{number}.member"
        if item is None:
            _violation(problems, here, "not be null", null=True)
        else:
            parsed.append(_read(shape.member, item, here, problems))
    return parsed


def _map(shape: Any, value: Any, path: str, problems: list[Field]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type(path, "a map")
    _measure(shape, len(value), path, problems, "length")
    return {
        _read(shape.key, key, f"{path}.key", problems): _read(shape.value, item, f"{path}.{key}.member", problems)
        for key, item in value.items()
        if item is not None
    }


def _string(shape: Any, value: Any, path: str, problems: list[Field]) -> str:
    if not isinstance(value, str):
        raise _wrong_type(path, "a string")
    _measure(shape, len(value), path, problems, "length")
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        _violation(problems, path, f"satisfy enum value set: [{', '.join(enum)}]")
    expression = shape.metadata.get("pattern")
    if expression and not pattern(expression).fullmatch(value):
        _violation(problems, path, f"satisfy regular expression pattern: {expression}")
    return value


def _whole(shape: Shape, value: Any, path: str, problems: list[Field]) -> int:
    limit = LONG if shape.type_name == "long" else INTEGER
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -limit <= value < limit:
        raise _wrong_type(path, "a whole number" if shape.type_name == "integer" else f"a {shape.type_name}")
    _measure(shape, value, path, problems, "value")
    return value


def _real(shape: Shape, value: Any, path: str, problems: list[Field]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(path, "a number")
    _measure(shape, value, path, problems, "value")
    return float(value)


def _boolean(_shape: Shape, value: Any, path: str, _problems: list[Field]) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(path, "a boolean")
    return value


def _blob(shape: Shape, value: Any, path: str, problems: list[Field]) -> bytes:
    if not isinstance(value, str):
        raise _wrong_type(path, "a base64 string")
    try:
        parsed = binascii.a2b_base64(value, strict_mode=bool(value))
    except ValueError:
        raise _wrong_type(path, "a base64 string") from None
    _measure(shape, len(parsed), path, problems, "length")
    return parsed


def _timestamp(shape: Shape, value: Any, path: str, _problems: list[Field]) -> float:
    if shape.serialization.get("timestampFormat") == "iso8601" and isinstance(value, str):
        value = query_value(shape, value, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong_type(path, "a number of epoch seconds")
    if not FIRST_SECOND <= value <= LAST_SECOND:
        raise _wrong_type(path, "a number of epoch seconds of the years 1 to 9999")
    return value


def query_value(shape: Shape, text: str, path: str) -> Any:
    """Turn a value of a query string into the value that the same member has in a JSON body."""
    try:
        if shape.type_name in {"integer", "long"}:
            return int(text)
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text]
        if shape.type_name == "timestamp":
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, KeyError):
        raise _wrong_type(path, f"a {shape.type_name}") from None
    return text


_READERS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "integer": _whole,
    "long": _whole,
    "float": _real,
    "double": _real,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}
