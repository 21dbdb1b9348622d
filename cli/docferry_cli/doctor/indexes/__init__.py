"""What an index service says of an index and its data source, one module a kind.

Each module has ``index(client, ids)``, ``data_source(client, ids)`` and ``arn(...)``; see the structs here.
"""

from importlib import import_module
from typing import Any, Protocol

from msgspec import Struct


class IndexFacts(Struct, frozen=True):
    """An index: its status, and how much it holds and may hold. A limit that is not known is None."""

    status: str
    edition: str
    documents: int
    text_bytes: int
    most_documents: int | None
    most_text_bytes: int | None
    error: str = ""


class SourceFacts(Struct, frozen=True):
    """A data source: its status and its type. ``wrong`` is what is not as the connector says, and the cure."""

    status: str
    type: str
    error: str = ""
    wrong: tuple[str, str] | None = None


class Kind(Protocol):
    """A module of this folder."""

    def index(self, client: Any, ids: dict[str, str]) -> IndexFacts:
        """Describe the index. Raises the errors of docferry.errors."""
        ...

    def data_source(self, client: Any, ids: dict[str, str]) -> SourceFacts:
        """Describe the data source. Raises the errors of docferry.errors."""
        ...

    def resource(self, ids: dict[str, str]) -> str:
        """The end of the ARN that a role's trust names, such as ``index/ID``."""
        ...


def kind(name: str) -> Kind:
    """The module of a kind of index."""
    module: Any = import_module(f"docferry_cli.doctor.indexes.{name}")
    found: Kind = module
    return found
