"""docs/migrating.md as a reader follows it: a connector by hand, then Docferry.

The page is about programs that use sync jobs of a service. A knowledge base has none. How Docferry itself moves to one,
test_moving.py and tests/cli/test_migrate.py try.
"""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from msgspec import structs

from docferry_laptop.laptop import Laptop
from tests.workflow.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(params=["kendra", "qbusiness"])
def kind(request: pytest.FixtureRequest) -> str:
    """The services with sync jobs."""
    return str(request.param)


@pytest.fixture(scope="module")
def page() -> SimpleNamespace:
    """The functions of the page's two programs."""
    names: dict[str, Any] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/migrating.md", "exec"), names)
    return SimpleNamespace(**names)


class Old:
    """The data source of a connector, as the connector by hand uses it."""

    def __init__(self, page: SimpleNamespace, world: World) -> None:
        self.kind = world.connector.index.kind
        self.page = page
        self.world = world
        settings = world.deployment.wired.settings.connector.index.settings
        names = ("index_id",) if self.kind == "kendra" else ("application_id", "index_id")
        self.index = {name: settings[name] for name in names}
        self.data_source_id = settings["data_source_id"]

    def put(self, **texts: bytes) -> list[str]:
        """Put documents by hand, and let the service finish. Returns what it did not take."""
        sync: Callable[..., list[str]] = getattr(self.page, f"sync_{self.kind}")
        failed = sync(texts, **self.index, data_source_id=self.data_source_id)
        self.world.aws.clock.sleep(60)
        return failed

    def delete(self, *ids: str) -> list[str]:
        """Delete documents by hand."""
        delete: Callable[..., list[str]] = getattr(self.page, f"delete_{self.kind}")
        failed = delete(list(ids), **self.index)
        self.world.aws.clock.sleep(60)
        return failed


def found(world: World) -> set[str]:
    """The ids of what a search finds."""
    return {hit.document_id for hit in world.deployment.wired.index.search("tide", 10)}


def test_in_the_same_data_source_documents_are_replaced_and_leftovers_found(
    page: SimpleNamespace, world: World
) -> None:
    """The metrics of the job tell that the ids fit. What only the old connector knew goes as the page says."""
    old = Old(page, world)
    assert old.put(**{"team/a.txt": b"low tide", "team/gone.txt": b"tide of then", "4711": b"tide by number"}) == []
    world.write("a.txt", "high tide")

    first = world.sync()

    assert (first.added, first.foreign_jobs) == (1, 1)
    metrics = next(world.deployment.wired.index.jobs()).metrics
    assert (metrics.added, metrics.modified) == (0, 1)
    assert found(world) == {"team/a.txt", "team/gone.txt", "4711"}

    reconciled = world.sync(mode="reconcile")
    if old.kind == "kendra":  # it cannot list
        assert reconciled.withheld == 0
        assert old.delete("team/gone.txt") == []
        strangers = ["4711"]
    else:
        assert reconciled.withheld == 1
        assert "others' perhaps" in reconciled.withheld_because
        assert world.sync(approve=reconciled.run).deleted == 1
        strangers = page.strangers_qbusiness("team", **old.index, data_source_id=old.data_source_id)
    assert strangers == ["4711"]
    assert old.delete(*strangers) == []
    assert found(world) == {"team/a.txt"}
    assert world.sync().execution_id is None


def test_the_first_sync_exposes_nothing_when_access_is_required(
    aws: Laptop, page: SimpleNamespace, world: World
) -> None:
    """Docferry cannot know that the old connector restricted a document: the connector has to say so."""
    old = Old(page, world)
    old.put(**{"team/a.txt": b"low tide"})
    world.write("a.txt", "high tide")
    careful = World.of(aws, world.folder, structs.replace(world.connector, access="required"))

    first = careful.sync()

    assert (first.added, first.skipped) == (0, 1)
    assert "no access control" in careful.skipped(first)["team/a.txt"]
    assert "low" in next(iter(careful.deployment.wired.index.search("tide", 10))).excerpt


def test_with_a_new_data_source_the_old_documents_go_with_theirs(
    aws: Laptop, page: SimpleNamespace, tmp_path: Path, world: World
) -> None:
    """Both are found side by side. An id that the old data source has cannot be put into another one."""
    old = Old(page, world)
    old.put(**{"4711": b"low tide", "new/b.txt": b"ebb tide"})
    folder = tmp_path / "new"
    folder.mkdir()
    new = World(aws, folder, old.kind, name="new")
    new.write("a.txt", "high tide")
    new.write("b.txt", "spring tide")

    beside = new.sync()

    assert found(new) == {"4711", "new/a.txt", "new/b.txt"}
    assert "belongs to another data source" in new.failures(beside)["new/b.txt"]

    world.delete_data_source()
    assert found(new) == {"new/a.txt"}
    assert new.sync().added == 1
    assert found(new) == {"new/a.txt", "new/b.txt"}


@pytest.mark.parametrize("kind", ["kendra"])
def test_a_leftover_is_deleted_through_the_inbox(page: SimpleNamespace, world: World) -> None:
    """Handed in, it is known; handed in as a delete, it is gone. Kendra has no other way that needs no program."""
    Old(page, world).put(**{"team/gone.txt": b"tide of then"})
    s3 = boto3.client("s3")
    for number, line in enumerate(
        (b'{"DocumentId": "gone.txt", "Content": "tide"}', b'{"DocumentId": "gone.txt", "Delete": true}')
    ):
        s3.put_object(Bucket="docferry-team-state", Key=f"inbox/{number}.jsonl", Body=line)
        world.sync()

    assert found(world) == set()
