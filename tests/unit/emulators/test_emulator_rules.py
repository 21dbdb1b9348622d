"""One test for each rule of a sync job, as the guides and the API models of both services state it."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.unit.emulators.emulated_services import ROLE, KendraService, QBusinessService, Service, code_of


def test_rule_1_one_running_job_per_data_source(service: Service) -> None:
    """A second Start is refused, and named differently by the two services; another data source is free."""
    service.start()
    with pytest.raises(ClientError) as error:
        service.start()
    assert code_of(error) == service.busy
    assert service.start(service.add_source())


@pytest.mark.parametrize("status", ["STOPPING", "SYNCING_INDEXING"])
def test_rule_2_next_start_only_after_the_job_has_ended(service: Service, status: str) -> None:
    """Neither STOPPING nor SYNCING_INDEXING lets the next job begin; SUCCEEDED does."""
    job = service.start()
    service.put(service.document("a"), job=job)
    service.stop()
    service.clock.sleep(0 if status == "STOPPING" else 1.1)
    assert service.job()["Status"] == status
    with pytest.raises(ClientError) as error:
        service.start()
    assert code_of(error) == service.busy
    service.settle()
    assert service.job()["Status"] == "SUCCEEDED"
    assert service.start() != job


def test_rule_3_stop_ends_whatever_job_runs(service: Service) -> None:
    """Stop takes no execution id: a second pipeline can end the job of the first."""
    service.start()
    other = type(service).__new__(type(service))
    other.__dict__ |= service.__dict__
    other.stop()
    assert service.job()["Status"] == "STOPPING"


def test_rule_4_after_stop_the_execution_id_is_dead(service: Service) -> None:
    """Every document of a later put or delete comes back as failed, with HTTP 200."""
    job = service.sync(service.document("old"))
    rejected = service.put(service.document("a"), service.document("b"), job=job)
    assert [(name, code) for name, code, _ in rejected] == [("a", "InvalidRequest"), ("b", "InvalidRequest")]
    assert [code for _, code, _ in service.delete("old", job=job)] == ["InvalidRequest"]
    service.settle()
    assert service.status("a") == "NOT_FOUND"
    assert service.status("old") == "INDEXED"


def test_rule_5_rejected_documents_are_in_no_metric(service: Service) -> None:
    """FailedDocuments was not accepted; DocumentsFailed was accepted and then failed."""
    service.emulation.faults.knobs.reject = {"rejected": "No."}
    service.emulation.faults.knobs.fail_documents = {"failing": "Broken."}
    job = service.start()
    documents = [service.document(name) for name in ("good", "rejected", "failing")]
    assert service.put(*documents, job=job) == [("rejected", "InvalidRequest", "No.")]
    service.stop()
    service.settle()
    assert service.metrics() == (1, 0, 0, 1)
    assert service.job()["Status"] == "INCOMPLETE"
    assert service.status("failing") == "FAILED"


def test_rule_6_a_document_counts_once_in_a_job(service: Service) -> None:
    """However often it is put, deleted, or both."""
    service.sync(service.document("known"), service.document("gone"))
    job = service.start()
    for _ in range(2):
        service.put(service.document("new"), service.document("known", "other"), job=job)
        service.clock.sleep(5)
    service.put(service.document("gone", "other"), job=job)
    service.delete("gone", job=job)
    service.delete("known", job=job)
    service.clock.sleep(5)
    service.put(service.document("known", "back again"), job=job)
    service.stop()
    service.settle()
    assert service.metrics() == (1, 1, 1, 0)


def test_rule_7_added_modified_deleted(service: Service) -> None:
    """Added is new to the index, Modified was there, Deleted was removed."""
    service.sync(service.document("a"), service.document("b"))
    assert service.metrics() == (2, 0, 0, 0)
    service.sync(service.document("a", "changed"), service.document("c"), delete=("b",))
    assert service.metrics() == (1, 1, 1, 0)
    assert service.counted() == 2


def test_rule_8_documents_scanned_is_not_returned(service: Service) -> None:
    """The services count what they crawl, and here they crawl nothing."""
    service.sync(service.document("a"))
    assert set(service.job()["Metrics"]) == {
        "DocumentsAdded",
        "DocumentsModified",
        "DocumentsDeleted",
        "DocumentsFailed",
    }


def test_rule_9_puts_and_deletes_are_asynchronous(service: Service) -> None:
    """An accepted document cannot be found yet, a deleted one still can."""
    job = service.start()
    service.put(service.document("a", "giraffe"), job=job)
    assert service.search("giraffe") == []
    assert service.status("a") in {"RECEIVED", "PROCESSING"}
    service.settle()
    assert service.search("giraffe") == ["a"]
    service.delete("a", job=job)
    assert service.search("giraffe") == ["a"]
    service.settle()
    assert service.search("giraffe") == []
    assert service.status("a") == "NOT_FOUND"


def test_rule_10_jobs_are_listed_newest_first(service: Service) -> None:
    """Ten a page, by the start of the job."""
    jobs = [service.sync() for _ in range(3)]
    assert [job["ExecutionId"] for job in service.history()] == jobs[::-1]


def test_rule_11_deleting_a_data_source_takes_its_documents(service: Service) -> None:
    """Also during a sync: the job stops, then documents, history and metrics go; a Start meanwhile is a conflict."""
    other = service.add_source()
    service.sync(service.document("mine", "giraffe"))
    service.put(service.document("plain", "giraffe"))
    theirs = service.start(other)
    service.put(service.document("theirs", "giraffe"), job=theirs, source=other)
    service.settle()
    running = service.start()
    service.put(service.document("late"), job=running)
    service.delete_source()
    assert service.job()["Status"] == "ABORTED"
    with pytest.raises(ClientError) as error:
        service.start()
    assert code_of(error) == "ConflictException"
    service.delete_source()  # already deleting is no error
    service.settle()
    assert sorted(service.search("giraffe")) == ["plain", "theirs"]
    assert service.counted() == 2
    with pytest.raises(ClientError) as error:
        service.history()
    assert code_of(error) == service.missing


def test_rule_11_a_data_source_of_a_deleting_index_cannot_be_deleted(kendra: KendraService) -> None:
    """It goes with its index."""
    kendra.client.delete_index(Id=kendra.index)
    for call in (kendra.delete_source, kendra.start):
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == "ConflictException"
    kendra.settle()
    with pytest.raises(ClientError) as error:
        kendra.client.describe_index(Id=kendra.index)
    assert code_of(error) == kendra.missing


def test_rule_12_ids_are_unique_per_index(service: Service) -> None:
    """The same id from another data source is not another document."""
    service.sync(service.document("a"))
    other = service.add_source()
    job = service.start(other)
    rejected = service.put(service.document("a"), job=job, source=other)
    assert [code for _, code, _ in rejected] == ["InvalidRequest"]
    service.delete_source()
    service.settle()
    assert service.put(service.document("a"), job=job, source=other) == []


def test_rule_13_a_put_replaces_the_document(service: Service) -> None:
    """What the old version said is gone."""
    service.sync(service.document("a", "giraffe"))
    service.sync(service.document("a", "zebra"))
    assert service.search("giraffe") == []
    assert service.search("zebra") == ["a"]
    assert service.counted() == 1


def test_rule_14_undeclared_attributes_are_rejected(service: Service) -> None:
    """With the text of Kendra's logs, two spaces included; the execution id is the one exception."""
    if isinstance(service, KendraService):
        document = service.document("a", Attributes=[{"Key": "city", "Value": {"StringValue": "Bern"}}])
    else:
        document = service.document("a", attributes=[{"name": "city", "value": {"stringValue": "Bern"}}])
    message = "No document metadata configuration found for document attribute key  city."
    assert service.put(document, job=service.start()) == [("a", "InvalidRequest", message)]
    service.declare(city="STRING_VALUE")
    assert service.put(document) == []


def test_rule_15_fields_keep_their_type(service: Service) -> None:
    """Declared once, a field stays what it is."""
    service.declare(city="STRING_VALUE")
    with pytest.raises(ClientError) as error:
        service.declare(city="LONG_VALUE")
    assert code_of(error) == "ValidationException"
    service.declare(city="STRING_VALUE")


def test_rule_16_over_the_number_of_documents_the_new_one_fails(start: Any) -> None:
    """Per document, and only what is new."""
    kendra: KendraService = start("kendra", kendra_documents={"ENTERPRISE_EDITION": 2})
    job = kendra.start()
    documents = [kendra.document(name) for name in "abc"]
    assert [(name, code) for name, code, _ in kendra.put(*documents, job=job)] == [("c", "InvalidRequest")]
    assert kendra.put(kendra.document("a", "changed"), job=job) == []
    kendra.delete("b", job=job)
    assert kendra.put(kendra.document("c"), job=job) == []
    kendra.settle()
    assert kendra.counted() == 2


def test_nothing_starts_in_an_index_of_q_that_is_being_deleted(qbusiness: QBusinessService) -> None:
    """Nor in an application: their data sources go with them."""
    qbusiness.client.delete_index(**qbusiness.at)
    with pytest.raises(ClientError) as error:
        qbusiness.start()
    assert code_of(error) == "ConflictException"


def test_an_index_of_the_developer_edition_has_five_data_sources(start: Any) -> None:
    """The quota is of the edition: https://docs.aws.amazon.com/kendra/latest/dg/quotas.html."""
    kendra: KendraService = start("kendra")
    index = kendra.client.create_index(Name="small", RoleArn=ROLE, Edition="DEVELOPER_EDITION")["Id"]
    kendra.settle()
    for number in range(5):
        kendra.client.create_data_source(IndexId=index, Name=f"s{number}", Type="CUSTOM")
    with pytest.raises(ClientError) as error:
        kendra.client.create_data_source(IndexId=index, Name="s5", Type="CUSTOM")
    assert code_of(error) == "ServiceQuotaExceededException"


def test_the_data_sources_of_an_application_are_counted_over_its_indexes(start: Any) -> None:
    """The quota is of the application: https://docs.aws.amazon.com/amazonq/latest/qbusiness-ug/quotas-regions.html."""
    service: QBusinessService = start("qbusiness", qbusiness_data_sources=1)
    service.at["indexId"] = service.client.create_index(applicationId=service.application, displayName="x")["indexId"]
    service.settle()
    with pytest.raises(ClientError) as error:
        service.add_source()
    assert code_of(error) == "ServiceQuotaExceededException"


def test_pages_go_on_after_the_longest_id(qbusiness: QBusinessService) -> None:
    """A NextToken has 800 characters at most, and an id may have 1,825; so may a question."""
    ids = [letter * 1_825 for letter in "abc"]
    qbusiness.sync(*(qbusiness.document(name, "giraffe " * 100) for name in ids))

    pages = qbusiness.client.get_paginator("list_documents").paginate(**qbusiness.at, PaginationConfig={"PageSize": 1})
    assert [one["documentId"] for page in pages for one in page["documentDetailList"]] == ids
    found = qbusiness.client.get_paginator("search_relevant_content").paginate(
        applicationId=qbusiness.application,
        queryText="giraffe " * 100,
        contentSource={"retriever": {"retrieverId": qbusiness.retriever}},
        PaginationConfig={"PageSize": 1},
    )
    assert {one["documentId"] for page in found for one in page["relevantContent"]} == set(ids)


def test_rule_16_over_the_text_the_request_is_refused(start: Any) -> None:
    """With ServiceQuotaExceededException."""
    kendra: KendraService = start("kendra", kendra_text_bytes={"ENTERPRISE_EDITION": 5})
    kendra.sync(kendra.document("a", "giraffe"))
    with pytest.raises(ClientError) as error:
        kendra.put(kendra.document("b"))
    assert code_of(error) == "ServiceQuotaExceededException"


def test_rule_17_higher_ordering_ids_win(kendra: KendraService) -> None:
    """A put that arrives late, with a lower number, changes nothing."""
    acl = [{"Name": "staff", "Type": "GROUP", "Access": "ALLOW"}]
    kendra.sync(kendra.document("a", "giraffe", AccessControlList=acl))

    def members(user: str, ordering: int) -> None:
        kendra.client.put_principal_mapping(
            IndexId=kendra.index,
            GroupId="staff",
            GroupMembers={"MemberUsers": [{"UserId": user}]},
            OrderingId=ordering,
        )
        kendra.settle()

    members("ann", 20)
    members("bob", 10)
    assert kendra.search("giraffe", UserContext={"UserId": "ann"}) == ["a"]
    assert kendra.search("giraffe", UserContext={"UserId": "bob"}) == []
    members("bob", 30)
    assert kendra.search("giraffe", UserContext={"UserId": "ann"}) == []
    assert kendra.search("giraffe", UserContext={"UserId": "bob"}) == ["a"]


def test_rule_17_five_actions_in_progress(kendra: KendraService) -> None:
    """The sixth for the same group is refused until one is done."""
    request = {"IndexId": kendra.index, "GroupId": "g", "GroupMembers": {"MemberUsers": [{"UserId": "ann"}]}}
    for _ in range(5):
        kendra.client.put_principal_mapping(**request)
    with pytest.raises(ClientError) as error:
        kendra.client.put_principal_mapping(**request)
    assert code_of(error) == "ValidationException"
    kendra.client.put_principal_mapping(**{**request, "GroupId": "other"})
    kendra.settle()
    kendra.client.put_principal_mapping(**request)


def test_rule_18_documents_on_s3(service: Service) -> None:
    """They need a role, and are read from S3."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="content")
    s3.put_object(Bucket="content", Key="a b/ü.txt", Body=b"giraffe")
    if isinstance(service, KendraService):
        document: dict[str, Any] = {"Id": "a", "S3Path": {"Bucket": "content", "Key": "a b/ü.txt"}}
        role = {"RoleArn": ROLE}
    else:
        document = {"id": "a", "content": {"s3": {"bucket": "content", "key": "a b/ü.txt"}}}
        role = {"roleArn": ROLE}
    with pytest.raises(ClientError) as error:
        service.put(document)
    assert code_of(error) == "ValidationException"
    assert service.put(document, **role) == []
    service.settle()
    assert service.search("giraffe") == ["a"]


def test_rule_18_a_missing_object_fails_later(service: Service) -> None:
    """It is accepted, and then counts as failed."""
    job = service.start()
    if isinstance(service, KendraService):
        service.put({"Id": "a", "S3Path": {"Bucket": "nowhere", "Key": "k"}}, job=job, RoleArn=ROLE)
    else:
        service.put({"id": "a", "content": {"s3": {"bucket": "nowhere", "key": "k"}}}, job=job, roleArn=ROLE)
    service.stop()
    service.settle()
    assert service.metrics() == (0, 0, 0, 1)
    assert service.status("a") == "FAILED"


def test_rule_19_text_is_utf_8(service: Service) -> None:
    """Anything else is accepted, and then cannot be indexed."""
    latin = service.document("a")
    if isinstance(service, KendraService):
        latin["Blob"] = "Zürich".encode("latin-1")
    else:
        latin["content"]["blob"] = "Zürich".encode("latin-1")
    service.sync(latin)
    assert service.metrics() == (0, 0, 0, 1)


def test_rule_20_title_and_uri_only_if_given(kendra: KendraService) -> None:
    """Results carry what the document was put with."""
    uri = {"Key": "_source_uri", "Value": {"StringValue": "https://example.com/a"}}
    kendra.sync(kendra.document("bare", "giraffe"), kendra.document("full", "giraffe", Title="T", Attributes=[uri]))
    found = {
        item["DocumentId"]: item
        for item in kendra.client.query(IndexId=kendra.index, QueryText="giraffe")["ResultItems"]
    }
    assert "DocumentTitle" not in found["bare"]
    assert "DocumentURI" not in found["bare"]
    assert found["full"]["DocumentTitle"]["Text"] == "T"
    assert found["full"]["DocumentURI"] == "https://example.com/a"


def test_rule_21_only_put_documents_can_be_deleted(kendra: KendraService) -> None:
    """Nothing else is in this index, so any other id does not exist; the text is that of Kendra's logs."""
    message = "Document can't be deleted because it doesn't exist."
    assert kendra.delete("unknown") == [("unknown", "InvalidRequest", message)]


def test_rule_22_statuses_of_a_document(kendra: KendraService) -> None:
    """PROCESSING, then INDEXED, or FAILED; an update is UPDATED or UPDATE_FAILED; NOT_FOUND after a delete."""
    job = kendra.start()
    seen = [kendra.status("a")]
    for text in ("one", "two"):
        kendra.put(kendra.document("a", text), job=job)
        seen.append(kendra.status("a"))
        kendra.settle()
        seen.append(kendra.status("a"))
    kendra.emulation.faults.knobs.fail_documents = {"a": "Broken."}
    kendra.put(kendra.document("a", "three"), job=job)
    kendra.settle()
    seen.append(kendra.status("a"))
    assert kendra.search("two") == ["a"]
    kendra.emulation.faults.reset()
    kendra.delete("a", job=job)
    seen.append(kendra.status("a"))
    kendra.settle()
    seen.append(kendra.status("a"))
    assert seen == [
        *("NOT_FOUND", "PROCESSING", "INDEXED", "PROCESSING", "UPDATED"),
        *("UPDATE_FAILED", "PROCESSING", "NOT_FOUND"),
    ]


def test_rule_22_statuses_of_a_listed_document(qbusiness: QBusinessService) -> None:
    """Q Business tells RECEIVED from PROCESSING, and shows a document that is being deleted."""
    job = qbusiness.start()
    qbusiness.put(qbusiness.document("a"), job=job)
    seen = [qbusiness.status("a")]
    qbusiness.clock.sleep(0.6)
    seen.append(qbusiness.status("a"))
    qbusiness.settle()
    seen.append(qbusiness.status("a"))
    qbusiness.delete("a", job=job)
    seen.append(qbusiness.status("a"))
    qbusiness.settle()
    seen.append(qbusiness.status("a"))
    assert seen == ["RECEIVED", "PROCESSING", "INDEXED", "DELETING", "NOT_FOUND"]


def test_rule_23_a_custom_data_source_has_no_schedule(service: Service) -> None:
    """So there is no scheduled job that could not be stopped. An empty one is refused as well."""
    if isinstance(service, QBusinessService):
        configuration = {"type": "CUSTOM", "version": "1.0.0"}
        request = {**service.at, "displayName": "x", "configuration": configuration, "syncSchedule": ""}
    else:
        assert isinstance(service, KendraService)
        request = {"IndexId": service.index, "Name": "x", "Type": "CUSTOM", "Schedule": ""}
    with pytest.raises(ClientError) as error:
        service.client.create_data_source(**request)
    assert code_of(error) == "ValidationException"


def test_every_state_of_a_job_is_seen(service: Service) -> None:
    """SYNCING, STOPPING, SYNCING_INDEXING, SUCCEEDED, within five seconds, and EndTime with the last only."""
    job = service.start()
    service.put(service.document("a"), job=job)
    began = service.clock.now()
    seen = [service.job()]
    service.stop()
    while service.job()["Status"] not in {"SUCCEEDED", "FAILED"}:
        seen.append(service.job())
        service.clock.sleep(0.25)
    last = service.job()
    assert list(dict.fromkeys(job["Status"] for job in seen)) == ["SYNCING", "STOPPING", "SYNCING_INDEXING"]
    assert all("EndTime" not in job for job in seen)
    assert last["EndTime"] - last["StartTime"] < timedelta(seconds=5)
    assert service.clock.now() - began < timedelta(seconds=5)


def test_a_job_without_documents_skips_indexing(service: Service) -> None:
    """STOPPING, then SUCCEEDED."""
    service.start()
    service.stop()
    service.clock.sleep(1.0)
    assert service.job()["Status"] == "SUCCEEDED"


def test_a_large_job_is_indexed_as_long_as_it_takes(start: Any) -> None:
    """SYNCING_INDEXING lasts until the last accepted document is settled; metrics grow meanwhile."""
    kendra: KendraService = start("kendra", seconds_per_document=60.0)
    job = kendra.start()
    kendra.put(*[kendra.document(f"d{number}") for number in range(10)], job=job)
    kendra.stop()
    kendra.clock.sleep(301)
    assert kendra.job()["Status"] == "SYNCING_INDEXING"
    assert kendra.metrics() == (5, 0, 0, 0)
    kendra.clock.sleep(300)
    assert kendra.job()["Status"] == "SUCCEEDED"
    assert kendra.metrics() == (10, 0, 0, 0)
