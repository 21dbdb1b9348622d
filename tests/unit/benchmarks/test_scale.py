"""Runs in the simulated AWS, counted: calls, invocations, events. Times are left out: no processor time passes."""

import gc
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from benchmarks.full import simulated
from benchmarks.pacing import Bucket
from benchmarks.scale.disk import Disk
from benchmarks.scale.kendra import PUT
from benchmarks.scale.measured import SCENARIOS, Measured, Wanted
from benchmarks.scale.repository import Edition, Edits
from benchmarks.scale.world import World
from docferry.delivery.shards import SHARD_DOCUMENTS
from docferry_laptop.costs import calibration
from docferry_laptop.costs.model import usage
from docferry_laptop.costs.workload import Workload

DOCUMENTS = 10_000
FIRST = Wanted(documents=DOCUMENTS, scenario="first", rate=1_000, counts_processor=False)


def nobody(_now: float, _text: str) -> None:
    """Listen to no story."""


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Measured]:
    """A world after a first sync, and what that took."""
    # The simulation collects garbage before each invocation; what other tests have left is none of its business.
    gc.collect()
    gc.freeze()
    folder = tmp_path_factory.mktemp("scale") / "first"
    world = World(folder)
    measured = world.run(FIRST, nobody)
    world.save()
    return folder, measured


def again(synced: Path, folder: Path, **changes: Any) -> Measured:
    """Another run in a copy of a world."""
    shutil.copytree(synced, folder / "again")
    wanted = structs.replace(FIRST, **changes)
    return World(folder / "again").run(wanted, nobody)


def test_a_first_sync(synced: tuple[Path, Measured]) -> None:
    """Everything is put, ten documents a request, and one child a shard; nothing comes near to a limit."""
    measured = synced[1]
    assert measured.correct, measured.status
    assert measured.usage.of("put_batch").index_calls == DOCUMENTS / 10
    assert measured.usage.of("put_batch").invocations == DOCUMENTS / SHARD_DOCUMENTS
    assert measured.history_events < 200
    assert measured.problems == ()


def test_the_dollars_of_few_documents_have_their_reason(synced: tuple[Path, Measured]) -> None:
    """A run costs something of itself: the page says so where that makes a million dearer than the goal."""
    measured = synced[1]
    made = simulated.per_million([measured])
    [figure] = made.figures
    assert figure.value == pytest.approx(measured.dollars * 100)
    assert figure.goal is not None
    assert figure.value > figure.goal
    reason, dearest = made.notes
    assert reason.startswith(f"10,000 documents cost {measured.dollars:,.4f} dollars in all")
    assert "Step Functions transitions" in dearest


def test_an_unchanged_repository(synced: tuple[Path, Measured], tmp_path: Path) -> None:
    """Nothing is sent, and no sync job is opened."""
    measured = again(synced[0], tmp_path, scenario="unchanged")
    assert measured.correct, measured.status
    assert "put_batch" not in measured.functions
    assert "start_sync" not in measured.functions
    assert measured.s3_calls < 150


def test_sidecars_are_read_once(tmp_path: Path) -> None:
    """A run that finds nothing new reads none of them again."""
    first = structs.replace(FIRST, documents=1_000, sidecars=True)
    world = World(tmp_path / "first")
    measured = world.run(first, nobody)
    world.save()
    unchanged = again(tmp_path / "first", tmp_path, documents=1_000, sidecars=True, scenario="unchanged")
    assert measured.s3_calls > 1_000
    assert unchanged.correct, unchanged.status
    assert unchanged.s3_calls < 150


def test_one_percent_changed(synced: tuple[Path, Measured], tmp_path: Path) -> None:
    """What changed is put, what is gone is deleted, and nothing else is sent."""
    measured = again(synced[0], tmp_path, scenario="one_percent")
    assert measured.correct, measured.status
    assert measured.usage.of("put_batch").index_calls == 11  # 100 changed, and 1 new
    assert measured.usage.of("delete_batch").index_calls == 1


def test_all_changed(synced: tuple[Path, Measured], tmp_path: Path) -> None:
    """Every document is put again, ten a request, in as many invocations as the first time; none is deleted."""
    measured = again(synced[0], tmp_path, scenario="all_changed")
    assert measured.correct, measured.status
    assert measured.usage.of("put_batch").index_calls == DOCUMENTS / 10
    assert measured.usage.of("put_batch").invocations == synced[1].usage.of("put_batch").invocations
    assert "delete_batch" not in measured.functions
    assert measured.problems == ()


def test_one_folder_with_all_keys(synced: tuple[Path, Measured], tmp_path: Path) -> None:
    """Where documents lie changes nothing of what is sent, nor how often pages of a thousand keys are asked for."""
    wanted = structs.replace(FIRST, folder=10 * DOCUMENTS)
    measured = World(tmp_path / "flat").run(wanted, nobody)
    assert measured.correct, measured.status
    assert measured.index_calls == synced[1].index_calls
    assert measured.s3_calls <= synced[1].s3_calls


def test_a_document_that_is_sent_in_vain_is_seen(synced: tuple[Path, Measured], tmp_path: Path) -> None:
    """A run is correct only where the index was sent what the repository has new, and nothing else."""
    shutil.copytree(synced[0], tmp_path / "again")
    world = World(tmp_path / "again")
    restart = world.service.restart

    def and_put(rate: float, numbers: int) -> None:
        restart(rate, numbers)
        world.service.holds[DOCUMENTS // 2] = PUT

    world.service.restart = and_put  # type: ignore[method-assign]  # as if another had sent it in this run
    assert not world.run(structs.replace(FIRST, scenario="unchanged"), nobody).correct


def test_edits() -> None:
    """One in so many is edited or gone, whatever the seed; as many are new; and a first edition has neither."""
    for seed in range(3):
        edition = Edition(documents=1_000, edits=Edits(edited_one_in=10, gone_one_in=100), seed=seed)
        numbers = range(edition.numbers)
        assert sum(map(edition.edited, numbers)) == 100
        assert sum(map(edition.new, numbers)) == 10
        assert sum(map(edition.exists, numbers)) == 1_000
        first = Edition(documents=1_000, seed=seed)
        same = [number for number in range(1_000) if first.etag(number) == edition.etag(number)]
        assert same == [number for number in range(1_000) if not edition.edited(number)]


def test_the_model_of_the_costs_agrees(synced: tuple[Path, Measured]) -> None:
    """`docferry cost` estimates as many requests as the simulation counts."""
    work = Workload(source="s3", index="kendra", documents=DOCUMENTS, added=DOCUMENTS, first=True)
    estimated, counted = usage(work), synced[1].usage
    for kind in ("s3_puts", "s3_gets", "index_calls"):
        assert getattr(counted, kind) == pytest.approx(getattr(estimated, kind), rel=0.05)


def test_an_index_that_throttles(synced: tuple[Path, Measured], tmp_path: Path) -> None:
    """Calls that the index refuses are sent again, and everything arrives."""
    measured = again(synced[0], tmp_path, scenario="one_percent", rate=0.5)
    assert measured.correct, measured.status
    assert measured.throttled > 0


def test_two_runs_of_one_seed_are_the_same(synced: tuple[Path, Measured], tmp_path: Path) -> None:
    """Without processor time a run of a seed takes the same calls and the same virtual time each time."""
    one = again(synced[0], tmp_path / "one", scenario="one_percent")
    other = again(synced[0], tmp_path / "other", scenario="one_percent")
    for name in ("wall_s", "invocations", "s3_calls", "index_calls", "history_events", "dollars"):
        assert getattr(one, name) == getattr(other, name)


def test_a_function_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crawl whose calls take longer than Lambda gives it is ended, retried, and fails the run."""
    figures = calibration.load()
    slow = structs.replace(figures.times, s3_call=structs.replace(figures.times.s3_call, seconds=100))
    monkeypatch.setattr(calibration, "load", lambda: structs.replace(figures, times=slow))
    wanted = structs.replace(FIRST, documents=10)
    measured = World(tmp_path / "slow").run(wanted, nobody)
    assert not measured.correct
    assert measured.longest_s >= calibration.load().service.function_seconds.value
    assert "Sandbox.Timedout" in measured.status or "CleanUpFailed" in measured.status
    assert any("crawl takes" in problem for problem in measured.problems)


def test_the_repository_lists_as_s3_does() -> None:
    """Pages follow each other in the order of the keys, below a prefix, with sidecars, and with nothing twice."""
    edition = Edition(documents=2_500, edits=SCENARIOS["one_percent"], sidecars=True)
    found: list[str] = []
    while page := edition.listed("", found[-1] if found else "", 999):
        found += [entry["Key"] for entry in page]
    assert found == sorted(set(found))
    assert len(found) == 2 * sum(edition.exists(number) for number in range(edition.numbers))
    below = edition.key(1_000)[: edition.key(1_000).rindex("/")]
    assert [entry["Key"] for entry in edition.listed(below, "", 9_999)] == [
        key for key in found if key.startswith(below)
    ]


def test_a_rate_holds() -> None:
    """An index takes a second's worth of calls at once, and then no more than its rate."""
    rate = Bucket(5)
    assert sum(rate.takes(0.0) for _ in range(20)) == 5
    assert sum(rate.takes(second / 100) for second in range(100, 300)) == 5 + 10 - 1


def test_a_disk_is_full() -> None:
    """A file that is larger than the disk is refused, as the system does."""
    disk = Disk(size=10)
    disk.grow(10)
    disk.grow(-4)
    assert (disk.used, disk.most) == (6, 10)
    with pytest.raises(OSError, match="No space left"):
        disk.grow(5)
