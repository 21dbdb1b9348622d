"""Translates between Kendra's names and the engine's: attributes, documents, access control, filters."""

import re
from typing import Any

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.access import Control, Principal, Tree
from docferry_emulators.engine.enrichment import Condition, Step
from docferry_emulators.engine.fields import DATA_SOURCE_ID, EXECUTION_ID, IndexField, Kind, Value
from docferry_emulators.engine.filters import Combine, Compare, Comparison, Filter
from docferry_emulators.engine.puts import Put, Rejection, S3Object
from docferry_emulators.errors import OperationNotImplemented, ValidationFailed

MEMBERS: dict[str, Kind] = {
    "StringValue": "STRING",
    "StringListValue": "STRING_LIST",
    "LongValue": "LONG",
    "DateValue": "DATE",
}
MEMBER_OF: dict[Kind, str] = {kind: member for member, kind in MEMBERS.items()}
TYPES: dict[str, Kind] = {
    "STRING_VALUE": "STRING",
    "STRING_LIST_VALUE": "STRING_LIST",
    "LONG_VALUE": "LONG",
    "DATE_VALUE": "DATE",
}
TYPE_OF: dict[Kind, str] = {kind: name for name, kind in TYPES.items()}
COMPARISONS: dict[str, Comparison] = {
    "EqualsTo": "eq",
    "ContainsAll": "all",
    "ContainsAny": "any",
    "GreaterThan": "gt",
    "GreaterThanOrEquals": "ge",
    "LessThan": "lt",
    "LessThanOrEquals": "le",
}


def value_of(wire: Wire) -> Value | None:
    """Read an attribute value; None unless it has exactly one member. The model has no union to check that."""
    if len(wire) != 1:
        return None
    member, data = next(iter(wire.items()))
    return Value(MEMBERS[member], data)


def attributes_to_wire(attributes: dict[str, Any], fields: dict[str, IndexField]) -> list[Wire]:
    """Write the attributes of a document, except those that are no longer fields of the index."""
    return [
        {"Key": name, "Value": {MEMBER_OF[fields[name].kind]: data}}
        for name, data in attributes.items()
        if name in fields
    ]


def put_of(document: Wire) -> Put:
    """Read one document of a put. Its ``problem`` says what is wrong with it."""
    put = Put(
        id=document["Id"],
        title=document.get("Title") or None,
        blob=document.get("Blob"),
        content_type=document.get("ContentType"),
        acl=tree_of(document),
    )
    if path := document.get("S3Path"):
        put.s3 = S3Object(path["Bucket"], path["Key"])
    for attribute in document.get("Attributes", []):
        value = value_of(attribute["Value"])
        if value is None:
            put.problem = f"Document attribute {attribute['Key']} must have exactly one value."
        elif attribute["Key"] in put.attributes:
            put.problem = f"Document attribute {attribute['Key']} is given more than once."
        else:
            put.attributes[attribute["Key"]] = value
    if configuration := document.get("AccessControlConfigurationId"):
        put.problem = f"Access control configuration {configuration} does not exist."
    for name in (DATA_SOURCE_ID, EXECUTION_ID):
        value = put.attributes.get(name)
        if value is not None and value.kind == "STRING":
            setattr(put, "data_source" if name == DATA_SOURCE_ID else "execution_id", value.data)
    return put


def tree_of(document: Wire) -> Tree | None:
    """Read both kinds of access control. Hierarchical lists are an AND of ORs; the flat list is one more OR in it."""
    lists = [entry["PrincipalList"] for entry in document.get("HierarchicalAccessControlList", [])]
    if flat := document.get("AccessControlList"):
        lists.append(flat)
    controls = tuple(Control(tuple(_principal(entry) for entry in entries)) for entries in lists if entries)
    return Tree(controls) if controls else None


def _principal(wire: Wire) -> Principal:
    return Principal(wire["Type"], wire["Name"], wire["Access"], data_source=wire.get("DataSourceId"))


def rejection_to_wire(rejection: Rejection) -> Wire:
    """Write an entry of FailedDocuments. Kendra has only two codes."""
    return present(
        Id=rejection.id,
        DataSourceId=rejection.data_source,
        ErrorCode="InternalError" if rejection.code == "InternalError" else "InvalidRequest",
        ErrorMessage=rejection.message[:2048],
    )


def filter_of(wire: Wire) -> Filter:
    """Read an attribute filter. Raises ValidationFailed unless each node has exactly one operator."""
    if len(wire) != 1:
        raise ValidationFailed.of("attributeFilter", "An attribute filter must have exactly one operator.")
    operator, operand = next(iter(wire.items()))
    if operator == "AndAllFilters":
        return Combine("and", tuple(filter_of(part) for part in operand))
    if operator == "OrAllFilters":
        return Combine("or", tuple(filter_of(part) for part in operand))
    if operator == "NotFilter":
        return Combine("not", (filter_of(operand),))
    value = value_of(operand["Value"])
    if value is None:
        raise ValidationFailed.of("attributeFilter", f"The value of {operand['Key']} must have exactly one member.")
    return Compare(COMPARISONS[operator], operand["Key"], value)


def field_to_wire(name: str, field: IndexField) -> Wire:
    """Write a field of an index."""
    return {
        "Name": name,
        "Type": TYPE_OF[field.kind],
        "Relevance": {"Importance": 1, **field.relevance},
        "Search": {
            "Facetable": field.facetable,
            "Searchable": field.searchable,
            "Displayable": field.displayable,
            "Sortable": field.sortable,
        },
    }


def steps_of(configuration: Wire | None) -> list[Step]:
    """Read the inline part of an enrichment. Raises OperationNotImplemented if it has Lambda hooks."""
    if configuration is None:
        return []
    if any(name.endswith("HookConfiguration") for name in configuration):
        raise OperationNotImplemented("The Lambda hooks of document enrichment are not emulated, only its inline part.")
    return [_step(wire) for wire in configuration.get("InlineConfigurations", [])]


def _step(wire: Wire) -> Step:
    condition, target = wire.get("Condition"), wire.get("Target", {})
    value = target.get("TargetDocumentAttributeValue")
    return Step(
        None if condition is None else _condition(condition),
        target.get("TargetDocumentAttributeKey"),
        None if value is None or target.get("TargetDocumentAttributeValueDeletion") else value_of(value),
        wire.get("DocumentContentDeletion", False),
    )


def _condition(wire: Wire) -> Condition:
    operator: Any = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", wire["Operator"]).upper()
    value = wire.get("ConditionOnValue")
    return Condition(wire["ConditionDocumentAttributeKey"], operator, None if value is None else value_of(value))
