"""A laptop with one connector whose source is a folder, for each service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docferry.connector import Connector, Part
from docferry_emulators import Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.laptop import Laptop
from tests.state_buckets import laptop_with_buckets
from tests.workflow.world import World


@pytest.fixture(params=["kendra", "qbusiness", "bedrock"])
def kind(request: pytest.FixtureRequest) -> str:
    """Every service, one after the other."""
    return str(request.param)


@pytest.fixture
def aws() -> Iterator[Laptop]:
    """A laptop on virtual time, with nothing on it."""
    with laptop_with_buckets(clock=VirtualClock(), settings=Settings(undeclared_fields="declare")) as running:
        yield running


@pytest.fixture
def world(aws: Laptop, tmp_path: Path, kind: str) -> World:
    """A connector with an empty folder."""
    folder = tmp_path / "team"
    folder.mkdir()
    return World(aws, folder, kind)


@pytest.fixture
def restricted(aws: Laptop, tmp_path: Path, kind: str) -> World:
    """A connector with an empty folder, and an index that takes documents with access control."""
    folder = tmp_path / "team"
    folder.mkdir()
    connector = Connector("team", Part("files", {"path": str(folder)}), Part(kind))
    return World.restricted(aws, folder, connector, tmp_path)
