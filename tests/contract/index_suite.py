"""What every index adapter promises. An adapter inherits the suite, and says what differs in its service."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, ClassVar

import boto3
import pytest
from msgspec import Struct, structs

from docferry.connector import Connector, Part
from docferry.crawl.listing import admitted
from docferry.errors import (
    AccessDenied,
    Conflict,
    DocferryError,
    QuotaExceeded,
    RequestRefused,
    ResourceNotFound,
    ServiceUnavailable,
    Throttled,
)
from docferry.groups.expansion import now as expansion_now
from docferry.indexes import ENDED, GroupStatus, Hit, Index, Reader, Rejection, SyncJob
from docferry.indexes.service import OnIndex, OnJobs, Service
from docferry.model import (
    AttributeValue,
    Content,
    Date,
    Document,
    Group,
    Listed,
    Member,
    Principal,
    S3Object,
    Skipped,
)
from docferry.runtime import wiring
from docferry.state.store import Store
from docferry_emulators import Emulation, Settings, emulated, errors
from docferry_emulators.clock import VirtualClock
from docferry_laptop.moto.virtual_time import waiting_on
from docferry_laptop.provision import provision
from tests.contract.source_suite import NASTY

ATTEMPTS = 8
"""How often an adapter makes a call that may be repeated."""
PATIENCE, SLOWEST = 300, 60
"""Seconds without a call that got through, and between two calls."""

FIELDS = {"audience": "STRING", "tags": "STRING_LIST", "revision": "NUMBER", "reviewed": "DATE"}
BUCKET = "content"
STATE = "state"
ANYBODY = Principal("anybody", "USER", "ALLOW")
"""Lets the reader of these tests see a document, where nobody would without access control."""


def operations(service: Service, call: OnJobs | OnIndex) -> tuple[str, ...]:
    """The operations of a call, as the service names them, the main one first."""
    found: dict[Any, tuple[str, ...]] = dict(chain(service.on_jobs.items(), service.on_index.items()))
    return found[call]


class Live(Struct, frozen=True):
    """An adapter on an emulated index, and the handles a test turns."""

    index: Index
    part: Part
    emulation: Emulation
    clock: VirtualClock
    stored_in: str
    """The setting with the id that the emulator keeps documents under."""

    @property
    def knobs(self) -> Any:
        """What goes wrong."""
        return self.emulation.faults.knobs

    def calls(self, operation: str) -> int:
        """How often the service was called."""
        return self.emulation.faults.calls[operation]

    def operation(self, call: OnJobs | OnIndex) -> str:
        """The main operation of a call, as the service names it; no operation has the name "none"."""
        named = operations(self.index.service, call)
        return named[0] if named else "none"

    def put(self, *documents: Document, content: Content = b"text") -> list[Rejection]:
        """Put documents in the open job, all with the same content."""
        return self.index.put(self.job().execution_id, [(self.shown(document), content) for document in documents])

    def shown(self, document: Document) -> Document:
        """A document that these tests find: without access control, unless nobody would see it then."""
        if document.access_control or self.index.unprotected != "nobody":
            return document
        return structs.replace(document, access_control=(ANYBODY,))

    def delete(self, *ids: str) -> list[Rejection]:
        """Delete documents in the open job."""
        return self.index.delete(self.job().execution_id, ids)

    def job(self) -> SyncJob:
        """The newest job."""
        return next(self.index.jobs())

    def end(self) -> SyncJob:
        """Stop the open job, and wait until it has ended."""
        self.index.stop()
        self.settle()
        assert self.job().status in ENDED
        return self.job()

    def settle(self) -> None:
        """Wait until everything that is under way is done."""
        self.clock.sleep(60)

    def sync(self, *documents: Document, content: Content = b"text") -> SyncJob:
        """Put documents in a job of their own, and wait until it has ended."""
        self.index.start()
        assert self.put(*documents, content=content) == []
        return self.end()

    def statuses(self, ids: Iterable[str], execution_id: str | None = None) -> dict[str, str]:
        """The status of each document that the index has; what it leaves out is not there."""
        wanted = list(ids)
        found = {status.id: status.status for status in self.index.statuses(execution_id, wanted)}
        return {id_: found[id_] for id_ in wanted if found.get(id_, "NOT_FOUND") != "NOT_FOUND"}

    def found(self, words: str) -> set[str]:
        """The ids of the documents that a search finds."""
        return {hit.document_id for hit in self.search(words, 100)}

    def search(self, words: str, limit: int) -> list[Hit]:
        """What these tests find."""
        reader = Reader(ANYBODY.name) if self.index.unprotected == "nobody" else None
        return self.index.search(words, limit, reader)

    def counted(self, job: SyncJob, **counts: int) -> bool:
        """Whether a job has counted so many documents, as far as the service tells."""
        told = {name: counts.get(name, 0) for name in self.index.service.counts}
        return told == {name: getattr(job.metrics, name) for name in told}

    def stored(self, id_: str) -> Any:
        """What the service keeps of a document: its row in the engine."""
        engine = self.emulation.engine
        with engine.request():
            row = engine.statuses.indexed(self.part.settings[self.stored_in], id_)
        assert row is not None
        return row

    def other(self, **settings: Any) -> Index:
        """An adapter with other settings."""
        return wiring.index("demo", structs.replace(self.part, settings={**self.part.settings, **settings}), STATE)

    def elsewhere(self, place: int) -> Index:
        """An adapter in which one of the ids, counted from the innermost with -1, is nobody's."""
        setting = self.index.service.ids[place]
        return self.other(**{setting: "0" * len(self.part.settings[setting])})


class Members(Struct, frozen=True):
    """A list of the members of groups."""

    listed: list[Member]

    def members(self) -> Iterator[Member]:
        """See Membership.members."""
        return iter(self.listed)


def document(id_: str, **changes: Any) -> Document:
    """A document. Only the id has to be said."""
    base = Document(id=id_, version="v1", size=4, locator=f"/{id_}", content_type="PLAIN_TEXT")
    return structs.replace(base, **changes)


class IndexSuite:
    """Inherit, name the kind, and override what the services do differently."""

    kind: ClassVar[str]
    index_settings: ClassVar[dict[str, Any]] = {"fields": FIELDS}
    stored_in: ClassVar[str] = "index_id"
    stop_without_job: ClassVar[type[DocferryError] | None]
    """What Stop raises when no job is open."""

    job_error: ClassVar[str] = "InternalError: "

    def failed_job(self, live: Live) -> SyncJob:
        """Let a job fail as a whole."""
        live.knobs.end_jobs = "FAILED"
        return live.sync(document("demo/a"))

    def readers(self, live: Live, id_: str, people: dict[str, list[str]]) -> set[str]:
        """Who of these people, each in these groups, may see a document, in the word of the service."""
        raise NotImplementedError

    @pytest.fixture
    def settings(self) -> Settings:
        """How the emulated service behaves. Override for one test by parametrizing it."""
        return Settings()

    @pytest.fixture
    def live(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
        """The adapter, on an index with a data source and the fields of FIELDS."""
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        clock = VirtualClock()
        keep_session: dict[str, Any] = {"core": {"reset_boto3_session": False}}
        with emulated(clock=clock, settings=settings, moto_config=keep_session) as emulation, waiting_on(clock):
            boto3.client("s3").create_bucket(Bucket=STATE)
            part = self.provide(clock)
            emulation.faults.reset()
            yield Live(wiring.index("demo", part, STATE), part, emulation, clock, self.stored_in)

    def provide(self, clock: VirtualClock) -> Part:
        """Make an index with a data source."""
        return provision(Connector("demo", Part("files"), Part(self.kind, self.index_settings)), clock).index

    @pytest.fixture
    def content(self, live: Live) -> Any:
        """A bucket for content, on the same S3 that the service reads."""
        assert live
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        return s3

    # Jobs.

    def test_a_data_source_begins_without_jobs(self, live: Live) -> None:
        """Nothing was synced yet."""
        assert list(live.index.jobs()) == []

    def test_a_job_goes_from_start_to_success(self, live: Live) -> None:
        """Open, stopped, indexing, done: the adapter tells each state under the service's own name."""
        execution_id = live.index.start()
        states = [live.job().status]
        live.put(document("demo/a"))
        live.index.stop()
        while live.job().status not in ENDED:
            states.append(live.job().status)
            live.clock.sleep(0.5)
        states.append(live.job().status)

        # Who keeps jobs of its own is not STOPPING for long enough to be seen.
        wanted = ["SYNCING", "STOPPING", "SYNCING_INDEXING", "SUCCEEDED"]
        assert list(dict.fromkeys(states)) == wanted if live.index.service.has_jobs else [*wanted[:1], *wanted[2:]]
        (job,) = live.index.jobs()
        assert job.execution_id == execution_id
        assert job.error == ""
        assert job.ended_at is not None
        # Seconds of the epoch are floats on the wire: a microsecond more or less.
        assert job.started_at <= job.ended_at < live.clock.now() + timedelta(seconds=1)
        assert job.started_at.utcoffset() is not None

    def test_a_job_counts_each_document_once(self, live: Live) -> None:
        """The metrics are numbers, by what became of the document."""
        live.sync(document("demo/old"), document("demo/gone"))
        live.knobs.fail_documents = {"demo/bad": "unreadable"}
        live.index.start()

        live.put(document("demo/new"), document("demo/old", title="x"), document("demo/bad"))
        live.put(document("demo/new", title="again"))
        live.delete("demo/gone")

        assert live.counted(live.end(), added=1, modified=1, deleted=1, failed=1)

    def test_a_job_with_a_failed_document_is_incomplete(self, live: Live) -> None:
        """The job says that there is something to look up."""
        live.knobs.fail_documents = {"demo/bad": "unreadable"}

        assert live.sync(document("demo/good"), document("demo/bad")).status == "INCOMPLETE"

    def test_a_failed_job_says_why(self, live: Live) -> None:
        """Code and message in one line."""
        job = self.failed_job(live)

        assert job.status == "FAILED"
        assert job.error.startswith(self.job_error)

    @pytest.mark.parametrize("stopped", [False, True], ids=["open", "indexing"])
    def test_a_second_start_is_a_conflict(self, live: Live, *, stopped: bool) -> None:
        """One job at a time, until the last one has ended; the first is left as it is."""
        execution_id = live.index.start()
        if stopped:
            live.put(document("demo/a"))
            live.knobs.stuck, live.knobs.stuck_documents = True, {"*"}
            live.index.stop()
            live.settle()
            assert live.job().status == "SYNCING_INDEXING"

        with pytest.raises(Conflict):
            live.index.start()
        assert [job.execution_id for job in live.index.jobs()] == [execution_id]

    def test_stop_without_a_job_is_what_the_adapter_says(self, live: Live) -> None:
        """The services differ; the protocol says how."""
        if self.stop_without_job is None:
            live.index.stop()
        else:
            with pytest.raises(self.stop_without_job):
                live.index.stop()

    def test_all_jobs_are_listed_newest_first(self, live: Live) -> None:
        """Also when they take more than one page."""
        ids = self.many(live)

        assert [job.execution_id for job in live.index.jobs()] == ids[::-1]
        assert len(set(ids)) == 12

    def many(self, live: Live) -> list[str]:
        """Run twelve jobs of one minute each; return their ids, oldest first."""
        ids = []
        for _ in range(12):
            ids.append(live.index.start())
            live.end()
        live.emulation.faults.reset()
        return ids

    def test_a_throttled_page_is_tried_again_alone(self, live: Live) -> None:
        """The listing goes on where it was: no job twice, none left out.

        Jobs of the adapter's own have no pages: it only asks whether there is such a data source.
        """
        ids = self.many(live)
        live.knobs.throttle = {f"{live.operation('jobs')}#2"}

        assert [job.execution_id for job in live.index.jobs()] == ids[::-1]
        assert live.calls(live.operation("jobs")) == (3 if live.index.service.has_jobs else 1)

    def test_who_looks_for_a_new_job_reads_one_page(self, live: Live) -> None:
        """The listing is lazy."""
        self.many(live)

        next(live.index.jobs())

        assert live.calls(live.operation("jobs")) <= 1

    def test_jobs_are_filtered_by_time(self, live: Live) -> None:
        """By when they started: from, until, or both."""
        ids = self.many(live)
        starts = [job.started_at for job in live.index.jobs()][::-1]
        before, after = starts[3] - timedelta(seconds=1), starts[7] + timedelta(seconds=1)

        def listed(**span: Any) -> list[str]:
            return [job.execution_id for job in live.index.jobs(**span)][::-1]

        assert listed(since=before) == ids[3:]
        assert listed(until=after) == ids[:8]
        assert listed(since=before, until=after) == ids[3:8]

    def test_jobs_are_filtered_by_status(self, live: Live) -> None:
        """Also together with a time."""
        live.knobs.fail_documents = {"demo/a": "unreadable"}
        failed = live.sync(document("demo/a"))
        live.knobs.fail_documents = {}
        succeeded = live.sync(document("demo/a"))

        assert list(live.index.jobs(status="INCOMPLETE")) == [failed]
        assert list(live.index.jobs(status="SUCCEEDED", since=succeeded.started_at - timedelta(seconds=1))) == [
            succeeded
        ]
        assert list(live.index.jobs(status="ABORTED")) == []

    # Documents.

    def test_a_put_is_acknowledged_and_then_found(self, live: Live) -> None:
        """What was put can be searched for once it is indexed, with its title, place and an excerpt."""
        live.index.start()
        handbook = document("demo/a.md", title="Handbook", attributes={"_source_uri": "https://wiki.example.com/a"})

        assert live.put(handbook, content=b"The ferry leaves at noon.") == []
        assert live.search("ferry", 10) == []
        live.end()

        (hit,) = live.search("when does the ferry leave?", 10)
        assert (hit.document_id, hit.title, hit.uri) == ("demo/a.md", "Handbook", "https://wiki.example.com/a")
        assert "ferry leaves at noon" in hit.excerpt

    def test_a_search_gives_as_many_results_as_are_wanted(self, live: Live) -> None:
        """The best of them; and an id in place of a title that there is not."""
        live.sync(*(document(f"demo/{number}") for number in range(5)), content=b"ferry")

        hits = live.search("ferry", 3)

        assert len(hits) == 3
        assert all(hit.title == hit.document_id for hit in hits)
        assert live.search("submarine", 3) == []

    def test_a_document_is_replaced_as_a_whole(self, live: Live) -> None:
        """Words and attributes of the version before are gone."""
        live.sync(document("demo/a", attributes={"audience": "crew"}), content=b"ferry")

        live.sync(document("demo/a"), content=b"harbour")

        assert live.found("ferry") == set()
        assert live.found("harbour") == {"demo/a"}
        assert "audience" not in json.loads(live.stored("demo/a")["attributes"])

    def test_metadata_arrives_as_it_was_sent(self, live: Live) -> None:
        """Texts as texts, numbers as numbers, lists as lists; and dates as dates, or nothing could be sorted."""
        noon = datetime(2026, 1, 31, 12, 30, 15, tzinfo=UTC)
        live.sync(
            document(
                "demo/a",
                title="Ein Titel: é 日本",
                attributes={
                    "_category": "safety",
                    "audience": "2026-01-31",
                    "tags": ("deck", "night"),
                    "revision": 2**40,
                    "reviewed": Date(noon),
                },
                updated_at=noon + timedelta(days=1),
            )
        )

        row = live.stored("demo/a")
        attributes = json.loads(row["attributes"])
        # A service without titles has one more attribute.
        assert (attributes.pop("_document_title", "") or row["title"]) == "Ein Titel: é 日本"
        assert attributes.pop("_data_source_id", None) in {None, live.part.settings["data_source_id"]}
        assert attributes == {
            "_category": "safety",
            "audience": "2026-01-31",
            "tags": ["deck", "night"],
            "revision": 2**40,
            "reviewed": noon.timestamp(),
            "_last_updated_at": (noon + timedelta(days=1)).timestamp(),
        }

    def test_a_time_of_change_from_the_metadata_counts_before_that_of_the_source(self, live: Live) -> None:
        """A sidecar knows better than a file system when a document was last edited."""
        edited, copied = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)

        live.sync(document("demo/a", attributes={"_last_updated_at": Date(edited)}, updated_at=copied))

        assert json.loads(live.stored("demo/a")["attributes"])["_last_updated_at"] == edited.timestamp()

    @pytest.mark.parametrize(
        ("entries", "readers"),
        [
            ([], {"ann", "bob", "eve"}),
            ([("ann", "USER", "ALLOW")], {"ann"}),
            ([("ann", "USER", "ALLOW"), ("deck", "GROUP", "ALLOW")], {"ann", "bob", "eve"}),
            ([("deck", "GROUP", "ALLOW"), ("eve", "USER", "DENY")], {"bob"}),
            ([("deck", "GROUP", "ALLOW"), ("night", "GROUP", "DENY")], {"bob"}),
            ([("eve", "USER", "DENY")], set()),
        ],
        ids=["public", "user", "user or group", "but not that user", "but not that group", "nobody is allowed"],
    )
    def test_access_control_arrives_as_it_was_sent(
        self, live: Live, entries: list[tuple[str, Any, Any]], readers: set[str]
    ) -> None:
        """Whoever is named sees it; a DENY counts before every ALLOW."""
        people = {"ann": [], "bob": ["deck"], "eve": ["deck", "night"]}
        sent = document("demo/a", access_control=tuple(Principal(*entry) for entry in entries))
        listed = self.listed(live, sent, people)
        if isinstance(listed, Skipped):
            assert "access control" in listed.skipped
            return
        live.sync(listed, content=b"ferry")

        assert self.readers(live, "demo/a", people) == readers

    def listed(self, live: Live, document: Document, people: dict[str, list[str]]) -> Listed:
        """A document as a crawl hands it to the index, when these people are in these groups."""
        members = [Member(group, person, "user") for person, groups in people.items() for group in groups]
        store = Store(STATE, boto3.client("s3"), live.index.data_source)
        expansion = expansion_now(store, Members(members), most=live.index.limits.principals)
        return admitted(document, live.index, None, None if live.index.service.on_groups else expansion)

    def test_a_rejected_document_does_not_reject_the_others(self, live: Live) -> None:
        """It comes back with its id, the code and the service's own words."""
        live.index.start()

        live.knobs.reject = {"demo/bad": "not today"}

        (rejection,) = live.put(document("demo/good"), document("demo/bad"))

        assert rejection.id == "demo/bad"
        assert rejection.code == "InvalidRequest"
        assert "not today" in rejection.message
        assert live.counted(live.end(), added=1)
        assert live.statuses(["demo/good", "demo/bad"]) == {"demo/good": "INDEXED"}

    def test_a_full_index_rejects_what_is_new(self, live: Live) -> None:
        """As a rejection of each document, or as a refusal of the request."""
        live.index.start()
        live.knobs.over_capacity = "documents"
        assert [rejection.id for rejection in live.put(document("demo/a"))] == ["demo/a"]

        live.knobs.over_capacity = "text"
        with pytest.raises(QuotaExceeded, match=live.operation("put")):
            live.put(document("demo/b"))

    def test_a_job_that_is_over_takes_no_document(self, live: Live) -> None:
        """A late shard is told so for every document, of put and of delete."""
        live.sync(document("demo/a"))
        ended = live.job().execution_id

        put = live.index.put(ended, [(document("demo/a", title="late"), b"late"), (document("demo/b"), b"late")])
        deleted = live.index.delete(ended, ["demo/a"])

        assert [rejection.id for rejection in put] == ["demo/a", "demo/b"]
        assert [rejection.id for rejection in deleted] == ["demo/a"]
        live.settle()
        assert live.found("late") == set()
        assert live.statuses(["demo/a", "demo/b"]) == {"demo/a": "INDEXED"}

    def test_a_deleted_document_is_gone(self, live: Live) -> None:
        """Neither found nor known; the others stay."""
        live.sync(document("demo/a"), document("demo/b"), content=b"ferry")
        live.index.start()

        assert live.delete("demo/a") == []
        assert live.counted(live.end(), deleted=1)

        assert live.found("ferry") == {"demo/b"}
        assert live.statuses(["demo/a", "demo/b"]) == {"demo/b": "INDEXED"}

    @pytest.mark.parametrize("settings", [Settings()])
    def test_a_delete_of_what_is_not_there_says_so_or_is_done(self, live: Live) -> None:
        """Q Business has a code for it, which counts as done; Kendra has none, so its rejection has to be looked up."""
        live.index.start()

        rejected = live.delete("demo/never")

        assert {(rejection.id, rejection.code) for rejection in rejected} <= {("demo/never", "InvalidRequest")}
        assert live.statuses(["demo/never"]) == {}

    @pytest.mark.parametrize(
        "settings",
        [Settings(kendra_delete_unknown="accept", qbusiness_delete_unknown="accept", bedrock_delete_unknown="accept")],
        ids=["accepting"],
    )
    def test_a_delete_of_what_is_not_there_is_accepted(self, live: Live) -> None:
        """In a service that does not mind."""
        live.index.start()

        assert live.delete("demo/never") == []
        assert live.counted(live.end())
        assert live.statuses(["demo/never"]) == {}

    # Fields.

    def test_the_fields_of_an_index_are_told_with_their_types(self, live: Live) -> None:
        """Those of a person, and those that the service reserves."""
        fields = live.index.fields()

        assert fields.ready
        if fields.open:
            assert fields.types == {}
            return
        assert fields.types.items() >= FIELDS.items()
        assert fields.types["_category"] == "STRING"
        assert fields.types["_last_updated_at"] == "DATE"

    def test_a_field_that_is_declared_can_be_used_once_the_index_is_ready(self, live: Live) -> None:
        """The other fields stay. An index that takes every attribute is ready at once, and tells no fields."""
        before, more = live.index.fields(), {}
        if not before.open:
            more = {"zone": "STRING_LIST", "depth": "NUMBER", "owner": "STRING", "due": "DATE"}
        live.index.declare({"zone": "STRING_LIST", "depth": "NUMBER", "owner": "STRING", "due": "DATE"})
        assert live.index.fields().ready == before.open
        live.settle()

        after = live.index.fields()
        live.sync(document("demo/a", attributes={"zone": ("north",), "depth": 7}))

        assert after.ready
        assert after.types == {**before.types, **more}
        assert live.statuses(["demo/a"]) == {"demo/a": "INDEXED"}

    def test_ids_of_every_kind_go_there_and_back(self, live: Live) -> None:
        """Whatever a path holds, the same id comes back, and deletes the document."""
        ids = [f"demo/{path}" for path in NASTY if live.index.limits.id_controls or "\n" not in path]
        batches = [ids[start : start + 10] for start in range(0, len(ids), 10)]
        live.index.start()
        for batch in batches:
            assert live.put(*map(document, batch), content=b"ferry") == []
        live.settle()

        assert live.statuses(ids) == dict.fromkeys(ids, "INDEXED")
        assert live.found("ferry") == set(ids)

        for batch in batches:
            assert live.delete(*batch) == []
        live.end()
        assert live.statuses(ids) == {}

    def test_a_document_at_every_limit_is_accepted(self, live: Live) -> None:
        """The limits that an adapter declares are within those of the service."""
        limits = live.index.limits
        largest = document(
            "x" * limits.id_length,
            title="t" * limits.title_length,
            attributes={
                "audience": "s" * limits.string_length,
                "tags": tuple(f"{n:0{limits.string_length}}" for n in range(limits.string_list)),
            },
            access_control=tuple(
                Principal(f"{n:0{limits.principal_name}}", "USER", "ALLOW") for n in range(limits.principals)
            ),
        )
        live.index.start()

        assert live.put(largest) == []
        live.end()
        assert live.statuses([largest.id]) == {largest.id: "INDEXED"}

    def test_a_request_at_the_limits_is_accepted_and_one_document_more_is_not(self, live: Live) -> None:
        """So many documents with so many bytes go in one request."""
        limits = live.index.limits
        share = b"x" * (limits.inline_bytes // limits.documents)
        documents = [document(f"demo/{number}") for number in range(limits.documents + 1)]
        live.index.start()

        assert live.put(*documents[:-1], content=share) == []
        with pytest.raises(RequestRefused):
            live.put(*documents)
        with pytest.raises(RequestRefused):
            live.delete(*(one.id for one in documents))

    # Content on S3.

    def test_content_is_read_from_s3(self, live: Live, content: Any) -> None:
        """What is too large to send goes by reference, together with what goes inline."""
        content.put_object(Bucket=BUCKET, Key="folder/a.txt", Body=b"ferry")
        live.index.start()

        by_reference, inline = S3Object(BUCKET, "folder/a.txt", 5), b"ferry"
        one, other = map(live.shown, (document("demo/a"), document("demo/b")))
        puts: list[tuple[Document, Content]] = [(one, by_reference), (other, inline)]
        assert live.index.put(live.job().execution_id, puts) == []
        live.end()

        assert live.found("ferry") == {"demo/a", "demo/b"}

    def test_without_a_role_nothing_is_read_from_s3(self, live: Live, content: Any) -> None:
        """The service would not be allowed to; the request is refused, not half done."""
        content.put_object(Bucket=BUCKET, Key="a", Body=b"ferry")
        execution_id = live.index.start()
        index = live.other(role_arn=None)
        assert index.role_arn is None

        with pytest.raises(RequestRefused):
            index.put(execution_id, [(document("demo/a"), S3Object(BUCKET, "a", 5))])

    def test_content_that_cannot_be_read_fails_after_it_was_accepted(self, live: Live, content: Any) -> None:
        """The put says nothing of it; the metrics and the status of the document do."""
        assert content
        job = live.sync(document("demo/a"), document("demo/b"), content=S3Object(BUCKET, "gone.txt", 5))

        assert job.status == "INCOMPLETE"
        assert live.counted(job, failed=2)
        found = {status.id: status for status in live.index.statuses(job.execution_id, ["demo/a", "demo/b"])}
        assert {status.status for status in found.values()} == {"FAILED"}
        assert len(found) == 2
        assert f"s3://{BUCKET}/gone.txt" in found["demo/a"].message

    # Statuses.

    def test_a_document_is_processing_until_it_is_indexed(self, live: Live) -> None:
        """From the acceptance on; an update counts as indexed, too."""
        for _ in range(2):
            execution_id = live.index.start()
            live.put(document("demo/a"))
            assert live.statuses(["demo/a"]) == {"demo/a": "PROCESSING"}
            live.end()
            assert live.statuses(["demo/a"], execution_id) == {"demo/a": "INDEXED"}
            assert live.statuses(["demo/a"]) == {"demo/a": "INDEXED"}

    def test_an_update_that_fails_is_a_failure(self, live: Live) -> None:
        """Though the version before can still be found."""
        live.sync(document("demo/a"), content=b"ferry")
        live.knobs.fail_documents = {"demo/a": "unreadable"}

        job = live.sync(document("demo/a", title="new"), content=b"harbour")

        (status,) = (one for one in live.index.statuses(job.execution_id, ["demo/a"]) if one.id == "demo/a")
        assert status.status in {"FAILED", "UPDATE_FAILED"}
        assert "unreadable" in status.message
        assert live.found("ferry") == {"demo/a"}

    def test_many_documents_are_looked_up(self, live: Live) -> None:
        """More than one request, or one page, holds; a throttled one is tried again alone."""
        ids = [f"demo/{number:03}" for number in range(105)]
        live.index.start()
        for start in range(0, len(ids), 10):
            assert live.put(*map(document, ids[start : start + 10])) == []
        job = live.end()
        live.emulation.faults.reset()
        live.knobs.throttle = {f"{live.operation('statuses')}#2"}

        assert live.statuses([*ids, "demo/never"], job.execution_id) == dict.fromkeys(ids, "INDEXED")

    def test_nothing_is_looked_up_for_nothing(self, live: Live) -> None:
        """An index that holds nothing says nothing."""
        assert list(live.index.statuses(None, [])) == []

    # Errors.

    @pytest.mark.parametrize("fault", ["throttle", "fail"])
    def test_a_call_that_fails_for_a_while_is_repeated(self, live: Live, fault: str) -> None:
        """The caller does not notice but for the time it takes."""
        live.index.start()
        start = live.clock.now()
        setattr(live.knobs, fault, {f"{live.operation('put')}#{number}" for number in range(1, ATTEMPTS)})

        assert live.put(document("demo/a")) == []
        assert live.calls(live.operation("put")) == ATTEMPTS
        assert live.clock.now() > start

    @pytest.mark.parametrize(("fault", "error"), [("throttle", Throttled), ("fail", ServiceUnavailable)])
    def test_a_call_that_goes_on_failing_is_given_up(self, live: Live, fault: str, error: type[DocferryError]) -> None:
        """Under a name that the workflow retries, for every call that may be repeated.

        What many workers call at a time goes on at its pace for some minutes, should it only be throttled.
        """
        live.sync(document("demo/a"))
        execution_id = live.index.start()
        live.emulation.faults.reset()
        setattr(live.knobs, f"{fault}_every", {"*": 1})
        calls: dict[str, Any] = {
            "put": lambda: live.index.put(execution_id, [(document("demo/b"), b"text")]),
            "delete": lambda: live.index.delete(execution_id, ["demo/a"]),
            "statuses": lambda: next(live.index.statuses(None, ["demo/a"])),
            "search": lambda: live.search("text", 1),
        }
        if live.index.service.has_jobs:
            calls |= {"jobs": lambda: next(live.index.jobs()), "stop": live.index.stop}

        for call in calls.values():
            before, began = live.calls("*"), live.clock.now()
            with pytest.raises(error):
                call()
            made = live.calls("*") - before
            assert made == ATTEMPTS or (fault == "throttle" and made > ATTEMPTS)
            assert (live.clock.now() - began).total_seconds() < PATIENCE + SLOWEST

    def test_a_put_whose_reply_was_lost_is_repeated(self, live: Live) -> None:
        """Putting a document twice is putting it once."""
        live.index.start()
        live.knobs.lose_reply = {f"{live.operation('put')}#1"}

        assert live.put(document("demo/a")) == []
        assert live.counted(live.end(), added=1)

    def test_a_reply_that_breaks_off_is_no_reply(self, live: Live) -> None:
        """Half of one, without the documents that were rejected, would say that all were accepted."""
        live.index.start()
        live.knobs.reject = {"demo/a": "not today"}
        live.knobs.cut_reply = {f"{live.operation('put')}#1"}

        (rejection,) = live.put(document("demo/a"))

        assert (rejection.id, live.calls(live.operation("put"))) == ("demo/a", 2)

    def test_a_list_of_jobs_that_breaks_off_is_asked_for_again(self, live: Live) -> None:
        """An empty one would say that no job was ever opened."""
        execution_id = live.index.start()
        live.knobs.cut_reply = {f"{live.operation('jobs')}#{live.calls(live.operation('jobs')) + 1}"}

        assert live.job().execution_id == execution_id

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ("throttle", Throttled),
            ("fail", ServiceUnavailable),
            ("lose_reply", ServiceUnavailable),
            ("cut_reply", ServiceUnavailable),
        ],
    )
    def test_a_start_is_never_repeated(self, live: Live, fault: str, error: type[DocferryError]) -> None:
        """A start whose reply was lost has opened a job: who asks again would meet it.

        The start of a job of the adapter's own asks the service only whether documents may be sent.
        """
        setattr(live.knobs, fault, {f"{live.operation('start')}#1"})
        if not live.index.service.has_jobs:
            assert [live.index.start()] == [job.execution_id for job in live.index.jobs()]
            return

        with pytest.raises(error):
            live.index.start()

        assert live.calls(live.operation("start")) == 1
        assert [job.status for job in live.index.jobs()] == (["SYNCING"] if "reply" in fault else [])

    def test_a_missing_permission_is_named(self, live: Live) -> None:
        """The operation tells which permission it is; asking again would not help."""
        live.index.start()

        def refuse() -> None:
            raise errors.AccessDenied("not authorized")

        live.emulation.faults.hooks[live.operation("put")] = refuse

        with pytest.raises(AccessDenied, match=f"{live.operation('put')}: AccessDeniedException: not authorized"):
            live.put(document("demo/a"))
        assert live.calls(live.operation("put")) == 1

    def test_a_data_source_that_does_not_exist_is_named(self, live: Live) -> None:
        """A wrong id in the configuration is told from an empty history."""
        index = live.elsewhere(-1)

        with pytest.raises(ResourceNotFound, match=live.operation("start")):
            index.start()
        with pytest.raises(ResourceNotFound, match="|".join(live.index.service.on_jobs["jobs"])):
            next(index.jobs())

    def test_an_index_that_does_not_exist_is_named(self, live: Live) -> None:
        """Also by a put."""
        live.index.start()
        index = live.elsewhere(-2)

        with pytest.raises(ResourceNotFound):
            index.start()
        with pytest.raises(ResourceNotFound, match=live.operation("statuses")):
            list(index.statuses(None, ["demo/a"]))

    def test_what_boto3_refuses_is_refused(self, live: Live) -> None:
        """An invalid request that never leaves the machine is the same to the caller as one that does."""
        execution_id = live.index.start()

        with pytest.raises(RequestRefused):
            live.index.delete(execution_id, [""])

    def test_a_request_that_the_service_finds_invalid_is_refused(self, live: Live) -> None:
        """With the service's own words; the document that is at fault is found by whoever calls."""
        live.index.start()

        with pytest.raises(RequestRefused, match=f"{live.operation('put')}: ValidationException"):
            live.put(document("demo/a", attributes={"audience": "x" * (live.index.limits.string_length + 1)}))


class GroupsSuite(IndexSuite):
    """Inherit this for a service that is told who is in which group."""

    # Who finds what.

    @pytest.mark.parametrize("settings", [Settings(qbusiness_search_without_user="all")], ids=["the caller sees all"])
    def test_a_reader_finds_what_the_reader_may_see(self, live: Live) -> None:
        """By name, through groups that the index knows, and what is public; with all results counted."""
        live.sync(
            document("demo/public"),
            document("demo/ann", access_control=(Principal("ann", "USER", "ALLOW"),)),
            document("demo/crew", access_control=(Principal("crew", "GROUP", "ALLOW"),)),
            document(
                "demo/not-bob", access_control=(Principal("bob", "USER", "DENY"), Principal("crew", "GROUP", "ALLOW"))
            ),
            content=b"ferry",
        )
        live.index.set_group(Group("crew", ("bob",), ("deck",)), 1)
        live.index.set_group(Group("deck", ("eve",)), 1)
        live.settle()

        def found(user: str, limit: int = 100) -> set[str]:
            return {hit.document_id for hit in live.index.search("ferry", limit, Reader(user))}

        assert found("ann") == {"demo/public", "demo/ann"}
        assert found("bob") == {"demo/public", "demo/crew"}
        assert found("eve") == {"demo/public", "demo/crew", "demo/not-bob"}
        assert found("nobody") == {"demo/public"}
        assert len(found("eve", 2)) == 2

    def test_the_index_itself_says_whether_a_reader_may_see_a_document(self, live: Live) -> None:
        """With an address or without; and that it cannot tell of a document that it does not hold."""
        crew = (Principal("crew", "GROUP", "ALLOW"), Principal("bob", "USER", "DENY"))
        named = document("demo/named", title="Ferry", access_control=crew)
        address: dict[str, AttributeValue] = {"_source_uri": "https://wiki.example.com/a"}
        placed = document("demo/placed", access_control=crew, attributes=address)
        live.sync(named, placed, document("demo/beside", attributes=address), content=b"ferry")
        live.index.set_group(Group("crew", ("ann", "bob")), 1)
        live.settle()

        for one in (named, placed):
            assert live.index.access(one, Reader("ann")).allowed is True
            assert live.index.access(one, Reader("bob")).allowed is False
            assert live.index.access(one, Reader("eve")).allowed is False
        assert live.index.access(document("demo/nowhere"), Reader("ann")).allowed is None

    # Groups.

    def test_a_member_of_a_group_may_see_what_the_group_may_see(self, live: Live) -> None:
        """Directly, and through another group; from then on when the index has worked on it."""
        live.sync(document("demo/a", access_control=(Principal("crew", "GROUP", "ALLOW"),)), content=b"ferry")

        live.index.set_group(Group("crew", ("ann",), ("deck",)), 1)
        live.index.set_group(Group("deck", ("bob",)), 1)

        assert live.index.group_status("crew", 1) == GroupStatus("PROCESSING")
        live.settle()
        assert live.index.group_status("crew", 1) == GroupStatus("SUCCEEDED")
        assert self.readers(live, "demo/a", {"ann": [], "bob": [], "eve": []}) == {"ann", "bob"}

    def test_a_group_is_replaced_as_a_whole(self, live: Live) -> None:
        """Who is not named any more is no member any more."""
        live.sync(document("demo/a", access_control=(Principal("crew", "GROUP", "ALLOW"),)), content=b"ferry")
        live.index.set_group(Group("crew", ("ann", "bob")), 1)
        live.settle()

        live.index.set_group(Group("crew", ("bob", "eve")), 2)
        live.settle()

        assert self.readers(live, "demo/a", {"ann": [], "bob": [], "eve": []}) == {"bob", "eve"}

    def test_a_group_that_is_removed_has_no_members(self, live: Live) -> None:
        """To remove it again, or one that never was, does no harm."""
        live.sync(document("demo/a", access_control=(Principal("crew", "GROUP", "ALLOW"),)), content=b"ferry")
        live.index.set_group(Group("crew", ("ann",)), 1)
        live.settle()

        live.index.remove_group("crew", 2)
        assert live.index.group_status("crew", 2).status == "DELETING"
        live.settle()

        assert live.index.group_status("crew", 2).status == "DELETED"
        assert self.readers(live, "demo/a", {"ann": []}) == set()
        live.index.remove_group("crew", 3)
        live.index.remove_group("never", 3)
        assert live.index.group_status("never", 3) == GroupStatus("NOT_FOUND")

    def test_the_members_of_a_group_may_lie_on_s3(self, live: Live, content: Any) -> None:
        """As many as do not fit into a request; a list that is not there fails the group later."""
        live.sync(document("demo/a", access_control=(Principal("crew", "GROUP", "ALLOW"),)), content=b"ferry")
        content.put_object(Bucket=BUCKET, Key="crew", Body=b'{"id":"ann","type":"USER"}\n{"id":"deck","type":"GROUP"}')

        live.index.set_group(Group("crew"), 1, S3Object(BUCKET, "crew", 1))
        live.index.set_group(Group("deck", ("bob",)), 1)
        live.index.set_group(Group("lost"), 1, S3Object(BUCKET, "lost", 1))
        live.settle()

        assert self.readers(live, "demo/a", {"ann": [], "bob": [], "eve": []}) == {"ann", "bob"}
        assert live.index.group_status("lost", 1).status == "FAILED"

    def test_a_group_that_is_refused_says_so(self, live: Live) -> None:
        """As an error of this group alone."""
        live.knobs.reject_groups = {"crew": "not today"}

        with pytest.raises(RequestRefused, match="not today"):
            live.index.set_group(Group("crew", ("ann",)), 1)
        with pytest.raises(RequestRefused, match="not today"):
            live.index.remove_group("crew", 1)

    def test_a_group_at_every_limit_is_accepted(self, live: Live) -> None:
        """The limits that an adapter declares are within those of the service."""
        limits = live.index.limits
        users = tuple(f"user-{number}" for number in range(limits.group_members))

        live.index.set_group(Group("g" * limits.group_name, users), 1)
        live.settle()

        assert live.index.group_status("g" * limits.group_name, 1) == GroupStatus("SUCCEEDED")
