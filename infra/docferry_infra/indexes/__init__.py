"""What a stack makes of an index: one module a kind, under the name it has in connectors.yaml."""

from importlib import import_module
from typing import Protocol, cast

from constructs import Construct

from docferry.config.deployment import Deploy
from docferry.connector import Part
from docferry.indexes import index_class


class IndexResources(Protocol):
    """What the module of a kind gives."""

    def arns(self, scope: Construct, ids: dict[str, str]) -> list[str]:
        """The ARNs of the index and of what it is in, the outermost first."""
        ...

    def make(self, scope: Construct, name: str, part: Part, deploy: Deploy) -> dict[str, str]:
        """Make what the settings name no id of, below a scope; return all ids. ``name`` is that of the resources."""
        ...


def resources(kind: str) -> IndexResources:
    """The module of a kind of index. Raises ConfigurationError for a kind that no stack can have."""
    index_class(kind)  # raises for a kind that does not exist
    return cast("IndexResources", import_module(f"{__name__}.{kind}"))
