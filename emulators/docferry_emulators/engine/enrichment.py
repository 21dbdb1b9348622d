"""Inline enrichment: changes to a document's attributes and content before it is indexed."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from docferry_emulators.engine.fields import Value
from docferry_emulators.engine.puts import Put

Operator = Literal[
    "GREATER_THAN",
    "GREATER_THAN_OR_EQUALS",
    "LESS_THAN",
    "LESS_THAN_OR_EQUALS",
    "EQUALS",
    "NOT_EQUALS",
    "CONTAINS",
    "NOT_CONTAINS",
    "EXISTS",
    "NOT_EXISTS",
    "BEGINS_WITH",
]
_NEGATED: dict[str, Operator] = {
    "NOT_EQUALS": "EQUALS",
    "NOT_CONTAINS": "CONTAINS",
    "NOT_EXISTS": "EXISTS",
}


class Condition(Struct, frozen=True):
    """The condition under which a step is taken."""

    name: str
    operator: Operator
    value: Value | None = None


class Step(Struct, frozen=True):
    """One change: set an attribute, delete it (``value`` is None), or delete the content."""

    condition: Condition | None = None
    target: str | None = None
    value: Value | None = None
    delete_content: bool = False


def enrich(put: Put, steps: Iterable[Step]) -> None:
    """Apply the steps to a document in their order. A later step sees the changes of the earlier ones."""
    for step in steps:
        if step.condition is not None and not _holds(step.condition, put.attributes):
            continue
        if step.delete_content:
            put.blob, put.s3 = b"", None
        if step.target is not None and step.value is not None:
            put.attributes[step.target] = step.value
        elif step.target is not None:
            put.attributes.pop(step.target, None)


def _holds(condition: Condition, attributes: dict[str, Value]) -> bool:  # noqa: PLR0911 - one for each operator
    if positive := _NEGATED.get(condition.operator):
        return not _holds(Condition(condition.name, positive, condition.value), attributes)
    has = attributes.get(condition.name)
    if has is None or condition.operator == "EXISTS":
        return has is not None
    wants = condition.value
    if wants is None:
        return False
    if condition.operator == "CONTAINS":
        return _contains(has, wants)
    if has.kind != wants.kind:
        return False
    if condition.operator == "BEGINS_WITH":
        return has.kind == "STRING" and has.data.startswith(wants.data)
    compared: dict[str, bool] = {"EQUALS": has.data == wants.data}
    if has.kind in ("LONG", "DATE"):
        compared |= {
            "GREATER_THAN": has.data > wants.data,
            "GREATER_THAN_OR_EQUALS": has.data >= wants.data,
            "LESS_THAN": has.data < wants.data,
            "LESS_THAN_OR_EQUALS": has.data <= wants.data,
        }
    return compared.get(condition.operator, False)


def _contains(has: Value, wants: Value) -> bool:
    if has.kind == "STRING_LIST":
        parts = wants.data if wants.kind == "STRING_LIST" else [wants.data]
        return all(part in has.data for part in parts)
    return has.kind == wants.kind == "STRING" and wants.data in has.data
