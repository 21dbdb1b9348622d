"""The base class and the helpers that the backends of the services share."""

from functools import cache, cached_property
from typing import Any

from botocore.loaders import create_loader
from moto.core.base_backend import BackendDict, BaseBackend

from docferry_emulators.emulation import current
from docferry_emulators.engine import Engine
from docferry_emulators.engine.resources import Resource
from docferry_emulators.errors import AccessDenied, Conflicting
from docferry_emulators.settings import Settings


class EngineBackend(BaseBackend):  # type: ignore[misc]
    """A moto backend that keeps all its state in the engine, under its account and region."""

    service = ""

    @property
    def engine(self) -> Engine:
        """The engine of the running emulation."""
        return current().engine

    @property
    def settings(self) -> Settings:
        """The settings of the running emulation."""
        return current().settings

    @cached_property
    def scope(self) -> str:
        """The key of the backend's resources in the engine."""
        return f"{self.service}/{self.account_id}/{self.region_name}"

    def arn(self, path: str) -> str:
        """Return the ARN of one of the backend's resources."""
        return f"arn:{self.partition}:{self.service}:{self.region_name}:{self.account_id}:{path}"

    def reset(self) -> None:
        """Keep everything: moto resets its backends whenever a mock starts, but this state may be in a file."""


Wire = dict[str, Any]
"""A request or a reply, by the member names of the model."""


def present(**members: Any) -> Wire:
    """Build a reply without the members that are None."""
    return {name: value for name, value in members.items() if value is not None}


def standing(resource: Resource) -> Resource:
    """Return the resource. Raises Conflicting unless it is ACTIVE or UPDATING."""
    if resource.status not in {"ACTIVE", "UPDATING"}:
        raise Conflicting(f"{resource.label} '{resource.id}' is {resource.status}.", resource.kind.upper(), resource.id)
    return resource


def backend_of(backends: BackendDict, account: str, region: str) -> Any:
    """Return the backend of an account and region. Raises AccessDenied for a region that does not exist."""
    try:
        return backends[account][region]
    except KeyError as error:
        raise AccessDenied(f"Credential should be scoped to a valid region, not '{region[:100]}'.") from error


@cache
def regions() -> list[str]:
    """Return every region of AWS. The real services run in fewer, but nothing here depends on the region."""
    partitions = create_loader().load_data("partitions")["partitions"]
    return [region for partition in partitions for region in partition["regions"] if not region.endswith("-global")]
