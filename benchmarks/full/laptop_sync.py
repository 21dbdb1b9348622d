"""A sync of a folder on a laptop, against the loop that AWS's page has for a custom data source, on the same emulator.

https://docs.aws.amazon.com/kendra/latest/dg/data-source-custom.html: start a job, put documents, stop the job. The loop
reads every file and puts it, ten a request; it knows nothing of changes, and looks at no answer.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import boto3

from benchmarks.full.figures import Figure, Figures
from docferry.connector import Connector, Part
from docferry.indexes import index_class
from docferry.reporting import report
from docferry_emulators import Settings
from docferry_laptop.laptop import laptop

FILES = 10_000
ROUNDS = 3
FOLDER_FILES = 100
GOAL = 1.0


def laptop_sync() -> Figures:
    """Sync new files, then unchanged ones, in turn with the loop; each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FILES):
            place = Path(folder) / f"{number // FOLDER_FILES:03}" / f"{number:06}.txt"
            place.parent.mkdir(exist_ok=True)
            place.write_text(f"High water number {number} is at noon.")
        rounds = [(_measured("docferry", folder), _measured("loop", folder)) for _ in range(ROUNDS)]
    figures = (
        Figure("first sync", median(sync["first"] / loop["first"] for sync, loop in rounds), GOAL),
        Figure("second sync, nothing changed", median(sync["second"] / loop["second"] for sync, loop in rounds), GOAL),
    )
    return Figures(
        key="laptop",
        title="A sync on a laptop",
        how=(
            f"`docferry sync` of {FILES:,} small files into an emulated index, against the plain loop of AWS's page "
            "(start a job, put every file, stop the job) on the same emulator. Less than 1 is faster than the loop."
        ),
        unit="times as long",
        figures=figures,
    )


def docferry(folder: str) -> dict[str, float]:
    """Run the workflow twice."""
    with laptop(settings=Settings(resource_seconds=0)) as aws:
        deployment = aws.deploy(Connector("bench", Part("files", {"path": folder}), Part("kendra")))
        taken = {}
        for name, added in (("first", len(_files(folder))), ("second", 0)):
            began = time.perf_counter()
            execution = deployment.start()
            while execution.status() == "RUNNING":
                time.sleep(0.01)
            taken[name] = time.perf_counter() - began
            ended = report.read(deployment.wired.store, execution.run)
            assert ended is not None
            assert (ended.status, ended.added) == ("SUCCEEDED", added), ended
        return taken


def loop(folder: str) -> dict[str, float]:
    """Put every file, twice."""
    with laptop(settings=Settings(resource_seconds=0)) as aws:
        settings = aws.deploy(
            Connector("bench", Part("files", {"path": folder}), Part("kendra"))
        ).wired.settings.connector.index.settings
        index, source = settings["index_id"], settings["data_source_id"]
        kendra: Any = boto3.client("kendra")
        taken = {}
        for name in ("first", "second"):
            began = time.perf_counter()
            job = kendra.start_data_source_sync_job(Id=source, IndexId=index)["ExecutionId"]
            files = _files(folder)
            most = index_class("kendra").limits.documents
            for start in range(0, len(files), most):
                documents = [_document(path, source, job) for path in files[start : start + most]]
                failed = kendra.batch_put_document(IndexId=index, Documents=documents)["FailedDocuments"]
                assert not failed, failed
            kendra.stop_data_source_sync_job(Id=source, IndexId=index)
            taken[name] = time.perf_counter() - began
            aws.clock.sleep(3600)
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


def _measured(which: str, folder: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.full.laptop_sync", which, folder], check=True, stdout=subprocess.PIPE
    )
    taken: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return taken


if __name__ == "__main__":
    print(json.dumps({"docferry": docferry, "loop": loop}[sys.argv[1]](sys.argv[2])))
