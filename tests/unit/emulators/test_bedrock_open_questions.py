"""What Bedrock leaves open, by the numbers in docs/emulator.md: the default, and what a setting makes of it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from docferry_emulators.bedrock.models import INLINE_BYTES
from tests.unit.emulators.bedrock_service import (
    CUSTOM,
    MANAGED,
    VECTOR,
    BedrockService,
    Start,
    at_fault,
    document,
    managed,
)
from tests.unit.emulators.emulated_services import ROLE, code_of

ANN = "ann@example.com"
TOKEN = "a" * 33


@pytest.mark.parametrize(("setting", "ended"), [("index", "INDEXED"), ("ignore", "IGNORED")])
def test_question_1_unchanged_content(start_bedrock: Start, setting: str, ended: str) -> None:
    """It is indexed again, or ignored with a reason; it can be found in both cases."""
    bedrock = start_bedrock(bedrock_unchanged=setting)
    for _ in ("new", "again"):
        bedrock.ingest(document("a", "giraffe", allow=[ANN]))
        before = bedrock.details("a")[0]["updatedAt"]
        bedrock.settle()
    (detail,) = bedrock.details("a")

    assert detail["status"] == ended
    assert ("statusReason" in detail) is (ended == "IGNORED")
    assert detail["updatedAt"] > before
    assert bedrock.search("giraffe", ANN) == {"a"}


def test_question_2_more_than_ten_documents(start_bedrock: Start) -> None:
    """Refused; with the number of the guide, 25 are taken and 26 are not."""
    bedrock = start_bedrock(bedrock_batch=25)
    documents = [document(str(number), allow=[ANN]) for number in range(26)]
    assert len(bedrock.ingest(*documents[:25])) == 25
    with pytest.raises(ClientError) as error:
        bedrock.ingest(*documents)
    assert at_fault(error) == ["documents"]
    assert len(bedrock.delete(*(str(number) for number in range(25)))) == 25


@pytest.mark.parametrize(("setting", "words"), [("keep", "giraffe zebra"), ("replace", "hippo")])
def test_question_3_a_document_that_is_partially_indexed(start_bedrock: Start, setting: str, words: str) -> None:
    """The old version stays, or half of the new one is there."""
    bedrock = start_bedrock(partially_indexed=setting)
    bedrock.ingest(document("a", "giraffe zebra", allow=[ANN]))
    bedrock.settle()
    bedrock.emulation.faults.knobs.end_documents = {"a": "PARTIALLY_INDEXED"}
    bedrock.ingest(document("a", "hippo      lion", allow=[ANN]))
    bedrock.settle()

    assert bedrock.status("a") == "PARTIALLY_INDEXED"
    (found,) = bedrock.retrieve("giraffe hippo lion", ANN)
    assert found["content"]["text"] == words
    bedrock.emulation.faults.knobs.end_documents = {}
    bedrock.ingest(document("a", "lion", allow=[ANN]))
    bedrock.settle()
    assert bedrock.status("a") == "INDEXED"
    assert bedrock.search("lion", ANN) == {"a"}


def test_question_4_a_token_is_forgotten_after_an_hour(bedrock: BedrockService) -> None:
    """Then the same request is a new one."""
    request = {**bedrock.at, "documents": [document("a", "giraffe", allow=[ANN])], "clientToken": TOKEN}
    bedrock.agent.ingest_knowledge_base_documents(**request)
    bedrock.settle()
    bedrock.delete("a")
    bedrock.clock.sleep(3500)
    bedrock.agent.ingest_knowledge_base_documents(**request)
    bedrock.settle()
    assert bedrock.status("a") == "NOT_FOUND"

    bedrock.clock.sleep(3600)
    bedrock.agent.ingest_knowledge_base_documents(**request)
    bedrock.settle()
    assert bedrock.status("a") == "INDEXED"


@pytest.mark.parametrize("setting", ["ignore", "reject"])
def test_question_5_other_documents_with_a_known_token(start_bedrock: Start, setting: str) -> None:
    """Nothing happens to them: the answer has the statuses as they are, or is a ValidationException."""
    bedrock = start_bedrock(bedrock_other_request=setting)
    bedrock.ingest(document("a", allow=[ANN]), clientToken=TOKEN)
    bedrock.settle()
    if setting == "ignore":
        assert bedrock.ingest(document("b", allow=[ANN]), clientToken=TOKEN) == {"b": "NOT_FOUND"}
        assert bedrock.ingest(document("a", "new", allow=[ANN]), clientToken=TOKEN) == {"a": "INDEXED"}
    else:
        with pytest.raises(ClientError) as error:
            bedrock.ingest(document("b", allow=[ANN]), clientToken=TOKEN)
        assert at_fault(error) == ["clientToken"]
    bedrock.settle()
    assert bedrock.status("b") == "NOT_FOUND"
    assert bedrock.search("new", ANN) == set()
    assert bedrock.delete("a", clientToken=TOKEN) == {"a": "DELETING"}  # a token belongs to its operation


@pytest.mark.parametrize(("setting", "status"), [("not_found", "NOT_FOUND"), ("accept", "DELETING")])
def test_question_6_a_delete_of_an_unknown_document(start_bedrock: Start, setting: str, status: str) -> None:
    """NOT_FOUND in the answer, and after it."""
    bedrock = start_bedrock(bedrock_delete_unknown=setting)
    assert bedrock.delete("a") == {"a": status}
    bedrock.settle()
    assert bedrock.status("a") == "NOT_FOUND"


@pytest.mark.parametrize(("base", "source"), [(VECTOR, CUSTOM), (MANAGED, managed(access=False))])
def test_question_7_access_control_for_a_source_without_it(start_bedrock: Start, base: Any, source: Any) -> None:
    """The request is refused and the place named; with the setting, everybody sees the document."""
    bedrock = start_bedrock(base=base, source=source)
    with pytest.raises(ClientError) as error:
        bedrock.ingest(document("open"), document("a", "giraffe", allow=[ANN]))
    assert at_fault(error) == ["documents.2.member.metadata.accessControlList"]
    bedrock.settle()
    assert bedrock.status("open") == "NOT_FOUND"

    lenient = start_bedrock(base=base, source=source, bedrock_access_when_off="ignore")
    lenient.ingest(document("a", "giraffe", allow=[ANN]))
    lenient.settle()
    assert lenient.search("giraffe") == {"a"}


def test_question_8_the_payload_of_a_request(start_bedrock: Start) -> None:
    """Its body is what counts, with content in base64; beyond the model's 5,242,880 a document is refused anyway."""
    bedrock = start_bedrock()
    assert bedrock.ingest(document("a", "x" * INLINE_BYTES, allow=[ANN])) == {"a": "STARTING"}
    bedrock.settle()
    assert bedrock.status("a") == "INDEXED"
    in_bytes = document("b", allow=[ANN])
    content = {"type": "BYTE", "byteContent": {"mimeType": "text/plain", "data": b"x" * INLINE_BYTES}}
    in_bytes["content"]["custom"]["inlineContent"] = content
    with pytest.raises(ClientError) as error:
        bedrock.ingest(in_bytes)
    assert at_fault(error) == ["documents"]

    unlimited = start_bedrock(bedrock_request_bytes=None)
    assert unlimited.ingest(in_bytes) == {"b": "STARTING"}
    content["byteContent"] = {"mimeType": "text/plain", "data": b"x" * (INLINE_BYTES + 1)}
    with pytest.raises(ClientError) as error:
        unlimited.ingest(in_bytes)
    assert at_fault(error) == ["documents.1.member.content.custom.inlineContent.byteContent.data"]


def test_question_9_a_document_that_is_not_accepted(start_bedrock: Start) -> None:
    """It is FAILED with the reason in the answer, and nothing of it is left; the others are indexed."""
    bedrock = start_bedrock(bedrock_principals=1)
    two = document("two", "giraffe", allow=[ANN, "bob@example.com"])
    reply = bedrock.agent.ingest_knowledge_base_documents(
        **bedrock.at, documents=[two, document("one", "giraffe", allow=[ANN])]
    )["documentDetails"]

    assert [(detail["status"], "principals" in detail.get("statusReason", "")) for detail in reply] == [
        ("FAILED", True),
        ("STARTING", False),
    ]
    bedrock.settle()
    assert [detail["status"] for detail in bedrock.details("two", "one")] == ["NOT_FOUND", "INDEXED"]


@pytest.mark.parametrize(("setting", "status"), [("last", "STARTING"), ("reject", "FAILED")])
def test_question_10_one_id_twice_in_a_request(start_bedrock: Start, setting: str, status: str) -> None:
    """The last one wins."""
    bedrock = start_bedrock(duplicate_in_batch=setting)
    reply = bedrock.agent.ingest_knowledge_base_documents(
        **bedrock.at, documents=[document("a", "giraffe", allow=[ANN]), document("a", "zebra", allow=[ANN])]
    )["documentDetails"]
    assert [detail["status"] for detail in reply] == [status]
    bedrock.settle()
    assert bedrock.search("zebra", ANN) == ({"a"} if setting == "last" else set())
    assert bedrock.search("giraffe", ANN) == set()


@pytest.mark.parametrize("setting", ["reject", "accept"])
def test_question_11_documents_for_what_is_being_created(start_bedrock: Start, setting: str) -> None:
    """A ValidationException: the operations on documents have no ConflictException."""
    bedrock = start_bedrock(put_to_inactive_index=setting)
    made = bedrock.agent.create_data_source(
        knowledgeBaseId=bedrock.base, name="new", dataSourceConfiguration=managed(access=True)
    )["dataSource"]["dataSourceId"]
    if setting == "accept":
        assert bedrock.ingest(document("a", allow=[ANN]), dataSourceId=made) == {"a": "STARTING"}
    else:
        with pytest.raises(ClientError) as error:
            bedrock.ingest(document("a", allow=[ANN]), dataSourceId=made)
        assert at_fault(error) == []


def test_question_12_a_data_source_stays_what_it_is(bedrock: BedrockService) -> None:
    """An update changes its name and description, but not whether it has access control."""
    update = {**bedrock.at, "name": "renamed", "description": "New."}
    changed = bedrock.agent.update_data_source(**update, dataSourceConfiguration=managed(access=True))["dataSource"]
    assert (changed["name"], changed["description"], changed["status"]) == ("renamed", "New.", "UPDATING")
    bedrock.settle()
    with pytest.raises(ClientError) as error:
        bedrock.agent.update_data_source(**update, dataSourceConfiguration=managed(access=False))
    assert at_fault(error) == ["dataSourceConfiguration"]


def test_question_13_a_search_by_the_configuration_of_another_type(bedrock: BedrockService) -> None:
    """Refused."""
    bedrock.search_by = "vectorSearchConfiguration"
    with pytest.raises(ClientError) as error:
        bedrock.search("giraffe", numberOfResults=3)
    assert code_of(error) == "ValidationException"
    assert "managedSearchConfiguration" in str(error.value)


def test_question_14_users_are_compared_as_they_are(bedrock: BedrockService) -> None:
    """Another case is another user."""
    bedrock.ingest(document("a", "giraffe", allow=["Ann@example.com"]))
    bedrock.settle()
    assert bedrock.search("giraffe", ANN) == set()
    assert bedrock.search("giraffe", "Ann@example.com") == {"a"}


@pytest.mark.parametrize(("mime", "status"), [("text/html; charset=utf-8", "INDEXED"), ("application/json", "FAILED")])
def test_question_15_formats_that_no_page_lists(bedrock: BedrockService, mime: str, status: str) -> None:
    """The document fails, with the type in the reason."""
    made = document("a", allow=[ANN])
    content = {"type": "BYTE", "byteContent": {"mimeType": mime, "data": b'{"a": "giraffe"}'}}
    made["content"]["custom"]["inlineContent"] = content
    bedrock.ingest(made)
    bedrock.settle()
    (detail,) = bedrock.details("a")
    assert detail["status"] == status
    assert (mime in detail.get("statusReason", "")) is (status == "FAILED")


def test_question_16_a_name_is_used_once(bedrock: BedrockService) -> None:
    """A second knowledge base, or a second data source of a knowledge base, of a name is a ConflictException."""
    with pytest.raises(ClientError) as base:
        bedrock.agent.create_knowledge_base(name="docs", roleArn=ROLE, **MANAGED)
    with pytest.raises(ClientError) as source:
        bedrock.add_source("wiki", managed(access=True))
    assert code_of(base) == code_of(source) == "ConflictException"
    assert base.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    bedrock.agent.delete_knowledge_base(knowledgeBaseId=bedrock.base)
    assert bedrock.agent.create_knowledge_base(name="docs", roleArn=ROLE, **MANAGED)


@pytest.mark.parametrize("name", ["a" * 2000, "a\tb"])
def test_question_17_ids_that_a_search_cannot_name(bedrock: BedrockService, name: str) -> None:
    """They are ingested, found without documentId, and deleted; their access control cannot be asked for."""
    bedrock.ingest(document(name, "giraffe", allow=[ANN]))
    bedrock.settle()
    (found,) = bedrock.retrieve("giraffe", ANN)
    assert "documentId" not in found
    assert found["location"]["customDocumentLocation"]["id"] == name
    with pytest.raises(ClientError) as error:
        bedrock.runtime.get_ingested_document_acl(**bedrock.at, documentId=name)
    assert code_of(error) == "ValidationException"
    assert bedrock.delete(name) == {name: "DELETING"}


def test_question_18_quotas(start_bedrock: Start) -> None:
    """ServiceQuotaExceededException, status 402."""
    bedrock = start_bedrock(bedrock_knowledge_bases=1, bedrock_data_sources=1)
    with pytest.raises(ClientError) as base:
        bedrock.agent.create_knowledge_base(name="more", roleArn=ROLE, **MANAGED)
    with pytest.raises(ClientError) as source:
        bedrock.add_source("more", managed(access=True))
    assert code_of(base) == code_of(source) == "ServiceQuotaExceededException"
    assert base.value.response["ResponseMetadata"]["HTTPStatusCode"] == 402
