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
from docferry_cli.migration.planned import Plan, goes_inline
from tests.unit.fakes import LIMITS, FakeIndex, document

if TYPE_CHECKING:
    from docferry_cli.targets import Opened

RUN = "run-1"


def planned(store: Store, *documents: Document, inline: bool) -> Plan:
    """A plan to put these documents, of which the crawl has skipped another one."""
    writer = ShardWriter(store, RUN, "put", exact=False, documents=500)
    for one in documents:
        writer.add(Change(one.id, "added", one))
    store.write(run_key(RUN, BATCHES), writer.close())
    store.write(run_key(RUN, CHANGES), ChangeSet(counts=Counts(), manifest=None))
    with store.writing(run_key(RUN, SKIPPED)) as skipped:
        skipped.add(Skipped("new/b", "no type that is indexed"))
    return Plan(cast("Opened", SimpleNamespace(store=store, index=FakeIndex())), RUN, inline=inline)


@pytest.mark.parametrize(("inline", "refused"), [(True, ["new/b", "new/c"]), (False, ["new/b"])])
def test_content_that_has_no_way_to_the_index_is_told_before(store: Store, inline: bool, refused: list[str]) -> None:  # noqa: FBT001  # the case
    """What is too large for a request needs a role that reads S3: with one it comes, without one it is refused."""
    plan = planned(store, document("new/a"), document("new/c", size=LIMITS.inline_bytes), inline=inline)

    assert [one.id for one in plan.refused()] == refused
    assert plan.unsendable == len(refused) - 1
    assert {one.id for one in plan.coming()} == {"new/a", "new/c"} - set(refused)


@pytest.mark.parametrize(
    ("kind", "source", "create", "inline"),
    [
        ("bedrock", "files", False, True),
        ("bedrock", "files", True, False),
        ("bedrock", "s3", False, False),
        ("kendra", "files", False, False),
    ],
)
def test_a_stack_makes_the_role_that_reads_content_where_it_can(
    kind: str,
    source: str,
    create: bool,  # noqa: FBT001  # the case
    inline: bool,  # noqa: FBT001  # the case
) -> None:
    """Not for a knowledge base that exists: it reads with a role of its own, which connectors.yaml has to name."""
    described = Described(Connector("new", Part(source), Part(kind)), deploy=Deploy(create=create))
    index = FakeIndex()
    index.service = service(kind)

    assert goes_inline(described, index) == inline

    index.role_arn = "arn:aws:iam::123456789012:role/reads"
    assert not goes_inline(described, index)
