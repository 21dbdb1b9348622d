"""The repository that is synced: a bucket with so many documents, made up as they are listed and stored nowhere.

``Edition`` says which state of it is meant. The keys of a document and of its sidecar follow each other, as those of
real repositories do; an ETag is as long, and compresses as badly, as a real one.
"""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec import Struct

from benchmarks.scale.bucket import START

NAME = "documents"
FOLDER = 1_000
"""Documents of a folder."""
SIZE = 50_000
"""Bytes of a document, as `docferry cost` takes them to be."""
SUFFIX = ".metadata.json"
SIDECAR_ETAG = '"0123456789abcdef0123456789abcdef"'
WRITTEN = START - timedelta(days=30)
ONE_IN, GONE_ONE_IN = 100, 10_000
SIDECAR = json.dumps(
    {
        "Title": "Minutes of a meeting",
        "Attributes": {"_category": "minutes"},
        "AccessControlList": [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}],
    }
).encode()


class Edition(Struct, frozen=True, kw_only=True):
    """A state of the repository.

    ``changed``: one document in a hundred has another ETag than in the first edition, some are gone, some are new.
    """

    documents: int
    sidecars: bool = False
    changed: bool = False
    seed: int = 0

    @property
    def numbers(self) -> int:
        """Documents have numbers below this one."""
        return self.documents + (self.documents // GONE_ONE_IN if self.changed else 0)

    @property
    def held(self) -> int:
        """How many documents there are."""
        return self.numbers - (
            len(range((1 - self.seed) % GONE_ONE_IN, self.documents, GONE_ONE_IN)) if self.changed else 0
        )

    def exists(self, number: int) -> bool:
        """Whether there is a document of this number."""
        return 0 <= number < self.numbers and not (
            self.changed and number < self.documents and (number + self.seed) % GONE_ONE_IN == 1
        )

    def edited(self, number: int) -> bool:
        """Whether the document is another than in the first edition."""
        return self.changed and number < self.documents and (number + self.seed) % ONE_IN == ONE_IN // 2

    def etag(self, number: int) -> str:
        """The ETag of a document."""
        told = f"{self.seed}/{number}/{self.edited(number)}"
        return f'"{hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()}"'

    def listed(self, prefix: str, after: str, most: int) -> list[dict[str, Any]]:
        """Entries of ListObjectsV2 below a prefix that come after a key."""
        found: list[dict[str, Any]] = []
        first = bisect_left(range(self.numbers), max(prefix, after).removesuffix(SUFFIX), key=key_of)
        for number in range(max(0, first - 1), self.numbers):
            if not self.exists(number):
                continue
            entries = [entry for entry in self._entries(number) if entry["Key"] > after]
            if len(found) >= most or (entries and entries[0]["Key"] > prefix and not _below(entries, prefix)):
                break
            found += _below(entries, prefix)
        return found[:most]

    def head(self, key: str) -> dict[str, Any] | None:
        """What HeadObject says of a key."""
        number = number_of(key)
        if key != key_of(number) or not self.exists(number):
            return None
        return {"ContentLength": SIZE, "ETag": self.etag(number), "LastModified": WRITTEN}

    def body(self, key: str) -> bytes | None:
        """The content of a sidecar."""
        number = number_of(key.removesuffix(SUFFIX))
        there = self.sidecars and key == key_of(number) + SUFFIX and self.exists(number)
        return SIDECAR if there else None

    def _entries(self, number: int) -> Iterator[dict[str, Any]]:
        key = key_of(number)
        yield {
            "Key": key,
            "LastModified": WRITTEN,
            "ETag": self.etag(number),
            "Size": SIZE,
            "StorageClass": "STANDARD",
        }
        if self.sidecars:
            yield {
                "Key": key + SUFFIX,
                "LastModified": WRITTEN,
                "ETag": SIDECAR_ETAG,
                "Size": len(SIDECAR),
                "StorageClass": "STANDARD",
            }


def _below(entries: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry["Key"].startswith(prefix)]


def key_of(number: int) -> str:
    """The key of a document. Keys are in the order of the numbers."""
    return f"archive/minutes/{number // FOLDER:06}/minutes-of-meeting-{number:09}.pdf"


def number_of(key: str) -> int:
    """The number of a document, by its key or by an id that ends with it; -1 for another key."""
    digits = key.removesuffix(SUFFIX).removesuffix(".pdf")[-9:]
    return int(digits) if digits.isdigit() else -1
