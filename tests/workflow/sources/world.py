"""A connector of any source, on a laptop."""

from pathlib import Path
from typing import Any

from docferry.connector import Connector, Part
from docferry.model import Document
from docferry_laptop.laptop import Laptop
from tests.workflow.world import World


def synced(aws: Laptop, source: dict[str, Any], index: str, name: str = "team") -> World:
    """The world of a connector with these settings of a source, as connectors.yaml writes them."""
    return World.of(aws, Path(), _connector(source, index, name))


def restricted(aws: Laptop, source: dict[str, Any], index: str, folder: Path) -> World:
    """The same, of documents that groups may see: ``crew`` and ``officers``. Each document has access control."""
    return World.restricted(aws, Path(), _connector(source, index, "team"), folder)


def _connector(source: dict[str, Any], index: str, name: str) -> Connector:
    settings = {key: value for key, value in source.items() if key != "kind"}
    return Connector(name, Part(source["kind"], settings), Part(index))


def held(world: World) -> dict[str, Document]:
    """What the manifest says that the index holds, by the id within the source; the index says the same."""
    manifest = {id_.removeprefix("team/"): document for id_, document in world.manifest().items()}
    assert world.indexed(*manifest) == set(manifest)
    return manifest


def carried(world: World) -> list[str]:
    """The contents that a listing has put aside, and that are still there."""
    return list(world.store.keys("carried/"))
