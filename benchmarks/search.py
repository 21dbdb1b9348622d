"""One emulated index in this process, and searches of it on demand: `python -m benchmarks.search SIZE`.

Prints what filling it took, then reads names of searches from standard input and prints the seconds that each takes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from benchmarks.memory import idle, peak
from docferry_emulators import Settings, emulated
from docferry_emulators.clock import VirtualClock

SCAN = "scan"
"""The alternative, by name like a search: every text is looked at."""
TEAM = {"Name": "team", "Type": "STRING_VALUE", "Search": {"Facetable": True, "Displayable": True, "Sortable": True}}
SEARCHES: dict[str, dict[str, Any]] = {
    "A word of one document in a thousand": {"QueryText": "thousandth7"},
    "A word of one document in ten": {"QueryText": "tenth7"},
    "A word of every document": {"QueryText": "handbook"},
    "… of those that a user may see": {"QueryText": "handbook", "UserContext": {"UserId": "ann", "Groups": ["group7"]}},
    "… with a facet": {"QueryText": "handbook", "Facets": [{"DocumentAttributeKey": "team"}]},
    "… in the order of a field": {
        "QueryText": "handbook",
        "SortingConfiguration": {"DocumentAttributeKey": "team", "SortOrder": "ASC"},
    },
    "No word, a filter": {"AttributeFilter": {"EqualsTo": {"Key": "team", "Value": {"StringValue": "team7"}}}},
}


class Searched:
    """An index in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.peak_mib = self._read()

    def seconds(self, search: str) -> float:
        """Search, and return what it took."""
        assert self._process.stdin is not None
        print(search, file=self._process.stdin, flush=True)
        return self._read()

    def _read(self) -> float:
        assert self._process.stdout is not None
        value: float = json.loads(self._process.stdout.readline())
        return value


@contextmanager
def filled(size: int) -> Iterator[Searched]:
    """Fill an index in a process of its own."""
    arguments = [sys.executable, "-m", "benchmarks.search", str(size)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Searched(process)


def main(size: int) -> None:
    """Fill the index, then answer."""
    clock = VirtualClock()
    with emulated(clock=clock, settings=Settings(resource_seconds=0)):
        session = boto3.Session(aws_access_key_id="bench", aws_secret_access_key="bench", region_name="eu-west-1")
        kendra: Any = session.client("kendra")
        index = kendra.create_index(Name="bench", RoleArn="arn:aws:iam::123456789012:role/kendra")["Id"]
        kendra.update_index(Id=index, DocumentMetadataConfigurationUpdates=[TEAM])
        before = idle()
        for start in range(0, size, 10):
            documents = [document(number) for number in range(start, start + 10)]
            failed = kendra.batch_put_document(IndexId=index, Documents=documents)["FailedDocuments"]
            assert not failed, failed
            clock.sleep(1)
        clock.sleep(60)
        statistics = kendra.describe_index(Id=index)["IndexStatistics"]["TextDocumentStatistics"]
        assert statistics["IndexedTextDocumentsCount"] == size
        print((peak() - before) / 1024, flush=True)
        texts = [text(number).lower() for number in range(size)]
        for line in sys.stdin:
            started = time.perf_counter()
            if line.strip() == SCAN:
                assert sum("handbook" in content.split() for content in texts) == size
            else:
                kendra.query(IndexId=index, **SEARCHES[line.strip()])
            print(time.perf_counter() - started, flush=True)


def document(number: int) -> dict[str, Any]:
    """A document of some sixty words that one group may see."""
    return {
        "Id": f"document-{number:08}",
        "Title": f"Document {number}",
        "Blob": text(number),
        "Attributes": [{"Key": "team", "Value": {"StringValue": f"team{number % 20}"}}],
        "AccessControlList": [{"Name": f"group{number % 50}", "Type": "GROUP", "Access": "ALLOW"}],
    }


def text(number: int) -> str:
    """Words of every frequency."""
    others = " ".join(f"word{(number * 31 + place * place) % 5_000}" for place in range(60))
    return f"The handbook tenth{number % 10} thousandth{number % 1000} {others}"


if __name__ == "__main__":
    main(int(sys.argv[1]))
