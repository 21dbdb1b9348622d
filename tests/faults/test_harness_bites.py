"""The harness bites: with any one guarantee turned off it reports a violation."""

from collections.abc import Iterator
from typing import Any

import pytest

from docferry.changes import guard
from docferry.delivery.shards import changes
from docferry.groups import known
from docferry.model import Outcome
from docferry.settlement import outcomes, settle
from docferry.settlement.verify import Trusting
from docferry.state import manifest
from docferry.state.keys import MANIFEST
from docferry.sync_job import job as sync_job
from docferry.sync_job import lease
from docferry.workflow.sync_groups import Work
from tests.faults.catalogue import Case
from tests.faults.harness import Harness

ZOMBIE = "kendra | changes | zombie @ commit:PutObject:data-sources/<data source>/manifest/<run>/<digest>.json#1"
AMIDST = "kendra | changes | zombie, amid the next run @ stop_sync:StopDataSourceSyncJob#1"


def found(on: Harness, case: str) -> list[str]:
    """What the harness reports of a case."""
    return on.violations(Case.parse(case))


@pytest.mark.parametrize(
    "case",
    [
        "kendra | changes | zombie @ crawl:PutObject:lease.json#1",
        ZOMBIE,
        AMIDST,
        "kendra | changes | listing empty @ crawl:return#1",
        "kendra | changes | partial failure, always @ put_batch:BatchPutDocument#1",
        "kendra | changes | abort @ put_batch:BatchPutDocument#1",
        "kendra | changes | crash after, always @ put_batch:BatchPutDocument#1",
    ],
)
def test_with_everything_on_there_is_nothing_to_report(kendra: Harness, case: str) -> None:
    """The cases of this module, as the code is."""
    assert found(kendra, case) == []


def test_without_the_lease(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs at a time get into each other's way."""
    monkeypatch.setattr(lease, "take", lambda *_, **__: None)

    assert found(kendra, AMIDST)


def test_without_fencing(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zombie moves the manifest back to what it knew."""

    def move(store: Any, before: str | None, written: Any, *, base: Any, generation: int) -> Any:
        del before, base
        moved = manifest.Pointer(manifest.FORMAT, written.key, written.lines, written.sha256, generation=generation + 1)
        store.write(store.held(MANIFEST), moved)
        return moved

    monkeypatch.setattr(lease, "check", lambda *_, **__: None)
    monkeypatch.setattr(manifest, "move", move)

    assert any("zombie" in violation for violation in found(kendra, ZOMBIE))


def test_without_the_guard(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty listing empties the index."""
    monkeypatch.setattr(guard, "judge", lambda *_, **__: None)

    assert any(
        "deleted" in violation for violation in found(kendra, "kendra | changes | listing empty @ crawl:return#1")
    )


def test_without_ack_only_commit(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the index rejected is taken for indexed."""

    def judge(_: Trusting, outcomes: list[Outcome]) -> list[Outcome]:
        return [Outcome(one.id, one.kind, one.document) for one in outcomes]

    monkeypatch.setattr(Trusting, "judge", judge)

    case = "kendra | changes | partial failure, always @ put_batch:BatchPutDocument#1"
    assert any("the index has not" in violation for violation in found(kendra, case))


def test_without_stopping_orphans(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job of an aborted run stays open."""
    monkeypatch.setattr(sync_job, "stop", lambda store, _, run: sync_job.of_run(store, run))

    case = "kendra | changes | abort @ put_batch:BatchPutDocument#1"
    assert any("a sync job is" in violation for violation in found(kendra, case))


def test_without_checking_for_results(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard that died is taken for done."""

    def of_shard(store: Any, shard: Any, *, done: bool) -> Iterator[Outcome]:
        del done
        for change in changes(store, shard):
            yield Outcome(change.id, change.kind, change.document)

    monkeypatch.setattr(outcomes, "of_shard", of_shard)
    monkeypatch.setattr(settle, "missing", lambda *_: [])

    case = "kendra | changes | crash after, always @ put_batch:BatchPutDocument#1"
    assert any("the index has not" in violation for violation in found(kendra, case))


def test_without_ordering_ids_that_grow(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run puts counts less than what was put before it."""
    case = "kendra | groups | throttle @ sync_groups:PutPrincipalMapping#1"
    assert found(kendra, case) == []

    monkeypatch.setattr(known, "next_ordering", lambda _: 1)

    assert found(kendra, case)


def test_without_a_look_at_the_lease_before_groups_are_sent(kendra: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zombie sends the list that it has read long ago."""
    case = "kendra | groups | zombie @ sync_groups:PutObject:runs/<run>/groups.json#1"
    assert found(kendra, case) == []

    monkeypatch.setattr(Work, "_check", lambda _: None)

    assert found(kendra, case)
