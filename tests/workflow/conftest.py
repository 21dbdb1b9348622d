"""A laptop with one connector whose source is a folder, for each service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docferry_emulators import Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.laptop import Laptop
from tests.state_buckets import laptop_with_buckets
from tests.workflow.world import World

OF_SYNC_JOBS = frozenset(
    {
        "test_mistakes",
        "test_groups",
        "test_messages",
        "test_why",
        "test_migrating",
        "test_uploads",
        "test_rights",
        "test_modes",
        "test_fields",
    }
)
"""Modules whose worlds do not fit a service without sync jobs and groups yet."""


@pytest.fixture(params=["kendra", "qbusiness", "bedrock"])
def kind(request: pytest.FixtureRequest) -> str:
    """Every service, one after the other."""
    module = request.module.__name__.rpartition(".")[2]
    if request.param == "bedrock" and module in OF_SYNC_JOBS:
        pytest.skip(
            "its worlds have documents without access control, or sync jobs of the service: see test_bedrock.py"
        )
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
