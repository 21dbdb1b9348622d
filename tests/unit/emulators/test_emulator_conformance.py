"""Generated from botocore's models: every constraint of every operation is checked, and valid requests pass."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from docferry_emulators import Settings, emulated
from docferry_emulators.emulation import current
from docferry_emulators.wire.protocol import service_model
from docferry_emulators.wire.validation import read
from tests.unit.emulators.model_requests import (
    ARN,
    COUNTED,
    DEEPEST,
    RESPONSES,
    implemented,
    send,
    set_at,
    shown,
    valid,
    violations,
)

OPERATIONS = [(service, name) for service in sorted(RESPONSES) for name in implemented(service)]

NOW = Settings(
    resource_seconds=0,
    mapping_seconds=0,
    kendra_indexes=1000,
    qbusiness_applications=1000,
    bedrock_knowledge_bases=1000,
)


@pytest.fixture(scope="module", autouse=True)
def emulation() -> Iterator[None]:
    """One emulation for all; every request gets resources of its own."""
    with emulated(settings=NOW):
        yield


def reach(service: str, operation: str, path: tuple[Any, ...]) -> bool:
    """Whether a place can be reached on the wire: an empty last label is another path, and null is not a query."""
    shape: Any = service_model(service).operation_model(operation).input_shape
    return shape.members[path[0]].serialization.get("location") is None


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_every_violated_constraint_is_refused(service: str, operation: str) -> None:
    """With the member and the constraint in the message, and nothing else wrong."""
    shape: Any = service_model(service).operation_model(operation).input_shape
    full = valid(shape, full=True)
    read(shape, full)
    for path, value, words in violations(shape):
        if len(path) > DEEPEST or not _holds(full, path):
            continue
        label = not reach(service, operation, path)
        if label and value in (None, "", []):
            continue
        status, headers, body = send(service, operation, set_at(full, path, value))
        message = body.get("Message") or body.get("message")
        assert status == 400, (path, value, body)
        assert headers["x-amzn-ErrorType"] == "ValidationException", (path, value, body)
        assert f"'{shown(path)}' failed to satisfy constraint: Member must" in message, (path, value, message)
        assert words in message, (path, value, message)
        if service == "qbusiness":
            assert body["reason"] == "FIELD_VALIDATION_FAILED"
            assert shown(path) in {field["name"] for field in body["fields"]}
        if service == "bedrock-agent":
            assert shown(path) in {field["name"] for field in body["fieldList"]}
        COUNTED["violated constraints refused"] += 1


def _holds(value: Any, path: tuple[Any, ...]) -> bool:
    for step in path:
        if not isinstance(value, dict | list) or (isinstance(value, dict) and step not in value):
            return False
        value = value[step]
    return True


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_minimal_valid_request_is_accepted(service: str, operation: str) -> None:
    """And the reply is what the model says of it."""
    model = service_model(service).operation_model(operation)
    world = WORLDS[service]()
    request = {**valid(model.input_shape, full=False), **world.get(operation, {})}
    shape: Any = model.input_shape
    request |= {
        name: value
        for name, value in world["*"].items()
        if name in shape.members and name not in world.get(operation, {})
    }
    status, _, body = send(service, operation, request)
    assert status == model.http.get("responseCode", 200), body
    output: Any = model.output_shape
    if output is not None:
        assert set(body) <= set(output.members)
        read(output, body)
    COUNTED["valid requests accepted"] += 1


def kendra_world() -> dict[str, dict[str, Any]]:
    """Resources that exist, by operation that needs them; ``*`` is for every operation."""
    index = send("kendra", "CreateIndex", {"Name": "docs", "RoleArn": ARN})[2]["Id"]
    source = send("kendra", "CreateDataSource", {"Name": "s", "Type": "CUSTOM", "IndexId": index})[2]["Id"]
    group = {"IndexId": index, "GroupId": "a"}
    send("kendra", "PutPrincipalMapping", {**group, "GroupMembers": {"MemberUsers": [{"UserId": "u"}]}})
    arn = f"arn:aws:kendra:eu-west-1:123456789012:index/{index}"
    of_index = {name: {"Id": index} for name in ("DescribeIndex", "UpdateIndex", "DeleteIndex")}
    of_source = {
        name: {"Id": source}
        for name in (
            *("DescribeDataSource", "UpdateDataSource", "DeleteDataSource"),
            *("StartDataSourceSyncJob", "StopDataSourceSyncJob", "ListDataSourceSyncJobs"),
        )
    }
    return {
        "*": {"IndexId": index, "ResourceARN": arn},
        **of_index,
        **of_source,
        "CreateDataSource": {"Type": "CUSTOM"},
        **dict.fromkeys(("DeletePrincipalMapping", "DescribePrincipalMapping"), group),
    }


def qbusiness_world() -> dict[str, dict[str, Any]]:
    """Resources that exist; ``*`` is for every operation."""
    application = send("qbusiness", "CreateApplication", {"displayName": "docs"})[2]
    at = {"applicationId": application["applicationId"]}
    at["indexId"] = send("qbusiness", "CreateIndex", {**at, "displayName": "docs"})[2]["indexId"]
    custom = {"type": "CUSTOM", "version": "1.0.0"}
    source = send("qbusiness", "CreateDataSource", {**at, "displayName": "s", "configuration": custom})[2]
    source_at = {**at, "dataSourceId": source["dataSourceId"]}
    native = {"nativeIndexConfiguration": {"indexId": at["indexId"]}}
    retriever = send(
        "qbusiness",
        "CreateRetriever",
        {"applicationId": at["applicationId"], "type": "NATIVE_INDEX", "displayName": "r", "configuration": native},
    )[2]["retrieverId"]
    send("qbusiness", "CreateUser", {"applicationId": at["applicationId"], "userId": "known"})
    members = {"memberUsers": [{"userId": "u"}]}
    send("qbusiness", "PutGroup", {**at, "groupName": "known", "type": "INDEX", "groupMembers": members})
    send("qbusiness", "BatchPutDocument", {**at, "documents": [{"id": "known", "content": {"blob": "eA=="}}]})
    current().engine.store.run("UPDATE operations SET due = 0")  # a clock that waits is not the point here
    of_source = {
        name: source_at
        for name in service_model("qbusiness").operation_names
        if "dataSourceId"
        in getattr(service_model("qbusiness").operation_model(name).input_shape, "required_members", [])
    }
    send("qbusiness", "StartDataSourceSyncJob", source_at)
    return {
        "*": {**at, "resourceARN": application["applicationArn"], "retrieverId": retriever},
        **of_source,
        "StartDataSourceSyncJob": {**source_at, "dataSourceId": _another_source(at)},
        "SearchRelevantContent": {"contentSource": {"retriever": {"retrieverId": retriever}}},
        "CreateRetriever": {"configuration": native},
        "CreateUser": {"userId": "another"},
        "CheckDocumentAccess": {"documentId": "known", "userId": "anybody"},
        "ListGroups": {"updatedEarlierThan": 1},
        **{name: {"userId": "known"} for name in ("GetUser", "UpdateUser", "DeleteUser")},
        **{name: {"groupName": "known"} for name in ("GetGroup", "DeleteGroup")},
    }


def bedrock_world() -> dict[str, dict[str, Any]]:
    """A knowledge base with a data source and an indexed document; ``*`` is for every operation."""
    managed = {"type": "MANAGED", "managedKnowledgeBaseConfiguration": {}}
    parameters = {"type": "CUSTOM", "version": "1", "aclEnabled": True}
    custom = {
        "type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
        "managedKnowledgeBaseConnectorConfiguration": {"connectorParameters": parameters},
    }
    base = {"name": uuid.uuid4().hex, "roleArn": ARN, "knowledgeBaseConfiguration": managed}
    made = send("bedrock-agent", "CreateKnowledgeBase", base)[2]["knowledgeBase"]
    source = {"name": "s", "dataSourceConfiguration": custom}
    at = {"knowledgeBaseId": made["knowledgeBaseId"]}
    at["dataSourceId"] = send("bedrock-agent", "CreateDataSource", {**at, **source})[2]["dataSource"]["dataSourceId"]
    known = {"dataSourceType": "CUSTOM", "custom": {"id": "known"}}
    inline = {"type": "TEXT", "textContent": {"data": "x"}}
    content = {"customDocumentIdentifier": {"id": "known"}, "sourceType": "IN_LINE", "inlineContent": inline}
    documents = {"documents": [{"content": {"dataSourceType": "CUSTOM", "custom": content}}]}
    send("bedrock-agent", "IngestKnowledgeBaseDocuments", {**at, **documents})
    current().engine.store.run("UPDATE operations SET due = 0")  # a clock that waits is not the point here
    return {
        "*": {**at, "resourceArn": made["knowledgeBaseArn"]},
        "CreateKnowledgeBase": {**base, "name": uuid.uuid4().hex},
        "CreateDataSource": {**source, "name": "t"},
        "UpdateDataSource": source,
        "IngestKnowledgeBaseDocuments": documents,
        **{
            name: {"documentIdentifiers": [known]}
            for name in ("GetKnowledgeBaseDocuments", "DeleteKnowledgeBaseDocuments")
        },
        "Retrieve": {"retrievalQuery": {"text": "x"}},
        **{name: {"documentId": "known"} for name in ("GetIngestedDocumentAcl", "CheckIngestedDocumentAcl")},
    }


WORLDS = {
    "kendra": kendra_world,
    "qbusiness": qbusiness_world,
    "bedrock-agent": bedrock_world,
    "bedrock-agent-runtime": bedrock_world,
}


def _another_source(at: dict[str, str]) -> str:
    custom = {"type": "CUSTOM", "version": "1.0.0"}
    identifier: str = send("qbusiness", "CreateDataSource", {**at, "displayName": "t", "configuration": custom})[2][
        "dataSourceId"
    ]
    return identifier


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("kendra", "CreateFaq"),
        ("qbusiness", "ListPlugins"),
        ("bedrock-agent", "StartIngestionJob"),
        ("bedrock-agent-runtime", "RetrieveAndGenerate"),
    ],
)
def test_an_operation_that_is_not_emulated_says_so(service: str, operation: str) -> None:
    """Never silence, and never a made-up answer."""
    shape: Any = service_model(service).operation_model(operation).input_shape
    status, headers, _ = send(service, operation, valid(shape, full=False))
    assert status == 501
    assert headers["x-amzn-ErrorType"] == "NotImplementedException"


def test_the_tables_of_the_contract_are_covered() -> None:
    """Every operation that a pipeline or its set-up needs."""
    assert {
        *("CreateIndex", "DescribeIndex", "UpdateIndex", "DeleteIndex", "ListIndices", "CreateDataSource"),
        *("DescribeDataSource", "UpdateDataSource", "DeleteDataSource", "ListDataSources", "StartDataSourceSyncJob"),
        *("StopDataSourceSyncJob", "ListDataSourceSyncJobs", "BatchPutDocument", "BatchDeleteDocument", "Query"),
        *("BatchGetDocumentStatus", "PutPrincipalMapping", "DeletePrincipalMapping", "DescribePrincipalMapping"),
        *("Retrieve", "TagResource", "UntagResource", "ListTagsForResource"),
    } <= set(implemented("kendra"))
    assert {
        *("CreateApplication", "GetApplication", "DeleteApplication", "CreateIndex", "GetIndex", "UpdateIndex"),
        *("DeleteIndex", "ListIndices", "CreateRetriever", "CreateDataSource", "GetDataSource", "UpdateDataSource"),
        *("DeleteDataSource", "ListDataSources", "StartDataSourceSyncJob", "StopDataSourceSyncJob"),
        *("ListDataSourceSyncJobs", "BatchPutDocument", "BatchDeleteDocument", "ListDocuments", "CheckDocumentAccess"),
        *("PutGroup", "GetGroup", "DeleteGroup", "ListGroups", "CreateUser", "GetUser", "DeleteUser", "UpdateUser"),
        *("SearchRelevantContent", "TagResource", "UntagResource", "ListTagsForResource"),
    } <= set(implemented("qbusiness"))
    assert {
        *("CreateKnowledgeBase", "GetKnowledgeBase", "ListKnowledgeBases", "DeleteKnowledgeBase", "CreateDataSource"),
        *("GetDataSource", "ListDataSources", "UpdateDataSource", "DeleteDataSource", "IngestKnowledgeBaseDocuments"),
        *("DeleteKnowledgeBaseDocuments", "GetKnowledgeBaseDocuments", "ListKnowledgeBaseDocuments"),
    } <= set(implemented("bedrock-agent"))
    assert {"Retrieve", "GetIngestedDocumentAcl"} <= set(implemented("bedrock-agent-runtime"))
