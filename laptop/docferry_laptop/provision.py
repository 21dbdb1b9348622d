"""Emulated indexes and data sources for connectors: what a person has made in the console already."""

from importlib import import_module

from msgspec import structs

from docferry.connector import Connector, Part
from docferry.indexes import index_class
from docferry_emulators.clock import Clock
from docferry_laptop.indexes import ROLE


def provision(connector: Connector, clock: Clock) -> Connector:
    """Find or make the index and the data source of a connector; return it with their ids.

    Connectors that name the same index share an emulated one; so do those that name none.
    """
    part = connector.index
    index_class(part.kind)  # raises for a kind that does not exist
    provide = import_module(f"docferry_laptop.indexes.{part.kind}").provide
    ids: dict[str, str] = provide(connector.name, part.settings, clock)
    # No person has declared fields on a laptop: a run does, unless the connector lists its fields.
    takes_fields = bool(index_class(part.kind).service.field_types)
    defaults = {"declare": True} if takes_fields and not part.settings.get("fields") else {}
    # The emulated index takes the place of the one that is named, so its ids take the place of those.
    return structs.replace(connector, index=Part(part.kind, {**defaults, **part.settings, **ids, "role_arn": ROLE}))
