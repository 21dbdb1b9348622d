"""A sync of a folder on a laptop, against the loop that AWS's page has for a custom data source, on the same emulator.

https://docs.aws.amazon.com/kendra/latest/dg/data-source-custom.html: start a job, put documents, stop the job. The loop
reads every file and puts it, ten a request or one; it knows nothing of changes, and looks at no answer.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import boto3

from benchmarks.full.figures import Figure, Figures
from docferry.connector import Connector, Part
from docferry.indexes import index_class
from docferry.reporting import report
from docferry_emulators import Settings, emulated
from docferry_emulators.clock import VirtualClock
from docferry_laptop.laptop import Deployment, laptop

FILES = 10_000
ROUNDS = 3
FOLDER_FILES = 100
GOAL = 1.0
DAY = 24 * 3600
WHY = (
    "A first sync takes longer than a loop that sends ten documents a request: it also lists the folder, and writes a "
    "change set, what became of each document, and a manifest. Its threads, which elsewhere hide the time that a "
    "service takes to answer, contend here for one interpreter; how much differs from run to run. In the second sync "
    "the loop puts every file again."
)
ROLE = "arn:aws:iam::123456789012:role/kendra"


def laptop_sync() -> Figures:
    """Sync new files, then unchanged ones, in turn with the loop; each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            place = Path(folder) / f"{number // FOLDER_FILES:03}" / f"{number:06}.txt"
            place.parent.mkdir(exist_ok=True)
            place.write_text(f"High water number {number} is at noon.")
        rounds = [{way: _measured(way, folder) for way in WAYS} for _ in range(ROUNDS)]
    figures = (
        Figure("first sync, against ten documents a request", _ratio(rounds, "ten", "first"), GOAL),
        Figure("first sync, against one document a request", _ratio(rounds, "one", "first"), GOAL),
        Figure("second sync, nothing changed, against ten", _ratio(rounds, "ten", "second"), GOAL),
    )
    return Figures(
        key="laptop",
        title="A sync on a laptop",
        how=(
            f"`docferry sync` of {FILES:,} small files into an emulated index, against the plain loop of AWS's page "
            "(start a job, put every file, stop the job) on the same emulator, by processor time. Less than 1 is "
            "faster than the loop."
        ),
        unit="times as long",
        figures=figures,
        notes=(WHY,),
    )


def docferry(folder: str) -> dict[str, float]:
    """Run the workflow twice, after a sync of one file: what a process does once is not measured here."""
    with laptop(settings=Settings(resource_seconds=0)) as aws, tempfile.TemporaryDirectory() as one:
        (Path(one) / "tides.txt").write_text("High water is at noon.")
        _synced(aws.deploy(Connector("warm", Part("files", {"path": one}), Part("kendra"))), 1)
        deployment = aws.deploy(Connector("bench", Part("files", {"path": folder}), Part("kendra")))
        taken = {}
        for name, added in (("first", len(_files(folder))), ("second", 0)):
            began = time.process_time()
            _synced(deployment, added)
            taken[name] = time.process_time() - began
        return taken


def _synced(deployment: Deployment, added: int) -> None:
    """Run to the end, and see that as many documents were added."""
    execution, between_looks = deployment.start(), threading.Event()
    while execution.status() == "RUNNING":
        between_looks.wait(0.05)
    ended = report.read(deployment.wired.store, execution.run)
    assert ended is not None
    assert (ended.status, ended.added) == ("SUCCEEDED", added), ended


def loop(folder: str, most: int) -> dict[str, float]:
    """Put every file, twice, so many a request."""
    clock = VirtualClock()
    with emulated(clock=clock, settings=Settings(resource_seconds=0)):
        session = boto3.Session(aws_access_key_id="bench", aws_secret_access_key="bench", region_name="eu-west-1")
        kendra: Any = session.client("kendra")
        index = kendra.create_index(Name="bench", RoleArn=ROLE)["Id"]
        source = kendra.create_data_source(IndexId=index, Name="bench", Type="CUSTOM")["Id"]
        taken = {}
        for name in ("first", "second"):
            began = time.process_time()
            job = kendra.start_data_source_sync_job(Id=source, IndexId=index)["ExecutionId"]
            files = _files(folder)
            for start in range(0, len(files), most):
                documents = [_document(path, source, job) for path in files[start : start + most]]
                failed = kendra.batch_put_document(IndexId=index, Documents=documents)["FailedDocuments"]
                assert not failed, failed
            kendra.stop_data_source_sync_job(Id=source, IndexId=index)
            # Until everything is indexed: a sync waits for that, too.
            clock.sleep(DAY)
            kendra.describe_index(Id=index)
            taken[name] = time.process_time() - began
        return taken


def _files(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


def _document(path: Path, source: str, job: str) -> dict[str, Any]:
    ids = {"_data_source_id": source, "_data_source_sync_job_execution_id": job}
    return {
        "Id": str(path),
        "Title": path.name,
        "ContentType": "PLAIN_TEXT",
        "Blob": path.read_bytes(),
        "Attributes": [{"Key": key, "Value": {"StringValue": value}} for key, value in ids.items()],
    }


def _ratio(rounds: list[dict[str, dict[str, float]]], way: str, which: str) -> float:
    return median(each["docferry"][which] / each[way][which] for each in rounds)


def _measured(which: str, folder: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.full.laptop_sync", which, folder], check=True, stdout=subprocess.PIPE
    )
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return taken


WAYS: dict[str, Callable[[str], dict[str, float]]] = {
    "docferry": docferry,
    "ten": lambda folder: loop(folder, index_class("kendra").limits.documents),
    "one": lambda folder: loop(folder, 1),
}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](sys.argv[2])))
