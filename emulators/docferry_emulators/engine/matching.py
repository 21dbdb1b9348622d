"""Filters on attributes that no index declares. A document fits by the type of its own value."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from docferry_emulators.errors import ValidationFailed

Operator = Literal[
    "equals", "notEquals", "greaterThan", "greaterThanOrEquals", "lessThan", "lessThanOrEquals", "in", "notIn",
    "startsWith", "listContains", "stringContains",
]  # fmt: skip
"""The operators, under the names of Bedrock:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrievalFilter.html"""

Sql = tuple[str, list[Any]]
"""A condition on the row ``d`` of a document, and its parameters."""

_SIGNS = {"greaterThan": ">", "greaterThanOrEquals": ">=", "lessThan": "<", "lessThanOrEquals": "<="}


class Match(Struct, frozen=True):
    """A condition on one attribute. ``value`` is a string, a number, a boolean or a list of them."""

    how: Operator
    name: str
    value: Any


def match(condition: Match) -> Sql:
    """Return a condition in SQL. A document without the attribute fits only ``notEquals``.

    Raises ValidationFailed if the value is of a type that the operator does not take.
    """
    how, value = condition.how, condition.value
    if how == "notEquals":
        sql, values = _attribute(condition.name, _equal(how, value))
        return f"NOT ({sql})", values
    if how in {"in", "notIn"}:
        if not isinstance(value, list) or not value:
            raise _wrong(how, "a list of values")
        alternatives = [_equal(how, one) for one in value]
        sql, values = " OR ".join(one for one, _ in alternatives), [item for _, some in alternatives for item in some]
        return _attribute(condition.name, (f"({sql})" if how == "in" else f"NOT ({sql})", values))
    return _attribute(condition.name, _TESTS.get(how, _greater)(how, value))


def _attribute(name: str, test: Sql) -> Sql:
    """Return the condition that the attribute exists and its row ``a`` passes a test."""
    # Not by a JSON path, because a name may contain any character.
    sql, values = test
    return f"EXISTS (SELECT 1 FROM json_each(d.attributes) a WHERE a.key = ? AND {sql})", [name, *values]  # noqa: S608 - from constants


def _equal(how: str, value: Any) -> Sql:
    if isinstance(value, bool):
        return "a.type = ?", [str(value).lower()]
    if isinstance(value, int | float):
        return "(a.type IN ('integer', 'real') AND a.value = ?)", [float(value)]
    if isinstance(value, str):
        return "(a.type = 'text' AND a.value = ?)", [value]
    if isinstance(value, list):
        return "(a.type = 'array' AND json(a.value) = json(?))", [msgspec.json.encode(value).decode()]
    raise _wrong(how, "a string, a number, a boolean or a list")


def _greater(how: str, value: Any) -> Sql:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(how, "a number")
    return f"a.type IN ('integer', 'real') AND a.value {_SIGNS[how]} ?", [float(value)]


def _starts(how: str, value: Any) -> Sql:
    return "a.type = 'text' AND substr(a.value, 1, length(?)) = ?", [_string(how, value)] * 2


def _contains(how: str, value: Any) -> Sql:
    _string(how, value)
    return "a.type = 'array' AND EXISTS (SELECT 1 FROM json_each(a.value) WHERE value = ?)", [value]


def _has_part(how: str, value: Any) -> Sql:
    _string(how, value)
    members = "a.type = 'array' AND EXISTS (SELECT 1 FROM json_each(a.value) WHERE instr(value, ?))"
    return f"(a.type = 'text' AND instr(a.value, ?) OR {members})", [value, value]


def _string(how: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(how, "a string")
    return value


def _wrong(how: str, expected: str) -> ValidationFailed:
    return ValidationFailed.of(f"filter.{how}.value", f"The value of {how} must be {expected}.")


_TESTS: dict[str, Callable[[str, Any], Sql]] = {
    "equals": _equal,
    "startsWith": _starts,
    "listContains": _contains,
    "stringContains": _has_part,
}
