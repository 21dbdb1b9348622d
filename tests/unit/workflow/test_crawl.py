"""Crawl: a listing over many invocations is the same listing, and says what it does not know."""

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

import msgspec
import pytest
from msgspec import structs

from docferry.delivery.shards import MANY_CHANGES, WORKERS, changes, workers, write_result
from docferry.errors import ListingTooLong
from docferry.model import Document, Listed, Opened, Outcome, Skipped
from docferry.runtime.wiring import Wired
from docferry.sources import NOTHING, Ability, Known, Page, Source
from docferry.state import sorting
from docferry.state.keys import CHECKPOINT, LEASE, run_key
from docferry.state.runs import Checkpoint, Input, change_set, shards
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.workflow import crawl as module
from docferry.workflow.crawl import RESERVE_MS, Crawled, Request, crawl, walk
from tests.unit.fakes import FakeIndex, document, wired

RUN = Request(run="run-1", execution="arn:run-1")
PLENTY = 900_000


class FakeSource:
    """Lists what it is given, a page an entry, and goes on after the page that a checkpoint names."""

    Settings: Any = None
    presentation: frozenset[str] = frozenset()
    abilities: frozenset[Ability] = frozenset({"resumes"})

    def __init__(self, *listed: Listed) -> None:
        self.listed = listed
        self.asked: list[str | None] = []

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:  # noqa: ARG002
        """See Source.pages."""
        self.asked.append(checkpoint)
        for number in range(int(checkpoint or -1) + 1, len(self.listed)):
            yield Page([self.listed[number]], str(number))

    def open(self, document: Document) -> Opened:
        """See Source.open."""
        raise NotImplementedError


def of(store: Store, source: FakeSource) -> Wired:
    """What a crawl works with."""
    return structs.replace(wired(store, FakeIndex()), source=cast("Source", source))


def crawled(store: Store, source: FakeSource, times: list[int], run: Request = RUN) -> list[Crawled]:
    """Crawl until it is complete; ``times`` is what each look at the clock says, at last there is plenty."""
    results: list[Crawled] = []
    rest = iter(times)
    while not results or not results[-1].complete:
        results.append(crawl(of(store, source), run, lambda: next(rest, PLENTY)))
    return results


def put(store: Store) -> list[str]:
    """The ids in the change set."""
    return [change.id for shard in shards(store, "run-1") for change in changes(store, shard)]


def test_a_listing_in_one_invocation(store: Store) -> None:
    """The counts are of the change set; the batches say where it is."""
    (result,) = crawled(store, FakeSource(*map(document, "cab")), [])

    assert (result.complete, result.listed, result.changes, result.counts.added) == (True, 3, 3, 3)
    assert result.batches == "runs/run-1/batches.json"
    assert put(store) == ["a", "b", "c"]


def test_the_crawl_says_how_many_send_at_a_time(store: Store) -> None:
    """As many as the connector says, or else as many as suit the change set."""
    place = of(store, FakeSource(document("a")))
    usual = crawl(place, RUN, lambda: PLENTY)
    index = FakeIndex()
    index.concurrency = 17
    other = crawl(structs.replace(place, index=index), Request("run-1", "arn:run-1"), lambda: PLENTY)

    assert (usual.workers, other.workers) == (WORKERS, 17)
    assert workers(MANY_CHANGES) == WORKERS < workers(MANY_CHANGES + 1)


def test_a_listing_over_many_invocations_is_the_same(store: Store) -> None:
    """Each invocation stops in time, and the next goes on where it stopped."""
    source = FakeSource(*map(document, "cabfed"))

    # Two looks at the clock a page, so that each invocation gets through one page.
    results = crawled(store, source, [RESERVE_MS - 1] * 30)

    assert len(results) > 6
    assert [result.listed for result in results[:6]] == [1, 2, 3, 4, 5, 6]
    assert source.asked == [None, "0", "1", "2", "3", "4", "5"]
    assert put(store) == ["a", "b", "c", "d", "e", "f"]


def test_a_whole_listing_is_compared_by_an_invocation_that_has_the_time(store: Store) -> None:
    """The comparison cannot be interrupted."""
    source = FakeSource(document("a"))

    first, second = crawled(store, source, [PLENTY, PLENTY, RESERVE_MS - 1])

    assert (first.complete, first.listed, first.batches) == (False, 1, "")
    assert second.complete
    assert len(source.asked) == 1


def test_a_crash_between_chunk_and_checkpoint_lists_nothing_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk is written again; nobody reads the first one."""
    monkeypatch.setattr(sorting, "CHUNK_LINES", 2)
    source = FakeSource(*map(document, "abcde"))
    write = store.write

    def crash(key: str, value: object) -> None:
        if key.endswith(CHECKPOINT) and cast("Checkpoint", value).listed == 4:
            monkeypatch.setattr(store, "write", write)
            raise RuntimeError("killed")
        write(key, value)

    monkeypatch.setattr(store, "write", crash)
    with pytest.raises(RuntimeError):
        crawled(store, source, [])

    (result,) = crawled(store, source, [])

    assert source.asked == [None, "1"]
    assert result.listed == 5
    assert put(store) == list("abcde")


def test_a_document_that_the_index_would_refuse_is_skipped(store: Store) -> None:
    """It is counted and reported, not sent with every run."""
    (result,) = crawled(store, FakeSource(document("a"), document("b", title="x" * 51)), [])

    assert (result.counts.added, result.counts.skipped) == (1, 1)
    assert put(store) == ["a"]


def checkpoint(store: Store) -> Checkpoint:
    """What the listing says of itself."""
    record = store.read(run_key("run-1", CHECKPOINT), Checkpoint)
    assert record is not None
    return record.value


def test_a_listing_remembers_what_is_uncertain_and_incomplete(store: Store) -> None:
    """Over all invocations; the first obstacle is the reason."""
    source = FakeSource(
        Skipped("a", "broken sidecar", "/a"),
        Skipped("b/", "cannot be listed", incomplete=True),
        Skipped("c", "broken sidecar", "/c"),
        Skipped("d/", "neither can this", incomplete=True),
    )

    crawled(store, source, [RESERVE_MS - 1] * 10)

    assert checkpoint(store).uncertain == {"/a", "/c"}
    assert checkpoint(store).incomplete == "b/: cannot be listed"


def test_too_many_uncertain_documents_make_the_listing_incomplete(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint stays small, and nothing is deleted all the same."""
    monkeypatch.setattr(module, "UNCERTAIN", 2)
    source = FakeSource(*(Skipped(f"{number}", "broken sidecar", f"/{number}") for number in range(3)))

    crawled(store, source, [])

    assert checkpoint(store).uncertain == frozenset()
    assert checkpoint(store).incomplete == "more than 2 sidecars are broken"


def test_an_invocation_that_is_repeated_after_the_end_gives_the_same(store: Store) -> None:
    """Lambda may run it twice."""
    source = FakeSource(*map(document, "ab"))

    first = crawled(store, source, [])
    before = change_set(store, "run-1")

    assert crawled(store, source, []) == first
    assert change_set(store, "run-1") == before
    assert source.asked == [None]


def test_the_input_names_what_a_person_may_say() -> None:
    """And nothing else: a misspelt approval is refused, not ignored."""
    event = {"run": "run-1", "execution": "arn", "input": {"approves": "run-0"}}

    with pytest.raises(msgspec.ValidationError, match="approves"):
        msgspec.convert(event, Request)
    assert msgspec.convert({**event, "input": {}}, Request).input == Input(mode="sync", trigger="manual")


@pytest.mark.parametrize("other", [{"approve": "run-0"}, {"mode": "full"}, {"mode": "plan"}, {"dry_run": True}])
def test_a_plan_is_applied_as_it_is(other: dict[str, object]) -> None:
    """It says itself what it was made for."""
    with pytest.raises(msgspec.ValidationError, match="apply goes with nothing else"):
        msgspec.convert({"apply": "run-1", **other}, Input)


def test_an_inbox_over_two_invocations(store: Store) -> None:
    """The crawl goes on with it, and with nothing that was uploaded later."""
    store.put_content("inbox/1.jsonl", b'{"DocumentId": "x.txt", "Content": "handed in"}')

    first, second = crawled(store, FakeSource(document("a")), [PLENTY, PLENTY, 0])

    assert (first.complete, second.complete, second.listed) == (False, True, 2)
    assert put(store) == ["a", "handbook/x.txt"]
    record = store.read(run_key("run-1", CHECKPOINT), Checkpoint)
    assert record is not None
    assert record.value.inbox_until is not None


class Overlapped(FakeSource):
    """Before its last page another attempt writes what it has listed, which began as early and was slower."""

    store: Store | None = None

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
        """See Source.pages."""
        for page in super().pages(checkpoint, known):
            store, self.store = (self.store, None) if page.checkpoint == "4" else (None, self.store)
            if store is not None:
                store.delete(run_key("run-1", CHECKPOINT))  # it has read it before there was one
                crawl(of(store, FakeSource(*self.listed)), RUN, lambda: RESERVE_MS - 1)
            yield page


def test_an_attempt_that_overlaps_takes_nothing_out_of_the_listing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads the chunks that it has written itself: what was missing would be deleted."""
    monkeypatch.setattr(sorting, "CHUNK_LINES", 2)
    source = Overlapped(*map(document, "abcde"))
    source.store = store

    crawled(store, source, [])

    assert source.store is None
    assert put(store) == ["a", "b", "c", "d", "e"]


def handed_in(*names: str) -> bytes:
    """A change set with documents."""
    return "\n".join(f'{{"DocumentId": "{name}.txt", "Content": "handed in"}}' for name in names).encode()


def test_a_long_inbox_is_listed_in_chunks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invocation ends after a chunk when its time is over; what comes meanwhile is for the next run."""
    monkeypatch.setattr(sorting, "CHUNK_LINES", 2)
    store.put_content("inbox/1.jsonl", handed_in("e", "d", "c", "b", "a"))
    source, results = FakeSource(document("z")), list[Crawled]()

    def remaining() -> int:
        """No time is left as long as the inbox is being listed."""
        record = store.read(run_key("run-1", CHECKPOINT), Checkpoint)
        return 0 if record and record.value.handed_in else PLENTY

    while not results or not results[-1].complete:
        results.append(crawl(of(store, source), RUN, remaining))
        store.put_content("inbox/2.jsonl", handed_in("late"))

    assert [result.listed for result in results] == [3, 5, 6]
    assert put(store) == ["handbook/a.txt", "handbook/b.txt", "handbook/c.txt", "handbook/d.txt", "handbook/e.txt", "z"]


def test_what_was_handed_in_before_is_checked_by_the_settings_of_today(store: Store) -> None:
    """A connector that requires access control by now sends nothing without it."""
    store.put_content("inbox/1.jsonl", handed_in("a"))
    place = of(store, FakeSource())
    assert crawl(place, RUN, lambda: PLENTY).counts.added == 1
    store.delete(LEASE)
    connector = structs.replace(place.settings.connector, access="required")
    strict = structs.replace(place, settings=structs.replace(place.settings, connector=connector))

    counts = crawl(strict, Request(run="run-2", execution="arn:run-2"), lambda: PLENTY).counts

    assert (counts.added, counts.skipped) == (0, 1)


class Endless(FakeSource):
    """Lists without an end, and cannot go on in another invocation."""

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:
        """See Source.pages."""
        del checkpoint, known
        for number in count():
            yield Page([document(str(number))], None)


def test_a_listing_without_an_end_that_cannot_go_on_fails(store: Store) -> None:
    """It is told what to do; what was listed so far is no listing."""
    with pytest.raises(ListingTooLong, match="list less of it in one connector"):
        crawled(store, Endless(), [PLENTY] * 10 + [RESERVE_MS - 1])

    assert store.read(run_key("run-1", CHECKPOINT), Checkpoint) is None


def test_a_listing_that_cannot_go_on_uses_no_key_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invocation that was given up, and is still at work, overwrites nothing of the one after it."""
    monkeypatch.setattr(sorting, "CHUNK_LINES", 1)
    source = FakeSource(document("a"), document("b"))
    monkeypatch.setattr(source, "pages", lambda *_: (Page([one], None) for one in source.listed))

    first = walk(of(store, source), RUN, lambda: True)
    store.delete(run_key("run-1", CHECKPOINT))
    second = walk(of(store, source), RUN, lambda: True)

    assert len({chunk.key for chunk in (*first.chunks[:1], *second.chunks[:1])}) == 2


def test_the_account_of_a_run_before_goes_on_in_another_invocation(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is listed before it is whole; nor after it, in an invocation that has spent most of its time on it."""
    monkeypatch.setattr("docferry.settlement.outcomes.STEP_OUTCOMES", 1)
    source = FakeSource(document("handbook/a"))
    fakes = of(store, source)
    before = Request(run="run-0", execution="arn:run-0")
    crawl(fakes, before, lambda: PLENTY)
    index = cast("FakeIndex", fakes.index)
    sync_job.start(store, index, before.run)
    (shard,) = shards(store, before.run)
    write_result(store, shard, (Outcome(one.id, one.kind, one.document) for one in changes(store, shard)))
    index.end("SUCCEEDED")
    store.delete(LEASE)
    source.asked.clear()
    # As the settlement begins, after its only step, and once more as it begins, and ends in the second invocation.
    times = iter([PLENTY, 0, PLENTY, 0])

    results = [crawl(fakes, RUN, lambda: next(times)) for _ in range(2)]

    assert [one.complete for one in results] == [False, False]
    assert source.asked == []
    ended = crawl(fakes, RUN, lambda: PLENTY)
    assert ended.complete
    assert ended.counts.unchanged == 1


def test_a_run_whose_records_have_expired_is_told_of(store: Store) -> None:
    """Nobody knows what it has sent: a person is told what puts it right."""
    index = FakeIndex()
    sync_job.start(store, index, "run-0")
    place = structs.replace(wired(store, index), source=cast("Source", FakeSource(document("a"))))

    assert crawl(place, RUN, lambda: PLENTY).complete

    (note,) = change_set(store, "run-1").notes
    assert "what run run-0 has sent is not known any more" in note
