"""Resources of the services in moto's CloudFormation: the code that their models share."""

import sys
from contextlib import suppress
from typing import Any

from docferry_emulators.backend import Wire
from docferry_emulators.emulation import current
from docferry_emulators.errors import Conflicting, ResourceMissing
from docferry_emulators.wire.protocol import ServiceResponse


class Emulated:
    """A resource that CloudFormation has made: its physical id, and its attributes.

    A model inherits this class and moto's CloudFormationModel, whose direct subclasses are known to CloudFormation.
    """

    def __init__(self, physical_resource_id: str, attributes: dict[str, str]) -> None:
        self.physical_resource_id = physical_resource_id
        self._attributes = attributes

    def get_cfn_attribute(self, name: str) -> str:
        """Return the attribute that ``Fn::GetAtt`` asks for."""
        return self._attributes[name]

    def is_created(self) -> bool:
        """Return True: CloudFormation waited for the resource when it made it."""
        return True

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether an output may name this attribute."""
        return attr.endswith(("Id", "Arn", "Status", "At"))

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return the property that names a resource: there is none, because the service makes the ids."""
        return ""

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Any:
        """Keep the resource as it is: only an index can change in place."""
        del cloudformation_json, account_id, region_name
        return original_resource


def perform(service: type[ServiceResponse], account_id: str, region: str, operation: str, **request: Any) -> Wire:
    """Call an operation of a service, as a request would. Raises EmulatorError."""
    response: Any = service()
    response.current_account, response.region = account_id, region
    with current().engine.request():
        result: Wire | None = getattr(response, operation)(request)
    return result or {}


def remove(service: type[ServiceResponse], account_id: str, region: str, operation: str, **request: Any) -> None:
    """Call an operation that deletes a resource. No error if it is gone, or is being deleted with its parent."""
    with suppress(Conflicting, ResourceMissing):
        perform(service, account_id, region, operation, **request)


def until_active(
    service: type[ServiceResponse], account_id: str, region: str, operation: str, ids: dict[str, str]
) -> Wire:
    """Wait until a resource is there, as CloudFormation does before it makes the resources that depend on it.

    Returns its description.
    """
    while _status(described := perform(service, account_id, region, operation, **ids)) not in {"ACTIVE", "AVAILABLE"}:
        current().clock.sleep(1)
    return described


def given(properties: Wire, *names: str) -> Wire:
    """Return those of the named properties that the template has."""
    return {name: properties[name] for name in names if name in properties}


def wire(properties: Any) -> Any:
    """Spell the properties of a template as the API of a service: ``DisplayName`` becomes ``displayName``."""
    if isinstance(properties, dict):
        return {name[:1].lower() + name[1:]: wire(value) for name, value in properties.items()}
    return [wire(one) for one in properties] if isinstance(properties, list) else properties


def _status(described: Wire) -> str:
    """Return the status in a description. Bedrock wraps a description in a member of its own."""
    inner: Wire = next(iter(described.values())) if len(described) == 1 else described
    status: str = inner.get("Status") or inner["status"]
    return status


def announce() -> None:
    """Make moto's CloudFormation list its models again, so that it sees those that were defined since."""
    parsing = sys.modules.get("moto.cloudformation.parsing")
    if parsing is not None:
        for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
            cached.cache_clear()
