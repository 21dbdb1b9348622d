"""The sidecars of a listing: found among its keys, noted in the crawl before, or read while the page before is used."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import copy_context
from functools import partial
from itertools import chain, pairwise
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from docferry.sources.bucket.errors import code, only_here, translated
from docferry.sources.bucket.keys import Keys
from docferry.sources.bucket.listing import Entry
from docferry.sources.bucket.notes import of_sidecar
from docferry.sources.describing import sidecar
from docferry.sources.describing.sidecar import SUFFIX, SidecarError

# One takes some 20 ms, and 1 ms of a processor: more than 20 at a time wait for the processor.
AT_ONCE = 20
# Of a page the sidecars are read while the two pages before it are used. A sidecar takes 1 MB at most, 1 KB as a rule.
PAGES_AHEAD = 2


class Text(Struct, frozen=True):
    """A sidecar that is there: its ETag, and its bytes."""

    etag: str
    data: bytes


class Described(Struct, frozen=True):
    """The documents of a page, and the sidecars of those that have one, or may have one.

    ``last`` is the last key of the page, ``boundary`` one after which a later listing can be divided.
    """

    documents: list[Entry]
    texts: "dict[str, Text | Future[Text | None]]"
    last: str
    boundary: str

    def text(self, key: str) -> Text | None:
        """The sidecar of a document, or None when there certainly is none. Raises SidecarError."""
        found = self.texts.get(key)
        return found.result() if isinstance(found, Future) else found


class Sidecars:
    """Where the sidecars of a bucket are. With a ``prefix`` they are below it, and not beside their documents."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix

    def place(self, key: str) -> str:
        """The key of the sidecar of a document."""
        return self._prefix + key + SUFFIX

    def document(self, place: str) -> str | None:
        """The key of the document whose sidecar is, or would be, at a key; None when no sidecar is read there."""
        if not place.startswith(self._prefix) or not place.endswith(SUFFIX):
            return None
        return place[len(self._prefix) : -len(SUFFIX)]

    def alone(self, document: Entry) -> Described:
        """One document with its sidecar, for which a request is made. Raises SourceUnavailable."""
        found: Future[Text | None] = Future()
        try:
            found.set_result(self._read(self.place(document.key), listed=False))
        except SidecarError as error:
            found.set_exception(error)
        return Described([document], {document.key: found}, document.key, document.key)

    def ahead(self, pages: Iterator[Keys], documents: Callable[[list[Entry]], list[Entry]]) -> Iterator[Described]:
        """The documents of each page with their sidecars, of which those of the pages to come are being read."""
        threads = ThreadPoolExecutor(AT_ONCE)
        waiting: deque[Described] = deque()
        try:
            for page, following in pairwise(chain(pages, (None,))):
                assert page is not None
                wanted = documents(page.entries)
                texts = self._texts(wanted, page, following, threads)
                waiting.append(Described(wanted, texts, page.last, page.boundary))
                if len(waiting) > PAGES_AHEAD:
                    yield waiting.popleft()
            yield from waiting
        finally:
            threads.shutdown(cancel_futures=True)

    def notes(self, page: Described) -> Iterator[bytes]:
        """The notes of the sidecars of a page, once they are read.

        Below a prefix of their own no listing shows whether they have changed, so there is nothing to note.
        """
        for key in page.texts if not self._prefix else ():
            with suppress(SidecarError):
                text = page.text(key)
                note = of_sidecar(self.place(key), text.etag, text.data) if text is not None else None
                if note is not None:
                    yield note

    def _read(self, place: str, *, listed: bool) -> Text | None:
        """Read the sidecar at a key. None when there certainly is none. Raises SidecarError and SourceUnavailable."""
        bucket = self._bucket
        try:
            reply = self._s3.get_object(Bucket=bucket, Key=place)
            with closing(reply["Body"]) as body:
                return Text(reply["ETag"].strip('"'), body.read(sidecar.MAX_BYTES + 1))
        except ClientError as error:
            if code(error) == "NoSuchKey" and not listed:
                return None
            raise only_here(error, bucket, SidecarError(f"cannot be read: {error}")) from error
        except BotoCoreError as error:
            raise translated(error, bucket) from error

    def _texts(
        self, documents: list[Entry], page: Keys, following: Keys | None, threads: ThreadPoolExecutor
    ) -> "dict[str, Text | Future[Text | None]]":
        """What there is, or may be, beside the documents of a page.

        A sidecar sorts after its document, so the page and the one after it show most of them. The page after it counts
        only when it was listed after it: who uploads a sidecar and then its document must not find it without. Of a
        sidecar that would sort after both, only a request tells.
        """
        seen, until = page.sidecars, page.until
        if following is not None and following.of is page.of:
            seen, until = seen | following.sidecars, following.until
        found: dict[str, Text | Future[Text | None]] = {}
        for document in documents:
            key = document.key
            place = self._prefix + key + SUFFIX
            etag = None if self._prefix else seen.get(place)
            if etag is None and not self._prefix and (until is None or place <= until):
                continue
            note = page.of.notes.get(place)
            if etag is not None and note is not None and note.etag == etag:
                found[key] = Text(etag, note.text.encode())
            else:
                found[key] = threads.submit(copy_context().run, partial(self._read, place, listed=etag is not None))
        return found
