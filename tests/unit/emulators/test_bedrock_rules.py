"""The rules of Bedrock Knowledge Bases, by their numbers in docs/emulator.md."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.unit.emulators.bedrock_service import (
    BUCKET,
    CUSTOM,
    VECTOR,
    BedrockService,
    Start,
    at_fault,
    document,
    managed,
)
from tests.unit.emulators.emulated_services import REGION, code_of

ANN, BOB = "ann@example.com", "bob@example.com"
TOKEN = "a" * 33


def test_rule_1_work_on_documents_is_asynchronous(bedrock: BedrockService) -> None:
    """A document passes every status, and can be found when it is INDEXED and until it is NOT_FOUND."""
    assert bedrock.ingest(document("a", "giraffe", allow=[ANN])) == {"a": "STARTING"}
    seen = ["STARTING"]
    for step in ("indexing", "deleting"):
        if step == "deleting":
            assert bedrock.search("giraffe", ANN) == {"a"}
            seen.append(bedrock.delete("a")["a"])
        for _ in range(20):
            status = bedrock.status("a")
            if status != seen[-1]:
                seen.append(status)
            if status in {"STARTING", "PENDING", "IN_PROGRESS"}:
                assert bedrock.search("giraffe", ANN) == set()
            bedrock.clock.sleep(0.1)

    put, deleted = ["STARTING", "PENDING", "IN_PROGRESS", "INDEXED"], ["DELETING", "DELETE_IN_PROGRESS", "NOT_FOUND"]
    assert seen == put + deleted
    assert bedrock.search("giraffe", ANN) == set()


def test_rule_2_an_ingest_of_a_known_id_replaces_the_document(bedrock: BedrockService) -> None:
    """Its text, its attributes and who may see it."""
    bedrock.ingest(document("a", "giraffe", allow=[ANN], team="red"))
    bedrock.settle()
    bedrock.ingest(document("a", "elephant", allow=[BOB], floor=2))
    bedrock.settle()

    assert bedrock.search("giraffe", ANN) | bedrock.search("elephant", ANN) == set()
    (found,) = bedrock.retrieve("elephant", BOB)
    assert found["metadata"] == {"x-amz-bedrock-kb-data-source-id": bedrock.source, "floor": 2}
    assert found["content"] == {"type": "TEXT", "text": "elephant"}
    assert bedrock.status("a") == "INDEXED"


def test_rule_3_ids_are_unique_in_a_data_source(bedrock: BedrockService) -> None:
    """Two data sources of a knowledge base have a document of the same id each; a search finds both."""
    other = bedrock.add_source("other", managed(access=True))
    bedrock.ingest(document("a", "giraffe", allow=[ANN]))
    bedrock.ingest(document("a", "giraffe too", allow=[ANN]), dataSourceId=other)
    bedrock.settle()
    assert len(bedrock.retrieve("giraffe", ANN)) == 2

    bedrock.delete("a", dataSourceId=other)
    bedrock.settle()
    (left,) = bedrock.retrieve("giraffe", ANN)
    assert left["metadata"]["x-amz-bedrock-kb-data-source-id"] == bedrock.source


def test_rule_4_a_call_has_up_to_ten_documents(bedrock: BedrockService) -> None:
    """More are refused as a whole; the member is named."""
    names = [str(number) for number in range(11)]
    with pytest.raises(ClientError) as put:
        bedrock.ingest(*(document(name) for name in names))
    with pytest.raises(ClientError) as got:
        bedrock.details(*names)
    assert (at_fault(put), at_fault(got)) == (["documents"], ["documentIdentifiers"])
    assert bedrock.agent.list_knowledge_base_documents(**bedrock.at)["documentDetails"] == []


def test_rule_5_the_type_of_a_document_is_that_of_its_data_source(start_bedrock: Start) -> None:
    """A custom document cannot be put into, or asked from, a data source of type S3."""
    bedrock = start_bedrock(base=VECTOR, source=BUCKET)
    for call in (lambda: bedrock.ingest(document("a")), lambda: bedrock.details("a"), lambda: bedrock.delete("a")):
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == "ValidationException"
        assert "S3" in str(error.value)


def test_rule_6_a_repeated_token_does_nothing(bedrock: BedrockService) -> None:
    """A request that is sent again after its reply was lost gets the first answer, and no error."""
    first = bedrock.agent.ingest_knowledge_base_documents(
        **bedrock.at, documents=[document("a", "giraffe", allow=[ANN])], clientToken=TOKEN
    )["documentDetails"]
    bedrock.settle()
    bedrock.delete("a")
    bedrock.settle()
    again = bedrock.agent.ingest_knowledge_base_documents(
        **bedrock.at, documents=[document("a", "giraffe", allow=[ANN])], clientToken=TOKEN
    )["documentDetails"]

    assert again == first
    bedrock.settle()
    assert bedrock.status("a") == "NOT_FOUND"


def test_rule_7_without_access_control_nobody_sees_a_document(bedrock: BedrockService) -> None:
    """In a data source that has it, whoever asks."""
    bedrock.ingest(document("a", "giraffe"))
    bedrock.settle()

    assert bedrock.status("a") == "INDEXED"
    assert [bedrock.search("giraffe", user) for user in (ANN, BOB, None)] == [set()] * 3
    assert bedrock.runtime.get_ingested_document_acl(**bedrock.at, documentId="a")["documentAcl"] == {}


def test_rule_8_a_search_without_a_user_finds_only_sources_without_access_control(bedrock: BedrockService) -> None:
    """Both kinds of data sources are in one knowledge base."""
    public = bedrock.add_source("public", managed(access=False))
    bedrock.ingest(document("secret", "giraffe", allow=[ANN]))
    bedrock.ingest(document("public", "giraffe"), dataSourceId=public)
    bedrock.settle()

    assert bedrock.search("giraffe") == bedrock.search("giraffe", BOB) == {"public"}
    assert bedrock.search("giraffe", ANN) == {"public", "secret"}


def test_rule_9_deny_beats_allow(bedrock: BedrockService) -> None:
    """And a list that only denies allows nobody."""
    bedrock.ingest(document("a", "giraffe", allow=[ANN, BOB], deny=[BOB]), document("b", "giraffe", deny=[BOB]))
    bedrock.settle()

    assert bedrock.search("giraffe", ANN) == {"a"}
    assert bedrock.search("giraffe", BOB) == set()
    acl = bedrock.runtime.get_ingested_document_acl(**bedrock.at, documentId="a")["documentAcl"]
    allowed = [user["id"] for user in acl["allowList"]["conditions"][0]["users"]]
    assert (allowed, acl["denyList"]["conditions"][0]["users"][0]["id"]) == ([ANN, BOB], BOB)
    checked = [
        bedrock.runtime.check_ingested_document_acl(**bedrock.at, documentId="a", userContext={"userId": user})
        for user in (ANN, BOB)
    ]
    assert [reply["hasAccess"] for reply in checked] == [True, False]


def test_rule_10_what_is_being_deleted_is_not_found(bedrock: BedrockService) -> None:
    """Also while an ingest is under way: every call on a document is a 404, and nothing of it is left."""
    bedrock.ingest(document("a", "giraffe", allow=[ANN]))
    bedrock.agent.delete_knowledge_base(knowledgeBaseId=bedrock.base)
    for _ in ("DELETING", "gone"):
        for call in (
            lambda: bedrock.ingest(document("b")),
            lambda: bedrock.details("a"),
            lambda: bedrock.delete("a"),
            lambda: bedrock.search("giraffe", ANN),
            lambda: bedrock.agent.list_knowledge_base_documents(**bedrock.at),
        ):
            with pytest.raises(ClientError) as error:
                call()
            assert code_of(error) == "ResourceNotFoundException"
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        bedrock.settle()
    store = bedrock.emulation.engine.store
    assert [store.all(f"SELECT * FROM {table}") for table in ("documents", "operations", "resources")] == [[], [], []]


def test_rule_11_a_failure_says_why_and_keeps_what_was_indexed(bedrock: BedrockService) -> None:
    """The status is FAILED with a reason, and the old version is still found."""
    bedrock.ingest(document("a", "giraffe", allow=[ANN]))
    bedrock.settle()
    broken = document("a")
    inline = {"type": "BYTE", "byteContent": {"mimeType": "application/pdf", "data": b"no PDF"}}
    broken["content"]["custom"]["inlineContent"] = inline
    bedrock.ingest(broken)
    bedrock.settle()

    (detail,) = bedrock.details("a")
    assert detail["status"] == "FAILED"
    assert "PDF" in detail["statusReason"]
    assert bedrock.search("giraffe", ANN) == {"a"}


def test_rule_12_only_not_equals_matches_a_missing_attribute(start_bedrock: Start) -> None:
    """Every operator, on documents with and without the attribute."""
    bedrock = start_bedrock(base=VECTOR, source=CUSTOM)
    bedrock.ingest(
        document("red", "giraffe", team="red", floor=1, tags=["x", "yellow"], open=True),
        document("blue", "giraffe", team="blue", floor=2.5, tags=["z"], open=False),
        document("bare", "giraffe"),
    )
    bedrock.settle()
    cases: list[tuple[str, str, Any, set[str]]] = [
        ("equals", "team", "red", {"red"}),
        ("equals", "floor", 1, {"red"}),
        ("equals", "open", True, {"red"}),
        ("equals", "tags", ["z"], {"blue"}),
        ("notEquals", "team", "red", {"blue", "bare"}),
        ("greaterThan", "floor", 1, {"blue"}),
        ("greaterThanOrEquals", "floor", 1, {"red", "blue"}),
        ("lessThan", "floor", 2.5, {"red"}),
        ("lessThanOrEquals", "floor", 2.5, {"red", "blue"}),
        ("in", "team", ["red", "green"], {"red"}),
        ("notIn", "team", ["red", "green"], {"blue"}),
        ("startsWith", "team", "re", {"red"}),
        ("listContains", "tags", "x", {"red"}),
        ("stringContains", "team", "lu", {"blue"}),
        ("stringContains", "tags", "ello", {"red"}),
        ("greaterThan", "team", 1, set()),
        ("equals", "no\"such'$", "x", set()),
    ]
    for operator, key, value, expected in cases:
        found = bedrock.search("giraffe", filter={operator: {"key": key, "value": value}})
        assert found == expected, (operator, key, value)
    both = [{"equals": {"key": "team", "value": "red"}}, {"greaterThan": {"key": "floor", "value": 2}}]
    assert bedrock.search("giraffe", filter={"orAll": both}) == {"red", "blue"}
    assert bedrock.search("giraffe", filter={"andAll": both}) == set()
    for operator, wrong in (("in", "red"), ("greaterThan", "1"), ("startsWith", 1), ("listContains", ["x"])):
        with pytest.raises(ClientError) as error:
            bedrock.search("giraffe", filter={operator: {"key": "team", "value": wrong}})
        assert code_of(error) == "ValidationException"


def test_rule_13_documents_are_listed_page_by_page(bedrock: BedrockService) -> None:
    """Every document of the data source, whatever became of it."""
    bedrock.emulation.faults.knobs.fail_documents = {"3": "No."}
    for start in range(0, 20, 10):
        bedrock.ingest(*(document(str(number), allow=[ANN]) for number in range(start, start + 10)))
    bedrock.settle()
    pages = bedrock.agent.get_paginator("list_knowledge_base_documents").paginate(
        **bedrock.at, PaginationConfig={"PageSize": 7}
    )
    listed = [(one["identifier"]["custom"]["id"], one["status"]) for page in pages for one in page["documentDetails"]]

    assert len(listed) == 20
    assert dict(listed) == {str(number): "FAILED" if number == 3 else "INDEXED" for number in range(20)}


def test_rule_14_content_on_s3_is_read_by_the_service(bedrock: BedrockService) -> None:
    """No role is in the request. A missing object fails its document."""
    s3: Any = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="staging", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="staging", Key="a/b c.html", Body=b"<p>giraffe</p>")
    on_s3 = []
    for name, key in (("there", "a/b c.html"), ("missing", "a/no.txt")):
        made = document(name, allow=[ANN])
        content = made["content"]["custom"]
        del content["inlineContent"]
        content |= {"sourceType": "S3_LOCATION", "s3Location": {"uri": f"s3://staging/{key}"}}
        on_s3.append(made)
    assert bedrock.ingest(*on_s3) == {"there": "STARTING", "missing": "STARTING"}
    bedrock.settle()

    assert [detail["status"] for detail in bedrock.details("there", "missing")] == ["INDEXED", "FAILED"]
    assert bedrock.search("giraffe", ANN) == {"there"}


def test_rule_15_results_come_in_pages(bedrock: BedrockService) -> None:
    """Five of them when the request does not say how many; a token goes on where the page ended."""
    bedrock.ingest(*(document(str(number), "giraffe", allow=[ANN]) for number in range(7)))
    bedrock.settle()
    asked = {
        "knowledgeBaseId": bedrock.base,
        "retrievalQuery": {"text": "giraffe"},
        "userContext": {"userId": ANN},
    }
    first = bedrock.runtime.retrieve(**asked)
    second = bedrock.runtime.retrieve(**asked, nextToken=first["nextToken"])
    ids = [item["documentId"] for page in (first, second) for item in page["retrievalResults"]]

    assert [len(page["retrievalResults"]) for page in (first, second)] == [5, 2]
    assert set(ids) == {str(number) for number in range(7)}
    assert "nextToken" not in second
    with pytest.raises(ClientError) as error:
        bedrock.runtime.retrieve(**{**asked, "userContext": {"userId": BOB}}, nextToken=first["nextToken"])
    assert code_of(error) == "ValidationException"


def test_rule_16_a_deleted_data_source_takes_its_documents(bedrock: BedrockService) -> None:
    """The other data sources of the knowledge base keep theirs."""
    other = bedrock.add_source("other", managed(access=True))
    bedrock.ingest(document("a", "giraffe", allow=[ANN]))
    bedrock.ingest(document("b", "giraffe", allow=[ANN]), dataSourceId=other)
    bedrock.settle()
    gone = bedrock.agent.delete_data_source(**bedrock.at)
    assert gone["status"] == "DELETING"
    assert bedrock.search("giraffe", ANN) == {"b"}
    bedrock.settle()

    with pytest.raises(ClientError) as error:
        bedrock.agent.get_data_source(**bedrock.at)
    assert code_of(error) == "ResourceNotFoundException"
    (left,) = bedrock.agent.list_data_sources(knowledgeBaseId=bedrock.base)["dataSourceSummaries"]
    assert (left["dataSourceId"], left["status"]) == (other, "AVAILABLE")
