"""A deployed connector of a knowledge base, which its stack has made: what a person sees from first sync to delete."""

import json
from collections.abc import Iterator

import boto3
import pytest

from docferry_laptop.assembly import Assembly
from tests.e2e.conftest import deployed
from tests.e2e.world import BUCKET, World


@pytest.fixture
def world(assembly: Assembly) -> Iterator[World]:
    """A bucket, and a managed knowledge base without access control."""
    with deployed("handbook-kb", assembly) as world:
        yield world


def test_a_knowledge_base_of_the_stack_is_synced_again_and_again(world: World) -> None:
    """What changes is sent and what goes is deleted, with the rights of the roles; secrets are left out, with why."""
    entries = [{"Name": "ann@example.com", "Type": "USER", "Access": "ALLOW"}]
    secret = {"salaries.txt.metadata.json": json.dumps({"AccessControlList": entries}).encode()}
    world.upload(
        {"tides.txt": b"High water at noon.", "fog.txt": b"Sound the horn.", "salaries.txt": b"Much.", **secret}
    )

    first = world.run()
    assert (first.added, first.failed, first.skipped) == (2, 0, 1)
    assert world.run().execution_id is None
    world.assert_converged({"tides.txt", "fog.txt"})
    assert [hit.document_id for hit in world.stack.index.search("horn", 5)] == ["handbook-kb/fog.txt"]

    world.upload({"fog.txt": b"Sound the siren."})
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="tides.txt")
    again = world.run()

    assert (again.modified, again.deleted, again.failed) == (1, 1, 0)
    world.assert_converged({"fog.txt"})
    assert world.stack.index.search("tides water noon", 5) == []
