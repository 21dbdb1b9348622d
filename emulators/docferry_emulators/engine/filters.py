"""Attribute filters, compiled to SQL over the JSON of a document's attributes."""

from typing import Literal

from msgspec import Struct

from docferry_emulators.engine.fields import IndexField, Value
from docferry_emulators.engine.matching import Match, Sql, match
from docferry_emulators.errors import ValidationFailed

Comparison = Literal["eq", "all", "any", "gt", "ge", "lt", "le"]
_SIGNS: dict[str, str] = {"eq": "=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}


class Compare(Struct, frozen=True):
    """One condition on one attribute."""

    how: Comparison
    name: str
    value: Value


class Combine(Struct, frozen=True):
    """A group of conditions: all of them (and), any of them (or) or none of them (not) must hold."""

    how: Literal["and", "or", "not"]
    parts: tuple["Filter", ...]


Filter = Compare | Combine | Match


def compile_filter(condition: Filter, fields: dict[str, IndexField] | None) -> Sql:
    """Return an SQL condition on the row ``d`` of a document, and its parameters.

    ``fields`` None: the index takes any attribute, so each document decides. Raises ValidationFailed if the index does
    not have a field, or a value or comparison does not fit the field's type.
    """
    if isinstance(condition, Match):
        return match(condition)
    if isinstance(condition, Compare):
        return _compare(condition, fields or {})
    compiled = [compile_filter(part, fields) for part in condition.parts]
    values = [value for _, part in compiled for value in part]
    if condition.how == "not":
        return f"NOT ({compiled[0][0]})", values
    if not compiled:
        return ("1" if condition.how == "and" else "0"), []
    return "(" + f" {condition.how.upper()} ".join(sql for sql, _ in compiled) + ")", values


def path_of(name: str) -> str:
    """Return the JSON path of an attribute. Names contain no quotes."""
    return f'$."{name}"'


def _compare(condition: Compare, fields: dict[str, IndexField]) -> Sql:
    field = fields.get(condition.name)
    how, value, path = condition.how, condition.value, path_of(condition.name)
    if field is None:
        raise ValidationFailed.of("attributeFilter", f"The index has no field {condition.name}.")
    if how in ("all", "any"):
        if field.kind != "STRING_LIST" or value.kind != "STRING_LIST":
            raise ValidationFailed.of("attributeFilter", f"{condition.name} is not a list of strings.")
        return _contains(how == "all", path, value.data)
    if value.kind != field.kind:
        raise ValidationFailed.of(
            "attributeFilter", f"The value for {condition.name} is a {value.kind}, the field is a {field.kind}."
        )
    if how != "eq" and field.kind not in ("LONG", "DATE"):
        raise ValidationFailed.of("attributeFilter", f"{condition.name} cannot be compared by size.")
    if field.kind == "STRING_LIST":
        sql, values = _contains(every=True, path=path, strings=value.data)
        return f"({sql} AND coalesce(json_array_length(d.attributes, ?), 0) = ?)", [*values, path, len(value.data)]
    return f"coalesce(json_extract(d.attributes, ?) {_SIGNS[how]} ?, 0)", [path, value.data]


def _contains(every: bool, path: str, strings: list[str]) -> Sql:  # noqa: FBT001 - which of two filters
    one = "EXISTS (SELECT 1 FROM json_each(d.attributes, ?) WHERE value = ?)"
    if not strings:
        return ("1" if every else "0"), []
    values = [item for string in strings for item in (path, string)]
    return "(" + (" AND " if every else " OR ").join([one] * len(strings)) + ")", values
