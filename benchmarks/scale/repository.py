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
"""Documents of a folder, where nothing else is said."""
SIZE = 50_000
"""Bytes of a document, as `docferry cost` takes them to be."""
SUFFIX = ".metadata.json"
SIDECAR_ETAG = '"0123456789abcdef0123456789abcdef"'
WRITTEN = START - timedelta(days=30)
SIDECAR = json.dumps(
    {
        "Title": "Minutes of a meeting",
        "Attributes": {"_category": "minutes"},
        "AccessControlList": [{"Name": "crew", "Type": "GROUP", "Access": "ALLOW"}],
    }
).encode()


class Edits(Struct, frozen=True, kw_only=True):
    """What was done to the first edition: to one document in so many, or, for 0, to none. As many are new as gone."""

    edited_one_in: int = 0
    gone_one_in: int = 0


class Edition(Struct, frozen=True, kw_only=True):
    """A state of the repository. ``documents`` are those of the first edition, ``folder`` how many a folder has."""

    documents: int
    edits: Edits = Edits()
    sidecars: bool = False
    folder: int = FOLDER
    seed: int = 0

    @property
    def numbers(self) -> int:
        """Documents have numbers below this one."""
        return self.documents + (self.documents // self.edits.gone_one_in if self.edits.gone_one_in else 0)

    def exists(self, number: int) -> bool:
        """Whether there is a document of this number."""
        one_in = self.edits.gone_one_in
        gone = one_in and not self.new(number) and (number + self.seed) % one_in == 1 % one_in
        return 0 <= number < self.numbers and not gone

    def new(self, number: int) -> bool:
        """Whether the first edition has no document of this number."""
        return number >= self.documents

    def edited(self, number: int) -> bool:
        """Whether the document is another than in the first edition."""
        one_in = self.edits.edited_one_in
        return bool(one_in) and not self.new(number) and (number + self.seed) % one_in == one_in // 2

    def key(self, number: int) -> str:
        """The key of a document. Keys are in the order of the numbers."""
        return f"archive/minutes/{number // self.folder:06}/minutes-of-meeting-{number:09}.pdf"

    def etag(self, number: int) -> str:
        """The ETag of a document."""
        told = f"{self.seed}/{number}/{self.edited(number)}"
        return f'"{hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()}"'

    def listed(self, prefix: str, after: str, most: int) -> list[dict[str, Any]]:
        """Entries of ListObjectsV2 below a prefix that come after a key."""
        found: list[dict[str, Any]] = []
        first = bisect_left(range(self.numbers), max(prefix, after).removesuffix(SUFFIX), key=self.key)
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
        if key != self.key(number) or not self.exists(number):
            return None
        return {"ContentLength": SIZE, "ETag": self.etag(number), "LastModified": WRITTEN}

    def body(self, key: str) -> bytes | None:
        """The content of a sidecar."""
        number = number_of(key.removesuffix(SUFFIX))
        there = self.sidecars and key == self.key(number) + SUFFIX and self.exists(number)
        return SIDECAR if there else None

    def _entries(self, number: int) -> Iterator[dict[str, Any]]:
        key = self.key(number)
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


def number_of(key: str) -> int:
    """The number of a document, by its key or by an id that ends with it; -1 for another key."""
    digits = key.removesuffix(SUFFIX).removesuffix(".pdf")[-9:]
    return int(digits) if digits.isdigit() else -1
