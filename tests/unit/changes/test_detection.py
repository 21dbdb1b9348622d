"""Change detection: exactly the difference between what the index holds and what the source lists."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from docferry.changes.detection import (
    UNCHANGED,
    WITHDRAWN,
    Unchanged,
    compared,
    detect,
    differences,
    narrows,
    same_but_for_time,
    without_absences,
)
from docferry.model import Change, Document, Principal, Skipped
from docferry.state import blocks, lines
from docferry.state.chunks import chunks
from tests.unit.fakes import IDS, NOON, document

TIMES = st.sampled_from([None, NOON, NOON + timedelta(days=1)])
KNOWN = st.dictionaries(IDS, st.tuples(st.sampled_from(["v1", "v2", ""]), TIMES), max_size=8)
FOUND = st.one_of(
    st.tuples(st.sampled_from(["v1", "v2"]), TIMES),
    st.sampled_from(["skipped", "skipped, id uncertain"]),
)


@st.composite
def crawls(draw: st.DrawFn) -> tuple[dict[str, Document], dict[str, Document | Skipped], frozenset[str]]:
    """What the index holds, what the source lists of it and of others, and what is not certain."""
    manifest = {id_: _document(id_, *known) for id_, known in draw(KNOWN).items()}
    ids = st.one_of(st.sampled_from(sorted(manifest)), IDS) if manifest else IDS
    listing: dict[str, Document | Skipped] = {}
    uncertain = set()
    for id_, found in draw(st.dictionaries(ids, FOUND, max_size=8)).items():
        if isinstance(found, tuple):
            listing[id_] = _document(id_, *found)
        elif found == "skipped":
            listing[id_] = Skipped(id_, "is empty")
        else:
            # Its sidecar may say that it is any document, so the locator is of another one.
            locator = draw(st.sampled_from([d.locator for d in manifest.values()] or ["/nothing"]))
            listing[id_] = Skipped(id_, "its sidecar is broken", locator)
            uncertain.add(locator)
    return manifest, listing, frozenset(uncertain)


def _document(id_: str, version: str, time: datetime | None) -> Document:
    return document(id_, version, updated_at=time)


def encoded(records: Iterable[Document | Skipped]) -> list[bytes]:
    """The sorted lines of records."""
    return [lines.encode(record) for record in sorted(records, key=lambda record: record.id.encode())]


def expected(
    manifest: dict[str, Document], listing: dict[str, Document | Skipped], uncertain: frozenset[str]
) -> list[Change | Skipped | Unchanged]:
    """What change detection has to find, from plain dictionaries."""
    events: list[Change | Skipped | Unchanged] = []
    for id_ in sorted(manifest.keys() | listing.keys(), key=str.encode):
        old, new = manifest.get(id_), listing.get(id_)
        if isinstance(new, Skipped):
            events += [new, *([UNCHANGED] if old else [])]
        elif new is None:
            assert old is not None
            events.append(UNCHANGED if old.locator in uncertain else Change(id_, "deleted", old))
        elif old is None:
            events.append(Change(id_, "added", new))
        else:
            same = (old.version, old.title) == (new.version, new.title)
            why = ("content",) if old.version else ("doubtful",)
            events.append(UNCHANGED if same else Change(id_, "modified", new, why))
    return events


@given(crawls())
def test_the_changes_are_exactly_the_differences(
    crawl: tuple[dict[str, Document], dict[str, Document | Skipped], frozenset[str]],
) -> None:
    """Added, modified and deleted are set differences, in order of id; everything else is left alone."""
    manifest, listing, uncertain = crawl

    events = list(detect(encoded(manifest.values()), encoded(listing.values()), uncertain))

    assert one_by_one(events) == expected(manifest, listing, uncertain)


@given(crawls(), st.integers(1, 5), st.integers(1, 5), st.integers(1, 400))
def test_blocks_of_any_length_have_the_same_changes(
    crawl: tuple[dict[str, Document], dict[str, Document | Skipped], frozenset[str]], one: int, other: int, least: int
) -> None:
    """It does not matter where a stream is cut, or how much of it is compared at a time."""
    manifest, listing, uncertain = crawl
    old, new = encoded(manifest.values()), encoded(listing.values())

    with patch.object(blocks, "LEAST", least):
        events = list(detect(in_blocks(old, one), in_blocks(new, other), uncertain))

    assert events == list(detect(old, new, uncertain))


def in_blocks(each: list[bytes], size: int) -> list[bytes]:
    """Lines in blocks of so many."""
    return [b"\n".join(some) for some in chunks(each, size)]


def one_by_one(events: Iterable[Change | Skipped | Unchanged]) -> list[Change | Skipped | Unchanged]:
    """What is unchanged, each document by itself."""
    return [
        each
        for event in events
        for each in ([UNCHANGED] * event.documents if isinstance(event, Unchanged) else [event])
    ]


GROUP = Principal("crew", "GROUP", "ALLOW")


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ({"version": "v2"}, ("content",)),
        ({"title": "other"}, ("title",)),
        ({"content_type": "MD"}, ("content type",)),
        ({"attributes": {"team": "deck", "year": 2026}}, ("attribute team", "attribute year")),
        ({"access_control": ()}, ("access",)),
        ({"locator": "/moved"}, ("place",)),
        ({"version": "v2", "title": "other", "access_control": ()}, ("content", "title", "access")),
    ],
)
def test_a_modified_document_says_what_differs(differs: dict[str, Any], why: tuple[str, ...]) -> None:
    """A person who reads a plan sees why the document is in it."""
    old = document("d", attributes={"team": "bridge"}, access_control=(GROUP,))
    new = structs.replace(old, **differs)

    assert differences(old, new) == why
    assert compared(old, new) == Change("d", "modified", new, why, "access_control" in differs)
    assert compared(structs.replace(old, version=""), new).why[0] == "doubtful"  # type: ignore[union-attr]  # never unchanged


@given(crawls())
def test_each_modified_document_has_a_reason(
    crawl: tuple[dict[str, Document], dict[str, Document | Skipped], frozenset[str]],
) -> None:
    """There is nothing in a plan that nobody can explain."""
    manifest, listing, uncertain = crawl

    for event in detect(encoded(manifest.values()), encoded(listing.values()), uncertain):
        if isinstance(event, Change):
            assert bool(event.why) is (event.kind == "modified")


@given(crawls())
def test_what_the_source_still_has_is_never_deleted(
    crawl: tuple[dict[str, Document], dict[str, Document | Skipped], frozenset[str]],
) -> None:
    """Neither what is listed, nor what was skipped, nor what may be behind an uncertain id."""
    manifest, listing, uncertain = crawl

    events = detect(encoded(manifest.values()), encoded(listing.values()), uncertain)

    for event in events:
        if isinstance(event, Change) and event.kind == "deleted":
            assert event.id not in listing
            assert event.document.locator not in uncertain


@given(crawls())
def test_changes_applied_bring_the_index_to_the_source(
    crawl: tuple[dict[str, Document], dict[str, Document | Skipped], frozenset[str]],
) -> None:
    """After the changes the index holds each listed document, and of the others only what had to be kept."""
    manifest, listing, uncertain = crawl
    index = {id_: old.version for id_, old in manifest.items()}

    for event in detect(encoded(manifest.values()), encoded(listing.values()), uncertain):
        match event:
            case Change(id=id_, kind="deleted"):
                del index[id_]
            case Change(id=id_, document=new):
                index[id_] = new.version

    listed = {id_: new.version for id_, new in listing.items() if isinstance(new, Document)}
    assert index.items() >= listed.items()
    for id_ in index.keys() - listed.keys():
        assert id_ in listing or manifest[id_].locator in uncertain


@given(st.sets(IDS, max_size=6))
def test_a_doubtful_document_is_always_sent_again_or_deleted(ids: set[str]) -> None:
    """A line without a version equals nothing that a source lists."""
    manifest = encoded(document(id_, "") for id_ in ids)

    listed = list(detect(manifest, encoded(document(id_) for id_ in ids)))
    gone = list(detect(manifest, []))

    assert [e.kind for e in listed if isinstance(e, Change)] == ["modified"] * len(ids)
    assert [e.kind for e in gone if isinstance(e, Change)] == ["deleted"] * len(ids)


def test_equal_lines_are_never_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run over an unchanged source costs a comparison of bytes, and one event."""
    same = encoded(document(f"d{number}") for number in range(5))

    def fail(*_: object) -> None:
        raise AssertionError("parsed")

    for name in ("decode", "line_id", "probe"):
        monkeypatch.setattr(lines, name, fail)

    assert list(detect(same, list(same))) == [Unchanged(5)]
    assert list(detect(in_blocks(same, 2), in_blocks(same, 3))) == [Unchanged(5)]


def test_a_document_of_the_same_id_as_a_skipped_one_is_still_put() -> None:
    """Of two documents with one id the second was skipped; the first counts, and nothing is deleted."""
    manifest = encoded([document("d"), document("e")])
    listing = [*encoded([document("d", "v2")]), lines.encode(Skipped("d", "twice")), *encoded([document("e")])]

    events = list(detect(manifest, listing))

    assert events == [Change("d", "modified", document("d", "v2"), ("content",)), Skipped("d", "twice"), UNCHANGED]


def test_a_document_skipped_twice_keeps_what_is_indexed() -> None:
    """The second line of an id does not make it look deleted."""
    twice = [lines.encode(Skipped("d", reason)) for reason in ("one", "two")]

    events = list(detect(encoded([document("d")]), twice))

    assert events == [Skipped("d", "one"), UNCHANGED, Skipped("d", "two")]


def test_what_the_index_would_show_too_widely_is_deleted() -> None:
    """Also by a source that tells only what has changed: it is no absence."""
    crew = (Principal("crew", "GROUP", "ALLOW"),)
    place = document("d").locator
    refused = [
        Skipped("d", "secret now", access_control=crew, place=place),
        Skipped("e", "secret", access_control=crew),
    ]
    manifest = [document("c"), document("d")]

    events = list(without_absences(detect(encoded(manifest), encoded(refused))))

    assert events == [UNCHANGED, refused[0], Change("d", "deleted", document("d"), WITHDRAWN), refused[1]]


def test_what_is_skipped_elsewhere_withdraws_nothing() -> None:
    """It may be another document with the same id: the guards of deletes hold, and what is uncertain stays."""
    crew = (Principal("crew", "GROUP", "ALLOW"),)
    held = document("d", locator="here")
    moved = Skipped("d", "secret", access_control=crew, place="there")
    of_inbox = Skipped("d", "secret", access_control=crew, place="here", origin="inbox")

    def events(skipped: Skipped, *uncertain: str) -> list[Any]:
        return list(detect(encoded([held]), encoded([skipped]), frozenset(uncertain)))

    assert events(moved) == [moved, Change("d", "deleted", held)]
    assert events(moved, "here") == [moved, UNCHANGED]
    assert events(of_inbox) == [of_inbox, UNCHANGED]


@pytest.mark.parametrize(
    ("before", "now", "narrower"),
    [
        ("", "+crew", True),
        ("+crew", "", False),  # lost: it stays as it is
        ("+crew", "+crew", False),
        ("+crew", "+crew +deck", False),
        ("+crew", "+deck", True),
        ("+crew +deck", "+crew", True),
        ("+crew", "+crew -deck", True),
        ("+crew -deck", "+crew", False),
    ],
)
def test_access_control_is_narrower_when_somebody_may_lose_sight(before: str, now: str, *, narrower: bool) -> None:
    """An ALLOW is gone, or a DENY is new; without any everybody sees it."""

    def entries(said: str) -> tuple[Principal, ...]:
        return tuple(Principal(one[1:], "GROUP", "ALLOW" if one[0] == "+" else "DENY") for one in said.split())

    assert narrows(document("a", access_control=entries(before)), entries(now)) is narrower


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"attributes": {"_category": "x"}},
        {"access_control": (Principal("crew", "GROUP", "ALLOW"),)},
        {"content_type": "HTML"},
        {"locator": "/elsewhere"},
        {"version": "v2"},
    ],
    ids=str,
)
def test_any_difference_but_the_time_is_a_change(change: dict[str, object]) -> None:
    """Who may see a document counts as much as what is in it; its time of change alone does not."""
    old = document("d", updated_at=NOON)

    assert not same_but_for_time(old, document("d", **{"updated_at": NOON, **change}))  # type: ignore[arg-type]
    assert same_but_for_time(old, document("d", updated_at=None))
