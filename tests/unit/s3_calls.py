"""Clients of S3 for tests with thousands of calls: one in memory, and one that counts, and where a process may die."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from docferry.state.store import Store
from tests.state_buckets import Bucket
from tests.unit.fakes import FakeIndex


class Died(BaseException):
    """The process ends at a call. No ``except Exception`` sees it."""


class Calls:
    """Stands before a client. ``keys`` counts each call by operation and key; the n-th one dies if ``dies_at`` is n."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self._lock = threading.Lock()
        self.keys: Counter[tuple[str, str]] = Counter()
        self.dies_at = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._s3, name)
        if not callable(real):
            return real

        def call(*args: Any, **kwargs: Any) -> Any:
            self._note(name, key_of(name, args, kwargs))
            return real(*args, **kwargs)

        return call

    def of(self, *names: str) -> int:
        """How many calls there were of some operations, or of all."""
        return sum(count for (name, _), count in self.keys.items() if not names or name in names)

    def on(self, name: str, chosen: Callable[[str], bool]) -> Counter[str]:
        """The keys that an operation was called on, and how often."""
        return Counter({key: count for (called, key), count in self.keys.items() if called == name and chosen(key)})

    def _note(self, name: str, key: str) -> None:
        with self._lock:
            self.keys[name, key] += 1
            if self.of() == self.dies_at:
                raise Died


def key_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The key, or the prefix, that a call is about."""
    if name == "upload_fileobj":
        return str(args[2])
    return str(kwargs.get("Key") or kwargs.get("Prefix") or "")


class InMemory:
    """The calls of a client of S3 on one bucket, without HTTP."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answer = self._bucket.answers("".join(word.title() for word in name.split("_")))
        if answer is None:
            raise AttributeError(name)
        return lambda **params: answer(params)

    def upload_fileobj(self, file: Any, bucket: str, key: str, **_: object) -> None:
        """Put a file."""
        self.put_object(Bucket=bucket, Key=key, Body=file)

    def get_paginator(self, _: str) -> "InMemory":
        """Every list is one page."""
        return self

    def paginate(self, **params: Any) -> Iterator[dict[str, Any]]:
        """List keys."""
        yield self.list_objects(**params)

    def list_objects(self, **params: Any) -> dict[str, Any]:
        """One page of a list."""
        answer = self._bucket.answers("ListObjectsV2")
        assert answer is not None
        return answer(params)


def in_memory() -> Store:
    """An empty state bucket in memory."""
    return Store("state", InMemory(Bucket("state")), FakeIndex.data_source)


def watched(store: Store) -> tuple[Store, Calls]:
    """The same bucket, through such a client."""
    calls = Calls(store._s3)
    return Store(store.bucket, calls, store.data_source), calls
