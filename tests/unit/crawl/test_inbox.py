"""The inbox: change sets are taken once, whole, in order, whatever dies in between."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from docferry.crawl import change_set_lines, inbox
from docferry.crawl.inbox import Inbox
from docferry.errors import Conflict, DocumentVanished, LeaseLost, ManifestInvalid
from docferry.model import Document, Skipped
from docferry.state import parts, sorting
from docferry.state.keys import COLLECTED
from docferry.state.lines import decode, is_document
from docferry.state.objects import Object
from docferry.state.store import Store
from tests.unit.fakes import NOON, document, new_store


def drop(store: Store, name: str, *lines: dict[str, Any]) -> None:
    """Hand in a change set."""
    store.put_content(f"inbox/{name}", "\n".join(map(json.dumps, lines)).encode())


def put(id_: str, text: str = "text") -> dict[str, Any]:
    """A line that puts a document."""
    return {"DocumentId": id_, "ContentType": "PLAIN_TEXT", "Content": text}


def gone(id_: str) -> dict[str, Any]:
    """A line that deletes one."""
    return {"DocumentId": id_, "Delete": True}


def collect(
    store: Store,
    *,
    until: datetime | None = None,
    in_time: Callable[[], bool] = lambda: True,
) -> Inbox:
    """Collect as a crawl does."""
    return inbox.collect(store, connector="team", until=until, in_time=in_time)


def listed(store: Store, found: Inbox) -> dict[str, str]:
    """The documents of the listing with their contents, or with why they are skipped."""
    chunks = [found.listing] if found.listing else []
    entries: dict[str, str] = {}
    for line in sorting.merge(store, chunks):
        if is_document(line):
            held = decode(line, Document)
            entries[held.id] = inbox.content(store, held).content.decode()  # type: ignore[union-attr]  # never on S3
        else:
            skipped = decode(line, Skipped)
            entries[skipped.id] = f"skipped: {skipped.skipped}"
    return entries


def entries(store: Store, found: Inbox) -> list[Document]:
    """The documents of the listing."""
    chunks = [found.listing] if found.listing else []
    return [decode(line, Document) for line in sorting.merge(store, chunks)]


def everything(store: Store) -> set[str]:
    """The keys of all objects."""
    return set(store.keys(""))


def test_nothing_handed_in_writes_nothing(store: Store) -> None:
    """The empty object that a console shows as a folder is nothing."""
    store.put_content("inbox/", b"")

    assert collect(store) == Inbox(listing=None, documents=0, refused=())
    assert everything(store) == {"inbox/"}


def test_change_sets_are_taken_in_order_and_leave_the_inbox(store: Store) -> None:
    """What is not needed any more leaves the bucket, too."""
    drop(store, "1.jsonl", put("a", "one"), put("b"))
    drop(store, "2.jsonl", put("a", "two"), put("c"))
    assert listed(store, collect(store)) == {"team/a": "two", "team/b": "text", "team/c": "text"}

    drop(store, "3.jsonl", gone("b"), put("c", "new"), gone("never was"))
    found = collect(store)

    assert listed(store, found) == {"team/a": "two", "team/c": "new"}
    assert found.documents == 2
    assert found.listing is not None
    assert (found.listing.first, found.listing.last) == ("team/a", "team/c")
    assert len([key for key in everything(store) if key.startswith("collected/content/")]) == 2
    assert len(everything(store)) == 4, "two contents, the listing, the pointer"


def test_a_long_listing_is_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """No object grows with the number of documents; the parts of the listing before it are removed with it."""
    monkeypatch.setattr(parts, "PART_LINES", 2)
    drop(store, "1.jsonl", *(put(id_) for id_ in "abcde"))
    collect(store)
    drop(store, "2.jsonl", gone("a"), gone("b"), put("f"))
    found = collect(store)

    assert found.listing is not None
    assert [part.lines for part in store.parts(found.listing.key) or ()] == [2, 2]
    assert list(listed(store, found)) == ["team/c", "team/d", "team/e", "team/f"]
    assert len(everything(store)) == 4 + 3 + 1, "the contents, the listing and its parts, the pointer"


def test_when_all_is_deleted_nothing_is_left(store: Store) -> None:
    """But for the pointer that says so."""
    drop(store, "1.jsonl", put("a"))
    collect(store)
    drop(store, "2.jsonl", gone("a"))

    assert collect(store).listing is None
    assert everything(store) == {COLLECTED}


def test_of_one_id_in_a_change_set_the_last_line_counts(store: Store) -> None:
    """As in a log."""
    drop(store, "1.jsonl", put("a", "one"), gone("a"), put("a", "two"), put("b"), gone("b"))

    assert listed(store, collect(store)) == {"team/a": "two"}
    assert len([key for key in everything(store) if key.startswith("collected/content/")]) == 1


def test_a_broken_change_set_is_refused_whole_and_harms_no_other(store: Store) -> None:
    """It stays, and is reported until somebody removes or mends it."""
    drop(store, "1.jsonl", put("a"))
    store.put_content("inbox/2.jsonl", json.dumps(put("b")).encode() + b"\n{")
    store.put_content("inbox/notes.txt", b"not for us")
    drop(store, "3.jsonl", put("c"))

    found = collect(store)

    assert listed(store, found) == {"team/a": "text", "team/c": "text"}
    (one, other) = found.refused
    assert one.id == "team/inbox/2.jsonl"
    assert one.skipped.startswith("line 2 is not JSON")
    assert other == Skipped(
        "team/inbox/notes.txt", "is not a change set: the name of one ends in .jsonl; nothing of it was taken"
    )
    assert {"inbox/2.jsonl", "inbox/notes.txt"} < everything(store)

    drop(store, "2.jsonl", put("b"))
    assert listed(store, collect(store)) == {f"team/{name}": "text" for name in "abc"}


def test_a_change_set_that_would_not_fit_on_the_disk_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is fetched."""
    monkeypatch.setattr(inbox, "MAX_BYTES", 100)
    drop(store, "1.jsonl", put("a", "x" * 100))

    (refused,) = collect(store).refused

    assert refused.skipped.startswith("is larger than 100 bytes; hand it in as several")


def test_when_time_is_short_the_rest_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the next invocation."""
    monkeypatch.setattr(inbox, "TOGETHER", 1)
    for number in range(3):
        drop(store, f"{number}.jsonl", put(str(number)))
    times = iter([True, True, True, True, False])

    first = collect(store, in_time=lambda: next(times))
    assert (first.more, first.documents) == (True, 2)
    assert collect(store).documents == 3


@pytest.mark.parametrize(("together", "sets", "expected"), [(6, 99, 2), (99, 3, 3), (99, 99, 9)])
def test_change_sets_are_taken_together_up_to_a_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch, together: int, sets: int, expected: int
) -> None:
    """In lines, also when they are about the same documents, and in change sets."""
    monkeypatch.setattr(inbox, "TOGETHER", together)
    monkeypatch.setattr(inbox, "SETS", sets)
    for number in range(9):
        drop(store, f"{number}.jsonl", *(put(id_, str(number)) for id_ in "abc"))
    folds: list[int] = []
    real = inbox._write_listing

    def folded(*args: Any) -> Any:
        folds.append(len(args[2].taken))
        return real(*args)

    monkeypatch.setattr(inbox, "_write_listing", folded)

    assert listed(store, collect(store)) == dict.fromkeys(("team/a", "team/b", "team/c"), "8")
    assert folds[0] == expected
    assert sum(folds) == 9
    assert len(list(store.keys("collected/content/"))) == 3


def test_time_is_looked_at_within_a_batch(store: Store) -> None:
    """What was taken until then is listed."""
    for number in range(5):
        drop(store, f"{number}.jsonl", put(str(number)))
    times = iter([True, True, True, False, False])

    first = collect(store, in_time=lambda: next(times))

    assert (first.more, first.documents) == (True, 2)


def test_steady_uploads_do_not_keep_a_run_from_its_end(store: Store) -> None:
    """What comes after the first look is the next run's, also when the run goes on in another invocation."""
    drop(store, "1.jsonl", put("a"))
    real = Store.objects

    def objects(self: Store, prefix: str) -> Any:
        for found in real(self, prefix):
            yield structs.replace(found, modified=NOON + timedelta(seconds="late" in found.key))

    with patch.object(Store, "objects", objects):
        first = collect(store, in_time=lambda: False)
        drop(store, "late.jsonl", put("b"))
        second = collect(store, until=first.until)

    assert (first.until, first.more) == (NOON, True)
    assert (listed(store, second), second.more) == ({"team/a": "text"}, False)
    assert list(store.keys("inbox/")) == ["inbox/late.jsonl"]


def test_the_same_content_once_more_is_no_change(store: Store) -> None:
    """It stays under its key, so that the document is unchanged but for its time; a new title is a change."""
    drop(store, "1.jsonl", put("a"))
    before = entries(store, collect(store))
    drop(store, "2.jsonl", put("a"))
    after = entries(store, collect(store))

    assert [structs.replace(one, updated_at=None) for one in before] == [
        structs.replace(one, updated_at=None) for one in after
    ]
    assert len(list(store.keys("collected/content/"))) == 1


def test_a_delete_that_s3_cannot_decide_on_leaves_the_note(store: Store) -> None:
    """The change set is there still, and must not be taken a second time."""
    drop(store, "1.jsonl", put("a", "old"))
    conflict: Any = {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}}
    with (
        patch.object(type(store._s3), "delete_object", side_effect=ClientError(conflict, "DeleteObject")),
        pytest.raises(Conflict),
    ):
        collect(store)
    drop(store, "2.jsonl", put("a", "new"))

    assert listed(store, collect(store)) == {"team/a": "new"}


def test_an_object_that_changes_while_it_is_read_is_read_later(store: Store) -> None:
    """What was listed is not what is there: it is taken as it is when it is listed again."""
    drop(store, "1.jsonl", put("a", "one"))
    (before,) = store.objects("inbox/")
    drop(store, "1.jsonl", put("a", "two"))
    with patch.object(Store, "objects", lambda *_: iter([Object(before.key, '"0123"', before.modified, 1)])):
        assert collect(store).listing is None

    assert listed(store, collect(store)) == {"team/a": "two"}


def test_uploads_of_the_same_second_go_by_name(store: Store) -> None:
    """S3 tells times in whole seconds; a later second counts more."""
    drop(store, "2.jsonl", put("a", "two"))
    drop(store, "1.jsonl", put("a", "one"))
    real = Store.objects

    def objects(self: Store, prefix: str) -> Any:
        for found in real(self, prefix):
            yield structs.replace(found, modified=NOON)

    with patch.object(Store, "objects", objects):
        assert listed(store, collect(store)) == {"team/a": "two"}

    drop(store, "2.jsonl", put("a", "early"))
    drop(store, "1.jsonl", put("a", "late"))

    def later(self: Store, prefix: str) -> Any:
        for found in real(self, prefix):
            yield structs.replace(found, modified=NOON + timedelta(seconds="1" in found.key))

    with patch.object(Store, "objects", later):
        assert listed(store, collect(store)) == {"team/a": "late"}


def test_what_was_collected_must_not_be_lost(store: Store) -> None:
    """An empty listing in its place would delete what it had."""
    drop(store, "1.jsonl", put("a"))
    found = collect(store)
    assert found.listing is not None
    store.delete(found.listing.key)
    with pytest.raises(ManifestInvalid, match="missing"):
        collect(store)

    store.write(COLLECTED, ["nonsense"])
    with pytest.raises(ManifestInvalid, match="restore its last version"):
        collect(store)


def test_a_content_that_is_gone_is_named(store: Store) -> None:
    """Only that document fails."""
    with pytest.raises(DocumentVanished, match="hand the document in again"):
        inbox.content(store, document("team/a", origin="inbox"))


def test_a_run_that_lost_its_lease_takes_nothing_more(store: Store) -> None:
    """The pointer is another run's by now."""
    drop(store, "1.jsonl", put("a"))
    real = Store.put_content

    def meanwhile(self: Store, key: str, content: bytes) -> None:
        real(self, key, content)
        self.write(COLLECTED, inbox.Collected(documents=7))

    with patch.object(Store, "put_content", meanwhile), pytest.raises(LeaseLost):
        collect(store)


class Died(BaseException):
    """The process ends here."""


EFFECTS = ("put_content", "upload", "swap", "delete_as_read", "delete_all")


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", range(3))
def test_whatever_dies_the_next_crawl_has_the_same(store: Store, effect: str, nth: int, *, after: bool) -> None:
    """A change set counts once: what came after it is not undone by it."""
    drop(store, "1.jsonl", put("a", "one"), put("b", "one"))
    collect(store)
    drop(store, "2.jsonl", put("a", "two"), gone("b"))
    drop(store, "3.jsonl", put("c", "three"))
    count = 0
    owner: Any = Store if effect != "upload" else type(store._s3)
    name = effect if effect != "upload" else "upload_fileobj"
    real = getattr(owner, name)

    def dies(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count - 1 == nth:
            if after:
                real(*args, **kwargs)
            raise Died
        return real(*args, **kwargs)

    with patch.object(owner, name, dies):
        try:
            collect(store)
        except Died:
            pass
        else:
            assert count <= nth

    drop(store, "4.jsonl", put("b", "back"))
    found = collect(store)

    assert listed(store, found) == {"team/a": "two", "team/b": "back", "team/c": "three"}
    assert not any(store.keys("inbox/"))


LINES = st.lists(
    st.builds(lambda id_, text: put(id_, text) if text else gone(id_), st.sampled_from("abcd"), st.sampled_from("12 ")),
    max_size=5,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sets=st.lists(LINES, max_size=5), together=st.integers(1, 4), crawls=st.lists(st.booleans(), max_size=5))
def test_any_change_sets_leave_what_applying_them_in_turn_leaves(
    s3: Any, sets: list[list[dict[str, Any]]], together: int, crawls: list[bool]
) -> None:
    """However they are spread over crawls, and taken together."""
    store = new_store(s3)
    model: dict[str, str] = {}
    with patch.object(inbox, "TOGETHER", together), patch.object(change_set_lines, "MAX_LINES", 100):
        for number, lines in enumerate(sets):
            drop(store, f"{number}.jsonl", *lines)
            for line in lines:
                model.pop(f"team/{line['DocumentId']}", None)
                if "Content" in line:
                    model[f"team/{line['DocumentId']}"] = line["Content"]
            if number < len(crawls) and crawls[number]:
                collect(store)
        found = collect(store)

    assert listed(store, found) == model
    assert len(list(store.keys("collected/content/"))) == len(model)
