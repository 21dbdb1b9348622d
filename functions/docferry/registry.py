"""Kinds of sources and indexes: a kind is a name, and the class that is imported when a connector uses it."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from docferry.errors import ConfigurationError

Clients = Callable[[str], Any]
"""Gives the boto3 client of a service by its name, such as ``s3``."""


def load(kinds: dict[str, str], what: str, kind: str) -> Any:
    """Import the class that a registry gives for ``kind``."""
    if kind not in kinds:
        raise ConfigurationError(f"{what} kind {kind!r} does not exist; there are: {', '.join(sorted(kinds))}")
    module, name = kinds[kind].split(":")
    return getattr(import_module(module), name)
