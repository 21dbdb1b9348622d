"""Emulated indexes and their data sources, one module per kind. Each finds or makes what a person makes in the console.

Each module has ``provide(name, settings, clock)``, which returns the ids of the data source with that name.
"""

from collections.abc import Callable
from typing import Any

from docferry_emulators.clock import Clock

INDEX = "docferry"
ROLE = "arn:aws:iam::123456789012:role/docferry-data-source"


def until_active(clock: Clock, describe: Callable[..., dict[str, Any]], status: str, **ids: Any) -> dict[str, Any]:
    """Wait until a resource is ACTIVE. Returns its description, in which ``status`` is the key of its status."""
    while (described := describe(**ids))[status] != "ACTIVE":
        clock.sleep(1)
    return described


def id_of(items: list[dict[str, Any]], name_key: str, id_key: str, name: str) -> str | None:
    """Return the id of the item with this name, or None."""
    return next((item[id_key] for item in items if item[name_key] == name), None)
