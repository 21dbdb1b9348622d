"""The manifest: what the index acknowledged, and a pointer that moves by compare-and-swap only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from docferry.errors import ManifestInvalid
from docferry.model import Acceptance, Document, Kind, Outcome
from docferry.state import blocks, lines, manifest, parts
from docferry.state.keys import MANIFEST
from docferry.state.manifest import FORMAT, Pointer
from docferry.state.store import Store
from tests.unit.fakes import IDS, document, write_manifest

VERSIONS = st.sampled_from(["v1", ""])
KINDS: st.SearchStrategy[Kind] = st.sampled_from(["added", "modified", "deleted"])
STATES: st.SearchStrategy[Acceptance] = st.sampled_from(["acknowledged", "rejected", "doubtful"])


@st.composite
def runs(draw: st.DrawFn) -> tuple[dict[str, Document], list[Outcome]]:
    """A manifest, and sorted outcomes of changes to it, also of some that it did not expect."""
    old = {id_: document(id_, version) for id_, version in draw(st.dictionaries(IDS, VERSIONS, max_size=8)).items()}
    ids = st.one_of(st.sampled_from(sorted(old)), IDS) if old else IDS
    outcomes = []
    for id_ in sorted(draw(st.sets(ids, max_size=8))):
        kind = draw(KINDS)
        sent = old[id_] if kind == "deleted" and id_ in old else document(id_, "v2")
        outcomes.append(Outcome(id_, kind, sent, draw(STATES), "reason"))
    return old, outcomes


def encoded(documents: dict[str, Document]) -> list[bytes]:
    """The lines of a manifest."""
    return [lines.encode(documents[id_]) for id_ in sorted(documents)]


@given(runs())
def test_after_a_run_the_manifest_holds_what_the_index_does(run: tuple[dict[str, Document], list[Outcome]]) -> None:
    """Acknowledged changes are applied, rejected ones are not, doubtful documents lose their version."""
    old, outcomes = run
    expected = dict(old)
    for outcome in outcomes:
        match outcome:
            case Outcome(state="doubtful"):
                expected[outcome.id] = structs.replace(outcome.document, version="")
            case Outcome(state="acknowledged", kind="deleted"):
                expected.pop(outcome.id, None)
            case Outcome(state="acknowledged"):
                expected[outcome.id] = outcome.document

    assert list(manifest.after(encoded(old), outcomes)) == encoded(expected)


@given(runs())
def test_a_repeated_settlement_changes_nothing_more(run: tuple[dict[str, Document], list[Outcome]]) -> None:
    """The same outcomes applied to their own result give it again."""
    old, outcomes = run
    once = list(manifest.after(encoded(old), outcomes))

    assert list(manifest.after(once, outcomes)) == once


def test_without_outcomes_no_line_is_parsed() -> None:
    """The manifest of a run that changed nothing is the old one, byte by byte."""
    assert list(manifest.after([b"not", b"JSON"], [])) == [b"not", b"JSON"]


def test_before_the_first_commit_there_is_no_manifest(store: Store) -> None:
    """A connector starts with an index that holds nothing of it."""
    assert manifest.pointer(store) is None
    assert list(manifest.documents(store, None)) == []


def committed(store: Store, run: str, *ids: str) -> Pointer:
    """Commit a manifest of documents with these ids over whatever is there."""
    before = manifest.pointer(store)
    outcomes = [Outcome(id_, "added", document(id_)) for id_ in ids]
    written = write_manifest(store, run, outcomes)
    manifest.move(store, before.etag if before else None, written, base=before.value if before else None)
    after = manifest.pointer(store)
    assert after is not None
    return after.value


def test_what_is_committed_is_read_back(store: Store) -> None:
    """The pointer says where, how many, and with which digest."""
    pointer = committed(store, "run-1", "a", "b")

    assert (pointer.format, pointer.documents, manifest.is_of(store, pointer, "run-1")) == (FORMAT, 2, True)
    assert not manifest.is_of(store, pointer, "run")
    assert list(manifest.documents(store, pointer)) == encoded({"a": document("a"), "b": document("b")})


def test_the_next_manifest_leaves_the_last_one_as_it_is(store: Store) -> None:
    """Manifests are immutable: a run that failed half-way can be looked into."""
    first = committed(store, "run-1", "a")
    second = committed(store, "run-2", "b")

    assert second.key != first.key
    assert list(manifest.documents(store, first)) == encoded({"a": document("a")})


def test_only_the_last_two_manifests_are_kept(store: Store) -> None:
    """The one before is there for a person to go back to; nothing points to those before it."""
    pointers = [committed(store, f"run-{number}", "a") for number in range(4)]

    parts = {part.key for pointer in pointers[2:] for part in manifest.parts(store, pointer) or ()}
    kept = {store.held(MANIFEST), *parts, *(pointer.key for pointer in pointers[2:])}
    assert set(store.keys(store.held("manifest/"))) == kept


def test_a_part_that_is_taken_over_stays_as_long_as_a_manifest_needs_it(store: Store) -> None:
    """However long ago the run was that wrote it."""
    first = committed(store, "run-0", "a")
    (part,) = manifest.parts(store, first) or ()
    before = manifest.pointer(store)
    for number in range(1, 5):
        written = manifest.write_list(store, f"run-{number}", [part])
        assert before is not None
        manifest.move(store, before.etag, written, base=before.value)
        before = manifest.pointer(store)

    assert before is not None
    assert list(manifest.documents(store, before.value)) == encoded({"a": document("a")})


def test_what_a_commit_that_died_has_left_is_removed_by_the_one_that_ends(store: Store) -> None:
    """A repeated settlement may write other parts, when the index says something else meanwhile."""
    committed(store, "run-0", "z")
    died = write_manifest(store, "run-1", [Outcome("a", "added", document("a"), "doubtful")])

    committed(store, "run-1", "a")

    assert not store.exists(died.key)


@given(old=st.sets(IDS, max_size=12), after=IDS)
def test_reading_goes_on_after_any_id(shared_store: Store, old: set[str], after: str) -> None:
    """In whichever part that is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_LINES", 3)
        pointer = committed(shared_store, "run-1", *sorted(old))

    assert len(manifest.parts(shared_store, pointer) or ()) == -(-len(old) // 3)
    found = [lines.line_id(line) for line in manifest.documents(shared_store, pointer, after=after)]
    assert found == [id_ for id_ in sorted(old) if id_ > after]


def placed(id_: str, locator: str = "") -> Outcome:
    """A document at a place; without one said, at the place that its id tells."""
    return Outcome(id_, "added", document(id_, locator=locator or id_.partition("/")[2]))


@pytest.mark.parametrize(("connector", "read"), [("c", "def"), ("other", "abcdefghi")])
def test_only_parts_are_read_in_which_an_id_can_be_another_than_its_place(
    store: Store, monkeypatch: pytest.MonkeyPatch, connector: str, read: str
) -> None:
    """Under another name of the connector, every document is at a place that its id does not tell."""
    monkeypatch.setattr(parts, "PART_LINES", 3)
    outcomes = [placed(f"c/{letter}", "own" if letter == "e" else "") for letter in "abcdefghi"]
    written = write_manifest(store, "run-1", outcomes)
    manifest.move(store, None, written, base=None)
    current = manifest.pointer(store)

    found = blocks.split(manifest.own_ids(store, current.value if current else None, connector))
    rest = blocks.split(manifest.own_ids(store, current.value if current else None, connector, after="c/e"))

    expected = [f"c/{letter}" for letter in read]
    assert list(map(lines.line_id, found)) == expected
    assert list(map(lines.line_id, rest)) == [id_ for id_ in expected if id_ > "c/e"]


def test_a_manifest_of_one_object_is_read_as_the_first_versions_wrote_it(store: Store) -> None:
    """Format 1 had no parts."""
    key = store.held("manifest/run-1.jsonl.zst")
    with store.writing(key) as stream:
        for id_ in "abc":
            stream.add(document(id_))
    pointer = Pointer(1, key, 3, stream.written.sha256)

    assert list(map(lines.line_id, manifest.documents(store, pointer))) == ["a", "b", "c"]
    assert list(map(lines.line_id, manifest.documents(store, pointer, after="b"))) == ["c"]
    assert list(map(lines.line_id, blocks.split(manifest.own_ids(store, pointer, "c")))) == ["a", "b", "c"]
    assert manifest.parts(store, pointer) is None
    assert manifest.is_of(store, pointer, "run-1")


def test_an_older_format_is_read_as_the_newest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through every format between them; the next commit writes the newest."""
    older = committed(store, "run-1", "a")
    monkeypatch.setattr(manifest, "FORMAT", FORMAT + 2)
    upgrades = {
        FORMAT: lambda old: (b"2" + line for line in old),
        FORMAT + 1: lambda old: (b"3" + line for line in old),
    }
    monkeypatch.setattr(manifest, "UPGRADES", upgrades)

    assert list(manifest.documents(store, older)) == [b"32" + line for line in encoded({"a": document("a")})]
    assert committed(store, "run-2", "b").format == FORMAT + 2


def test_an_empty_manifest_is_one_too(store: Store) -> None:
    """An index that holds nothing any more is not an index that nothing is known of."""
    pointer = committed(store, "run-1")

    assert pointer.documents == 0
    assert list(manifest.documents(store, pointer)) == []


@pytest.mark.parametrize("first", [True, False], ids=["first commit", "later commit"])
def test_the_pointer_moves_only_from_where_it_was_read(*, store: Store, first: bool) -> None:
    """Of two runs that commit over the same manifest one wins, and the other changes nothing."""
    if not first:
        committed(store, "run-0", "z")
    before = manifest.pointer(store)
    winner = committed(store, "run-1", "a")

    with pytest.raises(ManifestInvalid, match="moved by another run"):
        manifest.move(store, before.etag if before else None, write_manifest(store, "run-2", []))

    now = manifest.pointer(store)
    assert now is not None
    assert now.value == winner


def test_the_pointer_does_not_come_back_from_being_deleted(store: Store) -> None:
    """Somebody emptied the bucket during the run: nothing is committed."""
    committed(store, "run-1", "a")
    before = manifest.pointer(store)
    store.delete(store.held(MANIFEST))

    with pytest.raises(ManifestInvalid, match="moved by another run"):
        manifest.move(store, before.etag if before else None, write_manifest(store, "run-2", []))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": "1", "key": 3}', b"\xff\xfe"])
def test_a_foreign_object_is_no_pointer(s3: object, store: Store, content: bytes) -> None:
    """What is not readable is never taken for an empty index: that would add everything, and delete nothing."""
    s3.put_object(Bucket=store.bucket, Key=store.held(MANIFEST), Body=content)  # type: ignore[attr-defined]

    with pytest.raises(ManifestInvalid, match=r"manifest/current\.json is not a pointer"):
        manifest.pointer(store)


def test_another_format_is_refused(store: Store) -> None:
    """An older version does not read what a newer one has written."""
    store.write(store.held(MANIFEST), structs.replace(committed(store, "run-1", "a"), format=FORMAT + 1))

    with pytest.raises(ManifestInvalid, match=f"format {FORMAT + 1}; this version reads formats up to {FORMAT}"):
        manifest.pointer(store)


@pytest.mark.parametrize("of_the", ["part", "list of parts"])
def test_a_manifest_that_was_changed_is_refused(store: Store, of_the: str) -> None:
    """The digest of each object is checked before its first line is given out."""
    pointer = committed(store, "run-1", "a", "b")
    (part,) = manifest.parts(store, pointer) or ()
    with store.writing(part.key if of_the == "part" else pointer.key) as stream:
        stream.add(document("a"))
        stream.add(document("c"))

    with pytest.raises(ManifestInvalid, match=r"corrupt: .* digest"):
        next(manifest.documents(store, pointer))


def test_a_pointer_with_another_count_is_refused(store: Store) -> None:
    """The guard reckons with the count, so it has to be right."""
    pointer = structs.replace(committed(store, "run-1", "a", "b"), documents=3)

    with pytest.raises(ManifestInvalid, match="has 2 documents, not 3"):
        list(manifest.documents(store, pointer))


@pytest.mark.parametrize("of_the", ["part", "list of parts"])
def test_a_pointer_to_nothing_is_refused(store: Store, of_the: str) -> None:
    """A manifest that is gone is no empty manifest."""
    pointer = committed(store, "run-1", "a")
    (part,) = manifest.parts(store, pointer) or ()
    gone = part.key if of_the == "part" else pointer.key
    store.delete(gone)

    with pytest.raises(ManifestInvalid, match=f"{gone} is missing"):
        list(manifest.documents(store, pointer))
