"""A run of events: the keys that it is given are as in the source afterwards, and nothing else was touched."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from docferry.changes import quarantine
from docferry.changes.quarantine import Failing
from docferry.connector import DeleteGuard
from docferry.errors import SourceUnavailable
from docferry.state import lines, manifest, parts
from docferry.state.keys import COLLECTED, EVENTS, FAILURES, KEPT_FAILURES, LEDGER, run_key
from docferry.state.runs import Events, change_set, shards
from docferry.state.store import Store
from docferry.sync_job import lease
from docferry.workflow import signals
from tests.unit.fakes import new_store, write_manifest
from tests.unit.workflow.watched_bucket import ACL, CREW, NAME, Stored, World

KEYS = ("a", "b", "c", "d", "e")
SHARED = "shared"
STORED = st.builds(
    lambda version, own: (version, own), st.sampled_from(["v1", "v2"]), st.sampled_from([None, "own", SHARED])
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(KEYS), STORED),
        st.tuples(st.just("remove"), st.sampled_from(KEYS), st.none()),
        st.tuples(st.just("events"), st.permutations(KEYS), st.integers(0, len(KEYS))),
        st.tuples(st.just("crawl"), st.none(), st.none()),
    ),
    max_size=14,
)


@pytest.fixture
def world(store: Store) -> World:
    """A connector whose bucket has been crawled once: ten documents, of which one has an id of its own."""
    world = World(store)
    world.source.objects = {f"{number}.txt": Stored("v1") for number in range(10)}
    world.source.objects["5.txt"] = Stored("v1", own_id="five")
    world.run()
    return world


def expected(seen: dict[str, Stored]) -> dict[str, tuple[str, str]]:
    """What the index holds when the source is this: place and version, by id."""
    return {f"{NAME}/{stored.own_id or key}": (key, stored.version) for key, stored in seen.items()}


class Steps:
    """What happens to a bucket, and what of it the runs have seen. No two keys claim one id at the same time.

    One document stays: of a source that is empty nothing is deleted.
    """

    def __init__(self, store: Store) -> None:
        self.world = World(store, access="public")
        self.world.source.objects["stays"] = Stored("v1")
        self.world.run()
        self.seen: dict[str, Stored] = dict(self.source)

    @property
    def source(self) -> dict[str, Stored]:
        """The objects."""
        return self.world.source.objects

    def put(self, key: str, stored: tuple[str, str | None]) -> None:
        """Write an object and its sidecar."""
        version, own = stored
        named = f"own-{key}" if own == "own" else own
        if named != SHARED or all(one.own_id != SHARED for other, one in self.source.items() if other != key):
            self.source[key] = Stored(version, named)

    def remove(self, key: str, _: object) -> None:
        """Remove an object."""
        self.source.pop(key, None)

    def events(self, order: list[str], count: int) -> None:
        """Deliver the events of some keys, each twice, and of their sidecars."""
        keys = order[:count]
        self.world.hear([*keys, *(f"{key}.metadata.json" for key in reversed(keys)), "outside/x", *keys])
        assert "list" not in self.world.source.calls
        looked = set(keys)
        while True:
            claimed = {self.source[key].own_id or key for key in looked if key in self.source}
            rivals = {key for key, one in self.seen.items() if (one.own_id or key) in claimed} - looked
            if not rivals:
                break
            looked |= rivals
        for key in looked:
            self.seen.pop(key, None)
            if key in self.source:
                self.seen[key] = self.source[key]

    def crawl(self, *_: object) -> None:
        """Crawl the whole source."""
        self.world.run()
        self.seen = dict(self.source)

    def check(self) -> None:
        """The index is what the runs have seen."""
        held = {id_: (document.locator, document.version) for id_, document in self.world.index.items()}
        assert held == expected(self.seen)


@given(steps=STEPS, part=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_after_any_events_the_index_is_what_was_looked_at(s3: Any, steps: list[Any], part: int) -> None:
    """Whatever came twice, in another order, of sidecars, or never; a crawl then finds the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_LINES", part)
        simulation = Steps(new_store(s3))
        for step, one, other in steps:
            getattr(simulation, step)(one, other)
            simulation.check()
        simulation.crawl()
        simulation.check()


def test_a_run_of_events_looks_at_their_keys_alone(world: World) -> None:
    """It counts what it has looked at, in documents and in keys; nothing is listed."""
    world.source.objects |= {"1.txt": Stored("v2"), "2.txt": Stored("v2"), "new.txt": Stored("v1")}
    del world.source.objects["3.txt"]

    decided = world.hear(["3.txt", "1.txt", "4.txt", "new.txt", "1.txt.metadata.json", "outside/x.txt"])

    counts = decided.counts
    assert (counts.added, counts.modified, counts.deleted, counts.unchanged) == (1, 1, 1, 1)
    assert decided.keys == 4
    assert world.source.calls == ["1.txt", "3.txt", "4.txt", "new.txt"]
    assert world.index[f"{NAME}/2.txt"].version == "v1"


def test_a_key_that_came_back_is_as_it_is_now(world: World) -> None:
    """However late the event of its removal comes, and however often."""
    del world.source.objects["1.txt"]
    world.hear(["1.txt"])
    world.source.objects["1.txt"] = Stored("v3")
    world.hear(["1.txt"])
    assert world.index[f"{NAME}/1.txt"].version == "v3"
    assert world.hear(["1.txt", "1.txt"]).counts.unchanged == 1


def test_a_run_without_a_key_that_concerns_it_changes_nothing(world: World) -> None:
    """An event of a key outside of the prefix."""
    decided = world.hear(["outside/x.txt"])
    assert (decided.keys, decided.counts.unchanged, world.source.calls) == (0, 0, [])


def test_a_document_with_an_id_of_its_own_is_deleted_with_its_key(world: World) -> None:
    """No key tells its id, so it is looked for by its place."""
    del world.source.objects["5.txt"]
    assert world.hear(["5.txt"]).counts.deleted == 1
    assert f"{NAME}/five" not in world.index


def test_a_document_is_not_in_the_index_twice_when_its_sidecar_names_another_id(world: World) -> None:
    """Both ways: an id of its own comes, or goes."""
    world.source.objects["5.txt"] = Stored("v1")
    world.source.objects["1.txt"] = Stored("v1", own_id="one")
    world.hear(["5.txt.metadata.json", "1.txt.metadata.json"])
    assert world.at("5.txt").keys() == {f"{NAME}/5.txt"}
    assert world.at("1.txt").keys() == {f"{NAME}/one"}


def test_only_the_parts_that_the_keys_fall_into_are_read(
    world: World, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a manifest of many parts; of those with ids of their own only when a document is not found by its id."""
    monkeypatch.setattr(parts, "PART_LINES", 1)
    world.run(mode="full")
    current = manifest.pointer(store)
    assert current is not None
    assert len(manifest.parts(store, current.value) or ()) == 10
    read: list[str] = []
    fetch = store._downloaded  # every read of a stream

    def downloaded(key: str, sha256: str | None) -> Any:
        if "/manifest/" in key and not key.endswith(".json"):
            read.append(key)
        return fetch(key, sha256)

    monkeypatch.setattr(store, "_downloaded", downloaded)
    before = [part.key for part in manifest.parts(store, current.value) or ()]

    def parts_read(*keys: str) -> list[int]:
        read.clear()
        world.hear(keys)
        return sorted({before.index(key) for key in read if key in before})

    monkeypatch.setattr(World, "_commit", lambda *_: None)
    assert parts_read("1.txt", "3.txt") == [1, 3]
    # The lines are sorted by id: "five" is the last one.
    assert parts_read("new.txt", "2.txt") == [2, 9]


def test_a_lost_sidecar_is_held_back(store: Store) -> None:
    """Also when its document loses its id with it, and seems to be one that was never there."""
    world = World(store)
    world.source.objects = {"a": Stored("v1", access=CREW), "b": Stored("v1", own_id="bee", access=CREW)}
    world.run()
    world.source.objects = {"a": Stored("v1"), "b": Stored("v1")}
    assert world.hear(["a.metadata.json"]).counts.exposed == 1
    world.source.objects["a"] = Stored("v1", access=CREW)
    world.run(mode="full", approve=None)
    world.source.objects = {"a": Stored("v1", access=CREW), "b": Stored("v1", own_id="bee", access=CREW)}
    world.run()
    world.source.objects["b"] = Stored("v1")
    decided = world.hear(["b.metadata.json"])
    assert (decided.keys, decided.counts.exposed, decided.counts.added, decided.counts.deleted) == (1, 1, 0, 0)
    assert all(document.access_control for document in world.index.values())


def test_a_key_that_cannot_be_looked_at_stays_as_it_is_indexed(world: World) -> None:
    """It is reported; only what is certainly gone is deleted."""
    world.source.objects["1.txt"] = Stored("v2", refused=True)
    world.source.objects["5.txt"] = Stored("v2", refused=True)
    decided = world.hear(["1.txt", "5.txt"])
    assert (decided.counts.skipped, decided.counts.deleted) == (2, 0)
    assert world.index[f"{NAME}/1.txt"].version == "v1"
    assert f"{NAME}/five" in world.index


def test_an_outage_decides_nothing(world: World) -> None:
    """The run fails, and the next one crawls the whole source."""
    world.source.down = True
    with pytest.raises(SourceUnavailable):
        world.hear(["1.txt"])
    assert len(world.index) == 10


def test_deletes_are_counted_against_the_whole_manifest(store: Store) -> None:
    """Ten keys that are gone are no empty listing; too many of them are withheld."""
    world = World(store, deletes=DeleteGuard(documents=2, percent=10))
    world.source.objects = {f"{number:02}": Stored("v1") for number in range(40)}
    world.run()
    for number in range(4):
        del world.source.objects[f"{number:02}"]
    assert world.hear(["00", "01", "02", "03"]).counts.deleted == 4
    for number in range(4, 8):
        del world.source.objects[f"{number:02}"]
    decided = world.hear(["04", "05", "06", "07"])
    assert (decided.counts.deleted, decided.counts.withheld) == (0, 4)
    assert "4 of 36 documents are gone" in decided.withheld_because


def test_a_key_takes_over_no_id_of_another_that_is_there(world: World) -> None:
    """The other one is looked at, too, and one of the two is reported; when it is gone, the id is free."""
    world.source.objects["1.txt"] = Stored("v1", own_id="five")
    decided = world.hear(["1.txt"])
    assert decided.keys == 2
    assert decided.counts.skipped == 1
    of_a_crawl = dict(world.index)
    world.run()
    assert world.index == of_a_crawl

    del world.source.objects["5.txt"]
    world.hear(["1.txt"])
    assert world.index[f"{NAME}/five"].locator == "1.txt"
    assert not world.at("5.txt")


def test_a_document_of_the_inbox_comes_back_when_the_key_of_its_id_is_gone(world: World, store: Store) -> None:
    """As a crawl has it: the source's document comes before the inbox's."""
    line = '{"DocumentId": "1.txt", "Content": "handed in"}\n{"DocumentId": "99.txt", "Content": "handed in"}'
    store.put_content("inbox/one.jsonl", line.encode())
    world.run()
    assert store.exists(COLLECTED)
    del world.source.objects["1.txt"]
    decided = world.hear(["1.txt"])
    assert (decided.keys, decided.counts.deleted, decided.counts.modified) == (1, 0, 1)
    assert world.index[f"{NAME}/1.txt"].origin == "inbox"
    assert f"{NAME}/99.txt" in world.index


def whole(world: World, *keys: str) -> str:
    """Let events come that make a whole crawl; return why."""
    decided = world.hear(keys or ["1.txt"])
    assert decided.keys is None
    assert world.source.calls == ["list"]
    (note,) = [note for note in decided.notes if note.startswith("the whole source was crawled: ")]
    return note.removeprefix("the whole source was crawled: ")


def test_without_a_manifest_the_whole_source_is_crawled(store: Store) -> None:
    """A new index, or a new connector."""
    assert whole(World(store)) == "nothing is known to be in the index"


def test_with_other_settings_the_whole_source_is_crawled(world: World) -> None:
    """Once, and keys are enough again: what was listed with others says nothing of what is not listed now."""
    world.connector = structs.replace(world.connector, access="public")
    assert whole(world) == "with these settings it was not crawled before"
    assert world.hear(["1.txt"]).keys == 1


@pytest.mark.parametrize("counts", [{"fails": True}, {"failed": 1}])
def test_after_a_run_that_left_something_the_whole_source_is_crawled(world: World, counts: dict[str, Any]) -> None:
    """Plans between the two change nothing."""
    world.run(**counts)
    world.run(mode="plan")
    assert "before it" in whole(world)


def test_while_something_is_held_back_the_whole_source_is_crawled(store: Store) -> None:
    """Each run says so, until a person has decided."""
    world = World(store, deletes=DeleteGuard(documents=0, percent=0))
    world.source.objects = {"1.txt": Stored("v1"), "2.txt": Stored("v1")}
    world.run()
    del world.source.objects["2.txt"]
    assert world.hear(["2.txt"]).counts.withheld == 1
    assert "held back" in whole(world)


def test_too_many_places_make_a_whole_crawl(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The places of others with the same id count, too."""
    monkeypatch.setattr(signals, "KEYS", 1)
    world.source.objects["1.txt"] = Stored("v1", own_id="five")
    decided = world.hear(["1.txt"])
    assert decided.keys is None
    assert "the whole source was crawled: more than 1 keys would have to be looked at" in decided.notes


def test_a_file_of_access_control_makes_a_whole_crawl(world: World) -> None:
    """It is about every document."""
    assert whole(world, "1.txt", ACL) == f"{ACL} has changed, which concerns every document"


def test_keys_that_are_gone_make_a_whole_crawl(world: World) -> None:
    """Life-cycle rules have removed them, or somebody names a run that had none."""
    decided = world.run(events="nobody")
    assert decided.keys is None
    assert "the whole source was crawled: the keys of run nobody are gone" in decided.notes


def failing(store: Store, world: World, *names: str) -> list[Failing]:
    """Let documents have failed before."""
    sent = world.index[f"{NAME}/1.txt"]
    found = [Failing(f"{NAME}/{name}", sent, "never", quarantine.RUNS, "before") for name in names]
    with store.writing(store.held(FAILURES)) as stream:
        for one in found:
            stream.add(one)
    return found


def test_what_fails_elsewhere_is_not_forgotten(world: World, store: Store) -> None:
    """A run that has not looked at a document says nothing about it."""
    before = failing(store, world, "1.txt", "2.txt")
    run = "upload-1"
    world.source.objects["2.txt"] = Stored("v2")
    store.write(run_key(run, EVENTS), Events(("2.txt",)))
    world.run(run, events=run)

    quarantine.update(store, run)

    assert list(quarantine.read(store)) == before[:1]
    assert [lines.line_id(line) for line in store.lines(run_key(run, KEPT_FAILURES))] == [f"{NAME}/1.txt"]


class CrashError(Exception):
    """The process of an invocation is gone."""


def test_a_run_of_events_that_dies_anywhere_goes_on(
    world: World, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of its writes: the next invocation decides the same."""
    failing(store, world, "2.txt", "3.txt")
    world.source.objects["1.txt"] = Stored("v2", own_id="one")
    del world.source.objects["5.txt"]
    keys = Events(("1.txt", "5.txt", "new.txt"))
    made = 0
    ledger_before = store.content(LEDGER)
    assert ledger_before is not None

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal made
            result = real(*arguments, **named)
            made += 1
            if made == dies_after:
                raise CrashError
            return result

        return call

    monkeypatch.setattr(store, "_put", counting(store._put))
    monkeypatch.setattr(store, "_send", counting(store._send))
    decided = set()
    dies_after, crashed = 1, True
    while crashed:
        made, run = 0, f"upload-{dies_after}"
        store.put_content(run_key(run, EVENTS), lines.encode(keys))
        crashed = False
        for _ in range(2):
            try:
                world.begin(run, 900_000, events=run)
                break
            except CrashError:
                crashed = True
        change = change_set(store, run)
        decided.add((change.counts, change.keys, tuple(one.sha256 for one in shards(store, run))))
        assert len(list(store.lines(run_key(run, KEPT_FAILURES)))) == 2
        lease.release(store, execution=f"arn:{run}")
        store.put_content(LEDGER, ledger_before)  # the runs that died are no longer before the next one
        dies_after += 1

    assert dies_after > 8
    assert len(decided) == 1


def test_keys_that_were_looked_at_are_not_enough_any_more(world: World, store: Store) -> None:
    """The manifest was moved before the run could compare: it crawls the whole source, and keeps no failure unseen."""
    failing(store, world, "2.txt")
    world.source.objects["1.txt"] = Stored("v2")
    run = "upload-1"
    store.write(run_key(run, EVENTS), Events(("1.txt",)))
    assert not world.begin(run, 0, events=run).complete
    assert len(list(store.lines(run_key(run, KEPT_FAILURES)))) == 1
    before = manifest.pointer(store)
    assert before is not None
    written = write_manifest(store, "another", [], manifest.documents(store, before.value))
    manifest.move(store, before.etag, written, base=before.value)

    decided = world.run(run, events=run)

    assert decided.keys is None
    assert "the whole source was crawled: the manifest has moved since the keys were looked at" in decided.notes
    assert (decided.counts.modified, decided.counts.unchanged) == (1, 9)
    assert not list(store.lines(run_key(run, KEPT_FAILURES)))


def test_an_invocation_goes_on_with_what_was_looked_at(world: World, store: Store) -> None:
    """It looks at no key again."""
    run = "upload-1"
    store.write(run_key(run, EVENTS), Events(("1.txt", "2.txt")))
    world.begin(run, 0, events=run)
    world.source.calls.clear()

    decided = world.run(run, events=run)

    assert (decided.keys, decided.counts.unchanged, world.source.calls) == (2, 2, [])
