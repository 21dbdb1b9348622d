"""The keys of the connector's state bucket. statemachine/README.md says what is under each."""

import hashlib
from uuid import uuid4

LEASE = "lease.json"


SYNC_JOB = "sync_job.json"


MANIFEST = "manifest/current.json"


FAILURES = "failures.jsonl.zst"


SCOPE = "scope.json"


DATA_SOURCES = "data-sources/"


LEDGER = "ledger.json"


INBOX = "inbox/"


COLLECTED = "collected/current.json"


def run_key(run: str, name: str) -> str:
    """Something of one run."""
    return f"runs/{run}/{name}"


def shard_key(run: str, shard: str) -> str:
    """The part of the change set that one Map child handles."""
    return run_key(run, f"changes/{shard}.jsonl.zst")


def result_key(run: str, shard: str, changes: str) -> str:
    """The outcomes of a shard. ``changes`` is the digest of the shard: the result of another one is found nowhere."""
    answered = hashlib.sha256(f"{run}/{shard}/{changes}".encode()).hexdigest()
    return run_key(run, f"results/{shard}-{answered}.jsonl.zst")


def staging_key(run: str, name: str) -> str:
    """Content too large to send inline."""
    return f"staging/{run}/{name}"


def collected_key() -> str:
    """A new key for a listing of what the inbox holds: none is used twice."""
    return f"collected/{uuid4()}.jsonl.zst"


def content_key(id_: str) -> str:
    """A new key for the content of a document of the inbox: none is used twice."""
    return f"collected/content/{hashlib.sha256(id_.encode()).hexdigest()}/{uuid4()}"
