"""Faults on demand, on the operations of Bedrock."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from docferry_emulators.faults import EndedDocument
from tests.unit.emulators.bedrock_service import BedrockService, Start, document, statuses_in
from tests.unit.emulators.emulated_services import REGION, code_of

ANN = "ann@example.com"


def test_calls_are_throttled(bedrock: BedrockService) -> None:
    """By operation: status 429, and no effect."""
    bedrock.emulation.faults.knobs.throttle_every = {"IngestKnowledgeBaseDocuments": 2}
    bedrock.ingest(document("a", allow=[ANN]))
    with pytest.raises(ClientError) as error:
        bedrock.ingest(document("b", allow=[ANN]))
    assert code_of(error) == "ThrottlingException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert bedrock.status("b") == "NOT_FOUND"


def test_a_lost_reply_is_repeated_without_an_effect(bedrock: BedrockService) -> None:
    """boto3 sends the clientToken that it made for the call again, so the second attempt gets the first answer."""
    bedrock.emulation.faults.knobs.lose_reply = {"IngestKnowledgeBaseDocuments#1"}
    agent: Any = boto3.client("bedrock-agent", region_name=REGION)
    reply = agent.ingest_knowledge_base_documents(**bedrock.at, documents=[document("a", allow=[ANN])])

    assert statuses_in(reply) == {"a": "STARTING"}
    assert bedrock.emulation.faults.calls["IngestKnowledgeBaseDocuments"] == 2
    (operations,) = bedrock.emulation.engine.store.all("SELECT count(*) AS n FROM operations")
    assert operations["n"] == 1


def test_a_lost_reply_has_its_effect(bedrock: BedrockService) -> None:
    """The client sees a broken connection."""
    bedrock.emulation.faults.knobs.lose_reply = {"IngestKnowledgeBaseDocuments#1"}
    with pytest.raises(ConnectionClosedError):
        bedrock.ingest(document("a", allow=[ANN]))
    assert bedrock.status("a") == "PENDING"


def test_a_failing_call_has_no_effect(bedrock: BedrockService) -> None:
    """Status 500."""
    bedrock.emulation.faults.knobs.fail = {"DeleteKnowledgeBaseDocuments#1"}
    bedrock.ingest(document("a", allow=[ANN]))
    bedrock.settle()
    with pytest.raises(ClientError) as error:
        bedrock.delete("a")
    assert code_of(error) == "InternalServerException"
    assert bedrock.status("a") == "INDEXED"


def test_a_document_is_rejected(bedrock: BedrockService) -> None:
    """By a put and by a delete: FAILED with the message in the answer. What the index holds stays."""
    bedrock.ingest(document("a", "giraffe", allow=[ANN]))
    bedrock.settle()
    bedrock.emulation.faults.knobs.reject = {"a": "Not this one."}
    assert bedrock.ingest(document("a", "zebra", allow=[ANN]), document("b", allow=[ANN])) == {
        "a": "FAILED",
        "b": "STARTING",
    }
    assert bedrock.delete("a") == {"a": "FAILED"}
    bedrock.settle()
    assert bedrock.search("giraffe", ANN) == {"a"}


def test_a_document_fails_later(bedrock: BedrockService) -> None:
    """A put ends FAILED, and so does a delete, whose document stays."""
    bedrock.ingest(document("a", "giraffe", allow=[ANN]))
    bedrock.settle()
    bedrock.emulation.faults.knobs.fail_documents = {"a": "Not this one.", "b": "Nor this one."}
    bedrock.ingest(document("b", allow=[ANN]))
    bedrock.delete("a")
    bedrock.settle()
    assert [(detail["status"], detail["statusReason"]) for detail in bedrock.details("a", "b")] == [
        ("FAILED", "Not this one."),
        ("FAILED", "Nor this one."),
    ]
    assert bedrock.search("giraffe", ANN) == {"a"}


@pytest.mark.parametrize("ended", ["IGNORED", "METADATA_UPDATE_FAILED", "METADATA_PARTIALLY_INDEXED"])
@pytest.mark.parametrize("partially", ["keep", "replace"])
def test_a_document_ends_otherwise(start_bedrock: Start, ended: EndedDocument, partially: str) -> None:
    """Only METADATA_PARTIALLY_INDEXED may change what is found: the text is new, with half of the attributes."""
    bedrock = start_bedrock(partially_indexed=partially)
    bedrock.ingest(document("a", "giraffe", allow=[ANN], one=1, two=2))
    bedrock.settle()
    bedrock.emulation.faults.knobs.end_documents = {"a": ended, "b": ended}
    bedrock.ingest(document("a", "zebra", allow=[ANN], one=10, two=20), document("b", "zebra", allow=[ANN]))
    bedrock.settle()

    assert [detail["status"] for detail in bedrock.details("a", "b")] == [ended, ended]
    assert all(detail["statusReason"] for detail in bedrock.details("a", "b"))
    replaced = ended == "METADATA_PARTIALLY_INDEXED" and partially == "replace"
    assert bedrock.search("zebra", ANN) == ({"a", "b"} if replaced else set())
    found = next(item for item in bedrock.retrieve("giraffe zebra", ANN) if item["documentId"] == "a")
    assert {name: found["metadata"].get(name) for name in ("one", "two")} == (
        {"one": 10, "two": None} if replaced else {"one": 1, "two": 2}
    )


@pytest.mark.parametrize("stuck", ["a", "*"])
def test_a_status_that_never_ends(bedrock: BedrockService, stuck: str) -> None:
    """The document stays IN_PROGRESS, also for hours, until the knob is turned back."""
    bedrock.emulation.faults.knobs.stuck_documents = {stuck}
    bedrock.ingest(document("a", allow=[ANN]), document("b", allow=[ANN]))
    for _ in range(3):
        bedrock.clock.sleep(3600)
        expected = "IN_PROGRESS" if stuck == "*" else "INDEXED"
        assert [detail["status"] for detail in bedrock.details("a", "b")] == ["IN_PROGRESS", expected]
    bedrock.emulation.faults.knobs.stuck_documents = set()
    bedrock.settle()
    assert bedrock.status("a") == "INDEXED"


def test_statuses_lag(start_bedrock: Start) -> None:
    """Get and list show each document as it was; a search does not."""
    bedrock = start_bedrock(status_lag=30)
    bedrock.ingest(document("a", "giraffe", allow=[ANN]))
    bedrock.clock.sleep(10)
    assert bedrock.status("a") == "NOT_FOUND"
    assert bedrock.search("giraffe", ANN) == {"a"}
    bedrock.clock.sleep(30)
    assert bedrock.status("a") == "INDEXED"
    bedrock.delete("a")
    bedrock.clock.sleep(10)
    listed = bedrock.agent.list_knowledge_base_documents(**bedrock.at)
    assert statuses_in(listed) == {"a": "INDEXED"}
    bedrock.clock.sleep(20.6)
    assert bedrock.status("a") == "DELETE_IN_PROGRESS"
    bedrock.clock.sleep(1)
    assert bedrock.status("a") == "NOT_FOUND"
