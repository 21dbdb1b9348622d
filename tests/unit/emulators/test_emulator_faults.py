"""Faults on demand: every knob, in either service."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from docferry_emulators import Settings, emulated
from tests.unit.emulators.emulated_services import REGION, KendraService, Service, code_of


def test_every_nth_call_is_throttled(service: Service) -> None:
    """By operation; the others go on."""
    service.emulation.faults.knobs.throttle_every = {"BatchPutDocument": 3}
    outcomes = []
    for _ in range(6):
        try:
            service.put(service.document("a"))
            outcomes.append("")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes == ["", "", "ThrottlingException"] * 2
    service.start()


def test_one_call_is_throttled(service: Service) -> None:
    """Named by operation and number."""
    calls = service.emulation.faults.calls["BatchPutDocument"]
    service.emulation.faults.knobs.throttle = {f"BatchPutDocument#{calls + 2}"}
    service.put(service.document("a"))
    with pytest.raises(ClientError) as error:
        service.put(service.document("a"))
    assert code_of(error) == "ThrottlingException"


def test_a_failing_call_has_no_effect(service: Service) -> None:
    """It answers 500."""
    service.emulation.faults.knobs.fail = {"StartDataSourceSyncJob#1"}
    with pytest.raises(ClientError) as error:
        service.start()
    assert code_of(error) == "InternalServerException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert service.history() == []


def test_failing_again_and_again(service: Service) -> None:
    """Every n-th call of any operation."""
    service.emulation.faults.reset()
    service.emulation.faults.knobs.fail_every = {"*": 2}
    service.start()
    with pytest.raises(ClientError) as error:
        service.stop()
    assert code_of(error) == "InternalServerException"


def test_a_lost_reply_has_its_effect(service: Service) -> None:
    """The client sees a broken connection; the job runs, and its id has to be found in the list."""
    service.emulation.faults.knobs.lose_reply = {"StartDataSourceSyncJob#1"}
    with pytest.raises(ConnectionClosedError):
        service.start()
    assert [job["Status"] for job in service.history()] == ["SYNCING"]


def test_boto3_retries_a_lost_start_into_a_conflict(service: Service) -> None:
    """There is no client token on Start, so the retry of a lost reply finds its own job running."""
    service.emulation.faults.knobs.lose_reply = {"StartDataSourceSyncJob#1"}
    make: Any = boto3.client  # its stubs know each service by a literal
    service.client = make(service.name, region_name=REGION)
    with pytest.raises(ClientError) as error:
        service.start()
    assert code_of(error) == service.busy
    assert len(service.history()) == 1


def test_a_cut_reply_has_its_effect(service: Service) -> None:
    """The client gets half a body. boto3 takes that for an empty reply; only the announced length gives it away."""
    replies: list[Any] = []
    service.client.meta.events.register("before-parse", lambda response_dict, **_: replies.append(response_dict))
    service.emulation.faults.knobs.cut_reply = {"StartDataSourceSyncJob#1"}
    with pytest.raises(KeyError):
        service.start()
    assert int(replies[0]["headers"]["Content-Length"]) > len(replies[0]["body"]) > 0
    assert [job["Status"] for job in service.history()] == ["SYNCING"]


def test_rejected_and_failing_documents(service: Service) -> None:
    """Rejected ones are never accepted; failing ones are, and an old version stays findable."""
    service.sync(service.document("a", "giraffe"), service.document("b", "giraffe"))
    knobs = service.emulation.faults.knobs
    knobs.reject, knobs.fail_documents = {"a": "No."}, {"b": "Broken."}
    job = service.start()
    assert service.put(service.document("a"), service.document("b"), job=job) == [("a", "InvalidRequest", "No.")]
    assert service.delete("a", job=job) == [("a", "InvalidRequest", "No.")]
    service.stop()
    service.settle()
    assert service.metrics() == (0, 0, 0, 1)
    assert sorted(service.search("giraffe")) == ["a", "b"]
    assert service.status("b") in {"UPDATE_FAILED", "FAILED"}


def test_a_delete_that_fails_later(service: Service) -> None:
    """The document stays."""
    service.sync(service.document("a", "giraffe"))
    service.emulation.faults.knobs.fail_documents = {"a": "Broken."}
    service.sync(delete=("a",))
    assert service.metrics() == (0, 0, 0, 1)
    assert service.search("giraffe") == ["a"]
    assert service.counted() == 1


def test_a_job_that_is_stuck(service: Service) -> None:
    """SYNCING_INDEXING until the knob is turned back."""
    service.emulation.faults.knobs.stuck = True
    service.sync(service.document("a"))
    service.clock.sleep(86400)
    assert service.job()["Status"] == "SYNCING_INDEXING"
    service.emulation.faults.knobs.stuck = False
    assert service.job()["Status"] == "SUCCEEDED"


@pytest.mark.parametrize("status", ["FAILED", "INCOMPLETE", "ABORTED"])
def test_how_a_job_ends(service: Service, status: Any) -> None:
    """FAILED and ABORTED say why."""
    service.emulation.faults.knobs.end_jobs = status
    service.sync(service.document("a"))
    job = service.job()
    assert job["Status"] == status
    assert (job.get("ErrorMessage") or job.get("Error") is not None) or status == "INCOMPLETE"


def test_an_index_over_capacity(service: Service) -> None:
    """Too many documents fail one by one, too much text refuses the request."""
    service.emulation.faults.knobs.over_capacity = "documents"
    assert [code for _, code, _ in service.put(service.document("a"))] == ["InvalidRequest"]
    service.emulation.faults.knobs.over_capacity = "text"
    with pytest.raises(ClientError) as error:
        service.put(service.document("a"))
    assert code_of(error) == "ServiceQuotaExceededException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == (400 if service.name == "kendra" else 402)


def test_hooks(kendra: KendraService) -> None:
    """Anything a test wants, before a call takes effect."""
    seen = []
    kendra.emulation.faults.hooks["BatchPutDocument#2"] = lambda: seen.append("second")
    kendra.emulation.faults.hooks["Query"] = lambda: seen.append("query")
    for _ in range(3):
        kendra.put(kendra.document("a"))
    kendra.search("a")
    assert seen == ["second", "query"]


def test_reset_takes_everything_back(kendra: KendraService) -> None:
    """Knobs, counts and hooks."""
    faults = kendra.emulation.faults
    faults.knobs.throttle_every = {"*": 1}
    faults.hooks["Query"] = lambda: None
    faults.reset()
    assert kendra.search("a") == []
    assert faults.calls == {"Query": 1, "*": 1}
    assert faults.hooks == {}


def test_entering_twice_is_harmless() -> None:
    """Registration happens once; the inner emulation answers until it is left."""
    settings = Settings(resource_seconds=0)
    role = "arn:aws:iam::123456789012:role/r"
    with emulated(settings=settings):
        client = boto3.client("kendra", region_name=REGION)
        outer = client.create_index(Name="outer", RoleArn=role)["Id"]
        with emulated(settings=settings):
            assert client.list_indices()["IndexConfigurationSummaryItems"] == []
        assert [one["Id"] for one in client.list_indices()["IndexConfigurationSummaryItems"]] == [outer]


def test_accounts_and_regions_are_apart() -> None:
    """As in every backend of moto."""
    with emulated(settings=Settings(resource_seconds=0)):
        here, there = (boto3.client("kendra", region_name=region) for region in ("eu-west-1", "us-east-1"))
        index = here.create_index(Name="x", RoleArn="arn:aws:iam::123456789012:role/r")["Id"]
        with pytest.raises(ClientError) as error:
            there.describe_index(Id=index)
        assert code_of(error) == "ResourceNotFoundException"
