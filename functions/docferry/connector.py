"""One connector as connectors.yaml describes it, in the form that travels to its functions."""

from typing import Any

from msgspec import Struct, field

from docferry.access import Policy
from docferry.guard import DeleteGuard


class Part(Struct, frozen=True):
    """The source or the index of a connector: its kind, and the settings of that kind as they were written."""

    kind: str
    settings: dict[str, Any] = field(default_factory=dict)


class Connector(Struct, frozen=True):
    """One source, one index. Encodes to JSON, so that it fits into an environment variable."""

    name: str
    source: Part
    index: Part
    deletes: DeleteGuard = DeleteGuard()
    access: Policy | None = None
