"""Attributes that the index does not take, by outcome: named before anything is sent, or declared.

Of services whose indexes declare their fields. A knowledge base takes every attribute as it comes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from docferry.connector import Part
from docferry_emulators import Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.laptop import Laptop
from tests.state_buckets import laptop_with_buckets
from tests.workflow.world import World


@pytest.fixture(params=["kendra", "qbusiness"])
def kind(request: pytest.FixtureRequest) -> str:
    """The services that have fields."""
    return str(request.param)


@pytest.fixture
def aws() -> Iterator[Laptop]:
    """A laptop whose indexes reject an attribute that is not declared, as the services do."""
    with laptop_with_buckets(clock=VirtualClock(), settings=Settings(undeclared_fields="reject")) as running:
        yield running


def described(aws: Laptop, folder: Path, kind: str, **settings: Any) -> World:
    """A connector whose index part has these settings."""
    folder.mkdir(exist_ok=True)
    world = World(aws, folder, kind)
    return World.of(aws, folder, structs.replace(world.connector, index=Part(kind, settings)))


def write(world: World, name: str, **attributes: object) -> None:
    """Write a document with attributes."""
    world.write(name)
    world.write(f"{name}.metadata.json", json.dumps({"Attributes": attributes}))


def calls(world: World, operation: str) -> int:
    """How often an operation was called."""
    return world.aws.emulation.faults.calls[operation]


def test_what_the_index_does_not_declare_is_named_before_anything_is_sent(
    aws: Laptop, tmp_path: Path, kind: str
) -> None:
    """All of it at once, with the type and a document; and no sync job is opened."""
    world = described(aws, tmp_path / "team", kind, declare=False)
    write(world, "a.txt", audience="crew", revision=7)
    write(world, "b.txt", revision=8, _category="safety")

    report = world.sync()

    assert report.status == "FAILED"
    assert "ConfigurationError" in report.error
    assert "audience (STRING) is not declared; team/a.txt has it" in report.error
    assert "revision (NUMBER) is not declared; team/a.txt has it" in report.error
    assert "_category" not in report.error
    assert "index.declare: true" in report.error
    assert world.jobs() == []
    world.assert_at_rest()


def test_another_type_is_named_and_declaring_does_not_help(aws: Laptop, tmp_path: Path, kind: str) -> None:
    """A field keeps its type."""
    world = described(aws, tmp_path / "team", kind, fields={"revision": "NUMBER"}, declare=True)
    write(world, "a.txt", revision="seven")

    report = world.sync()

    assert report.status == "FAILED"
    assert "revision is a NUMBER in the index, and a STRING in team/a.txt" in report.error
    assert world.jobs() == []


def test_a_plan_says_so_and_declares_nothing(aws: Laptop, tmp_path: Path, kind: str) -> None:
    """In its notes."""
    world = described(aws, tmp_path / "team", kind, declare=True)
    write(world, "a.txt", revision="seven", audience="crew")
    write(world, "b.txt", revision=7)
    before = world.deployment.wired.index.fields()

    report = world.sync(dry_run=True)

    assert report.status == "SUCCEEDED"
    assert any("revision is a STRING in the index, and a NUMBER in team/b.txt" in note for note in report.notes)
    assert world.deployment.wired.index.fields() == before


def test_what_is_missing_is_declared_once(aws: Laptop, tmp_path: Path, kind: str) -> None:
    """And then the documents are taken, with their attributes."""
    world = described(aws, tmp_path / "team", kind, declare=True)
    write(world, "a.txt", audience="crew", revision=7, tags=["deck"], reviewed="2026-01-31T12:00:00Z")

    report = world.sync()

    assert (report.status, report.added, report.failed) == ("SUCCEEDED", 1, 0)
    fields = world.deployment.wired.index.fields()
    assert fields.ready
    assert {name: fields.types[name] for name in ("audience", "revision", "tags")} == {
        "audience": "STRING",
        "revision": "NUMBER",
        "tags": "STRING_LIST",
    }
    assert calls(world, "UpdateIndex") >= 1

    before = calls(world, "UpdateIndex")
    write(world, "b.txt", audience="passengers")
    assert world.sync().added == 1
    assert calls(world, "UpdateIndex") == before


def test_documents_without_attributes_cost_no_call(aws: Laptop, tmp_path: Path, kind: str) -> None:
    """Nor does a run that puts none."""
    world = described(aws, tmp_path / "team", kind, declare=True)
    before = calls(world, "DescribeIndex") + calls(world, "GetIndex")
    world.write("a.txt")

    world.sync()
    world.sync()

    assert calls(world, "DescribeIndex") + calls(world, "GetIndex") == before
