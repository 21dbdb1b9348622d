"""Resources of the two services in moto's CloudFormation: what the models of both share."""

import sys
from contextlib import suppress
from typing import Any

from docferry_emulators.backend import Wire
from docferry_emulators.emulation import current
from docferry_emulators.errors import Conflicting, ResourceMissing
from docferry_emulators.wire.protocol import ServiceResponse


class Emulated:
    """A resource that CloudFormation has made: the id it is referred to by, and its attributes.

    Each model inherits it beside moto's CloudFormationModel, whose direct subclasses are what CloudFormation knows.
    """

    def __init__(self, physical_resource_id: str, attributes: dict[str, str]) -> None:
        self.physical_resource_id = physical_resource_id
        self._attributes = attributes

    def get_cfn_attribute(self, name: str) -> str:
        """What ``Fn::GetAtt`` gives."""
        return self._attributes[name]

    def is_created(self) -> bool:
        """Whether it is there: it was waited for."""
        return True

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether an output may name this attribute."""
        return attr.endswith(("Id", "Arn"))

    @staticmethod
    def cloudformation_name_type() -> str:
        """No property names one of these: their ids are the service's."""
        return ""

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, cloudformation_json: Wire, account_id: str, region_name: str, **_: Any
    ) -> Any:
        """Keep the resource: nothing of it but an index's fields changes in place."""
        del cloudformation_json, account_id, region_name
        return original_resource


def perform(service: type[ServiceResponse], account_id: str, region: str, operation: str, **request: Any) -> Wire:
    """Do an operation of a service, as a request to it would. Raises EmulatorError."""
    response: Any = service()
    response.current_account, response.region = account_id, region
    with current().engine.request():
        result: Wire | None = getattr(response, operation)(request)
    return result or {}


def remove(service: type[ServiceResponse], account_id: str, region: str, operation: str, **request: Any) -> None:
    """Do an operation that deletes something; what goes with its parent already, or is gone, is no error."""
    with suppress(Conflicting, ResourceMissing):
        perform(service, account_id, region, operation, **request)


def until_active(
    service: type[ServiceResponse], account_id: str, region: str, operation: str, ids: dict[str, str]
) -> None:
    """Wait until a resource is there, as CloudFormation does before it makes what depends on it."""
    while _status(perform(service, account_id, region, operation, **ids)) != "ACTIVE":
        current().clock.sleep(1)


def given(properties: Wire, *names: str) -> Wire:
    """Those of some properties that a template gives."""
    return {name: properties[name] for name in names if name in properties}


def _status(described: Wire) -> str:
    status: str = described.get("Status") or described["status"]
    return status


def announce() -> None:
    """Let moto's CloudFormation see models that were defined after it has listed them."""
    parsing = sys.modules.get("moto.cloudformation.parsing")
    if parsing is not None:
        for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
            cached.cache_clear()
