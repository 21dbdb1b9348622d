"""What a data source of a knowledge base is connected to: a custom connector, or a bucket on S3."""

from typing import Any

from msgspec import Struct

from docferry_emulators.backend import Wire
from docferry_emulators.errors import OperationNotImplemented, ValidationFailed

CUSTOM, S3 = "CUSTOM", "S3"
MANAGED = "MANAGED_KNOWLEDGE_BASE_CONNECTOR"
MEMBER = "dataSourceConfiguration"
KINDS = {"VECTOR": frozenset({CUSTOM, S3}), "MANAGED": frozenset({MANAGED})}
"""The types of data sources by the type of the knowledge base.
https://docs.aws.amazon.com/bedrock/latest/userguide/kb-managed-ds-custom.html"""
VERSION = "1"


class Connector(Struct, frozen=True):
    """A connector. ``access`` says whether each document has its own access control."""

    kind: str
    access: bool = False


def connector_of(source: Wire) -> Connector:
    """Return the connector of a data source, by its request or its body."""
    configuration = source[MEMBER]
    if configuration["type"] != MANAGED:
        return Connector(configuration["type"])
    parameters = configuration["managedKnowledgeBaseConnectorConfiguration"]["connectorParameters"]
    return Connector(parameters["type"], parameters.get("aclEnabled", False))


def check(request: Wire, base_type: str) -> None:
    """Check the configuration of a data source for a knowledge base of a type.

    Raises ValidationFailed, and OperationNotImplemented for a connector that is not emulated.
    """
    configuration = request[MEMBER]
    kind = configuration["type"]
    if kind not in {MANAGED, CUSTOM, S3}:
        raise OperationNotImplemented(f"Only data sources of type CUSTOM and S3 are emulated, not {kind}.")
    if kind not in KINDS[base_type]:
        raise ValidationFailed.of(f"{MEMBER}.type", f"A knowledge base of type {base_type} has no {kind} data source.")
    if kind == S3 and "s3Configuration" not in configuration:
        raise ValidationFailed.of(f"{MEMBER}.s3Configuration", "A data source of type S3 needs an s3Configuration.")
    if kind == MANAGED:
        _check_managed(configuration.get("managedKnowledgeBaseConnectorConfiguration", {}))


def _check_managed(configuration: Wire) -> None:
    parameters: Any = configuration.get("connectorParameters")
    place = f"{MEMBER}.managedKnowledgeBaseConnectorConfiguration"
    if not isinstance(parameters, dict) or not isinstance(parameters.get("type"), str):
        raise ValidationFailed.of(f"{place}.connectorParameters", "The connectorParameters need a type.")
    if parameters["type"] not in {CUSTOM, S3}:
        raise OperationNotImplemented(f"Only connectors of type CUSTOM and S3 are emulated, not {parameters['type']}.")
    if parameters.get("version") != VERSION:
        raise ValidationFailed.of(f"{place}.connectorParameters", f"The version of a connector must be '{VERSION}'.")
    if not isinstance(parameters.get("aclEnabled", False), bool):
        raise ValidationFailed.of(f"{place}.connectorParameters", "aclEnabled must be true or false.")
    if parameters["type"] == CUSTOM and "syncSchedule" in configuration:
        raise ValidationFailed.of(f"{place}.syncSchedule", "A custom connector has no syncSchedule.")
