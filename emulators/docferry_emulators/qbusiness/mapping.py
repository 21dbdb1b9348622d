"""Translates between the names of Q Business and the engine's: attributes, documents, access control, filters."""

from typing import Any

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.access import Control, Principal, Tree
from docferry_emulators.engine.enrichment import Condition, Step
from docferry_emulators.engine.fields import DATA_SOURCE_ID, EXECUTION_ID, IndexField, Kind, Value
from docferry_emulators.engine.filters import Combine, Compare, Comparison, Filter
from docferry_emulators.engine.puts import Put, Rejection, S3Object
from docferry_emulators.errors import OperationNotImplemented, ValidationFailed

MEMBERS: dict[str, Kind] = {
    "stringValue": "STRING",
    "stringListValue": "STRING_LIST",
    "longValue": "LONG",
    "dateValue": "DATE",
}
MEMBER_OF: dict[Kind, str] = {kind: member for member, kind in MEMBERS.items()}
TYPES: dict[str, Kind] = {"STRING": "STRING", "STRING_LIST": "STRING_LIST", "NUMBER": "LONG", "DATE": "DATE"}
TYPE_OF: dict[Kind, str] = {kind: name for name, kind in TYPES.items()}
COMPARISONS: dict[str, Comparison] = {
    "equalsTo": "eq",
    "containsAll": "all",
    "containsAny": "any",
    "greaterThan": "gt",
    "greaterThanOrEquals": "ge",
    "lessThan": "lt",
    "lessThanOrEquals": "le",
}


def value_of(wire: Wire) -> Value:
    """Read an attribute value. The model ensures that it has exactly one member."""
    member, data = next(iter(wire.items()))
    return Value(MEMBERS[member], data)


def attributes_to_wire(attributes: dict[str, Any], fields: dict[str, IndexField]) -> list[Wire]:
    """Write the attributes of a document, except those that are no longer fields of the index."""
    return [
        {"name": name, "value": {MEMBER_OF[fields[name].kind]: data}}
        for name, data in attributes.items()
        if name in fields
    ]


def put_of(document: Wire, sync_id: str | None, *, mismatch: str) -> Put:
    """Read one document of a put. Its ``problem`` says what is wrong with it."""
    content = document.get("content", {})
    put = Put(
        id=document["id"],
        title=document.get("title"),
        blob=content.get("blob"),
        content_type=document.get("contentType"),
        acl=tree_of(document.get("accessConfiguration")),
    )
    if path := content.get("s3"):
        put.s3 = S3Object(path["bucket"], path["key"])
    for attribute in document.get("attributes", []):
        if attribute["name"] in put.attributes:
            put.problem = f"Document attribute {attribute['name']} is given more than once."
        put.attributes[attribute["name"]] = value_of(attribute["value"])
    for name in (DATA_SOURCE_ID, EXECUTION_ID):
        value = put.attributes.get(name)
        if value is not None and value.kind == "STRING":
            setattr(put, "data_source" if name == DATA_SOURCE_ID else "execution_id", value.data)
    if sync_id is not None:
        # Each of the two is accepted alone. Together they must agree (docs/emulator.md, question 18).
        if mismatch == "reject" and put.execution_id not in (None, sync_id):
            put.problem = "dataSourceSyncId and the attribute _data_source_sync_job_execution_id differ."
        put.execution_id = sync_id
    return put


def tree_of(configuration: Wire | None) -> Tree | None:
    """Read an access configuration. A missing relation is OR inside a control and AND between controls.

    docs/emulator.md, question 17.
    """
    if configuration is None or not configuration["accessControls"]:
        return None
    controls = tuple(
        Control(tuple(_principal(entry) for entry in control["principals"]), control.get("memberRelation", "OR"))
        for control in configuration["accessControls"]
    )
    return Tree(controls, configuration.get("memberRelation", "AND"))


def _principal(wire: Wire) -> Principal:
    kind, who = next(iter(wire.items()))
    name = who.get("id" if kind == "user" else "name", "")
    return Principal(
        "USER" if kind == "user" else "GROUP", name, who["access"], membership=who.get("membershipType", "INDEX")
    )


def rejection_to_wire(rejection: Rejection) -> Wire:
    """Write an entry of failedDocuments."""
    return present(
        id=rejection.id,
        dataSourceId=rejection.data_source,
        error={"errorCode": rejection.code, "errorMessage": rejection.message[:2048]},
    )


def filter_of(wire: Wire) -> Filter:
    """Read an attribute filter. Raises ValidationFailed unless each node has exactly one operator."""
    if len(wire) != 1:
        raise ValidationFailed.of("attributeFilter", "An attribute filter must have exactly one operator.")
    operator, operand = next(iter(wire.items()))
    if operator == "andAllFilters":
        return Combine("and", tuple(filter_of(part) for part in operand))
    if operator == "orAllFilters":
        return Combine("or", tuple(filter_of(part) for part in operand))
    if operator == "notFilter":
        return Combine("not", (filter_of(operand),))
    return Compare(COMPARISONS[operator], operand["name"], value_of(operand["value"]))


def steps_of(configuration: Wire | None) -> list[Step]:
    """Read the inline part of an enrichment. Raises OperationNotImplemented if it has Lambda hooks."""
    if configuration is None:
        return []
    if any(name.endswith("HookConfiguration") for name in configuration):
        raise OperationNotImplemented("The Lambda hooks of document enrichment are not emulated, only its inline part.")
    return [_step(wire) for wire in configuration.get("inlineConfigurations", [])]


def _step(wire: Wire) -> Step:
    condition, target = wire.get("condition"), wire.get("target", {})
    value = target.get("value")
    return Step(
        None if condition is None else _condition(condition),
        target.get("key"),
        None if value is None or target.get("attributeValueOperator") == "DELETE" else value_of(value),
        wire.get("documentContentOperator") == "DELETE",
    )


def _condition(wire: Wire) -> Condition:
    value = wire.get("value")
    return Condition(wire["key"], wire["operator"], None if value is None else value_of(value))
