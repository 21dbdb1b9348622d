"""A connector with made-up documents on a laptop, whose runs are counted: what the model is measured against."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from benchmarks.counting import Counter, counting
from docferry.connector import Connector, DeleteGuard, Part
from docferry.indexes import Verify
from docferry.reporting import report
from docferry_emulators import DEFAULTS, Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.costs.usage import Usage
from docferry_laptop.costs.workload import Workload
from docferry_laptop.laptop import Deployment, laptop
from docferry_laptop.storage import create_bucket

BUCKET = "docferry-trial-documents"
SIDECAR = json.dumps({"Title": "A title", "Attributes": {"team": "crew"}})
EVERY_DELETE = DeleteGuard(documents=1_000_000)
LOOK_SECONDS = 0.01
INDEXING_SECONDS = DEFAULTS.indexing_seconds
DOCUMENT_SECONDS = DEFAULTS.seconds_per_document


class Trial:
    """A connector and its source. ``sidecars``: each document has one, with an attribute."""

    def __init__(self, deployment: Deployment, counter: Counter, folder: Path, *, sidecars: bool) -> None:
        self._deployment = deployment
        self._counter = counter
        self._folder = folder
        self._sidecars = sidecars
        self._edits: dict[int, int] = {}
        self._first = True

    def write(self, numbers: range) -> None:
        """Write documents, or write them again with another text."""
        for number in numbers:
            new = number not in self._edits
            edit = self._edits[number] = self._edits.get(number, 0) + 1
            self._put(_name(number), f"text {number}, edit {edit}")
            if self._sidecars and new:
                self._put(f"{_name(number)}.metadata.json", SIDECAR)

    def remove(self, numbers: range) -> None:
        """Delete documents, with their sidecars."""
        for number in numbers:
            del self._edits[number]
            self._delete(_name(number))
            if self._sidecars:
                self._delete(f"{_name(number)}.metadata.json")

    def sync(self) -> tuple[Workload, Usage]:
        """Run once. Returns what the run had to do, by its own report, and what it really used."""
        self._counter.taken()
        execution = self._deployment.start()
        between_looks = threading.Event()
        while execution.status() == "RUNNING":
            between_looks.wait(LOOK_SECONDS)
        used = self._counter.taken()
        wired = self._deployment.wired
        written = report.read(wired.store, execution.run)
        assert written is not None, execution.error()
        assert written.status == "SUCCEEDED", written.error
        connector = wired.settings.connector
        verify: Verify = connector.index.settings.get("verify", "auto")
        work = Workload(
            source=connector.source.kind,
            index=connector.index.kind,
            documents=len(self._edits),
            added=written.added,
            modified=written.modified,
            deleted=written.deleted,
            average_size=20,
            sidecars=len(self._edits) if self._sidecars else 0,
            attributes=self._sidecars,
            first=self._first,
            verify=verify,
        )
        self._first = False
        return work, used

    def _put(self, name: str, text: str) -> None:
        if self._on_s3:
            boto3.client("s3").put_object(Bucket=BUCKET, Key=name, Body=text.encode())
        else:
            (self._folder / name).write_text(text, encoding="utf-8")

    def _delete(self, name: str) -> None:
        if self._on_s3:
            boto3.client("s3").delete_object(Bucket=BUCKET, Key=name)
        else:
            (self._folder / name).unlink()

    @property
    def _on_s3(self) -> bool:
        return self._deployment.wired.settings.connector.source.kind == "s3"


@contextmanager
def trial(  # each is one thing that the number of calls depends on
    folder: Path,
    source: str,
    index: str,
    *,
    sidecars: bool = False,
    verify: Verify = "auto",
    indexing_seconds: float = INDEXING_SECONDS,
) -> Iterator[Trial]:
    """Start a laptop on virtual time with one connector, whose documents are in ``folder``, or in a bucket."""
    service = Settings(undeclared_fields="declare", indexing_seconds=indexing_seconds)
    with laptop(clock=VirtualClock(), settings=service) as aws, counting() as counter:
        create_bucket(BUCKET)
        settings = {"bucket": BUCKET} if source == "s3" else {"path": str(folder)}
        connector = Connector("trial", Part(source, settings), Part(index, {"verify": verify}), deletes=EVERY_DELETE)
        yield Trial(aws.deploy(connector), counter, folder, sidecars=sidecars)


def _name(number: int) -> str:
    return f"document-{number:06}.txt"
