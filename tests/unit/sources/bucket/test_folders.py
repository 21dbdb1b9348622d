"""Where a listing is divided at folders."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.errors import AccessDenied
from docferry.sources.bucket import folders, keys
from docferry.sources.bucket.folders import Folders
from docferry.sources.bucket.keys import Keys
from docferry.sources.bucket.listing import Entry
from docferry.sources.bucket.notes import Range

PAGE = 10
"""Keys that a call shows."""
SOME_DAY = datetime(2026, 1, 2, tzinfo=UTC)


class Listed:
    """Keys of a bucket, as S3 lists them, and the calls that were made."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = sorted(names)
        self.calls: list[str] = []

    def page(self, after: str | None) -> tuple[list[Entry], bool]:
        """The next keys after one; and whether there are more."""
        self.calls.append("keys")
        found = [name for name in self.names if name > (after or "")]
        return [Entry(name, SOME_DAY, "etag", 1) for name in found[:PAGE]], len(found) > PAGE

    def folders(self, prefix: str, after: str) -> list[str]:
        """The folders among the next keys and folders below a prefix."""
        self.calls.append(f"folders of {prefix}")
        found: dict[str, None] = {}
        for name in self.names:
            if name.startswith(prefix) and name > after:
                rest, slash, _ = name[len(prefix) :].partition("/")
                found[prefix + rest + slash] = None
        return [name for name in [*found][:PAGE] if name.endswith("/")]


def passed(*names: str) -> list[Keys]:
    """A page of keys."""
    return [Keys([Entry(name, SOME_DAY, "etag", 1) for name in names], {}, None, Range(None))]


def tree(folders_: int, documents: int) -> list[str]:
    """Names of documents in folders."""
    return [f"docs/{folder:03}/{number:03}.md" for folder in range(folders_) for number in range(documents)]


def test_a_part_has_as_many_folders_as_the_pages_before() -> None:
    """Ten keys were in two folders: so two folders hold about ten."""
    bucket = Listed(tree(12, 5))

    boundaries = Folders(bucket.folders, "").divide("docs/001/004.md", None, passed(*bucket.names[:10]))

    assert boundaries == [f"docs/{folder:03}/" for folder in (3, 5, 7, 9, 11)]
    assert bucket.calls == ["folders of docs/001/", "folders of docs/"]


def test_small_folders_divide_nothing() -> None:
    """Each would cost a call, which shows the keys of many."""
    bucket = Listed(tree(100, 1))

    assert Folders(bucket.folders, "docs/").divide("docs/019/000.md", None, passed(*bucket.names[:20])) == []


def test_only_folders_within_the_range_divide_it() -> None:
    """Those after it belong to the next one."""
    bucket = Listed([*tree(3, 20), "else/1.md", "moon/1.md"])

    divided = Folders(bucket.folders, "").divide("docs/000/009.md", "docs/002/", passed(*bucket.names[:10]))

    assert divided == ["docs/001/"]
    assert bucket.calls == ["folders of docs/000/", "folders of docs/"]


def test_keys_in_no_folder_cost_one_look() -> None:
    """There is nothing below."""
    bucket = Listed([f"{number:03}.md" for number in range(50)])

    assert Folders(bucket.folders, "").divide("009.md", None, passed(*bucket.names[:10])) == []
    assert bucket.calls == ["folders of "]


def test_where_folders_may_not_be_listed_nothing_is_divided() -> None:
    """A policy may allow the prefix of the source and no other; it is asked once."""
    asked: list[str] = []

    def denied(prefix: str, after: str) -> list[str]:
        asked.append(prefix + after)
        raise AccessDenied("no")

    divides = Folders(denied, "")

    assert divides.divide("a/1", None, []) == divides.divide("a/2", None, []) == []
    assert asked == ["a/a/1"]


def test_many_folders_are_not_all_parts_of_one_division() -> None:
    """What a division may cost is bounded."""
    divides = Folders(lambda _, after: [f"{after}{number:04}/" for number in range(1_000)], "")

    assert len(divides.divide("a", None, passed("a"))) == folders.PARTS


NAMES = st.lists(st.text("ab/\u00e9", min_size=1, max_size=8), max_size=120, unique=True)


@pytest.mark.parametrize("prefix", ["", "a"])
@given(names=NAMES, range_pages=st.integers(1, 3), boundaries=st.lists(st.text("ab/", min_size=1, max_size=3)))
def test_every_key_is_listed_once_and_in_order(
    prefix: str, names: list[str], range_pages: int, boundaries: list[str]
) -> None:
    """Whatever the folders are, and with ranges that were noted and have grown."""
    bucket = Listed([prefix + name for name in names])
    ends = sorted({prefix + boundary for boundary in boundaries})
    ranges = [Range(*part) for part in zip([None, *ends], [*ends, None], strict=True)]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keys, "RANGE_PAGES", range_pages)
        found = list(keys.pages(bucket.page, ranges, Folders(bucket.folders, prefix).divide))

    assert [entry.key for page in found for entry in page.entries] == bucket.names


def test_parts_are_listed_side_by_side() -> None:
    """The second one goes on only when the fifth has begun: one after the other they would wait for ever."""
    bucket, fifth = Listed(tree(30, 10)), Event()

    def listed(after: str | None) -> tuple[list[Entry], bool]:
        if after == "docs/011/":
            fifth.set()
        if after == "docs/005/":
            assert fifth.wait(10)
        return bucket.page(after)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keys, "RANGE_PAGES", 2)
        found = list(keys.pages(listed, [Range(None)], Folders(bucket.folders, "docs/").divide))

    assert [entry.key for page in found for entry in page.entries] == bucket.names
    assert fifth.is_set()


def test_a_bounded_number_of_pages_is_listed_ahead() -> None:
    """Memory holds these, however many there are: folders in folders, all of them long."""
    names = [f"{a}/{b}/{c}/{number:02}.md" for a in "abcde" for b in "abcde" for c in "abcde" for number in range(40)]
    bucket = Listed(names)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keys, "RANGE_PAGES", 1)
        ahead = []
        for number, _ in enumerate(keys.pages(bucket.page, [Range(None)], Folders(bucket.folders, "").divide), 1):
            ahead.append(bucket.calls.count("keys") - number)

    # Of the last division the pages are listed one ahead, too; and what a call shows of the next part is not used.
    assert max(ahead[:100]) <= (keys.DIVISIONS + 1) * keys.RANGES_AT_ONCE + 2


def test_a_tree_that_nobody_has_noted_is_listed_with_few_calls_more() -> None:
    """A folder is two pages here: the divisions, and the pages that show keys of the next part, are the rest."""
    bucket = Listed(tree(100, 20))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keys, "RANGE_PAGES", 4)
        found = list(keys.pages(bucket.page, [Range(None)], Folders(bucket.folders, "docs/").divide))

    assert [entry.key for page in found for entry in page.entries] == bucket.names
    assert bucket.calls.count("keys") <= 1.3 * len(bucket.names) / PAGE
    assert len(bucket.calls) - bucket.calls.count("keys") <= 25  # of ten folders each, which are five parts


DAYS = [f"{year}/{month:02}/{day:02}/" for year in (2025, 2026) for month in range(1, 13) for day in range(1, 11)]
DEEP = [f"data/prod/all/docs/{number:03}/" for number in range(60)]


@pytest.mark.parametrize(("folders_", "alone"), [(DAYS, 0.25), (DEEP, 0.15)], ids=["days", "deep"])
def test_most_of_a_deep_tree_is_listed_side_by_side(
    monkeypatch: pytest.MonkeyPatch, folders_: list[str], alone: float
) -> None:
    """Four pages a folder. Only where a part ends, and before it is known that it is long, pages come one by one."""
    bucket = Listed([f"{folder}{number:02}.md" for folder in folders_ for number in range(40)])
    monkeypatch.setattr(keys, "RANGE_PAGES", 4)
    one_by_one: list[Keys] = []
    true = keys._one_ahead

    def counted(items: Iterator[Keys]) -> Iterator[Keys]:
        for page in true(items):
            one_by_one.append(page)
            yield page

    monkeypatch.setattr(keys, "_one_ahead", counted)

    found = list(keys.pages(bucket.page, [Range(None)], Folders(bucket.folders, "").divide))

    assert [entry.key for page in found for entry in page.entries] == bucket.names
    assert len(one_by_one) < alone * len(found)
    assert len(bucket.calls) < 1.6 * len(found)


def test_a_part_that_has_ended_is_not_asked_again() -> None:
    """A folder of whole pages ends with an answer that shows only keys of the next one."""
    bucket = Listed(tree(100, 10))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(keys, "RANGE_PAGES", 4)
        asked: list[str | None] = []

        def listed(after: str | None) -> tuple[list[Entry], bool]:
            asked.append(after)
            return bucket.page(after)

        list(keys.pages(listed, [Range(None)], Folders(bucket.folders, "docs/").divide))

    assert len(asked) == len(set(asked))


def test_a_long_folder_is_listed_with_few_calls_more() -> None:
    """Where nothing divides it, that is looked for less and less often."""
    bucket = Listed([f"docs/{number:05}.md" for number in range(4_000)])

    found = list(keys.pages(bucket.page, [Range(None)], Folders(bucket.folders, "docs/").divide))

    assert len(found) == 400
    assert len(bucket.calls) <= 1.03 * 400
