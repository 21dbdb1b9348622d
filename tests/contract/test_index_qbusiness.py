"""The index of kind ``qbusiness``: the promises of every index, and what Q Business adds to them."""

from typing import Any, ClassVar

import boto3
import pytest

from docferry.errors import AccessDenied, ConfigurationError, Conflict, DocferryError
from docferry.indexes import Reader
from docferry.indexes.qbusiness import QBusiness
from docferry.model import Principal
from docferry_emulators import Settings
from tests.contract.index_suite import GroupsSuite, Live, document


class TestQBusiness(GroupsSuite):
    """The suite on Q Business."""

    kind = "qbusiness"
    stop_without_job: ClassVar[type[DocferryError] | None] = Conflict

    def readers(self, live: Live, id_: str, people: dict[str, list[str]]) -> set[str]:
        """Ask CheckDocumentAccess of each; the groups have to be known to the index."""
        qbusiness = boto3.client("qbusiness")
        index = {
            "applicationId": live.part.settings["application_id"],
            "indexId": live.part.settings["index_id"],
        }
        for group in {group for groups in people.values() for group in groups}:
            members = [{"userId": person} for person, groups in people.items() if group in groups]
            qbusiness.put_group(**index, groupName=group, type="INDEX", groupMembers={"memberUsers": members})
        live.settle()
        return {
            person
            for person in people
            if qbusiness.check_document_access(**index, userId=person, documentId=id_)["hasAccess"]
        }

    def test_statuses_leave_out_other_data_sources(self, live: Live) -> None:
        """The listing is of our data source, not of the index."""
        live.sync(document("demo/a"))

        assert list(live.other(data_source_id="1" * 36).statuses(None, ["demo/a"])) == []

    def test_a_reader_cannot_be_said_to_be_in_groups(self, live: Live) -> None:
        """The error says where groups come from."""
        with pytest.raises(ConfigurationError, match="takes no groups with a search"):
            live.index.search("ferry", 10, Reader("ann", ("crew",)))

    @pytest.mark.parametrize("settings", [Settings(qbusiness_search_without_user="deny")], ids=["deny"])
    def test_a_search_for_a_reader_needs_the_credentials_of_a_person_too(self, live: Live) -> None:
        """CheckDocumentAccess says who may see a document that was found, and finds none."""
        with pytest.raises(AccessDenied, match="SearchRelevantContent"):
            live.index.search("ferry", 1, Reader("ann"))

    def test_the_retriever_of_an_index_is_found(self, live: Live) -> None:
        """It need not be named. Where there is none, the error names the index and the setting."""
        live.sync(document("demo/a"))
        named, unnamed = live.index.search("text", 1), live.other(retriever_id=None).search("text", 1)
        ids = live.part.settings
        boto3.client("qbusiness").delete_retriever(applicationId=ids["application_id"], retrieverId=ids["retriever_id"])

        assert unnamed == named
        with pytest.raises(ConfigurationError, match=rf"no retriever for index {ids['index_id']}.*index\.retriever_id"):
            live.other(retriever_id=None).search("text", 1)

    def test_a_search_without_a_person_finds_what_is_public(self, live: Live) -> None:
        """SearchRelevantContent searches as its caller, and a role is nobody."""
        live.sync(
            document("demo/public"),
            document("demo/private", access_control=(Principal("ann", "USER", "ALLOW"),)),
            content=b"ferry",
        )

        assert live.found("ferry") == {"demo/public"}

    @pytest.mark.parametrize("settings", [Settings(qbusiness_search_without_user="deny")], ids=["deny"])
    def test_a_search_without_a_person_may_be_denied(self, live: Live) -> None:
        """As the service does that wants identity-aware credentials."""
        with pytest.raises(AccessDenied, match="SearchRelevantContent"):
            live.index.search("ferry", 1)

    @pytest.mark.parametrize("settings", [Settings(qbusiness_stop_idle="accept")], ids=["accept"])
    def test_an_idle_stop_may_be_accepted(self, live: Live) -> None:
        """Then it says nothing."""
        live.index.stop()

    def test_a_put_is_tied_to_its_job_in_both_ways(self, live: Live) -> None:
        """The guide asks for attributes of the document, the API for a member of the request: it has both."""
        sent: list[dict[str, Any]] = []

        def note(params: dict[str, Any], **_: Any) -> None:
            sent.append(params)

        assert isinstance(live.index, QBusiness)
        events, operation = live.index._qbusiness.meta.events, "qbusiness.BatchPutDocument"
        events.register(f"provide-client-params.{operation}", note)
        try:
            job = live.sync(document("demo/a"))
        finally:
            events.unregister(f"provide-client-params.{operation}", note)

        (request,) = sent
        attributes = {one["name"]: one["value"] for one in request["documents"][0]["attributes"]}
        assert request["dataSourceSyncId"] == job.execution_id
        assert attributes == {
            "_data_source_id": {"stringValue": live.part.settings["data_source_id"]},
            "_data_source_sync_job_execution_id": {"stringValue": job.execution_id},
        }
