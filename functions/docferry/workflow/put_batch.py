"""PutBatch: put the documents of one shard, and record what became of each."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial

from msgspec import structs

from docferry.changes.detection import DOUBTFUL
from docferry.crawl import inbox
from docferry.delivery import batching
from docferry.delivery.batching import Put
from docferry.delivery.carried import Contents
from docferry.delivery.progress import Progress
from docferry.delivery.sending import INVALID_REQUEST, deliver
from docferry.errors import DocumentError, DocumentMoved, DocumentTooLarge, DocumentUnreadable
from docferry.model import SUFFIXES, Acceptance, Change, Document, Opened, Outcome, S3Object
from docferry.runtime.wiring import Wired
from docferry.sources import Open, opener
from docferry.state.ahead import in_order
from docferry.state.keys import staging_key
from docferry.state.runs import Shard
from docferry.workflow.shard import Applied, Remaining, Request, apply_shard, verdict

Opening = tuple[Change, Put | str]
"""A change with its document opened, or the reason why it could not be."""


# More than a request of ten takes: while one is sent, the contents of the next are fetched. A HEAD of 40 ms, 16 at a
# time, is 2.5 ms a document: a worker opens 400 a second.
OPENED_AT_ONCE = 16
# Contents that wait for their request, by the sizes that were listed; one larger document is opened alone. With the
# requests under way (80 MB), the buffer of carried contents (32 MB), and one document of 50 MB that is staged, a worker
# holds 200 MB beside its imports, of the 512 MiB that runtime/lambdas.py gives it.
OPENED_BYTES = 32_000_000


def put_batch(wired: Wired, shard: Shard, remaining: Remaining) -> Applied:
    """Send a shard in requests that the service takes. Sending it again, after a crash or a timeout, does no harm.

    Raises ShardUnfinished when another invocation has to go on; Throttled and ServiceUnavailable when nothing got
    through.
    """
    return apply_shard(wired, shard, put_requests, remaining)


def put_requests(
    wired: Wired, shard: Shard, execution_id: str, changes: Iterator[Change], progress: Progress
) -> Iterator[Request]:
    """Open documents ahead, and make requests of them. A document that cannot be opened is rejected."""
    contents = Contents(wired.store, shard.run, shard.shard)
    # A plan is applied exactly: each document is looked at by itself.
    from_source = wired.source.open if shard.exact else opener(wired.source)

    def opened(change: Change) -> Opening:
        try:
            put = open_content(wired, shard.run, change.document, contents, from_source)
            if shard.exact and put[0].version != change.document.version:
                raise DocumentMoved("has changed since the plan was made; the next sync sends it")
        except DocumentError as error:
            return change, str(error)
        return change, put

    def puts() -> Iterator[Put]:
        for change, put in _opened_ahead(wired, opened, changes, contents):
            if isinstance(put, str):
                progress.add([Outcome(change.id, change.kind, change.document, _refused(change), put)])
            else:
                asked[change.id] = change
                yield put

    asked: dict[str, Change] = {}
    for request in batching.requests(puts(), wired.index.limits):
        send = partial(_put, wired, execution_id, request, {put[0].id: asked.pop(put[0].id) for put in request})
        yield Request(send, sum(map(batching.inline_bytes, request)))


def _opened_ahead(
    wired: Wired, opened: Callable[[Change], Opening], changes: Iterator[Change], contents: Contents
) -> Iterator[Opening]:
    """Open documents in threads, where the source allows it. Carried contents are read by and by, in their order."""
    if contents or "opens_at_once" not in wired.source.abilities:
        return map(opened, changes)
    return in_order(opened, changes, OPENED_AT_ONCE, weight=lambda change: change.document.size, most=OPENED_BYTES)


def _refused(change: Change) -> Acceptance:
    """What is known when a put is refused: nothing new, where it was not known before what the index holds."""
    return "doubtful" if DOUBTFUL in change.why else "rejected"


def _put(wired: Wired, execution_id: str, request: list[Put], asked: dict[str, Change]) -> list[Outcome]:
    """Send a request; give the outcome of each document."""
    reasons = deliver(request, lambda puts: wired.index.put(execution_id, puts), lambda put: put[0].id)
    outcomes = []
    for document, _ in request:
        state, reason = verdict(reasons.get(document.id))
        poison = reason.startswith(INVALID_REQUEST)
        change = asked[document.id]
        state = _refused(change) if state == "rejected" else state
        outcomes.append(Outcome(document.id, change.kind, document, state, reason, poison))
    return outcomes


def open_content(wired: Wired, run: str, document: Document, contents: Contents, from_source: Open) -> Put:
    """A document with its content as it is now, or as the listing has carried it.

    What is too large to send inline is staged on S3. Raises DocumentVanished, DocumentUnreadable, and DocumentTooLarge.
    """
    limits, staged = wired.index.limits, wired.index.role_arn is not None
    opened = _opened(wired, document, contents, from_source)
    content = opened.content
    size = content.size if isinstance(content, S3Object) else len(content)
    if document.id not in contents:
        document = structs.replace(document, version=opened.version, size=size)
    if size == 0:
        raise DocumentUnreadable("is empty now")
    if reason := batching.too_large(document, size, limits, inline=isinstance(content, bytes) and not staged):
        raise DocumentTooLarge(reason)
    if staged and isinstance(content, bytes) and batching.inline_bytes((document, content)) > limits.inline_bytes:
        content = stage(wired, run, document, content)
    return document, content


def _opened(wired: Wired, document: Document, contents: Contents, from_source: Open) -> Opened:
    if document.origin == "inbox":
        return inbox.content(wired.store, document)
    return contents.open(document) if document.id in contents else from_source(document)


def stage(wired: Wired, run: str, document: Document, content: bytes) -> S3Object:
    """Write content to the state bucket, for the service to read it there."""
    key = staging_key(run, hashlib.sha256(document.id.encode()).hexdigest() + SUFFIXES[document.content_type])
    wired.store.put_content(key, content)
    return S3Object(wired.store.bucket, key, len(content))
