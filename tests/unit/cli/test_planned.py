"""What a plan says of a move: what comes, and what would be refused when it is sent."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from docferry.config.deployment import Deploy, Described
from docferry.connector import Connector, Part
from docferry.delivery.shards import ShardWriter
from docferry.indexes import service
from docferry.model import Change, Document, Skipped
from docferry.state.keys import BATCHES, CHANGES, SKIPPED, run_key
from docferry.state.runs import ChangeSet, Counts
from docferry.state.store import Store
from docferry_cli.migration.planned import NO_ROLE, Plan, Way, way_of_content
from tests.unit.fakes import LIMITS, FakeIndex, document

if TYPE_CHECKING:
    from docferry_cli.targets import Opened

RUN = "run-1"


def planned(store: Store, *documents: Document, way: Way) -> Plan:
    """A plan to put these documents, of which the crawl has skipped another one."""
    writer = ShardWriter(store, RUN, "put", exact=False, documents=500)
    for one in documents:
        writer.add(Change(one.id, "added", one))
    store.write(run_key(RUN, BATCHES), writer.close())
    store.write(run_key(RUN, CHANGES), ChangeSet(counts=Counts(), manifest=None))
    with store.writing(run_key(RUN, SKIPPED)) as skipped:
        skipped.add(Skipped("new/b", "no type that is indexed"))
    return Plan(cast("Opened", SimpleNamespace(store=store, index=FakeIndex())), RUN, way=way)


@pytest.mark.parametrize(("way", "refused"), [("any", ["new/b"]), ("inline", ["new/b", "new/c"])])
def test_content_that_has_no_way_to_the_index_is_told_before(store: Store, way: Way, refused: list[str]) -> None:
    """What is too large for a request needs a role that reads S3: with one it comes, without one it is refused."""
    plan = planned(store, document("new/a"), document("new/c", size=LIMITS.inline_bytes), way=way)

    assert [one.id for one in plan.refused()] == refused
    assert plan.unsendable == len(refused) - 1
    assert {one.id for one in plan.coming()} == {"new/a", "new/c"} - set(refused)


@pytest.mark.parametrize("way", ["any", "inline", "none"])
def test_a_bucket_that_an_index_has_no_role_to_read_is_an_obstacle(store: Store, way: Way) -> None:
    """It is said once, and not of each document."""
    assert planned(store, document("new/a"), way=way).obstacles() == ([NO_ROLE] if way == "none" else [])
    assert planned(store, way=way).obstacles() == []


@pytest.mark.parametrize(
    ("kind", "source", "create", "way"),
    [
        ("bedrock", "files", False, "inline"),
        ("bedrock", "files", True, "any"),
        ("bedrock", "s3", False, "none"),
        ("kendra", "files", False, "any"),
    ],
)
def test_a_stack_makes_the_role_that_reads_content_where_it_can(
    kind: str,
    source: str,
    create: bool,  # noqa: FBT001  # the case
    way: Way,
) -> None:
    """Not for a knowledge base that exists: it reads with a role of its own, which connectors.yaml has to name."""
    described = Described(Connector("new", Part(source), Part(kind)), deploy=Deploy(create=create))
    index = FakeIndex()
    index.service = service(kind)

    assert way_of_content(described, index) == way

    index.role_arn = "arn:aws:iam::123456789012:role/reads"
    assert way_of_content(described, index) == "any"
