"""One test, or more, for each row of the open questions: the safe default, and the switch where there is one."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from docferry_emulators.faults import EndStatus
from tests.unit.emulators.emulated_services import ROLE, KendraService, QBusinessService, Service, code_of

BOTH = pytest.mark.parametrize("name", ["kendra", "qbusiness"])


def attribute(service: Service, name: str, **value: Any) -> dict[str, Any]:
    """One attribute in the words of the service; value is spelled as Kendra does."""
    if isinstance(service, KendraService):
        return {"Key": name, "Value": value}
    return {"name": name, "value": {key[0].lower() + key[1:]: item for key, item in value.items()}}


def with_attributes(service: Service, document: dict[str, Any], *attributes: dict[str, Any]) -> dict[str, Any]:
    """The document, with attributes."""
    return {**document, "Attributes" if isinstance(service, KendraService) else "attributes": list(attributes)}


@BOTH
def test_question_1_start_during_syncing_indexing(start: Any, name: str) -> None:
    """Refused (rule 2), unless the switch says what older guides said."""
    service: Service = start(name, start_while_indexing="allow")
    first = service.start()
    service.put(service.document("a"), job=first)
    service.stop()
    with pytest.raises(ClientError):
        service.start()
    service.clock.sleep(1.1)
    assert service.job()["Status"] == "SYNCING_INDEXING"
    assert service.start() != first


@BOTH
@pytest.mark.parametrize("end", ["INCOMPLETE", "ABORTED", "FAILED"])
def test_question_2_start_after_any_end(start: Any, name: str, end: EndStatus) -> None:
    """INCOMPLETE and ABORTED are ends too."""
    service: Service = start(name)
    service.emulation.faults.knobs.end_jobs = end
    service.sync(service.document("a"))
    assert service.job()["Status"] == end
    assert service.start()


def test_question_3_stop_without_a_job(kendra: KendraService) -> None:
    """Kendra models no conflict, so it is no error."""
    kendra.stop()


def test_question_3_stop_without_a_job_conflicts_in_q(qbusiness: QBusinessService) -> None:
    """Q Business can only stop a job already in progress."""
    with pytest.raises(ClientError) as error:
        qbusiness.stop()
    assert code_of(error) == "ConflictException"


@pytest.mark.parametrize(
    ("how", "code"), [("invalid", "ValidationException"), ("not_found", "ResourceNotFoundException")]
)
def test_question_3_switches(start: Any, how: str, code: str) -> None:
    """The other answers a service could give."""
    with pytest.raises(ClientError) as error:
        start("kendra", kendra_stop_idle=how).stop()
    assert code_of(error) == code
    start("qbusiness", qbusiness_stop_idle="accept").stop()


def test_question_4_delete_of_an_unknown_id_in_q(start: Any) -> None:
    """A failed document with ResourceNotFound, or nothing."""
    strict: QBusinessService = start("qbusiness")
    assert [code for _, code, _ in strict.delete("unknown")] == ["ResourceNotFound"]
    lenient: QBusinessService = start("qbusiness", qbusiness_delete_unknown="accept")
    job = lenient.start()
    assert lenient.delete("unknown", job=job) == []
    lenient.stop()
    lenient.settle()
    assert lenient.metrics() == (0, 0, 0, 0)


def test_question_5_delete_of_an_unknown_id_in_kendra(start: Any) -> None:
    """A failed document with InvalidRequest at once, or nothing."""
    strict: KendraService = start("kendra")
    job = strict.start()
    assert [code for _, code, _ in strict.delete("unknown", job=job)] == ["InvalidRequest"]
    strict.stop()
    strict.settle()
    assert strict.metrics() == (0, 0, 0, 0)
    lenient: KendraService = start("kendra", kendra_delete_unknown="accept")
    assert lenient.delete("unknown") == []


def test_question_6_put_and_delete_in_one_job(service: Service) -> None:
    """They apply in the order they arrived; the last decides what counts."""
    service.sync(service.document("old"))
    job = service.start()
    service.delete("old", job=job)
    service.put(service.document("old", "giraffe"), job=job)
    service.put(service.document("new"), job=job)
    service.delete("new", job=job)
    service.stop()
    service.settle()
    assert service.search("giraffe") == ["old"]
    assert service.status("new") == "NOT_FOUND"
    assert service.metrics() == (0, 1, 1, 0)


def test_question_7_put_twice_in_one_job(service: Service) -> None:
    """A new document stays Added."""
    job = service.start()
    service.put(service.document("a", "one"), job=job)
    service.settle()
    service.put(service.document("a", "two"), job=job)
    service.stop()
    service.settle()
    assert service.metrics() == (1, 0, 0, 0)


@BOTH
@pytest.mark.parametrize(("how", "modified"), [("modified", 1), ("ignored", 0)])
def test_question_8_an_unchanged_put(start: Any, name: str, how: str, modified: int) -> None:
    """Counts as Modified by default."""
    service: Service = start(name, unchanged_put=how)
    service.sync(service.document("a"))
    service.sync(service.document("a"))
    assert service.metrics() == (0, modified, 0, 0)


@BOTH
def test_question_9_the_same_id_twice_in_one_batch(start: Any, name: str) -> None:
    """The last one wins; with the switch both are rejected."""
    service: Service = start(name)
    service.sync(service.document("a", "giraffe"), service.document("a", "zebra"))
    assert service.search("zebra") == ["a"]
    assert service.search("giraffe") == []
    assert service.metrics() == (1, 0, 0, 0)
    strict: Service = start(name, duplicate_in_batch="reject")
    rejected = strict.put(strict.document("a"), strict.document("a"), strict.document("b"))
    assert [name for name, _, _ in rejected] == ["a", "a"]


def test_question_10_the_whole_request_or_one_document(service: Service) -> None:
    """Counts, lengths and enums refuse the request; the rest fails one document."""
    good = service.document("good")
    for documents in ([service.document(f"d{n}") for n in range(11)], [{**good, **_content_type(service, "EXE")}]):
        with pytest.raises(ClientError) as error:
            service.put(*documents)
        assert code_of(error) == "ValidationException"
    wrong_type = with_attributes(service, service.document("type"), attribute(service, "_category", LongValue=1))
    long_list = with_attributes(
        service, service.document("list"), attribute(service, "_authors", StringListValue=["x"] * 11)
    )
    many = service.document("acl", **_acl(service, 201))
    rejected = service.put(good, wrong_type, long_list, many)
    assert [(name, code) for name, code, _ in rejected] == [
        ("type", "InvalidRequest"),
        ("list", "InvalidRequest"),
        ("acl", "InvalidRequest"),
    ]


def _content_type(service: Service, value: str) -> dict[str, str]:
    return {"ContentType" if isinstance(service, KendraService) else "contentType": value}


def _acl(service: Service, entries: int) -> dict[str, Any]:
    if isinstance(service, KendraService):
        return {"AccessControlList": [{"Name": "u", "Type": "USER", "Access": "ALLOW"}] * entries}
    principals = [{"user": {"id": "u", "access": "ALLOW"}}] * entries
    return {"accessConfiguration": {"accessControls": [{"principals": principals}]}}


def test_question_10_two_values_or_none(kendra: KendraService) -> None:
    """Kendra's attribute value is no union, so boto3 sends either; the document fails."""
    two = with_attributes(kendra, kendra.document("two"), attribute(kendra, "_category", StringValue="x", LongValue=1))
    none = with_attributes(kendra, kendra.document("none"), attribute(kendra, "_category"))
    assert [name for name, _, _ in kendra.put(two, none)] == ["two", "none"]


@BOTH
def test_question_10_a_document_that_is_too_large(start: Any, name: str) -> None:
    """It fails alone."""
    service: Service = start(name, kendra_document_bytes=10, qbusiness_document_bytes=10)
    rejected = service.put(service.document("small", "x" * 10), service.document("large", "x" * 11))
    assert [(name, code) for name, code, _ in rejected] == [("large", "InvalidRequest")]


def test_question_11_blob_and_path(service: Service) -> None:
    """Neither fails the document; Kendra's model also lets both through, which fails too."""
    if isinstance(service, KendraService):
        path = {"Bucket": "content", "Key": "k"}
        both = {"Id": "both", "Blob": b"x", "S3Path": path}
        rejected = service.put({"Id": "neither"}, both, RoleArn=ROLE)
    else:
        rejected = service.put({"id": "neither"})
    assert {code for _, code, _ in rejected} == {"InvalidRequest"}
    assert rejected[0][0] == "neither"


@BOTH
def test_question_12_s3_without_a_role(start: Any, name: str) -> None:
    """Refused, as in rule 18; the switch lets it pass."""
    service: Service = start(name, s3_without_role="accept", read_s3="put")
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="content")
    s3.put_object(Bucket="content", Key="k", Body=b"giraffe")
    documents = [
        {"Id": key, "S3Path": {"Bucket": "content", "Key": key}}
        if name == "kendra"
        else {"id": key, "content": {"s3": {"bucket": "content", "key": key}}}
        for key in ("k", "missing")
    ]
    # read_s3="put" looks at once, so the missing object is a rejected document here.
    assert [(name, code) for name, code, _ in service.put(*documents)] == [("missing", "InvalidRequest")]
    s3.delete_object(Bucket="content", Key="k")
    service.settle()
    assert service.search("giraffe") == ["k"]


def test_question_13_no_content_type(service: Service) -> None:
    """Taken for plain text."""
    document = service.document("a", "giraffe <b>")
    document = {key: value for key, value in document.items() if key.lower() != "contenttype"}
    service.sync(document)
    assert service.search("giraffe b") == ["a"]


@BOTH
def test_question_14_an_index_that_is_not_active(start: Any, name: str) -> None:
    """A put meets ConflictException while the index is CREATING or UPDATING."""
    service: Service = start(name)
    if isinstance(service, KendraService):
        service.client.update_index(Id=service.index, Description="x")
    else:
        assert isinstance(service, QBusinessService)
        service.client.update_index(**service.at, description="x")
    with pytest.raises(ClientError) as error:
        service.put(service.document("a"))
    assert code_of(error) == "ConflictException"
    service.clock.sleep(1)
    assert service.put(service.document("a")) == []


def test_question_15_both_kinds_of_access_control(kendra: KendraService) -> None:
    """The reader has to pass the flat list and the hierarchy."""
    ann, bob = ({"Name": name, "Type": "USER", "Access": "ALLOW"} for name in ("ann", "bob"))
    kendra.sync(
        kendra.document(
            "a", "giraffe", AccessControlList=[ann, bob], HierarchicalAccessControlList=[{"PrincipalList": [ann]}]
        )
    )
    assert kendra.search("giraffe", UserContext={"UserId": "ann"}) == ["a"]
    assert kendra.search("giraffe", UserContext={"UserId": "bob"}) == []


def test_question_16_hierarchical_lists_are_an_and_of_ors(kendra: KendraService) -> None:
    """One of each list."""

    def listed(*names: str) -> dict[str, Any]:
        return {"PrincipalList": [{"Name": name, "Type": "GROUP", "Access": "ALLOW"} for name in names]}

    kendra.sync(kendra.document("a", "giraffe", HierarchicalAccessControlList=[listed("x", "y"), listed("z")]))
    assert kendra.search("giraffe", UserContext={"Groups": ["y", "z"]}) == ["a"]
    assert kendra.search("giraffe", UserContext={"Groups": ["x", "y"]}) == []


def test_question_17_defaults_of_member_relations(qbusiness: QBusinessService) -> None:
    """OR inside a control, AND between controls."""

    def control(*names: str) -> dict[str, Any]:
        return {"principals": [{"user": {"id": name, "access": "ALLOW"}} for name in names]}

    access = {"accessControls": [control("ann@x", "bob@x"), control("ann@x", "cy@x")]}
    qbusiness.sync(qbusiness.document("a", accessConfiguration=access))

    def may(user: str) -> bool:
        reply = qbusiness.client.check_document_access(**qbusiness.at, userId=user, documentId="a")
        allowed: bool = reply["hasAccess"]
        return allowed

    assert [user for user in ("ann@x", "bob@x", "cy@x") if may(user)] == ["ann@x"]


def test_question_18_sync_id_and_attributes(start: Any) -> None:
    """Either is enough; if they differ the document fails, or the request's member counts."""
    service: QBusinessService = start("qbusiness")
    job = service.start()
    mine = attribute(service, "_data_source_sync_job_execution_id", StringValue=job)
    source = attribute(service, "_data_source_id", StringValue=service.source)
    other = attribute(service, "_data_source_sync_job_execution_id", StringValue=job[::-1])
    assert service.put(service.document("by-member"), job=job) == []
    assert service.put(with_attributes(service, service.document("by-attributes"), mine, source)) == []
    assert service.put(with_attributes(service, service.document("by-all"), mine, source), job=job) == []
    assert [
        name for name, _, _ in service.put(with_attributes(service, service.document("differ"), other), job=job)
    ] == ["differ"]
    service.stop()
    service.settle()
    assert service.metrics() == (3, 0, 0, 0)
    lenient: QBusinessService = start("qbusiness", sync_id_mismatch="request")
    job = lenient.start()
    assert lenient.put(with_attributes(lenient, lenient.document("differ"), other), job=job) == []


def test_question_19_data_source_without_a_job_id(service: Service) -> None:
    """The running job gets it."""
    service.start()
    assert service.put(service.document("a"), source=service.source) == []
    service.stop()
    service.settle()
    assert service.metrics() == (1, 0, 0, 0)


def test_question_19_delete_with_a_data_source_only(kendra: KendraService) -> None:
    """The running job gets it; without one the document is deleted all the same, and counted nowhere."""
    kendra.sync(kendra.document("a"), kendra.document("b"))
    kendra.start()
    kendra.delete("a", source=kendra.source)
    kendra.stop()
    kendra.settle()
    assert kendra.metrics() == (0, 0, 1, 0)
    kendra.delete("b", source=kendra.source)
    kendra.settle()
    assert kendra.counted() == 0
    assert kendra.metrics() == (0, 0, 1, 0)


def test_question_20_no_job_at_all(service: Service) -> None:
    """The document is indexed, and in no metrics."""
    assert service.put(service.document("a", "giraffe"), source=service.source) == []
    assert service.put(service.document("b", "giraffe")) == []
    service.settle()
    assert sorted(service.search("giraffe")) == ["a", "b"]
    assert service.history() == []


@BOTH
def test_question_21_a_document_of_another_data_source(start: Any, name: str) -> None:
    """Rejected (rule 12), or taken over."""
    service: Service = start(name, foreign_document="replace")
    service.sync(service.document("a", "giraffe"))
    other = service.add_source()
    job = service.start(other)
    assert service.put(service.document("a", "zebra"), job=job, source=other) == []
    service.settle()
    assert service.search("zebra") == ["a"]


@BOTH
@pytest.mark.parametrize(("how", "stays"), [("clear", False), ("keep", True)])
def test_question_22_what_a_put_leaves_out(start: Any, name: str, how: str, *, stays: bool) -> None:
    """It is gone by default: a put without access control makes the document public."""
    service: Service = start(name, left_out_on_put=how, qbusiness_search_without_user="public")
    service.sync(
        with_attributes(
            service,
            service.document("a", "giraffe", **_acl(service, 1)),
            attribute(service, "_category", StringValue="x"),
        )
    )
    service.sync(service.document("a", "giraffe"))
    if isinstance(service, KendraService):
        found = service.search("giraffe", UserContext={"UserId": "somebody else"})
    else:
        found = service.search("giraffe")
    assert found == ([] if stays else ["a"])


@BOTH
def test_question_23_a_job_that_nobody_stops(start: Any, name: str) -> None:
    """Runs for ever; with an age limit it ends ABORTED."""
    service: Service = start(name)
    service.start()
    service.clock.sleep(30 * 86400)
    assert service.job()["Status"] == "SYNCING"
    limited: Service = start(name, job_age_limit=3600.0)
    limited.start()
    limited.clock.sleep(7200)
    job = limited.job()
    assert job["Status"] == "ABORTED"
    assert job["EndTime"] - job["StartTime"] == timedelta(hours=1)


@BOTH
@pytest.mark.parametrize(("when", "live"), [("live", 1), ("final", 0)])
def test_question_24_metrics_while_syncing(start: Any, name: str, when: str, live: int) -> None:
    """Live by default."""
    service: Service = start(name, metrics_while_syncing=when)
    job = service.start()
    service.put(service.document("a"), job=job)
    service.settle()
    assert service.metrics() == (live, 0, 0, 0)
    service.stop()
    service.settle()
    assert service.metrics() == (1, 0, 0, 0)


def test_question_25_metrics_of_a_fresh_job(service: Service) -> None:
    """Present, with zeros."""
    service.start()
    assert service.metrics() == (0, 0, 0, 0)


def test_question_26_the_type_of_a_custom_data_source(qbusiness: QBusinessService) -> None:
    """CUSTOM, and in the configuration as given."""
    found = qbusiness.client.get_data_source(**qbusiness.at, dataSourceId=qbusiness.source)
    assert found["type"] == "CUSTOM"
    assert found["configuration"] == {"type": "CUSTOM", "version": "1.0.0"}


def test_question_27_failed_documents_on_success(service: Service) -> None:
    """The key is present, the list empty."""
    if isinstance(service, KendraService):
        reply = service.client.batch_put_document(IndexId=service.index, Documents=[service.document("a")])
    else:
        assert isinstance(service, QBusinessService)
        reply = service.client.batch_put_document(**service.at, documents=[service.document("a")])
    assert reply.get("FailedDocuments", reply.get("failedDocuments")) == []


def test_question_28_resource_types(qbusiness: QBusinessService) -> None:
    """DATA_SOURCE, INDEX, APPLICATION."""
    unknown = "0" * 36
    cases = {
        "APPLICATION": {"applicationId": unknown},
        "INDEX": {"indexId": unknown},
        "DATA_SOURCE": {"dataSourceId": unknown},
    }
    for kind, wrong in cases.items():
        with pytest.raises(ClientError) as error:
            qbusiness.client.get_data_source(**{**qbusiness.at, "dataSourceId": qbusiness.source, **wrong})
        assert code_of(error) == "ResourceNotFoundException"
        members: dict[str, Any] = {**error.value.response}
        assert (members["resourceType"], members["resourceId"]) == (kind, unknown)


def test_question_29_client_tokens(service: Service) -> None:
    """The same token gives the same id; with another body it is a conflict."""
    if isinstance(service, KendraService):
        create = service.client.create_data_source
        request = {"IndexId": service.index, "Type": "CUSTOM", "Name": "x", "ClientToken": "t"}
        key, other = "Id", {"Name": "y"}
    else:
        assert isinstance(service, QBusinessService)
        create = service.client.create_data_source
        configuration = {"type": "CUSTOM", "version": "1.0.0"}
        request = {**service.at, "displayName": "x", "configuration": configuration, "clientToken": "t"}
        key, other = "dataSourceId", {"displayName": "y"}
    assert create(**request)[key] == create(**request)[key]
    with pytest.raises(ClientError) as error:
        create(**{**request, **other})
    assert code_of(error) == "ConflictException"


def test_question_30_history_and_tokens(kendra: KendraService) -> None:
    """Every job is kept; tokens are opaque, and belong to their list."""
    jobs = [kendra.sync() for _ in range(12)][::-1]
    at = {"IndexId": kendra.index, "Id": kendra.source}
    first = kendra.client.list_data_source_sync_jobs(**at)
    second = kendra.client.list_data_source_sync_jobs(**at, NextToken=first["NextToken"])
    assert [job["ExecutionId"] for job in first["History"] + second["History"]] == jobs
    assert "NextToken" not in second
    for token in ("nonsense", first["NextToken"][:-2] + "xx"):
        with pytest.raises(ClientError) as error:
            kendra.client.list_data_source_sync_jobs(**at, NextToken=token)
        assert code_of(error) == "ValidationException"
    with pytest.raises(ClientError) as error:
        kendra.client.list_data_sources(IndexId=kendra.index, NextToken=first["NextToken"])
    assert code_of(error) == "ValidationException"


def test_question_31_a_rate_limit(service: Service) -> None:
    """A token bucket of the clock's time: 400 in Kendra, 429 in Q Business."""
    service.emulation.faults.knobs.rate = {"BatchPutDocument": 2.0}
    for _ in range(2):
        service.put(service.document("a"))
    with pytest.raises(ClientError) as error:
        service.put(service.document("a"))
    assert code_of(error) == "ThrottlingException"
    status = error.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert status == (400 if service.name == "kendra" else 429)
    service.clock.sleep(0.5)
    service.put(service.document("a"))


def test_question_32_the_smallest_limits(kendra: KendraService) -> None:
    """Five megabytes of inline content in all of a request, and of text in a document."""
    half = "x" * 2_500_000
    assert kendra.put(kendra.document("a", half), kendra.document("b", half)) == []
    with pytest.raises(ClientError) as error:
        kendra.put(kendra.document("a", half), kendra.document("b", half + "x"))
    assert code_of(error) == "ValidationException"


def test_question_32_too_much_text(start: Any) -> None:
    """It is accepted, and then cannot be indexed."""
    service: QBusinessService = start("qbusiness", text_bytes=10)
    service.sync(service.document("a", "x" * 10), service.document("b", "x" * 11))
    assert service.metrics() == (1, 0, 0, 1)


def test_question_33_fields_of_an_index(start: Any) -> None:
    """500 by default; 50 is the other number in the guide."""
    service: QBusinessService = start("qbusiness", qbusiness_fields=50)
    with pytest.raises(ClientError) as error:
        service.declare(**{f"field{number}": "STRING_VALUE" for number in range(40)})
    assert code_of(error) == "ServiceQuotaExceededException"
    service.declare(**{f"field{number}": "STRING_VALUE" for number in range(39)})


@BOTH
def test_question_34_a_string_for_a_date(start: Any, name: str) -> None:
    """Refused by default; a service that accepts it keeps the date, and still refuses what is none."""
    text = {"StringValue": "2026-01-31T12:00:00Z"}
    strict: Service = start(name)
    strict.declare(day="DATE_VALUE")
    assert [
        id_ for id_, _, _ in strict.put(with_attributes(strict, strict.document("a"), attribute(strict, "day", **text)))
    ] == ["a"]

    lenient: Service = start(name, date_as_string="accept")
    lenient.declare(day="DATE_VALUE")
    good = with_attributes(lenient, lenient.document("a"), attribute(lenient, "day", **text))
    bad = with_attributes(lenient, lenient.document("b"), attribute(lenient, "day", StringValue="tomorrow"))
    assert [id_ for id_, _, _ in lenient.put(good, bad)] == ["b"]


@BOTH
def test_undeclared_fields_may_be_declared_by_a_put(start: Any, name: str) -> None:
    """A convenience for laptops: the first value gives a field its type."""
    service: Service = start(name, undeclared_fields="declare")
    first = with_attributes(service, service.document("a"), attribute(service, "city", StringValue="Bern"))
    second = with_attributes(service, service.document("b"), attribute(service, "city", LongValue=1))
    assert service.put(first) == []
    assert [name for name, _, _ in service.put(second)] == ["b"]
