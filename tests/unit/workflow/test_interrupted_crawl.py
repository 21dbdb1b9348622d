"""A crawl that is cut anywhere, as often as you like, ends with the same change set, byte for byte."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from docferry.connector import Connector, Part, Policy
from docferry.delivery import shards
from docferry.delivery.carried import Span
from docferry.indexes import DocumentStatus
from docferry.indexes.status_lists import StatusPage
from docferry.model import Document, Listed, Opened, Outcome, Principal, Skipped
from docferry.runtime.settings import Settings
from docferry.runtime.wiring import Wired
from docferry.sources import NOTHING, Ability, Known, Page, Source
from docferry.state import lines, manifest, parts, sorting, windows
from docferry.state.keys import FAILURES, run_key
from docferry.state.runs import Input, Mode
from docferry.state.store import Store
from docferry.workflow.comparison import inputs
from docferry.workflow.crawl import Request, crawl
from tests.unit.fakes import FakeIndex, FakeStepFunctions, document, new_store, write_manifest

RUN = "run-1"
PLENTY = 900_000
SMALL = {
    (windows, "STEP_LINES"): 3,
    (windows, "WINDOW_BYTES"): 300,
    (parts, "PART_LINES"): 2,
    (sorting, "CHUNK_LINES"): 2,
    (sorting, "FAN_IN"): 2,
    (inputs, "STATUS_CALLS"): 1,
    (shards, "SHARD_DOCUMENTS"): 2,
}
CREW = (Principal("crew", "GROUP", "ALLOW"),)
NOT_COMPARED = ("run.json", "checkpoint.json", "comparison.json", "listing/")
"""What of a run depends on where it was cut: how far it came, and which pages of the listing lie together."""


class Place(Struct, frozen=True):
    """What is at a place, or was: under an id of its own or that of the place, secret or not, in some version."""

    own: bool
    secret: bool
    version: int


class World(Struct, frozen=True, kw_only=True):
    """What a crawl finds: of each place what the manifest has and what is listed, in some order."""

    old: dict[int, Place]
    new: dict[int, Place | Literal["skipped", "broken"]]
    order: list[int]
    failing: frozenset[int]
    lacking: frozenset[int]
    policy: Policy | None
    mode: Mode
    by_id: bool


class Cut(Struct, frozen=True):
    """How an invocation ends: its time is over at the n-th look at the clock, or it dies around the n-th call of S3."""

    how: Literal["time", "before", "after"]
    n: int


NUMBERS = st.integers(0, 15)
PLACES = st.builds(Place, st.booleans(), st.booleans(), st.integers(1, 2))
WORLDS = st.builds(
    World,
    old=st.dictionaries(NUMBERS, PLACES, max_size=12),
    new=st.dictionaries(NUMBERS, PLACES | st.sampled_from(["skipped", "broken"]), max_size=12),
    order=st.permutations(range(16)),
    failing=st.frozensets(NUMBERS, max_size=3),
    lacking=st.frozensets(NUMBERS, max_size=3),
    policy=st.sampled_from([None, None, "public"]),
    mode=st.sampled_from(["sync", "sync", "full", "rebuild", "reconcile", "plan"]),
    by_id=st.booleans(),
)
CUTS = st.lists(
    st.builds(Cut, st.just("time"), st.integers(0, 12))
    | st.builds(Cut, st.just("before"), st.integers(1, 70))
    | st.builds(Cut, st.just("after"), st.integers(1, 70)),
    min_size=1,
    max_size=12,
)


def entry(number: int, found: Place | str) -> Listed:
    """What is listed at a place."""
    place = f"{number:02}"
    if found == "skipped":
        return Skipped(f"handbook/{place}", "too large")
    if found == "broken":
        return Skipped(f"handbook/{place}", "its sidecar is broken", place)
    assert isinstance(found, Place)
    access_control = CREW if found.secret else ()
    id_ = f"{place}-own" if found.own else f"handbook/{place}"
    return document(id_, f"v{found.version}", locator=place, access_control=access_control)


class Shuffled:
    """A source that lists in the order it is told; every other document comes with its content."""

    Settings: Any = None
    presentation: frozenset[str] = frozenset()
    abilities: frozenset[Ability] = frozenset({"resumes", "carries_content"})

    def __init__(self, world: World) -> None:
        self.listed = [entry(number, world.new[number]) for number in world.order if number in world.new]

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:  # noqa: ARG002  # the protocol's
        """See Source.pages."""
        for number in range(int(checkpoint or -1) + 1, len(self.listed)):
            one = self.listed[number]
            carried = isinstance(one, Document) and number % 2
            contents = ((one, one.id.encode()),) if carried and isinstance(one, Document) else ()
            yield Page([one], str(number), contents)

    def open(self, document: Document) -> Opened:
        """See Source.open."""
        raise NotImplementedError


class ById(FakeIndex):
    """An index that answers by id, a few documents a call."""

    limits = structs.replace(FakeIndex.limits, statuses=2)

    def statuses(self, execution_id: str | None, ids: Any) -> Iterator[DocumentStatus]:
        """See Index.statuses."""
        del execution_id
        return iter([self.known[id_] for id_ in ids if id_ in self.known])


class ListsAll(FakeIndex):
    """An index that lists its whole data source, three documents a page."""

    limits = structs.replace(FakeIndex.limits, statuses_by_id=False)

    def status_pages(self, token: str | None) -> Iterator[StatusPage]:
        """See ListsStatuses.status_pages."""
        said = sorted(self.known.values(), key=lambda one: one.id[::-1])
        for start in range(int(token or 0), max(len(said), 1), 3):
            following = str(start + 3) if start + 3 < len(said) else None
            yield StatusPage(said[start : start + 3], following)


def prepared(s3: Any, world: World) -> Wired:
    """A bucket of its own, with what the runs before have left."""
    store = new_store(s3)
    old = sorted((entry(number, found) for number, found in world.old.items()), key=lambda one: one.id)
    held = [one for one in old if isinstance(one, Document)]
    if held:
        outcomes = [Outcome(one.id, "added", one, "acknowledged") for one in held]
        manifest.move(store, None, write_manifest(store, "run-0", outcomes))
    with store.rewriting(store.held(FAILURES)) as stream:
        for number in sorted(world.failing):
            found = world.new.get(number)
            if isinstance(found, Place) and not found.own:
                one = entry(number, found)
                stream.add({"id": one.id, "document": one, "reason": "refused", "runs": 5, "last_run": "run-0"})
    index = ById() if world.by_id else ListsAll()
    lacking = {f"handbook/{number:02}" for number in world.lacking}
    index.says(*(DocumentStatus(one.id, "INDEXED") for one in held if one.id not in lacking))
    connector = Connector("handbook", Part("files"), Part("kendra"), access=world.policy)
    return Wired(Settings(store.bucket, connector), store, cast("Source", Shuffled(world)), index, FakeStepFunctions())


class Died(BaseException):
    """The process of an invocation ends here."""


@contextmanager
def dying(cut: Cut | None) -> Iterator[None]:
    """Let the process die around a call of S3: the call has an effect, or not."""
    real, lock, calls = BaseClient._make_api_call, threading.Lock(), 0  # type: ignore[attr-defined]  # where every call of boto3 goes through

    def call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            dies = cut is not None and cut.how != "time" and calls >= cut.n
        if dies and cut is not None and (cut.how == "before" or calls > cut.n):
            raise Died
        reply = real(client, operation, params)
        if dies:
            raise Died
        return reply

    with patch.object(BaseClient, "_make_api_call", call):
        yield


def crawled(wired: Wired, mode: Mode, cuts: list[Cut]) -> dict[str, object]:
    """Crawl until it is complete, and give what the run has left."""
    request = Request(RUN, "arn:run-1", Input(mode=mode))
    rest = iter(cuts)
    complete = False
    while not complete:
        cut = next(rest, None)
        looks = iter([PLENTY] * cut.n if cut is not None and cut.how == "time" else [])
        ends = 0 if cut is not None and cut.how == "time" else PLENTY
        try:
            with dying(cut):
                complete = crawl(wired, request, lambda looks=looks, ends=ends: next(looks, ends)).complete  # type: ignore[misc]  # mypy reads no defaults of a lambda
        except Died:
            continue
    return left(wired.store)


def left(store: Store) -> dict[str, object]:
    """What a run has left, by its keys. Where carried contents are depends on a random key: only what they are of."""
    found: dict[str, object] = {}
    for key in store.keys(run_key(RUN, "")):
        name = key.removeprefix(run_key(RUN, ""))
        if name.startswith("contents/"):
            found[name] = [structs.replace(lines.decode(line, Span), key="") for line in store.lines(key)]
        elif not name.startswith(NOT_COMPARED):
            found[name] = store.content(key)
    return found


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """Steps, chunks and shards of two or three lines."""
    with pytest.MonkeyPatch.context() as patched:
        for (module, name), value in SMALL.items():
            patched.setattr(module, name, value)
        yield


# A process that dies closes no files.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS, cuts=CUTS)
def test_a_crawl_that_is_cut_anywhere_leaves_the_same_bytes(s3: Any, world: World, cuts: list[Cut]) -> None:
    """Its time is over, or it dies with a call under way: the shards, their list, and every stream are the same."""
    whole = crawled(prepared(s3, world), world.mode, [])
    pieces = crawled(prepared(s3, world), world.mode, cuts)

    assert {"changes.json", "batches.json", "deletes.jsonl.zst", "withheld.jsonl.zst"} <= whole.keys()
    assert pieces == whole


def test_the_worst_that_can_be_cut(s3: Any) -> None:
    """Places have lost their ids with their access control, are gone, or new, and each invocation makes one step."""
    old = {number: Place(own=True, secret=True, version=1) for number in range(12)}
    lost: dict[int, Any] = {number: Place(own=False, secret=False, version=2) for number in range(0, 12, 2)}
    new = lost | {number: Place(own=True, secret=True, version=1) for number in range(12, 16)}
    none: frozenset[int] = frozenset()
    world = World(
        old=old, new=new, order=[*range(0, 16, 3), *range(1, 16, 3), *range(2, 16, 3)], failing=none, lacking=none,
        policy=None, mode="sync", by_id=True,
    )  # fmt: skip
    whole = crawled(prepared(s3, world), "sync", [])
    pieces = crawled(prepared(s3, world), "sync", [Cut("time", 1)] * 100)

    assert pieces == whole
    assert len([name for name in whole if name.startswith("exposed/")]) > 1
    assert len([name for name in whole if name.startswith("changes/put-")]) > 1
