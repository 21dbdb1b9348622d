"""The index of kind ``bedrock``: the promises of every index, and what a service without jobs or groups adds."""

import json
from datetime import timedelta
from typing import Any, ClassVar

import boto3
import pytest

from docferry.connector import Part
from docferry.errors import ConfigurationError, Conflict, DocferryError, RequestRefused, ResourceNotFound
from docferry.indexes import Reader, SyncJob
from docferry.indexes.own_jobs import LONGEST, NEVER_ENDS
from docferry.model import Document, Principal, S3Object
from docferry_emulators import Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.indexes import ROLE
from tests.contract.index_suite import BUCKET, STATE, IndexSuite, Live, document

MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
VECTORS = "arn:aws:s3vectors:us-east-1:123456789012:bucket/docferry/index/docferry"


class BedrockSuite(IndexSuite):
    """The suite on Bedrock, and what holds for both kinds of data source."""

    kind = "bedrock"
    stored_in = "data_source_id"
    stop_without_job: ClassVar[type[DocferryError] | None] = Conflict
    job_error = NEVER_ENDS

    def failed_job(self, live: Live) -> SyncJob:
        """Wait for a document that is never done."""
        live.knobs.stuck_documents = {"*"}
        live.index.start()
        live.put(document("demo/a"))
        live.index.stop()
        assert live.job().status == "SYNCING_INDEXING"
        live.clock.sleep(LONGEST.total_seconds() + 1)
        return live.job()

    def readers(self, live: Live, id_: str, people: dict[str, list[str]]) -> set[str]:
        """Search as each of them."""

        def found(person: str) -> set[str]:
            return {hit.document_id for hit in live.index.search("ferry", 9, Reader(person))}

        return {person for person in people if id_ in found(person)}

    def test_a_job_waits_for_its_own_documents_only(self, live: Live) -> None:
        """One that an earlier job left under way for ever does not keep later jobs from ending."""
        assert self.failed_job(live).status == "FAILED"
        live.clock.sleep(60)

        live.index.start()
        live.put(document("demo/b"))
        live.knobs.stuck_documents = {"demo/a"}
        live.index.stop()
        live.settle()

        assert live.job().status == "SUCCEEDED"
        assert live.statuses(["demo/a", "demo/b"]) == {"demo/a": "PROCESSING", "demo/b": "INDEXED"}

    def test_a_failure_of_an_earlier_job_is_counted_once(self, live: Live) -> None:
        """The document is listed as failed from then on."""
        live.knobs.fail_documents = {"demo/bad": "unreadable"}
        assert live.sync(document("demo/bad")).metrics.failed == 1
        live.clock.sleep(60)

        assert live.sync(document("demo/good")).metrics.failed == 0

    @pytest.mark.parametrize("settings", [Settings(bedrock_unchanged="ignore")], ids=["ignored"])
    def test_a_document_that_is_ignored_has_failed(self, live: Live) -> None:
        """With the reason of the service."""
        live.sync(document("demo/a"))
        live.clock.sleep(60)

        job = live.sync(document("demo/a"))

        (status,) = live.index.statuses(job.execution_id, ["demo/a"])
        assert (job.status, status.status) == ("INCOMPLETE", "FAILED")
        assert status.message.startswith("IGNORED")

    def test_a_put_that_is_repeated_is_done_once(self, live: Live) -> None:
        """The same documents in the same job have the same token; another content has another one."""
        live.index.start()
        live.put(document("demo/a"), content=b"ferry")
        live.settle()
        (first,) = live.index.statuses(None, ["demo/a"])

        live.put(document("demo/a"), content=b"ferry")
        live.settle()
        (again,) = live.index.statuses(None, ["demo/a"])
        live.put(document("demo/a"), content=b"harbour")
        live.settle()

        assert again == first
        assert live.found("harbour") == {"demo/a"}

    def test_strays_are_found(self, live: Live) -> None:
        """Documents that nobody has asked about are told when they are wanted, and only then."""
        live.sync(document("demo/a"), document("demo/stray"))

        assert {one.id for one in live.index.statuses(None, ["demo/a"])} == {"demo/a"}
        assert {one.id for one in live.index.statuses(None, ["demo/a"], strays=True)} == {"demo/a", "demo/stray"}

    def test_an_id_of_2000_characters_hurts_nobody_else(self, live: Live) -> None:
        """It is skipped while documents are listed: search results could not name it."""
        skipped = self.listed(live, live.shown(document("x" * 2_000)), {})

        assert "2,000 characters" in json.dumps(getattr(skipped, "skipped", ""))

    def test_more_than_the_request_takes_goes_by_s3(self, live: Live, content: Any) -> None:
        """5.3 MB are too many for a request, and are read from S3 by the suffix of their key."""
        body = b"ferry" + b" " * 5_300_000
        content.put_object(Bucket=BUCKET, Key="large.txt", Body=body)
        assert len(body) > live.index.limits.inline_bytes

        live.index.start()
        with pytest.raises(RequestRefused):
            live.put(document("demo/a"), content=body)
        assert live.put(document("demo/a"), content=S3Object(BUCKET, "large.txt", len(body))) == []
        live.end()
        assert live.found("ferry") == {"demo/a"}

    def test_a_knowledge_base_that_is_deleted_meanwhile_is_named(self, live: Live) -> None:
        """By every call that follows, with the cure; the next start says so, too."""
        live.index.start()
        live.put(document("demo/a"))
        live.index.stop()
        boto3.client("bedrock-agent").delete_knowledge_base(knowledgeBaseId=live.part.settings["knowledge_base_id"])
        live.clock.sleep(5)

        for call in (lambda: next(live.index.jobs()), live.index.start, lambda: live.search("ferry", 1)):
            with pytest.raises(ResourceNotFound, match="give the connector its ids"):
                call()

    def test_a_data_source_that_is_not_as_the_settings_say_gets_nothing(self, live: Live) -> None:
        """Access control that it does not have would not be heeded."""
        other = live.other(acl=not live.part.settings["acl"])

        with pytest.raises(ConfigurationError, match=r"access control \(aclEnabled\).*say acl: (true|false).*Nothing"):
            other.start()
        assert list(live.index.jobs()) == []


class TestManaged(BedrockSuite):
    """A data source with access control, of a managed knowledge base."""

    index_settings: ClassVar[dict[str, Any]] = {"acl": True}

    def test_a_document_without_access_control_is_shown_to_nobody(self, live: Live) -> None:
        """So it is skipped while documents are listed, and a search has to say who searches."""
        live.sync(document("demo/a"), content=b"ferry")

        assert "nobody would see it" in getattr(self.listed(live, document("demo/b"), {}), "skipped", "")
        with pytest.raises(ConfigurationError, match="say who searches"):
            live.index.search("ferry", 10)

    def test_groups_that_nobody_expanded_are_not_sent(self, live: Live) -> None:
        """The document is refused, not shown to others."""
        live.index.start()

        with pytest.raises(RequestRefused, match="the group 'crew', whose members are not known"):
            live.put(document("demo/a", access_control=(Principal("crew", "GROUP", "ALLOW"),)))

    def test_a_group_of_which_nothing_is_known_keeps_its_document_back(self, live: Live) -> None:
        """Also where others are allowed: a DENY for the group would be lost."""
        entries = (Principal("ann", "USER", "ALLOW"), Principal("ghosts", "GROUP", "DENY"))

        skipped = self.listed(live, document("demo/a", access_control=entries), {"ann": ["deck"]})

        assert "the group 'ghosts'" in getattr(skipped, "skipped", "")

    def test_more_members_than_the_service_takes_are_not_cut_off(self, live: Live) -> None:
        """The document is skipped with their number."""
        people = {f"user-{number}": ["all"] for number in range(live.index.limits.principals + 1)}

        skipped = self.listed(live, document("demo/a", access_control=(Principal("all", "GROUP", "ALLOW"),)), people)

        assert "3,001 members" in getattr(skipped, "skipped", "")

    def test_the_index_itself_says_who_may_see_a_document(self, live: Live) -> None:
        """Through groups, too, and that it does not hold one."""
        entries = (Principal("deck", "GROUP", "ALLOW"), Principal("bob", "USER", "DENY"))
        listed = self.listed(live, document("demo/a", access_control=entries), {"ann": ["deck"], "bob": ["deck"]})
        assert isinstance(listed, Document)
        live.sync(listed)

        assert live.index.access(listed, Reader("ann")).allowed is True
        assert live.index.access(listed, Reader("bob")).allowed is False
        assert live.index.access(listed, Reader("eve")).allowed is False
        assert live.index.access(document("demo/nowhere"), Reader("ann")).allowed is None
        with pytest.raises(ConfigurationError, match="knows no groups"):
            live.index.access(listed, Reader("eve", ("deck",)))


class TestVector(BedrockSuite):
    """A custom data source of a knowledge base with a vector store. It has no access control."""

    index_settings: ClassVar[dict[str, Any]] = {"acl": False}

    def provide(self, clock: VirtualClock) -> Part:
        """Make what a person makes in the console."""
        return part_of(make_base(clock), {"type": "CUSTOM"}, clock)

    def test_a_document_with_access_control_is_not_sent(self, live: Live) -> None:
        """Everybody would see it."""
        secret = document("demo/a", access_control=(Principal("ann", "USER", "ALLOW"),))
        live.index.start()

        with pytest.raises(RequestRefused, match="everybody would see it"):
            live.put(secret)
        assert "everybody would see it" in getattr(self.listed(live, secret, {}), "skipped", "")

    def test_everybody_sees_what_it_holds(self, live: Live) -> None:
        """And nobody what it does not hold."""
        live.sync(document("demo/a"))

        assert live.index.access(document("demo/a"), Reader("eve")).allowed is True
        assert live.index.access(document("demo/b"), Reader("eve")).allowed is None

    def test_a_data_source_of_another_type_is_named(self, live: Live) -> None:
        """One on S3 takes its documents from there; nothing is sent to it."""
        base = live.part.settings["knowledge_base_id"]
        s3 = {"type": "S3", "s3Configuration": {"bucketArn": f"arn:aws:s3:::{STATE}"}}
        other = live.other(data_source_id=part_of(base, s3, live.clock).settings["data_source_id"])

        with pytest.raises(ConfigurationError, match=r"type S3.*create one of type CUSTOM.*Nothing was sent"):
            other.start()


def make_base(clock: VirtualClock) -> str:
    """Make a knowledge base with a vector store; return its id."""
    base: str = boto3.client("bedrock-agent").create_knowledge_base(
        name="vectors",
        roleArn=ROLE,
        knowledgeBaseConfiguration={
            "type": "VECTOR",
            "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": MODEL},
        },
        storageConfiguration={"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": VECTORS}},
    )["knowledgeBase"]["knowledgeBaseId"]
    clock.sleep(timedelta(seconds=5).total_seconds())
    return base


def part_of(base: str, configuration: dict[str, Any], clock: VirtualClock) -> Part:
    """Make a data source; return the index part of its connector."""
    source = boto3.client("bedrock-agent").create_data_source(
        knowledgeBaseId=base, name=f"demo-{configuration['type']}", dataSourceConfiguration=configuration
    )["dataSource"]["dataSourceId"]
    clock.sleep(timedelta(seconds=5).total_seconds())
    settings = {"acl": False, "knowledge_base_id": base, "data_source_id": source, "role_arn": ROLE}
    return Part("bedrock", settings)
