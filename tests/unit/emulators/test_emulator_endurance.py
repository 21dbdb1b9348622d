"""What the server endures: eight threads at once, kill -9, a second owner of its file, a clock that ran ahead."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from docferry_emulators import emulated
from docferry_emulators.clock import VirtualClock
from docferry_emulators.engine.store import Store, UnusableDatabase
from docferry_emulators.server.application import serving
from tests.unit.emulators.emulated_services import REGION, ROLE
from tests.unit.emulators.test_emulator_server import NOW, call, client


class Source:
    """A custom data source of a new index, on a server."""

    def __init__(self, url: str) -> None:
        self.kendra = client("kendra", url)
        self.index = self.kendra.create_index(Name="x", RoleArn=ROLE)["Id"]
        self.at = {
            "IndexId": self.index,
            "Id": self.kendra.create_data_source(IndexId=self.index, Name="x", Type="CUSTOM")["Id"],
        }
        self.start()

    def start(self) -> None:
        """Open the job that whatever follows belongs to."""
        job = self.kendra.start_data_source_sync_job(**self.at)["ExecutionId"]
        self.target = {"DataSourceId": self.at["Id"], "DataSourceSyncJobId": job}
        self.ties = [
            {"Key": "_data_source_id", "Value": {"StringValue": self.at["Id"]}},
            {"Key": "_data_source_sync_job_execution_id", "Value": {"StringValue": job}},
        ]

    def put(self, kendra: Any, ids: list[str]) -> list[Any]:
        """Put documents; returns those that failed."""
        documents = [{"Id": id_, "Blob": b"giraffe", "Attributes": self.ties} for id_ in ids]
        failed: list[Any] = kendra.batch_put_document(IndexId=self.index, Documents=documents)["FailedDocuments"]
        return failed

    def delete(self, kendra: Any, ids: list[str]) -> list[Any]:
        """Delete documents; returns those that failed."""
        failed: list[Any] = kendra.batch_delete_document(
            IndexId=self.index, DocumentIdList=ids, DataSourceSyncJobMetricTarget=self.target
        )["FailedDocuments"]
        return failed

    def end(self, url: str) -> dict[str, Any]:
        """Stop the job and let it end; returns it."""
        self.kendra.stop_data_source_sync_job(**self.at)
        call(url, "POST", "/_docferry/clock", b'{"seconds": 60}')
        job: dict[str, Any] = self.kendra.list_data_source_sync_jobs(**self.at)["History"][0]
        return job

    def holds(self, ids: list[str]) -> bool:
        """Tell whether the index has every one of these documents."""
        asked = [{"DocumentId": id_} for id_ in ids]
        found = [
            one["DocumentStatus"]
            for start in range(0, len(asked), 10)
            for one in self.kendra.batch_get_document_status(
                IndexId=self.index, DocumentInfoList=asked[start : start + 10]
            )["DocumentStatusList"]
        ]
        return set(found) == {"INDEXED"}


def test_eight_threads() -> None:
    """Putting and deleting, they lose nothing, and nothing is counted twice."""
    with serving(settings=NOW) as (url, emulation):
        source = Source(url)
        old = {worker: [f"old-{worker}-{number}" for number in range(10)] for worker in range(8)}
        for ids in old.values():
            assert source.put(source.kendra, ids) == []
        source.end(url)
        source.start()
        failed: list[Any] = []

        def work(worker: int) -> None:
            mine = client("kendra", url)
            for batch in range(5):
                new = [f"new-{worker}-{batch}-{number}" for number in range(9)]
                failed.extend(source.put(mine, [*new, "shared"]))
                failed.extend(source.delete(mine, old[worker][2 * batch : 2 * batch + 2]))
                mine.query(IndexId=source.index, QueryText="giraffe")

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        job = source.end(url)
        held = source.kendra.query(IndexId=source.index, QueryText="giraffe")["TotalNumberOfResults"]
    assert failed == []
    assert job["Status"] == "SUCCEEDED"
    assert (job["Metrics"]["DocumentsAdded"], job["Metrics"]["DocumentsDeleted"]) == (str(8 * 5 * 9 + 1), "80")
    assert held == 8 * 5 * 9 + 1
    assert emulation.faults.calls["BatchDeleteDocument"] == 40


@contextmanager
def process_on(database: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server in a process of its own."""
    code = (
        "import sys, pathlib; from docferry_emulators import Settings;"
        "from docferry_emulators.server.application import serve, serving;"
        "serve(serving(database=pathlib.Path(sys.argv[1]), settings=Settings(resource_seconds=0)))"
    )
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root / "emulators")}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        ready, url = process.stdout.readline().split()
        assert ready == "ready"
        yield process, url
    finally:
        process.kill()
        process.communicate()


def test_kill_nine(tmp_path: Path) -> None:
    """Every acknowledged call is there after a restart on the same file, and what was under way goes on."""
    database = tmp_path / "emulator.sqlite"
    with process_on(database) as (process, url):
        source = Source(url)
        source.put(source.kendra, [f"d{number}" for number in range(10)])
        source.delete(source.kendra, ["d0"])
        process.send_signal(signal.SIGKILL)
    with process_on(database) as (process, url):
        source.kendra = client("kendra", url)
        history = source.kendra.list_data_source_sync_jobs(**source.at)["History"]
        assert [(one["ExecutionId"], one["Status"]) for one in history] == [
            (source.target["DataSourceSyncJobId"], "SYNCING")
        ]
        job = source.end(url)
        assert (job["Status"], job["Metrics"]["DocumentsAdded"]) == ("SUCCEEDED", "9")
        assert source.kendra.query(IndexId=source.index, QueryText="giraffe")["TotalNumberOfResults"] == 9
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_kill_nine_in_the_middle_of_puts(tmp_path: Path) -> None:
    """What was acknowledged is there; what was not may be, whole."""
    database = tmp_path / "emulator.sqlite"
    acknowledged: list[list[str]] = []
    enough = threading.Event()
    with process_on(database) as (process, url):
        source = Source(url)

        def work(worker: int) -> None:
            mine = client("kendra", url)
            for batch in range(10_000):
                ids = [f"{worker}-{batch}-{number}" for number in range(10)]
                try:
                    source.put(mine, ids)
                except (
                    BotoCoreError,
                    KeyError,
                ):  # the server is gone; in the middle of a reply, boto3 returns an empty one
                    return
                acknowledged.append(ids)
                if len(acknowledged) >= 30:
                    enough.set()

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with process_on(database) as (_, url):
        source.kendra = client("kendra", url)
        job = source.end(url)
        assert job["Status"] == "SUCCEEDED"
        assert all(source.holds(ids) for ids in acknowledged)
        added = int(job["Metrics"]["DocumentsAdded"])
        assert added == source.kendra.query(IndexId=source.index, QueryText="giraffe")["TotalNumberOfResults"]
        # Each thread had one request under way.
        assert added % 10 == 0
        assert 0 <= added // 10 - len(acknowledged) <= 4


def test_a_database_has_one_owner(tmp_path: Path) -> None:
    """A second server on the same file is refused, with the file's name."""
    database = tmp_path / "emulator.sqlite"
    with serving(database=database), pytest.raises(RuntimeError, match=r"emulator\.sqlite"), serving(database=database):
        pass


def test_time_goes_on_where_the_file_left_off(tmp_path: Path) -> None:
    """A virtual clock that ran ahead in one process does not make the next one list its jobs in the wrong order."""
    database = tmp_path / "emulator.sqlite"
    start = datetime(2024, 5, 6, tzinfo=UTC)
    jobs: list[str] = []
    at: dict[str, str] = {}
    for _ in range(2):
        clock = VirtualClock(start)
        with emulated(clock=clock, database=database, settings=NOW):
            kendra = boto3.client("kendra", region_name=REGION)
            if not at:
                at["IndexId"] = kendra.create_index(Name="x", RoleArn=ROLE)["Id"]
                at["Id"] = kendra.create_data_source(IndexId=at["IndexId"], Name="x", Type="CUSTOM")["Id"]
            jobs.insert(0, kendra.start_data_source_sync_job(**at)["ExecutionId"])
            clock.sleep(86400)
            kendra.stop_data_source_sync_job(**at)
            clock.sleep(60)
            listed = kendra.list_data_source_sync_jobs(**at)["History"]
            assert [job["ExecutionId"] for job in listed] == jobs
            assert listed[0]["Status"] == "SUCCEEDED"


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    """In one sentence, and the file is closed: a newer version may open it at once."""
    path = tmp_path / "indexes.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version=99")

    with pytest.raises(UnusableDatabase, match="has format 99, and this version writes"):
        Store(path)
    path.unlink()
