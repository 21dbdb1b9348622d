"""PutBatch: put the documents of one shard, and record what became of each."""

import hashlib
from collections.abc import Iterator

from msgspec import structs

from docferry.crawl import inbox
from docferry.delivery import batching
from docferry.delivery.batching import Put
from docferry.delivery.carried import Contents
from docferry.delivery.sending import INVALID_REQUEST, deliver
from docferry.errors import DocumentError, DocumentMoved, DocumentTooLarge, DocumentUnreadable
from docferry.model import SUFFIXES, Change, Document, Opened, Outcome, S3Object
from docferry.runtime.wiring import Wired
from docferry.state.keys import staging_key
from docferry.state.runs import Shard
from docferry.workflow.shard import Applied, apply_shard, verdict


def put_batch(wired: Wired, shard: Shard) -> Applied:
    """Send a shard in requests that the service takes. Sending it again, after a crash or a timeout, does no harm.

    Raises Throttled and ServiceUnavailable when the service does not take the whole shard.
    """
    return apply_shard(wired, shard, put_all)


def put_all(wired: Wired, shard: Shard, execution_id: str, changes: Iterator[Change]) -> Iterator[Outcome]:
    """Put documents; yield an outcome each, in no order."""
    kinds: dict[str, Change] = {}
    contents = Contents(wired.store, shard.run, shard.shard)
    unopened: list[Outcome] = []

    def opened() -> Iterator[Put]:
        for change in changes:
            try:
                put = open_content(wired, shard.run, change.document, contents)
                if shard.exact and put[0].version != change.document.version:
                    raise DocumentMoved("has changed since the plan was made; the next sync sends it")
            except DocumentError as error:
                unopened.append(Outcome(change.id, change.kind, change.document, "rejected", str(error)))
                continue
            kinds[change.id] = change
            yield put

    for request in batching.requests(opened(), wired.index.limits):
        reasons = deliver(request, lambda puts: wired.index.put(execution_id, puts), lambda put: put[0].id)
        for document, _ in request:
            state, reason = verdict(reasons.get(document.id))
            poison = reason.startswith(INVALID_REQUEST)
            yield Outcome(document.id, kinds.pop(document.id).kind, document, state, reason, poison)
    yield from unopened


def open_content(wired: Wired, run: str, document: Document, contents: Contents) -> Put:
    """A document with its content as it is now, or as the listing has carried it.

    What is too large to send inline is staged on S3. Raises DocumentVanished, DocumentUnreadable, and DocumentTooLarge.
    """
    limits, staged = wired.index.limits, wired.index.role_arn is not None
    opened = _opened(wired, document, contents)
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


def _opened(wired: Wired, document: Document, contents: Contents) -> Opened:
    if document.origin == "inbox":
        return inbox.content(wired.store, document)
    return contents.open(document) if document.id in contents else wired.source.open(document)


def stage(wired: Wired, run: str, document: Document, content: bytes) -> S3Object:
    """Write content to the state bucket, for the service to read it there."""
    key = staging_key(run, hashlib.sha256(document.id.encode()).hexdigest() + SUFFIXES[document.content_type])
    wired.store.put_content(key, content)
    return S3Object(wired.store.bucket, key, len(content))
