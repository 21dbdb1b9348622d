"""What every source promises. A source inherits the suite and says how its repository is filled."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
import pytest

from docferry.errors import ConfigurationError, DocumentUnreadable, DocumentVanished
from docferry.model import Content, Date, Document, Listed, Opened, Principal, Skipped
from docferry.sources import NOTHING, Finder, Known, Source, opener
from docferry.sources.describing import documents
from docferry.sources.describing.sidecar import SUFFIX

NASTY = [
    "a-b/c.md",
    "a.md",
    "a/b.md",
    "a0.md",
    "A.md",
    "100% done?.md",
    "a+b & c=d.txt",
    'it\'s "quoted".html',
    "back\\slash.md",
    "#hash;semi.csv",
    ".hidden.md",
    "..dots.md",
    "folder with spaces/ leading.md",
    "line\nbreak.md",
    "metadata.json",
    "x/metadata.json",
    "résumé.md",
    "re\u0301sume\u0301.md",
    "日本語/文書.txt",
    "🛳️.md",
    "uPPer/CASE.PDF",
    "x" * 200 + ".md",
    "deep/" * 30 + "down.md",
]
"""Paths that have broken crawlers: order, quoting, Unicode forms, depth, names close to a sidecar's."""

BROKEN = {
    "not JSON": b'{"Title": ',
    "nothing": b"",
    "not UTF-8": b'{"Title": "\xe9"}',
    "too large": b'{"Title": "' + b"x" * 1_000_001 + b'"}',
    "not an object": b"[]",
    "misspelt access control": b'{"AccessControllList": [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}]}',
    "access control twice": b'{"AccessControlList": [], "AccessControlList": []}',
    "empty access control": b'{"AccessControlList": []}',
    "null access control": b'{"AccessControlList": null}',
    "unknown access": b'{"AccessControlList": [{"Name": "crew", "Type": "GROUP", "Access": "READ"}]}',
    "unknown type of principal": b'{"AccessControlList": [{"Name": "crew", "Type": "ROLE", "Access": "ALLOW"}]}',
    "nameless principal": b'{"AccessControlList": [{"Type": "GROUP", "Access": "ALLOW"}]}',
    "attribute with a point": b'{"Attributes": {"rating": 4.5}}',
    "text for a date": b'{"Attributes": {"_created_at": "yesterday"}}',
}


class Repository(Protocol):
    """What the suite needs of a repository that a source reads."""

    def put(self, path: str, content: bytes) -> None:
        """Add or replace what is at a path."""

    def remove(self, path: str) -> None:
        """Delete what is at a path."""

    def source(self, **settings: Any) -> Source:
        """Return a source of the repository, for the connector ``demo``."""
        ...

    def read(self, content: Content) -> bytes:
        """Return what an index would read."""
        ...

    def uri(self, quoted: str) -> str:
        """Return the default ``_source_uri`` of a quoted path."""
        ...

    def small_pages(self, length: int) -> None:
        """Make pages as short as that."""


class Noted:
    """What a source is given of the crawl before: its notes, and an index that holds nothing."""

    def __init__(self, notes: Iterable[bytes] = ()) -> None:
        self._notes = tuple(notes)

    def holds(self, document: Document) -> bool:  # noqa: ARG002  # the protocol's
        """See Known."""
        return False

    def notes(self) -> Iterator[bytes]:
        """See Known."""
        return iter(self._notes)


def listing(source: Source, checkpoint: str | None = None, known: Known = NOTHING) -> list[Listed]:
    """Return everything a source lists."""
    return [item for page in source.pages(checkpoint, known) for item in page.listed]


def noted(source: Source, known: Known = NOTHING) -> Noted:
    """Let a source list everything, and return the notes that it has made."""
    return Noted(note for page in source.pages(None, known) for note in page.notes)


def sidecar(**members: Any) -> bytes:
    """Return a sidecar with these top-level keys."""
    return json.dumps(members).encode()


CREW = {"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}


class SourceSuite:
    """Inherit, and override ``repository``."""

    @pytest.fixture
    def repository(self) -> Repository:
        """Give an empty repository."""
        raise NotImplementedError

    def only(self, repository: Repository, **settings: Any) -> Document:
        """Return the one document that is listed."""
        (item,) = listing(repository.source(**settings))
        assert isinstance(item, Document), item
        return item

    def only_skipped(self, repository: Repository, **settings: Any) -> Skipped:
        """Return the one thing that is listed as skipped."""
        (item,) = listing(repository.source(**settings))
        assert isinstance(item, Skipped), item
        return item

    def test_an_empty_repository_lists_nothing(self, repository: Repository) -> None:
        """Nothing in, nothing out, and no error: the delete guard judges an empty listing, not the source."""
        assert listing(repository.source()) == []

    def test_every_path_is_listed_once_under_its_own_id(self, repository: Repository) -> None:
        """An id is the connector and the path, whatever characters the path has."""
        for path in NASTY:
            repository.put(path, path.encode())

        ids = [item.id for item in listing(repository.source())]

        assert sorted(ids) == sorted(f"demo/{path}" for path in NASTY)

    def test_the_order_is_that_of_the_bytes_of_the_paths(self, repository: Repository) -> None:
        """A listing in order of the ids needs no external sort."""
        for path in NASTY:
            repository.put(path, b"text")

        ids = [item.id.encode() for item in listing(repository.source())]

        assert ids == sorted(ids)

    def test_an_unchanged_repository_lists_the_same_again(self, repository: Repository) -> None:
        """Equal content gives equal documents, or every run would send everything."""
        for path in NASTY:
            repository.put(path, b"text")

        assert listing(repository.source()) == listing(repository.source())

    def test_a_new_document_leaves_the_others_alone(self, repository: Repository) -> None:
        """Ids and versions do not depend on the neighbours."""
        repository.put("b.md", b"text")
        before = listing(repository.source())

        repository.put("a.md", b"other")

        assert listing(repository.source())[1:] == before

    @pytest.mark.parametrize("length", [1, 2, 3, 7])
    def test_after_any_checkpoint_exactly_the_rest_follows(self, repository: Repository, length: int) -> None:
        """A crawl that died loses nothing and repeats nothing."""
        for path in NASTY:
            repository.put(path, b"text")
        repository.put("a.md.metadata.json", sidecar(Title="One"))
        repository.put("a/b.md.metadata.json", b"broken")
        repository.put("deep/deep/empty.md", b"")
        repository.small_pages(length)
        pages = list(repository.source().pages(None))
        assert len(pages) > 2

        for number, page in enumerate(pages):
            rest = [item for later in pages[number + 1 :] for item in later.listed]
            assert listing(repository.source(), page.checkpoint) == rest

    def test_notes_of_an_earlier_crawl_change_nothing_in_the_listing(self, repository: Repository) -> None:
        """They spare work. From any checkpoint, what changed since is listed as without them."""
        if "remembers" not in repository.source().abilities:
            pytest.skip("makes no notes")
        for path in NASTY:
            repository.put(path, b"text")
        repository.put("a.md.metadata.json", sidecar(Title="One", AccessControlList=[CREW]))
        repository.put("a/b.md.metadata.json", b"broken")
        repository.small_pages(3)
        known = noted(repository.source())
        repository.put("a/b.md.metadata.json", sidecar(Title="mended"))
        repository.put("a.md.metadata.json", sidecar(Title="Two", AccessControlList=[CREW]))
        repository.put("a0.md", b"longer text")
        repository.put("b/new.md", b"text")
        repository.remove("A.md")

        pages = list(repository.source().pages(None))

        assert listing(repository.source(), None, known) == [item for page in pages for item in page.listed]
        for number, page in enumerate(pages):
            rest = [item for later in pages[number + 1 :] for item in later.listed]
            assert listing(repository.source(), page.checkpoint, known) == rest

    def test_a_document_is_opened_in_the_version_that_was_listed(self, repository: Repository) -> None:
        """The version of unchanged content is the same by both ways, and the content is what was put."""
        for path in NASTY:
            repository.put(path, path.encode())
        source = repository.source()

        for document in listing(source):
            assert isinstance(document, Document)
            opened = source.open(document)
            assert opened.version == document.version
            assert repository.read(opened.content) == document.locator.encode()

    def test_documents_may_be_opened_in_several_threads(self, repository: Repository) -> None:
        """A source that says so gives each thread the content that it asked for."""
        for path in NASTY:
            repository.put(path, path.encode())
        source = repository.source()
        if "opens_at_once" not in source.abilities:
            pytest.skip("is asked in one thread")
        documents = [one for one in listing(source) if isinstance(one, Document)]
        assert len(documents) > 1

        with ThreadPoolExecutor(len(documents)) as threads:
            opened = list(threads.map(source.open, documents * 3))

        assert [one.version for one in opened] == [document.version for document in documents * 3]
        assert [repository.read(one.content).decode() for one in opened] == [one.locator for one in documents * 3]

    def test_many_documents_are_opened_as_each_of_them(self, repository: Repository) -> None:
        """In the order of the listing, and in any other."""
        for path in NASTY:
            repository.put(path, path.encode())
        source = repository.source()
        documents = [one for one in listing(source) if isinstance(one, Document)]
        open_ = opener(source)

        opened = [open_(document) for document in [*documents, *reversed(documents)]]

        assert [one.version for one in opened] == [one.version for one in [*documents, *reversed(documents)]]
        assert [repository.read(one.content).decode() for one in opened[: len(documents)]] == [
            one.locator for one in documents
        ]

    def test_a_document_changed_since_the_listing_is_opened_in_its_new_version(self, repository: Repository) -> None:
        """The manifest must not record a version that was never sent."""
        repository.put("a.md", b"old")
        source = repository.source()
        document = self.only(repository)

        repository.put("a.md", b"new!")

        opened: Opened = source.open(document)
        assert opened.version != document.version
        assert repository.read(opened.content) == b"new!"

    def test_a_document_gone_since_the_listing_has_vanished(self, repository: Repository) -> None:
        """One deleted document does not end the run."""
        repository.put("folder/a.md", b"text")
        document = self.only(repository)

        repository.remove("folder/a.md")

        with pytest.raises(DocumentVanished, match=r"folder/a\.md"):
            repository.source().open(document)

    def test_a_document_empty_since_the_listing_cannot_be_read(self, repository: Repository) -> None:
        """Neither service takes a document without content."""
        repository.put("a.md", b"text")
        document = self.only(repository)

        repository.put("a.md", b"")

        with pytest.raises(DocumentUnreadable, match="is empty"):
            repository.source().open(document)

    def test_other_content_is_another_version(self, repository: Repository) -> None:
        """Content of the same length counts as changed too."""
        repository.put("a.md", b"one")
        before = self.only(repository)

        repository.put("a.md", b"two")

        assert self.only(repository).version != before.version

    def test_a_document_without_sidecar_is_described_by_its_place(self, repository: Repository) -> None:
        """Title, address, type, size and time come from the repository; nobody is kept out."""
        repository.put("guides/how to.html", b"<p>text</p>")

        document = self.only(repository)

        assert document.title == "how to.html"
        assert document.content_type == "HTML"
        assert document.size == 11
        assert document.locator == "guides/how to.html"
        assert document.attributes == {"_source_uri": repository.uri(quote("guides/how to.html"))}
        assert document.access_control == ()
        assert document.updated_at is not None
        assert document.updated_at.microsecond == 0
        assert document.updated_at.utcoffset() == timedelta(0)

    def test_a_sidecar_describes_its_document(self, repository: Repository) -> None:
        """Everything the format has arrives in the document; the sidecar is no document itself."""
        repository.put("a.md", b"text")
        repository.put(
            "a.md.metadata.json",
            sidecar(
                Title="A title",
                ContentType="PLAIN_TEXT",
                Attributes={
                    "_category": "safety",
                    "_created_at": "2026-01-31",
                    "_last_updated_at": "2026-02-01T10:00:00+02:00",
                    "_source_uri": "https://wiki.example.com/a",
                    "revision": 4,
                    "tags": ["deck", "night"],
                },
                AccessControlList=[CREW, {"Name": "guest@example.com", "Type": "USER", "Access": "DENY"}],
            ),
        )

        document = self.only(repository)

        assert document.title == "A title"
        assert document.content_type == "PLAIN_TEXT"
        assert document.attributes == {
            "_category": "safety",
            "_created_at": Date(datetime(2026, 1, 31, tzinfo=UTC)),
            "_last_updated_at": Date(datetime(2026, 2, 1, 8, tzinfo=UTC)),
            "_source_uri": "https://wiki.example.com/a",
            "revision": 4,
            "tags": ("deck", "night"),
        }
        assert document.access_control == (
            Principal("crew", "GROUP", "ALLOW"),
            Principal("guest@example.com", "USER", "DENY"),
        )

    def test_a_described_document_survives_its_line_in_the_manifest(self, repository: Repository) -> None:
        """What is listed encodes to JSON and decodes to the same document."""
        repository.put("日本語.md", b"text")
        repository.put("日本語.md.metadata.json", sidecar(Attributes={"_created_at": "2026-01-31", "n": 1, "l": ["x"]}))

        document = self.only(repository)

        assert msgspec.json.decode(msgspec.json.encode(document), type=Document) == document

    def test_a_changed_sidecar_changes_the_document(self, repository: Repository) -> None:
        """Someone who loses access loses it with the next run, though the content stays the same."""
        repository.put("a.md", b"text")
        repository.put("a.md.metadata.json", sidecar(AccessControlList=[CREW]))
        before = self.only(repository)

        repository.put("a.md.metadata.json", sidecar(AccessControlList=[{**CREW, "Access": "DENY"}]))

        after = self.only(repository)
        assert after != before
        assert after.version == before.version

    @pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
    def test_a_document_with_a_broken_sidecar_is_not_sent(self, repository: Repository, broken: bytes) -> None:
        """Who may see it cannot be determined; its locator keeps alive what is indexed of it."""
        repository.put("folder/a.md", b"text")
        repository.put("folder/a.md.metadata.json", broken)

        item = self.only_skipped(repository)

        assert item.id == "demo/folder/a.md"
        assert item.locator == "folder/a.md"
        assert item.skipped.startswith("sidecar folder/a.md.metadata.json: ")
        assert not item.incomplete

    def test_a_sidecar_without_a_document_is_nothing(self, repository: Repository) -> None:
        """A sidecar outlives its document without trace, even a broken one."""
        repository.put("gone.md.metadata.json", sidecar(Title="x"))
        repository.put("other.md.metadata.json", b"broken")
        repository.put(".metadata.json", b"{}")

        assert listing(repository.source()) == []

    def test_a_document_id_from_the_sidecar_stays_below_the_connector(self, repository: Repository) -> None:
        """Two connectors of one index can never touch each other's documents."""
        repository.put("a.md", b"text")
        repository.put("a.md.metadata.json", sidecar(DocumentId="other/../x-17"))

        document = self.only(repository)

        assert document.id == "demo/other/../x-17"
        assert document.locator == "a.md"

    def test_what_is_skipped_says_who_may_see_it(self, repository: Repository) -> None:
        """Fewer people, perhaps, than the index shows it to."""
        repository.put("a.md", b"")
        repository.put(f"a.md{SUFFIX}", sidecar(AccessControlList=[CREW]))

        (item,) = listing(repository.source())

        assert isinstance(item, Skipped)
        assert item.access_control == (Principal("crew", "GROUP", "ALLOW"),)

    def test_what_is_skipped_keeps_the_id_from_its_sidecar(self, repository: Repository) -> None:
        """The indexed document is recognized, and so not deleted."""
        repository.put("a.md", b"")
        repository.put("a.md.metadata.json", sidecar(DocumentId="x-17"))

        assert self.only_skipped(repository) == Skipped("demo/x-17", "is empty")

    def test_an_empty_document_is_skipped(self, repository: Repository) -> None:
        """Neither service takes a document without content."""
        repository.put("a.md", b"")

        assert self.only_skipped(repository) == Skipped("demo/a.md", "is empty", bare="a.md")

    def test_a_document_over_the_limit_is_skipped(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A document at the limit passes, one byte more does not."""
        monkeypatch.setattr(documents, "MAX_BYTES", 4)
        repository.put("at.md", b"four")
        repository.put("over.md", b"fives")

        at, over = listing(repository.source())

        assert isinstance(at, Document)
        assert isinstance(over, Skipped)
        assert "is larger than" in over.skipped

    def test_an_unknown_type_is_skipped_with_the_cure(self, repository: Repository) -> None:
        """The reason names the extension, and the cure."""
        repository.put("a.exe", b"text")

        reason = self.only_skipped(repository).skipped

        assert ".exe" in reason
        assert "ContentType in its sidecar" in reason

    def test_a_sidecar_gives_a_type_to_what_has_none(self, repository: Repository) -> None:
        """A file without extension is indexed when somebody says what it is."""
        repository.put("LICENSE", b"text")
        repository.put("LICENSE.metadata.json", sidecar(ContentType="PLAIN_TEXT"))

        assert self.only(repository).content_type == "PLAIN_TEXT"

    def test_a_sidecar_in_other_letters_is_reported_not_indexed(self, repository: Repository) -> None:
        """It would be a JSON document for everyone to read, and its access control would go unread."""
        repository.put("a.md.Metadata.json", sidecar(AccessControlList=[CREW]))

        assert "looks like a sidecar" in self.only_skipped(repository).skipped

    def test_one_place_is_found_as_it_is_listed(self, repository: Repository) -> None:
        """Described or skipped, under any name: who asks about one document is told what a listing would say."""
        for path in NASTY:
            repository.put(path, path.encode())
        repository.put("own.md", b"text")
        repository.put("own.md" + SUFFIX, sidecar(DocumentId="else.md", AccessControlList=[CREW]))
        repository.put("broken.md", b"text")
        repository.put("broken.md" + SUFFIX, b"[]")
        repository.put("program.exe", b"text")
        source = repository.source()
        assert isinstance(source, Finder)

        listed = {item.id: item for item in listing(source)}
        places = {**{f"demo/{path}": path for path in (*NASTY, "broken.md", "program.exe")}, "demo/else.md": "own.md"}
        found = {id_: source.find(path).listed for id_, path in places.items()}

        assert found == listed

    @pytest.mark.parametrize(
        ("place", "left_out"),
        [
            *(("a/out.md", True), ("b/c.txt", True), ("a/in.md" + SUFFIX, True), ("acl.json", True)),
            *(("a", False), ("a/", False), ("a/none.md", False)),
            *(("../a/in.md", False), ("/a/in.md", False), ("", False)),
        ],
    )
    def test_what_is_not_listed_is_found_with_the_reason(
        self, repository: Repository, place: str, *, left_out: bool
    ) -> None:
        """What a setting leaves out is told from what is not there."""
        for path in ("a/in.md", "a/out.md", "b/c.txt"):
            repository.put(path, b"text")
        repository.put("a/in.md" + SUFFIX, sidecar(Title="In"))
        repository.put("acl.json", json.dumps([{"keyPrefix": "a/", "aclEntries": [CREW]}]).encode())
        source = repository.source(include=["a/*", "*.json"], exclude=["**/out.*"], acl="acl.json")
        assert isinstance(source, Finder)

        seen, there = source.find(place), source.find("a/in.md").listed

        assert (seen.listed, seen.left_out, bool(seen.reason)) == (None, left_out, True)
        assert isinstance(there, Document)
        assert there.access_control

    def test_include_and_exclude_select_documents_but_not_sidecars(self, repository: Repository) -> None:
        """What is left out is no part of the source: neither listed nor skipped."""
        for path in ("a.md", "b.txt", "drafts/c.md", "sub/d.md", "sub/drafts/e.md", "f.exe"):
            repository.put(path, b"text")
        repository.put("a.md.metadata.json", sidecar(AccessControlList=[CREW]))

        first, *rest = listing(repository.source(include=["**/*.md"], exclude=["drafts/", "**/drafts/**"]))

        assert isinstance(first, Document)
        assert first.access_control == (Principal("crew", "GROUP", "ALLOW"),)
        assert [first.id, *(item.id for item in rest)] == ["demo/a.md", "demo/sub/d.md"]

    def test_access_control_may_stand_in_one_file_for_prefixes(self, repository: Repository) -> None:
        """Below the longest prefix that allows anybody; the file itself is no document."""
        entries = [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}]
        deny = [{"Name": "temps", "Type": "GROUP", "Access": "DENY"}]
        written = [{"keyPrefix": "", "aclEntries": deny}, {"keyPrefix": "guides/", "aclEntries": entries}]
        repository.put("acl.json", json.dumps(written).encode())
        repository.put("guides/a.md", b"text")

        document = self.only(repository, acl="acl.json")

        assert document.access_control == (Principal("crew", "GROUP", "ALLOW"), Principal("temps", "GROUP", "DENY"))

    def test_what_no_prefix_covers_is_kept_back(self, repository: Repository) -> None:
        """Both services would show it to everybody."""
        repository.put("acl.json", b'[{"keyPrefix": "b", "aclEntries": [{"Name":"x","Type":"USER","Access":"ALLOW"}]}]')
        repository.put("a.md", b"text")

        assert "no keyPrefix" in self.only_skipped(repository, acl="acl.json").skipped

    @pytest.mark.parametrize("written", [None, b"[", b"{}"])
    def test_an_access_control_file_that_is_lost_or_broken_stops_the_crawl(
        self, repository: Repository, written: bytes | None
    ) -> None:
        """Nothing is sent without it."""
        if written is not None:
            repository.put("acl.json", written)
        repository.put("a.md", b"text")

        with pytest.raises(ConfigurationError, match=r"acl\.json"):
            listing(repository.source(acl="acl.json"))
