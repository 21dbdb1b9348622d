"""Bedrock over HTTP: a program with nothing but an endpoint, and which requests are for the emulator."""

import http.client
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from docferry_emulators import Settings, emulated
from docferry_emulators.clock import VirtualClock
from docferry_emulators.server.application import service_of, serving
from tests.unit.emulators.bedrock_service import (
    BUCKET,
    MANAGED,
    VECTOR,
    BedrockService,
    at_fault,
    document,
    identifiers,
    managed,
    statuses_in,
)
from tests.unit.emulators.emulated_services import REGION, ROLE

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240101/eu-west-1/bedrock/aws4_request, Signature=0"
BEDROCK, OTHER = {"HTTP_AUTHORIZATION": SIGNED}, {"HTTP_AUTHORIZATION": SIGNED.replace("bedrock", "s3")}
ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
def clock() -> VirtualClock:
    """The time of the server."""
    return VirtualClock()


@pytest.fixture
def url(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server, with its address and credentials in the environment."""
    with serving(clock=clock) as (served, _):
        environment = {
            "AWS_ENDPOINT_URL": served,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": REGION,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield served


def prepared(agent: Any, clock: VirtualClock) -> dict[str, str]:
    """A managed knowledge base with a custom data source that has access control: its ids."""
    base = agent.create_knowledge_base(name="docs", roleArn=ROLE, **MANAGED)["knowledgeBase"]["knowledgeBaseId"]
    clock.sleep(1)
    source = agent.create_data_source(knowledgeBaseId=base, name="wiki", dataSourceConfiguration=managed(access=True))[
        "dataSource"
    ]["dataSourceId"]
    clock.sleep(1)
    assert agent.get_data_source(knowledgeBaseId=base, dataSourceId=source)["dataSource"]["status"] == "AVAILABLE"
    return {"knowledgeBaseId": base, "dataSourceId": source}


def polled(agent: Any, clock: VirtualClock, at: dict[str, str], ids: list[str], until: str) -> None:
    """Ask for the statuses until every document has the one that is waited for."""
    for _ in range(100):
        reply = agent.get_knowledge_base_documents(**at, documentIdentifiers=identifiers(ids))
        if set(statuses_in(reply).values()) == {until}:
            return
        clock.sleep(0.5)
    raise AssertionError(f"not {until}: {statuses_in(reply)}")


def test_an_answer_has_one_date_by_the_clock_of_the_emulator(url: str, clock: VirtualClock) -> None:
    """The times of documents are by that clock, too. An answer of moto has one, by the machine's."""
    clock.sleep(86_400)
    for headers in ({"Authorization": SIGNED}, {"Authorization": SIGNED.replace("bedrock", "s3")}):
        with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
            connection.request("GET", "/knowledgebases/ABCDEFGHIJ", headers=headers)
            (date,) = connection.getresponse().headers.get_all("Date", [])
        if "bedrock" in headers["Authorization"]:
            assert abs(parsedate_to_datetime(date) - clock.now()) < timedelta(minutes=1)


@pytest.mark.usefixtures("url")
def test_a_program_ingests_polls_retrieves_as_two_users_and_deletes(clock: VirtualClock) -> None:
    """It knows nothing of the emulator but AWS_ENDPOINT_URL. Each user finds what is theirs."""
    agent: Any = boto3.client("bedrock-agent")
    runtime: Any = boto3.client("bedrock-agent-runtime")
    at = prepared(agent, clock)

    def found(user: str) -> set[str]:
        reply = runtime.retrieve(
            knowledgeBaseId=at["knowledgeBaseId"],
            retrievalQuery={"text": "foxes"},
            userContext={"userId": user},
            retrievalConfiguration={"managedSearchConfiguration": {"numberOfResults": 10}},
        )
        return {item["documentId"] for item in reply["retrievalResults"]}

    documents = [
        document("https://wiki/Fox?a=1&b=ü", "The quick brown fox", allow=[ANN]),
        document("den", "Where foxes live", allow=[ANN, BOB]),
        document("trap", "No fox is to know this", allow=[BOB], deny=[ANN]),
    ]
    ids = [one["content"]["custom"]["customDocumentIdentifier"]["id"] for one in documents]
    accepted = agent.ingest_knowledge_base_documents(**at, documents=documents)
    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert set(statuses_in(accepted).values()) == {"STARTING"}
    polled(agent, clock, at, ids, "INDEXED")
    assert found(ANN) == {ids[0], "den"}
    assert found(BOB) == {"den", "trap"}
    acl = runtime.get_ingested_document_acl(**at, documentId="trap")["documentAcl"]
    assert acl["denyList"]["conditions"][0]["users"][0]["id"] == ANN

    deleted = agent.delete_knowledge_base_documents(**at, documentIdentifiers=identifiers(ids))
    assert set(statuses_in(deleted).values()) == {"DELETING"}
    polled(agent, clock, at, ids, "NOT_FOUND")
    assert found(ANN) | found(BOB) == set()
    assert agent.list_knowledge_base_documents(**at)["documentDetails"] == []


@pytest.mark.usefixtures("url")
def test_motos_part_of_bedrock_goes_on(clock: VirtualClock) -> None:
    """Agents, their tags, and the models of Bedrock itself, on the same port with the same signing name."""
    agent: Any = boto3.client("bedrock-agent")
    at = prepared(agent, clock)
    made = agent.create_agent(agentName="helper", agentResourceRoleArn=ROLE)["agent"]
    agent.tag_resource(resourceArn=made["agentArn"], tags={"team": "red"})
    base = agent.get_knowledge_base(knowledgeBaseId=at["knowledgeBaseId"])["knowledgeBase"]["knowledgeBaseArn"]
    agent.tag_resource(resourceArn=base, tags={"team": "blue", "floor": "1"})
    agent.untag_resource(resourceArn=base, tagKeys=["floor"])

    assert [one["agentId"] for one in agent.list_agents()["agentSummaries"]] == [made["agentId"]]
    assert agent.list_tags_for_resource(resourceArn=made["agentArn"])["tags"] == {"team": "red"}
    assert agent.list_tags_for_resource(resourceArn=base)["tags"] == {"team": "blue"}
    assert boto3.client("bedrock").list_custom_models()["modelSummaries"] == []
    assert agent.delete_agent(agentId=made["agentId"])["agentStatus"] == "DELETING"


def test_motos_part_of_bedrock_goes_on_in_process() -> None:
    """Also where moto answers boto3 itself."""
    with emulated(settings=Settings(resource_seconds=0)):
        agent: Any = boto3.client("bedrock-agent", region_name=REGION)
        base = agent.create_knowledge_base(name="docs", roleArn=ROLE, **VECTOR)["knowledgeBase"]
        made = agent.create_agent(agentName="helper", agentResourceRoleArn=ROLE)["agent"]
        agent.tag_resource(resourceArn=made["agentArn"], tags={"team": "red"})
        assert agent.get_agent(agentId=made["agentId"])["agent"]["agentName"] == "helper"
        assert agent.list_tags_for_resource(resourceArn=made["agentArn"])["tags"] == {"team": "red"}
        assert agent.list_tags_for_resource(resourceArn=base["knowledgeBaseArn"])["tags"] == {}
        with pytest.raises(ClientError) as error:
            agent.list_tags_for_resource(resourceArn=f"{base['knowledgeBaseArn'][:-1]}-")
        assert error.value.response["Error"]["Code"] in {"ResourceNotFoundException", "ValidationException"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "service"),
    [
        ("PUT", "/knowledgebases/", BEDROCK, "bedrock-agent"),
        ("POST", "/knowledgebases/KB12345678/retrieve", BEDROCK, "bedrock-agent-runtime"),
        ("POST", "/knowledgebases/arn%3Aaws%3A%2FKB12345678/retrieve", BEDROCK, "bedrock-agent-runtime"),
        ("POST", "/retrieveAndGenerate", BEDROCK, "bedrock-agent-runtime"),
        ("PUT", "/agents/", BEDROCK, None),
        ("GET", "/foundation-models", BEDROCK, None),
        ("GET", "/tags/arn%3A1%3Aknowledge-base%2FKB12345678", BEDROCK, "bedrock-agent"),
        ("GET", "/tags/arn%3Aaws%3Abedrock%3Ar%3A1%3Aagent%2FA", BEDROCK, None),
        ("GET", "/knowledgebases/x", OTHER, None),
        ("POST", "/knowledgebases/KB12345678", {}, "bedrock-agent"),
        ("POST", "/tags/x", {"HTTP_HOST": "bedrock-agent-runtime.eu-west-1.amazonaws.com"}, "bedrock-agent-runtime"),
    ],
)  # fmt: skip
def test_which_service_a_request_is_for(method: str, path: str, headers: dict[str, str], service: str | None) -> None:
    """The four services of Bedrock have one signing name: the path decides, or the host where it says something."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "RAW_URI": path, "wsgi.url_scheme": "http", **headers}
    assert service_of(environ) == service


def test_the_wire(url: str, clock: VirtualClock) -> None:
    """Status 202, times in ISO 8601, the error in a header, and the members that are at fault."""
    at = prepared(boto3.client("bedrock-agent"), clock)
    place = f"/knowledgebases/{at['knowledgeBaseId']}/datasources/{at['dataSourceId']}"

    def call(method: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request(method, path, json.dumps(body), {"Authorization": SIGNED})
        response = connection.getresponse()
        replied = {name.lower(): value for name, value in response.getheaders()}
        content = json.loads(response.read())
        connection.close()
        return response.status, replied, content

    status, headers, body = call("PUT", f"{place}/documents", {"documents": [document("a", allow=[ANN])]})
    assert (status, headers["content-type"]) == (202, "application/json")
    assert body["documentDetails"][0]["updatedAt"].endswith("Z")
    status, headers, body = call("PUT", f"{place}/documents", {"documents": []})
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert [field["name"] for field in body["fieldList"]] == ["documents"]
    status, headers, body = call("POST", "/knowledgebases/KB12345678/retrieve", {"retrievalQuery": {"text": "x"}})
    assert (status, headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    assert set(body) == {"message"}
    status, headers, _ = call("PUT", f"{place}/ingestionjobs", {})
    assert (status, headers["x-amzn-errortype"]) == (501, "NotImplementedException")


def test_the_state_survives(tmp_path: Path) -> None:
    """Work that was under way goes on after a restart, and a client token is still known."""
    token, clock = "a" * 33, VirtualClock()
    with emulated(clock=clock, database=tmp_path / "state"):
        agent: Any = boto3.client("bedrock-agent", region_name=REGION)
        at = prepared(agent, clock)
        request = {**at, "documents": [document("a", allow=[ANN])], "clientToken": token}
        first = agent.ingest_knowledge_base_documents(**request)["documentDetails"]
    with emulated(clock=clock, database=tmp_path / "state"):
        agent = boto3.client("bedrock-agent", region_name=REGION)
        assert agent.ingest_knowledge_base_documents(**request)["documentDetails"] == first
        polled(agent, clock, at, ["a"], "INDEXED")


def test_a_file_from_before_bedrock_is_opened(tmp_path: Path) -> None:
    """Its client tokens have no time. They are known as before, and new ones are kept beside them."""
    with emulated(database=tmp_path / "state"):
        kendra: Any = boto3.client("kendra", region_name=REGION)
        first = kendra.create_index(Name="docs", RoleArn=ROLE, ClientToken="t")["Id"]
    with closing(sqlite3.connect(tmp_path / "state")) as file:
        file.execute("ALTER TABLE tokens DROP COLUMN at")
    with emulated(database=tmp_path / "state"):
        kendra = boto3.client("kendra", region_name=REGION)
        assert kendra.create_index(Name="docs", RoleArn=ROLE, ClientToken="t")["Id"] == first
        assert kendra.create_index(Name="docs", RoleArn=ROLE, ClientToken="u")["Id"] != first


@pytest.mark.parametrize(
    ("base", "source", "member"),
    [
        (VECTOR, managed(access=True), "dataSourceConfiguration.type"),
        (MANAGED, {"type": "CUSTOM"}, "dataSourceConfiguration.type"),
        (MANAGED, BUCKET, "dataSourceConfiguration.type"),
        (VECTOR, {"type": "S3"}, "dataSourceConfiguration.s3Configuration"),
        (
            MANAGED,
            {
                "type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
                "managedKnowledgeBaseConnectorConfiguration": {"connectorParameters": {"type": "CUSTOM"}},
            },
            "dataSourceConfiguration.managedKnowledgeBaseConnectorConfiguration.connectorParameters",
        ),
    ],
)
def test_a_data_source_fits_its_knowledge_base(base: Any, source: Any, member: str) -> None:
    """What does not fit is refused, and the member named."""
    with emulated(settings=Settings(resource_seconds=0)):
        agent: Any = boto3.client("bedrock-agent", region_name=REGION)
        made = agent.create_knowledge_base(name="docs", roleArn=ROLE, **base)["knowledgeBase"]["knowledgeBaseId"]
        with pytest.raises(ClientError) as error:
            agent.create_data_source(knowledgeBaseId=made, name="wiki", dataSourceConfiguration=source)
    assert at_fault(error) == [member]


def test_an_identifier_without_its_member_is_refused(bedrock: BedrockService) -> None:
    """The place is named."""
    with pytest.raises(ClientError) as error:
        bedrock.agent.get_knowledge_base_documents(
            **bedrock.at, documentIdentifiers=[*identifiers(["a"]), {"dataSourceType": "CUSTOM"}]
        )
    assert at_fault(error) == ["documentIdentifiers.2.member.custom"]
