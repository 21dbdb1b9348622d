"""A settlement in steps: whoever cuts it, and where, it comes to the same bytes; and it touches what changes alone."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from docferry.delivery.shards import write_result
from docferry.indexes import DocumentStatus, Indexed, JobStatus, SyncJob
from docferry.model import Acceptance, Change, Kind, Outcome
from docferry.settlement import late_failures, settling
from docferry.settlement import outcomes as outcomes_module
from docferry.settlement.late_failures import look_again
from docferry.settlement.settle import Settled, settle
from docferry.settlement.settling import Remaining, Unfinished
from docferry.state import lines, manifest, parts
from docferry.state.chunks import chunks
from docferry.state.keys import BATCHES, CHANGES, MANIFEST, SYNC_JOB, run_key, shard_key
from docferry.state.runs import ChangeSet, Counts, Operation, Shard
from docferry.state.store import Store
from docferry.sync_job.job import SyncJobRecord
from tests.unit.fakes import LIMITS, FakeIndex, document, job, wired, write_manifest
from tests.unit.s3_calls import Died, in_memory, watched

pytestmark = pytest.mark.usefixtures("clock")

RUN = "run-1"
Result = TypeVar("Result")
STATES: st.SearchStrategy[Acceptance] = st.sampled_from(["acknowledged", "acknowledged", "rejected", "doubtful"])
SAID: st.SearchStrategy[Indexed | None] = st.sampled_from([None, "INDEXED", "INDEXED", "FAILED", "UPDATE_FAILED"])
IDS = st.integers(0, 60).map(lambda number: f"d{number:02}")


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    """Parts and steps of a few lines."""
    with (
        patch.object(parts, "PART_LINES", 8),
        patch.object(outcomes_module, "STEP_OUTCOMES", 5),
        patch.object(outcomes_module, "STEP_ASKED", 3),
    ):
        yield


class Case(Struct, frozen=True):
    """A run to be settled: what was held before, what became of each change, and what job and index say."""

    held: frozenset[str]
    outcomes: tuple[Outcome, ...]
    lost: frozenset[int]
    ended: SyncJob | None
    statuses: dict[str, Indexed]
    by_id: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any of them."""
    held = draw(st.frozensets(IDS))
    found = []
    for id_ in sorted(draw(st.frozensets(IDS, max_size=40))):
        kind: Kind = draw(st.sampled_from(["modified", "deleted"] if id_ in held else ["added"]))
        state = draw(STATES)
        found.append(
            Outcome(id_, kind, document(id_, "v1" if kind == "deleted" else "v2"), state, "why", state == "rejected")
        )
    statuses: list[JobStatus] = ["SUCCEEDED", "INCOMPLETE", "STOPPING"]
    status = draw(st.sampled_from([*statuses, None]))
    return Case(
        held,
        tuple(found),
        draw(st.frozensets(st.integers(0, 5), max_size=2)),
        job("execution-1", status, failed=draw(st.integers(0, 1))) if status else None,
        {id_: said for id_ in sorted(held | {one.id for one in found}) if (said := draw(SAID))},
        draw(st.booleans()),
    )


def sent(store: Store, case: Case) -> FakeIndex:
    """Lay the run out on S3 as it is when its job has ended. Returns the index."""
    base = None
    if case.held:
        written = write_manifest(store, "run-0", [Outcome(id_, "added", document(id_)) for id_ in sorted(case.held)])
        base = manifest.move(store, None, written)
    shards: list[Shard] = []
    operations: tuple[Operation, ...] = ("put", "delete")
    for operation in operations:
        of_operation = [one for one in case.outcomes if (one.kind == "deleted") == (operation == "delete")]
        for number, some in enumerate(chunks(of_operation, 4)):
            name = f"{operation}-{number:05}"
            with store.writing(shard_key(RUN, name)) as stream:
                for one in some:
                    stream.add(Change(one.id, one.kind, one.document))
            shards.append(Shard(RUN, operation, name, len(some), stream.written.sha256))
            if len(shards) - 1 not in case.lost:
                write_result(store, shards[-1], some)
    store.write(run_key(RUN, BATCHES), shards)
    counts = Counts(added=len(case.outcomes))
    store.write(run_key(RUN, CHANGES), ChangeSet(counts=counts, manifest=base))
    store.write(store.held(SYNC_JOB), SyncJobRecord(run=RUN, state="open", execution_id="execution-1"))
    index = FakeIndex()
    index.limits = structs.replace(LIMITS, statuses_by_id=case.by_id)
    index.says(*(DocumentStatus(id_, status) for id_, status in case.statuses.items()))
    return index


def left_behind(store: Store) -> dict[str, bytes | None]:
    """Everything that a settlement leaves for others to read."""
    prefixes = (store.held(""), run_key(RUN, "failed"))
    return {key: store.content(key) for prefix in prefixes for key in store.keys(prefix)}


def nothing() -> int:
    """No time is left after the step that is being made."""
    return 0


def plenty() -> int:
    """An invocation's time, which does not run short."""
    return settling.RESERVE_MS


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases(), st.randoms(use_true_random=False))
def test_a_settlement_that_is_cut_anywhere_comes_to_the_same_bytes(case: Case, chance: random.Random) -> None:
    """Its time runs short after any step, or its process dies at any call of S3; and then it is repeated once more."""
    whole, cut = in_memory(), in_memory()
    # A small run on an index that only lists is asked for by document; here each run is large.
    with patch("docferry.settlement.settle.SMALL_RUN", 0):
        once = settle(wired(whole, sent(whole, case)), RUN, case.ended, plenty)
        index = sent(cut, case)
        settled = in_pieces(
            cut, lambda store, remaining: settle(wired(store, index), RUN, case.ended, remaining), chance
        )
        again = settle(wired(cut, index), RUN, case.ended, plenty)

    assert settled == again == once
    assert left_behind(cut) == left_behind(whole)


def in_pieces(store: Store, work: Callable[[Store, Remaining], Result], chance: random.Random) -> Result:
    """Do some work in invocations that end early, or die."""
    for _ in range(1_000):
        through, calls = watched(store)
        calls.dies_at = chance.choice([0, chance.randrange(1, 60)])
        with suppress(Died, Unfinished):
            return work(through, chance.choice([plenty, nothing]))
    raise AssertionError("it never ends")


def held(store: Store) -> dict[str, str]:
    """The version of each document in the manifest."""
    pointer = manifest.pointer(store)
    found = manifest.documents(store, pointer.value if pointer else None)
    return {line.id: line.version for line in (lines.decode(line, Line) for line in found)}


class Line(Struct):
    """What is compared of a line of the manifest."""

    id: str
    version: str


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases())
def test_the_manifest_in_parts_is_what_the_outcomes_say(case: Case) -> None:
    """Whatever the steps: a clean job is believed, and the shards that left no result are doubtful."""
    store = in_memory()
    expected = dict.fromkeys(case.held, "v1")
    index = sent(store, structs.replace(case, lost=frozenset(), statuses={}))
    for outcome in case.outcomes:
        match outcome:
            case Outcome(state="doubtful"):
                expected[outcome.id] = ""
            case Outcome(state="acknowledged", kind="deleted"):
                expected.pop(outcome.id)
            case Outcome(state="acknowledged"):
                expected[outcome.id] = "v2"
            case Outcome(state="rejected", kind="deleted"):
                # The index does not know of it.
                expected.pop(outcome.id)

    settle(wired(store, index), RUN, job("execution-1", "SUCCEEDED"), plenty)

    assert held(store) == expected


def changed(store: Store, run: str, outcomes: list[Outcome]) -> Settled:
    """Settle a run of these outcomes over whatever is held."""
    before = manifest.pointer(store)
    operations: dict[Operation, list[Outcome]] = {"put": [], "delete": []}
    for one in outcomes:
        operations["delete" if one.kind == "deleted" else "put"].append(one)
    shards = []
    for operation, some in operations.items():
        if some:
            with store.writing(shard_key(run, operation)) as stream:
                for one in some:
                    stream.add(Change(one.id, one.kind, one.document))
            shards.append(Shard(run, operation, operation, len(some), stream.written.sha256))
            write_result(store, shards[-1], some)
    store.write(run_key(run, BATCHES), shards)
    counts = Counts(added=len(outcomes))
    store.write(run_key(run, CHANGES), ChangeSet(counts=counts, manifest=before.value if before else None))
    store.write(store.held(SYNC_JOB), SyncJobRecord(run=run, state="open", execution_id="execution-1"))
    return settle(wired(store, FakeIndex()), run, job("execution-1", "SUCCEEDED"), plenty)


def parts_of(store: Store) -> tuple[parts.Part, ...]:
    """The parts of the manifest now."""
    pointer = manifest.pointer(store)
    found = manifest.parts(store, pointer.value if pointer else None)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(3))
def test_hundreds_of_commits_leave_no_heap_of_short_parts(seed: int) -> None:
    """Adds at one end or anywhere, deletes of whole stretches: the parts stay few, and are what was committed."""
    chance, store = random.Random(seed), in_memory()
    now: dict[str, str] = {}
    for number in range(100):
        chosen = set(chance.sample(range(300), chance.choice([1, 3, 30])))
        if chance.random() < 0.2:
            start = chance.randrange(300)
            chosen = set(range(start, start + chance.choice([5, 60])))
        deletes = chance.random() < 0.4
        outcomes = []
        for id_ in sorted(f"d{one:03}" for one in chosen):
            if id_ in now and deletes:
                outcomes.append(Outcome(id_, "deleted", document(id_, now.pop(id_))))
            elif not deletes:
                outcomes.append(Outcome(id_, "modified" if id_ in now else "added", document(id_, f"v{number}")))
                now[id_] = f"v{number}"
        if outcomes:
            changed(store, f"run-{number}", outcomes)

            found = parts_of(store)
            assert held(store) == now
            assert all(part.lines <= parts.LARGEST * parts.PART_LINES for part in found)
            assert not any(part.short for part in found[:-1])
            assert len(found) <= len(now) / (parts.SHORT * parts.PART_LINES) + 1


def test_a_commit_of_few_changes_reads_and_writes_the_parts_that_they_are_in() -> None:
    """The others are taken over as they are, whatever their number."""
    store = in_memory()
    changed(store, "run-0", [Outcome(f"d{number:03}", "added", document(f"d{number:03}")) for number in range(400)])
    before = parts_of(store)
    through, calls = watched(store)

    changed(through, "run-1", [Outcome(id_, "modified", document(id_, "v2")) for id_ in ("d100", "d101", "d300")])

    after = parts_of(store)
    kept = set(before) & set(after)
    assert len(before) == len(after) == len(kept) + 2
    assert len(before) > 40
    of_manifest = calls.on("get_object", lambda key: key in {part.key for part in before})
    assert set(of_manifest) == {part.key for part in before} - {part.key for part in kept}
    written = calls.on("upload_fileobj", lambda key: "/manifest/" in key)
    assert set(written) == {part.key for part in after} - {part.key for part in kept}
    assert held(store) == {f"d{number:03}": "v2" if number in {100, 101, 300} else "v1" for number in range(400)}


def test_a_manifest_of_one_object_is_written_in_parts() -> None:
    """By the first commit after an update; the next ones take the parts over."""
    store = in_memory()
    ids = [f"d{number:02}" for number in range(40)]
    with store.writing(store.held("manifest/run-0.jsonl.zst")) as stream:
        for id_ in ids:
            stream.add(document(id_))
    pointer = manifest.Pointer(1, stream.written.key, stream.written.lines, stream.written.sha256)
    store.write(store.held(MANIFEST), pointer)

    changed(store, "run-1", [Outcome("d20", "modified", document("d20", "v2"))])

    assert held(store) == {id_: "v2" if id_ == "d20" else "v1" for id_ in ids}
    assert len(parts_of(store)) > 2
    moved = manifest.pointer(store)
    assert moved is not None
    assert moved.value.format == manifest.FORMAT


def test_what_was_decided_stays_decided() -> None:
    """The index says something else when the settlement goes on: what is in the new manifest already is counted."""
    store = in_memory()
    ids = [f"d{number:02}" for number in range(12)]
    case = Case(
        frozenset(),
        tuple(Outcome(id_, "added", document(id_, "v2")) for id_ in ids),
        frozenset(),
        job("execution-1", "INCOMPLETE", failed=1),
        dict.fromkeys(ids, "FAILED"),
        by_id=True,
    )
    index = sent(store, case)
    with pytest.raises(Unfinished):
        settle(wired(store, index), RUN, case.ended, lambda: 0)
    index.says(*(DocumentStatus(id_, "INDEXED") for id_ in ids))

    settled = settle(wired(store, index), RUN, job("execution-1", "SUCCEEDED"), plenty)

    assert settled == Settled(added=9, failed=3)
    assert held(store) == dict.fromkeys(ids[3:], "v2")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases(), st.randoms(use_true_random=False))
def test_a_later_look_that_is_cut_anywhere_comes_to_the_same_bytes(case: Case, chance: random.Random) -> None:
    """Each document of the run is looked up in steps, too; those that failed late become doubtful."""
    whole, cut = in_memory(), in_memory()
    with patch.object(late_failures, "SMALL_RUN", 0):
        once = look_again(wired(whole, committed(whole, case)), plenty)
        index = committed(cut, case)
        found = in_pieces(cut, lambda store, remaining: look_again(wired(store, index), remaining), chance)
        again = look_again(wired(cut, index), plenty)

    acknowledged = [one for one in case.outcomes if one.state == "acknowledged" and one.id in left_results(case)]
    assert found in {once, 0}  # 0: the invocation that noted it died before it could say so
    assert again == 0
    assert once == sum(fails_late(one, case.statuses.get(one.id)) for one in acknowledged)
    assert left_behind(cut) == left_behind(whole)
    now = manifest.pointer(whole)
    assert now is not None
    assert late_failures.is_taken_back(now.value) is bool(once)


def committed(store: Store, case: Case) -> FakeIndex:
    """Commit a run whose job was clean at first, and counts failures now."""
    index = sent(store, case)
    settle(wired(store, index), RUN, job("execution-1", "SUCCEEDED"), plenty)
    index.history.append(job("execution-1", "INCOMPLETE", failed=40))
    return index


def left_results(case: Case) -> set[str]:
    """The documents of the shards that left a result."""
    puts = [one for one in case.outcomes if one.kind != "deleted"]
    deletes = [one for one in case.outcomes if one.kind == "deleted"]
    shards = [*chunks(puts, 4), *chunks(deletes, 4)]
    return {one.id for number, some in enumerate(shards) if number not in case.lost for one in some}


def fails_late(outcome: Outcome, status: Indexed | None) -> bool:
    """Whether the index turns out not to have taken a change that it had acknowledged."""
    return status != "INDEXED" if outcome.kind != "deleted" else status is not None
