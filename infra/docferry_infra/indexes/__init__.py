"""What a stack makes of an index: one module a kind, under the name it has in connectors.yaml."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.indexes import index_class
from docferry_infra.grants import service_role


class IndexResources(Protocol):
    """What the module of a kind gives."""

    def arns(self, scope: Construct, ids: dict[str, str]) -> list[str]:
        """The ARNs of the index and of what it is in, the outermost first."""
        ...

    def make(self, scope: Construct, name: str, part: Part, deploy: Deploy) -> dict[str, str]:
        """Make what the settings name no id of, below a scope; return all ids. ``name`` is that of the resources."""
        ...

    def reader(self, scope: Construct, ids: dict[str, str]) -> iam.Role | None:
        """The role that the service reads content on S3 with, made for this index alone.

        None when the index has a role of its own, which the stack does not know.
        """
        ...

    def problems(self, given: Mapping[str, Any], deploy: Deploy) -> Iterator[str]:
        """What keeps an index from being made, beside ids that are missing. ``given`` are its ids; None: to be made."""
        ...


def content_role(scope: Construct, principal: str, arn: str) -> iam.Role:
    """A role that a service takes on for the index with this ARN alone."""
    conditions = {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}, "ArnLike": {"aws:SourceArn": arn}}
    return service_role(scope, "ContentRole", principal, conditions)


def resources(kind: str) -> IndexResources:
    """The module of a kind of index. Raises ConfigurationError for a kind that no stack can have."""
    index_class(kind)  # raises for a kind that does not exist
    return cast("IndexResources", import_module(f"{__name__}.{kind}"))
