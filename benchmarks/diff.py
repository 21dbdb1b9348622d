"""The last step of a crawl without changes: a manifest and a listing on S3, read, unpacked and compared.

Beside it the plain alternatives, over the same JSON lines: DuckDB and sqlite read two files, and dicts two lists in
memory. Only ours unpacks its input and takes it from S3, here an answer from memory: the network is not measured.
"""

import io
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from botocore.response import StreamingBody

from benchmarks.phase import document
from docferry.changes import access, detection
from docferry.crawl import listing
from docferry.model import Document
from docferry.state import lines, manifest, sorting
from docferry.state.manifest import Pointer
from docferry.state.store import Store
from docferry.state.windows import Steps

DOCUMENTS = 1_000_000
ROUNDS = 3


class Bucket:
    """A client of S3 that keeps objects in memory."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def upload_fileobj(self, file: Any, _: str, key: str, **__: Any) -> None:
        """Write an object."""
        self._objects[key] = file.read()

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803  # boto3's names
        """Write an object."""
        self._objects[Key] = Body

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # boto3's names
        """Read an object."""
        body = self._objects[Key]
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}


def ratios(documents: int = DOCUMENTS) -> dict[str, float]:
    """The CPU time of each alternative and of ours, as multiples of DuckDB's. Measured in turn; the median."""
    with tempfile.TemporaryDirectory() as folder:
        encoded = [lines.encode(document(number)) for number in range(documents)]
        file = Path(folder) / "documents.jsonl"
        file.write_bytes(b"\n".join(encoded) + b"\n")
        ours = _ours(encoded)
        ways: dict[str, Callable[[], int]] = {
            "docferry": ours,
            "duckdb": lambda: _duckdb(file),
            "sqlite": lambda: _sqlite(file),
            "dicts": lambda: _dicts(encoded),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            seconds = {name: _seconds(way, documents) for name, way in ways.items()}
            for name, each in seconds.items():
                taken[name].append(each / seconds["duckdb"])
    return {name: median(each) for name, each in taken.items()}


def _seconds(way: Callable[[], int], documents: int) -> float:
    began = time.process_time()
    assert way() == documents
    return time.process_time() - began


def _ours(encoded: list[bytes]) -> Callable[[], int]:
    """What the crawl does with a manifest and the chunks of a listing, once they are written."""
    store = Store("bench", Bucket())
    chunks = [
        sorting.write_chunk(store, f"listing-{start}", map(_document, encoded[start : start + sorting.CHUNK_LINES]))
        for start in range(0, len(encoded), sorting.CHUNK_LINES)
    ]
    writer = store.part_writer(manifest.prefix(store, "bench"))
    for line in encoded:
        writer.add_line(line)
    writer.end_part()
    written = manifest.write_list(store, "bench", writer.parts)
    pointer = Pointer(manifest.FORMAT, written.key, written.lines, written.sha256)

    def known() -> Iterator[bytes]:
        return manifest.in_blocks(store, pointer)

    def compared() -> int:
        own = manifest.own_ids(store, pointer, "bench")
        assert not any(True for block in own for _ in access.secret(block, "bench"))
        steps, unchanged = Steps(known(), listing.in_blocks(store, chunks)), 0
        while steps.left:
            for window in steps.step():
                events = detection.detect(filter(None, [window.left]), filter(None, [window.right]))
                unchanged += sum(event.documents for event in events if isinstance(event, detection.Unchanged))
        return unchanged

    return compared


def _document(line: bytes) -> Document:
    return lines.decode(line, Document)


def _duckdb(file: Path) -> int:
    columns = "{id: 'VARCHAR', version: 'VARCHAR', size: 'BIGINT'}"
    read = f"read_json('{file}', columns={columns}, format='newline_delimited')"
    query = f"""
        SELECT count(*) FROM {read} old FULL JOIN {read} new USING (id)
        WHERE old.version IS NOT DISTINCT FROM new.version AND old.size IS NOT DISTINCT FROM new.size
    """
    with duckdb.connect() as connection:
        (found,) = connection.sql(query).fetchall()[0]
    return int(found)


def _sqlite(file: Path) -> int:
    with closing(sqlite3.connect(":memory:")) as connection:
        for table in ("old", "new"):
            connection.execute(f"CREATE TABLE {table} (id TEXT PRIMARY KEY, line TEXT) WITHOUT ROWID")
            with file.open(encoding="utf-8") as read:
                rows = ((json.loads(line)["id"], line) for line in read)
                connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
        query = "SELECT count(*) FROM old FULL JOIN new USING (id) WHERE old.line IS new.line"
        (found,) = connection.execute(query).fetchone()
    return int(found)


def _dicts(encoded: list[bytes]) -> int:
    old = {parsed["id"]: parsed for parsed in map(json.loads, encoded)}
    new = {parsed["id"]: parsed for parsed in map(json.loads, encoded)}
    assert not old.keys() - new.keys()
    return sum(old.get(id_) == parsed for id_, parsed in new.items())
