"""One phase over many small documents, measured in this process: `python -m benchmarks.phase PHASE SIZE ENDPOINT`.

The source makes documents up as it lists them; S3 is in another process; the index is the real adapter's limits with a
job that has ended. So what is measured is the crawl and the commit themselves.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.memory import idle, peak
from docferry.changes import detection
from docferry.connector import Connector, Part
from docferry.delivery import shards
from docferry.indexes import Metrics, SyncJob
from docferry.indexes.kendra import Kendra, KendraSettings
from docferry.model import Document, Opened, Outcome
from docferry.runtime.settings import Settings
from docferry.runtime.wiring import Wired, client
from docferry.settlement.settle import settle
from docferry.sources import NOTHING, Ability, Known, Page
from docferry.state import lines, manifest, runs
from docferry.state.keys import SYNC_JOB
from docferry.state.store import Store
from docferry.sync_job import job as sync_job
from docferry.workflow.crawl import Request, crawl

PAGE = 1_000
HOURS = 3_600_000

Steps = tuple[Callable[[], object], ...]
"""What a phase does; the last is measured."""


def document(number: int) -> Document:
    """A document as a source lists it, of a typical length."""
    return Document(
        id=f"bench/folder-{number // 100:05}/document-{number:08}.txt",
        version=f"sha256:{number:064x}",
        size=1_000,
        locator=f"folder-{number // 100:05}/document-{number:08}.txt",
        content_type="PLAIN_TEXT",
        title=f"Document {number}",
        attributes={"_source_uri": f"https://example.com/folder-{number // 100:05}/document-{number:08}.txt"},
    )


class MadeUp:
    """A source of so many documents."""

    presentation: frozenset[str] = frozenset()
    abilities: frozenset[Ability] = frozenset({"resumes"})

    def __init__(self, size: int) -> None:
        self._size = size

    def pages(self, checkpoint: str | None, known: Known = NOTHING) -> Iterator[Page]:  # noqa: ARG002
        """List them."""
        for start in range(int(checkpoint or 0), self._size, PAGE):
            end = min(start + PAGE, self._size)
            yield Page([document(number) for number in range(start, end)], checkpoint=str(end))

    def open(self, _: Document) -> Opened:
        """Never called: nothing is put."""
        raise AssertionError


class Ended(Kendra):
    """An index whose job has ended well: the adapter of Kendra, which calls no service here."""

    def __init__(self) -> None:
        settings = KendraSettings(index_id="bench", data_source_id="bench", verify="metrics")
        super().__init__(settings=settings, clients=lambda _: None)

    def jobs(self, **_: object) -> Iterator[SyncJob]:
        """None are left to look at."""
        return iter(())


def main(phase: str, size: int, endpoint: str) -> dict[str, Any]:
    """Prepare a phase, run it, and return what it took."""
    os.environ |= {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    if phase == "plain":
        return plain(size)
    bucket = f"bench-{phase}-{size}"
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket)
    settings = Settings(bucket, Connector("bench", Part("files"), Part("kendra")))
    source: Any = MadeUp(size)
    index = Ended()
    wired = Wired(settings, Store(bucket, s3, index.data_source), source, index, client("stepfunctions"))
    first = Request("run", "execution")
    steps: dict[str, Steps] = {
        "crawl": (lambda: _crawled(wired, first, changes=size),),
        "commit": (lambda: _acknowledged(wired, first), lambda: _committed(wired, first, size)),
        "unchanged": (
            lambda: _acknowledged(wired, first),
            lambda: _committed(wired, first, size),
            lambda: _crawled(wired, Request("second", "execution"), changes=0),
        ),
        "listing": (lambda: _listed(source, size),),
    }
    *before, measured = steps[phase]
    for step in before:
        _in_another_process(step)
    held, started, busy = idle(), time.perf_counter(), time.process_time()
    measured()
    return {
        "peak_mib": (peak() - held) / 1024,
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - busy,
    }


def _listed(source: MadeUp, size: int) -> None:
    assert sum(len(page.listed) for page in source.pages(None)) == size


def _crawled(wired: Wired, run: Request, *, changes: int) -> None:
    assert crawl(wired, run, lambda: HOURS).changes == changes


def _acknowledged(wired: Wired, run: Request) -> None:
    """What the crawl and the put shards of a run leave."""
    crawl(wired, run, lambda: HOURS)
    for shard in runs.shards(wired.store, run.run):
        sent = shards.changes(wired.store, shard)
        shards.write_result(wired.store, shard, (Outcome(one.id, one.kind, one.document) for one in sent))
    wired.store.write(wired.store.held(SYNC_JOB), sync_job.SyncJobRecord(run=run.run, state="open", execution_id="job"))


def _committed(wired: Wired, run: Request, size: int) -> None:
    moment = datetime.now(UTC)
    settle(wired, run.run, SyncJob("job", "SUCCEEDED", moment, moment, Metrics(added=size)), lambda: HOURS)
    record = manifest.pointer(wired.store)
    assert record is not None
    assert record.value.documents == size


def _in_another_process(step: Callable[[], object]) -> None:
    """Leave what a step leaves in S3: its memory and its time are not ours."""
    if os.fork() == 0:
        step()
        os._exit(0)
    _, status = os.wait()
    assert status == 0


def plain(size: int) -> dict[str, Any]:
    """The listing and the manifest as dicts of parsed documents, compared id by id; and the merge on the same lines."""
    encoded = [lines.encode(document(number)) for number in range(size)]
    started = time.perf_counter()
    events = detection.detect(iter(encoded), iter(encoded))
    merged = sum(event.documents for event in events if isinstance(event, detection.Unchanged))
    merge_seconds = time.perf_counter() - started
    assert merged == size
    before = idle()
    started = time.perf_counter()
    listing = {parsed["id"]: parsed for parsed in map(json.loads, encoded)}
    held = {parsed["id"]: parsed for parsed in map(json.loads, encoded)}
    assert all(held.get(id_) == listed for id_, listed in listing.items())
    assert not held.keys() - listing.keys()
    seconds = time.perf_counter() - started
    return {"peak_mib": (peak() - before) / 1024, "seconds": seconds, "merge_seconds": merge_seconds}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
