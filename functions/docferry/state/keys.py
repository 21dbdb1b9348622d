"""The keys of the connector's state bucket. statemachine/README.md says what is under each.

What says what an index holds is kept per index data source, under ``data-sources/<kind>/<ids>/`` (``Store.held``).
"""

import hashlib
from uuid import uuid4

# Of the connector.
LEASE = "lease.json"
LEDGER = "ledger.json"
MESSAGES = "messages.json"
PENDING = "pending.json"
RUNS = "runs/"
STAGING = "staging/"
CARRIED = "carried/"
MEMBERS = "members/"
NOTES = "notes/"
NOTED = "notes/current.json"
INBOX = "inbox/"
COLLECTION = "collected/"
COLLECTED = "collected/current.json"
COLLECTED_CONTENT = "collected/content/"

# Of a data source.
DATA_SOURCES = "data-sources/"
SYNC_JOB = "sync_job.json"
OWN_JOBS = "sync_jobs.json"
MANIFESTS = "manifest/"
MANIFEST = "manifest/current.json"
FAILURES = "failures.jsonl.zst"
SCOPE = "scope.json"
GROUPS = "groups/"
KNOWN_GROUPS = "groups/current.json"

# Of a run.
CHECKPOINT = "checkpoint.json"
COMPARISON = "comparison.json"
CHANGES = "changes.json"
BATCHES = "batches.json"
REPORT = "report.json"
APPROVAL = "approval.json"
ENTRY = "run.json"
EVENTS = "events.json"
SKIPPED = "skipped.jsonl.zst"
FAILED = "failed.jsonl.zst"
QUARANTINED = "quarantined.jsonl.zst"
DELETES = "deletes.jsonl.zst"
WITHHELD = "withheld.jsonl.zst"
EXPOSED = "exposed.jsonl.zst"
GROUPS_REPORT = "groups.json"
GROUPS_WITHHELD = "groups_withheld.jsonl.zst"
KEPT_FAILURES = "kept_failures.jsonl.zst"
LISTING = "listing/"
RESULTS = "results/"
PROGRESS = "progress/"


def run_key(run: str, name: str) -> str:
    """Something of one run."""
    return f"{RUNS}{run}/{name}"


def listing_key(run: str, name: str) -> str:
    """A chunk of what a crawl has listed."""
    return run_key(run, f"{LISTING}{name}.jsonl.zst")


def new_listing_key(run: str, name: str) -> str:
    """A new key for such a chunk: two attempts of one state may overlap, and each must read what it has written."""
    return listing_key(run, f"{name}-{uuid4()}")


def comparison_key(run: str, name: str) -> str:
    """Something that the comparison of a run sets aside."""
    return run_key(run, f"comparison/{name}.jsonl.zst")


def parts_key(run: str, name: str) -> str:
    """Where the parts of a stream of one run stand."""
    return run_key(run, f"{name.partition('.')[0]}/")


def statuses_key(run: str, name: str) -> str:
    """A chunk of what the index says of documents."""
    return run_key(run, f"statuses/{name}.jsonl.zst")


def shard_key(run: str, shard: str) -> str:
    """The part of the change set that one Map child handles."""
    return run_key(run, f"changes/{shard}.jsonl.zst")


def result_key(run: str, shard: str, changes: str) -> str:
    """The outcomes of a shard. ``changes`` is the digest of the shard: the result of another one is found nowhere."""
    return run_key(run, f"{RESULTS}{_answer(run, shard, changes)}.jsonl.zst")


def progress_key(run: str, shard: str, changes: str, number: int) -> str:
    """Some outcomes of a shard that is not done, found as its result is."""
    return run_key(run, f"{PROGRESS}{_answer(run, shard, changes)}/{number:05}.jsonl.zst")


def _answer(run: str, shard: str, changes: str) -> str:
    return f"{shard}-{hashlib.sha256(f'{run}/{shard}/{changes}'.encode()).hexdigest()}"


def staging_key(run: str, name: str) -> str:
    """Content too large to send inline."""
    return f"{STAGING}{run}/{name}"


def carried_key(run: str) -> str:
    """A new key for contents that a listing has carried: none is used twice."""
    return f"{CARRIED}{run}/{uuid4()}"


def contents_key(run: str, shard: str) -> str:
    """Where the contents of a shard are that a listing has carried."""
    return run_key(run, f"contents/{shard}.jsonl.zst")


def members_key(digest: str) -> str:
    """Who the groups of an access control list stand for; the name is a digest of what it says."""
    return f"{MEMBERS}{digest}.json"


def notes_key(run: str) -> str:
    """A new key for notes of the source: none is used twice."""
    return f"{NOTES}{run}/{uuid4()}.jsonl.zst"


def collected_key() -> str:
    """A new key for a listing of what the inbox holds: none is used twice."""
    return f"{COLLECTION}{uuid4()}.jsonl.zst"


def content_key(id_: str) -> str:
    """A new key for the content of a document of the inbox: none is used twice."""
    return f"{COLLECTED_CONTENT}{hashlib.sha256(id_.encode()).hexdigest()}/{uuid4()}"
