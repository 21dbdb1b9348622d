"""Amazon Kendra, as far as a sync calls it, at so many calls of an operation a second.

https://docs.aws.amazon.com/kendra/latest/dg/data-source-custom.html
"""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

from benchmarks.pacing import Bucket
from benchmarks.scale.bucket import moment
from benchmarks.scale.calls import Calls
from benchmarks.scale.repository import number_of
from benchmarks.scale.s3 import Meta

ABSENT, KEPT, PUT = range(3)
"""A document in the index: not there, there since a run before, put in this run."""
AGED = bytes.maketrans(bytes([PUT]), bytes([KEPT]))
"""What a new run makes of these."""


class Job(Struct):
    """A sync job. ``over_at``: when everything is indexed that was sent in it, once it is stopped."""

    id: str
    began: float
    stopped: float | None = None
    added: int = 0
    modified: int = 0
    deleted: int = 0


class Service:
    """The index itself: which documents it holds, its sync jobs, its pace. It outlives the runs of a connector.

    ``holds`` has a byte a document, in the order of their numbers: ``ABSENT``, ``KEPT`` or ``PUT``.
    """

    def __init__(self) -> None:
        self.rate = 0.0
        self.rates: dict[str, Bucket] = {}
        self.jobs: list[Job] = []
        self.holds = bytearray()
        self.indexed_at = 0.0
        self.throttled = 0
        self.first_put: float | None = None
        self.last_put = 0.0

    def restart(self, rate: float, numbers: int) -> None:
        """Begin a new time, of documents with numbers below this one: what is indexed stays."""
        self.rate = rate
        self.rates, self.indexed_at, self.throttled, self.first_put = {}, 0.0, 0, None
        self.holds = self.holds.translate(AGED).ljust(numbers, bytes([ABSENT]))
        self.jobs = [Job(job.id, -1.0 - number, -1.0 - number, job.added) for number, job in enumerate(self.jobs)]


class Kendra:
    """A client of the service."""

    meta = Meta()

    def __init__(self, calls: Calls, service: Service) -> None:
        self._calls = calls
        self._service = service

    def start_data_source_sync_job(self, **_: Any) -> dict[str, Any]:
        """See Kendra."""
        self._called("StartDataSourceSyncJob")
        service = self._service
        if service.jobs and self._status(service.jobs[0]) not in {"SUCCEEDED", "FAILED"}:
            raise _error("StartDataSourceSyncJob", "ConflictException")
        service.jobs.insert(0, Job(f"job-{len(service.jobs) + 1}", self._calls.now))
        return {"ExecutionId": service.jobs[0].id}

    def stop_data_source_sync_job(self, **_: Any) -> dict[str, Any]:
        """See Kendra."""
        self._called("StopDataSourceSyncJob")
        if self._service.jobs and self._service.jobs[0].stopped is None:
            self._service.jobs[0].stopped = self._calls.now
        return {}

    def list_data_source_sync_jobs(self, **_: Any) -> dict[str, Any]:
        """See Kendra. There are few jobs: one page has them all."""
        self._called("ListDataSourceSyncJobs")
        return {"History": [self._described(job) for job in self._service.jobs]}

    def batch_put_document(self, *, Documents: Sequence[dict[str, Any]], **_: Any) -> dict[str, Any]:
        """See Kendra."""
        self._called("BatchPutDocument", client=True)
        service, job = self._service, self._service.jobs[0]
        service.first_put = self._calls.now if service.first_put is None else service.first_put
        service.last_put = self._calls.now
        for document in Documents:
            number = number_of(document["Id"])
            new = service.holds[number] == ABSENT
            job.added, job.modified = job.added + new, job.modified + (not new)
            service.holds[number] = PUT
        self._works_on(len(Documents))
        return {"FailedDocuments": []}

    def batch_delete_document(self, *, DocumentIdList: Sequence[str], **_: Any) -> dict[str, Any]:
        """See Kendra."""
        self._called("BatchDeleteDocument")
        for id_ in DocumentIdList:
            self._service.jobs[0].deleted += self._service.holds[number_of(id_)] != ABSENT
            self._service.holds[number_of(id_)] = ABSENT
        self._works_on(len(DocumentIdList))
        return {"FailedDocuments": []}

    def batch_get_document_status(self, *, DocumentInfoList: Sequence[dict[str, Any]], **_: Any) -> dict[str, Any]:
        """See Kendra."""
        self._called("BatchGetDocumentStatus")
        ids = [one["DocumentId"] for one in DocumentInfoList]
        states = {ABSENT: "NOT_FOUND", KEPT: "INDEXED", PUT: "INDEXED"}
        return {
            "DocumentStatusList": [
                {"DocumentId": id_, "DocumentStatus": states[self._service.holds[number_of(id_)]]} for id_ in ids
            ]
        }

    def describe_index(self, **_: Any) -> dict[str, Any]:
        """See Kendra."""
        self._called("DescribeIndex")
        return {"Status": "ACTIVE", "DocumentMetadataConfigurations": []}

    def _called(self, operation: str, *, client: bool = False) -> None:
        """Let the call pass, or be refused. It is decided when the request arrives, in the order of time."""
        calls, service = self._calls, self._service
        calls.simulation.worked()
        calls.simulation.work((calls.times.index_client_call if client else calls.times.client_call).seconds)
        calls.simulation.sleep(0)
        calls.use().index_calls += 1
        if not service.rates.setdefault(operation, Bucket(service.rate)).takes(calls.now):
            service.throttled += 1
            calls.tell(f"{operation} is throttled")
            calls.simulation.answer(calls.times.throttled_call.seconds)
            raise _error(operation, "ThrottlingException")
        calls.simulation.answer(calls.times.index_call.seconds)

    def _works_on(self, documents: int) -> None:
        """The service indexes one document after the other, from the first that it was sent."""
        each = self._calls.times.indexing_document.seconds
        self._service.indexed_at = max(self._service.indexed_at, self._calls.now) + each * documents

    def _status(self, job: Job) -> str:
        if job.stopped is None:
            return "SYNCING"
        over = max(job.stopped, self._service.indexed_at) + self._calls.times.indexing.seconds
        return "SUCCEEDED" if job.stopped < 0 or self._calls.now >= over else "SYNCING_INDEXING"

    def _described(self, job: Job) -> dict[str, Any]:
        counts = {"DocumentsAdded": job.added, "DocumentsModified": job.modified, "DocumentsDeleted": job.deleted}
        return {
            "ExecutionId": job.id,
            "Status": self._status(job),
            "StartTime": moment(job.began),
            "Metrics": {**{name: str(number) for name, number in counts.items()}, "DocumentsFailed": "0"},
        }


def _error(operation: str, code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}},  # type: ignore[typeddict-item]  # the members that are read
        operation,
    )
