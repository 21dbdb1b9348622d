"""The model: what a run uses, from what it has to do. Pure functions over data.

The number of requests is linear in a few drivers, such as shards and chunks of the listing. ``drivers`` counts them for
a workload; ``calibration.yaml`` has what each function calls for one of each.
"""

from math import ceil

from docferry.indexes import index_class
from docferry.runtime.lambdas import FUNCTIONS, TRIGGER, Function
from docferry.sources.bucket.sidecars import AT_ONCE as SIDECARS_AT_ONCE
from docferry_laptop.costs.calibration import Calibration, load
from docferry_laptop.costs.limits import SIZES, Sizes
from docferry_laptop.costs.usage import Usage
from docferry_laptop.costs.workload import Workload

REMEMBERING = frozenset({"files", "s3"})
"""Kinds of sources that keep notes from one crawl to the next."""
ON_S3 = "s3"


def drivers(work: Workload, sizes: Sizes = SIZES) -> dict[str, float]:
    """What the requests of a run depend on, by name. Flags are 0 or 1.

    ``run``: there is a run. ``first``: it is the first one. ``changes``: something is sent.
    ``chunks`` are those of the listing, ``note_chunks`` and ``noted_chunks`` those of the notes that a source makes,
    and that it has made in the run before. ``source_sidecars`` are those that have to be read. ``source_opened`` are
    the objects that are looked at one by one before they are put, ``source_neighbours`` the pages in which others are.
    ``looked_up``: the status of each document is asked for. ``declared``: the attributes of what is put are compared
    with the fields of the index; ``undeclared``: the index has no such fields yet.
    """
    changes, on_s3 = float(work.changes > 0), float(work.source == ON_S3)
    in_shard, deletes_in_shard = _in_shard(work, sizes), sizes.in_shard(work.documents)
    put_shards, delete_shards = ceil(work.puts / in_shard), ceil(work.deleted / deletes_in_shard)
    notes, limits = float(work.source in REMEMBERING), index_class(work.index).limits
    chunks = ceil(work.documents / sizes.chunk_lines)
    pages = max(1, ceil((work.documents + work.sidecars) / sizes.page_keys)) if on_s3 else 0
    looked_up = float(work.puts > 0 and looks_up(work, sizes))
    opened, neighbours = looked_at(work, in_shard, sizes)
    return {
        "run": 1,
        "first": float(work.first),
        "changes": changes,
        "chunks": chunks,
        "notes": notes,
        "note_chunks": notes * chunks,
        "noted_chunks": notes * ceil(work.known / sizes.chunk_lines),
        "put_shards": put_shards,
        "delete_shards": delete_shards,
        "put_requests": _requests(work.puts, in_shard, per_request(work)),
        "delete_requests": _requests(work.deleted, deletes_in_shard, limits.documents),
        "source_pages": pages,
        "source_sidecars": sidecars_read(work) * on_s3,
        "source_opened": opened * on_s3,
        "source_neighbours": neighbours * on_s3,
        "staged": 0 if on_s3 or per_request(work) else work.puts,
        "looked_up": looked_up,
        "looked_up_calls": _lookups(work, sizes),
        "declared": float(work.attributes and work.puts > 0),
        "undeclared": float(work.attributes and work.first and work.puts > 0),
        "polls": polls(work, sizes) if work.changes else 0,
        "groups": float(work.groups),
        "children": put_shards + delete_shards,
    }


def sidecars_read(work: Workload) -> int:
    """How many sidecars a crawl of a bucket reads: those that it has not noted before. A few more have changed."""
    return min(work.sidecars, work.added)


def looked_at(work: Workload, in_shard: int, sizes: Sizes = SIZES) -> tuple[float, float]:
    """How many objects of a bucket are looked at one by one before they are put, and in how many pages the others.

    What is put is taken to be spread evenly over the bucket. The rule is ``docferry.sources.bucket.neighbours``.
    """
    if not work.puts:
        return 0, 0
    in_page = sizes.page_keys * work.puts / (work.documents + work.sidecars)
    if in_page < sizes.worth_a_page:
        return work.puts, max(0, work.puts - sizes.alone_at_first) / (sizes.alone_afterwards + in_page)
    whole, rest = divmod(work.puts, in_shard)
    alone = whole * min(in_shard, sizes.alone_at_first) + min(rest, sizes.alone_at_first)
    pages = whole * ceil(max(0, in_shard - sizes.alone_at_first) / in_page)
    return alone, pages + ceil(max(0, rest - sizes.alone_at_first) / in_page)


def looks_up(work: Workload, sizes: Sizes = SIZES) -> bool:
    """Whether the run asks for the status of each document that it puts. The rule is ``verify.asks_for_all``."""
    if work.verify != "auto":
        return work.verify == "all"
    index = index_class(work.index)
    if not index.service.has_jobs:
        return True
    limits = index.limits
    asked = work.changes if limits.statuses_by_id else max(work.changes, work.known + work.added)
    return work.changes <= sizes.small_run and asked <= sizes.few_calls * limits.statuses


def per_request(work: Workload) -> int:
    """How many documents of the average size a request takes; 0 when one alone is too large, and goes by S3."""
    limits = index_class(work.index).limits
    size = load().bytes.description + (0 if work.source == ON_S3 else work.average_size)
    return min(limits.documents, int(limits.inline_bytes // size)) if size else limits.documents


def polls(work: Workload, sizes: Sizes = SIZES, calibration: Calibration | None = None) -> int:
    """How often the workflow looks at the sync job before the service has indexed everything."""
    times = (calibration or load()).times
    left = times.indexing.seconds + times.indexing_document.seconds * work.puts
    wait, looks = sizes.first_wait, 1
    while (left := left - wait) > 0:
        wait, looks = min(int(wait * sizes.wait_growth), sizes.longest_wait), looks + 1
    return looks


def usage(work: Workload, calibration: Calibration | None = None, sizes: Sizes = SIZES) -> Usage:
    """What a run uses: the requests and the time of each function, the transitions, and the bytes that it leaves."""
    figures = calibration or load()
    drives = drivers(work, sizes) | {"polls": polls(work, sizes, figures) if work.changes else 0}
    used = Usage(polls=int(drives["polls"]))
    for name, requests in figures.functions.items():
        use = used.of(name)
        for kind in ("s3_puts", "s3_gets", "index_calls"):
            needed: dict[str, float] = getattr(requests, kind)
            setattr(use, kind, sum(each * drives[driver] for driver, each in needed.items()))
    for function in (*FUNCTIONS, TRIGGER):
        _time(used, function, work, drives, figures, sizes)
    drives["again"] = used.of("crawl").invocations - 1 + used.of("commit").invocations - 1
    used.transitions = sum(each * drives[driver] for driver, each in figures.transitions.items())
    sizes_of = figures.bytes
    written = work.documents + work.changes * 3 + (work.documents if work.changes else 0)
    used.stored_bytes = sizes_of.run + sizes_of.document * written
    used.log_bytes = sizes_of.log * used.invocations + sizes_of.transition_log * used.transitions
    return used


def _time(
    used: Usage, function: Function, work: Workload, drives: dict[str, float], figures: Calibration, sizes: Sizes
) -> None:
    """Set the invocations and the seconds of one function. The processor of a small function is slower."""
    times, use = figures.times, used.of(function.name)
    use.memory = function.memory
    waits = (use.s3_puts + use.s3_gets) * times.s3_call.seconds + use.index_calls * times.index_call.seconds
    slower = max(1.0, figures.service.vcpu_mib.value / function.memory)
    match function.name:
        case "crawl":
            on_s3 = work.source == ON_S3
            waits -= drives["source_sidecars"] * times.s3_call.seconds * (1 - 1 / SIDECARS_AT_ONCE)
            listing = work.documents * (times.s3_list if on_s3 else times.list).seconds
            seconds = waits + listing + work.documents * times.compare.seconds * slower
            use.invocations = max(1, ceil(seconds / (function.timeout - sizes.crawl_reserve)))
        case "put_batch":
            use.invocations = shards = drives["put_shards"]
            sent = drives["put_requests"] * times.index_call.seconds
            alone = drives["source_opened"] * times.s3_call.seconds
            waits -= sent + alone
            opening = alone if work.source == ON_S3 else work.puts * times.open.seconds
            # Contents are opened while requests are sent: the longer of the two is waited for.
            ahead = opening / _at_once(work.puts, shards, sizes.opened_at_once)
            under_way = sent / _at_once(drives["put_requests"], shards, sizes.requests_at_once)
            seconds = waits + max(ahead, under_way) + work.puts * times.put.seconds * slower
        case "delete_batch":
            use.invocations = shards = drives["delete_shards"]
            sent = drives["delete_requests"] * times.index_call.seconds
            under_way = sent / _at_once(drives["delete_requests"], shards, sizes.requests_at_once)
            seconds = waits - sent + under_way
        case "poll_sync":
            use.invocations, seconds = drives["polls"], waits
        case "start_sync" | "stop_sync":
            use.invocations, seconds = drives["changes"], waits
        case "commit":
            seconds = waits + work.changes * times.settle.seconds * slower
            use.invocations = max(1, ceil(seconds / (function.timeout - sizes.commit_reserve)))
        case "sync_groups":
            use.invocations, seconds = drives["groups"], waits
        case "trigger":
            # EventBridge tells it that the run has ended.
            use.invocations, seconds = 1, waits
        case _:  # the janitor works only after a failure
            use.invocations, seconds = 0, 0
    use.seconds = seconds + use.invocations * times.start.seconds


def _in_shard(work: Workload, sizes: Sizes) -> int:
    """How many documents a shard takes."""
    by_number = sizes.in_shard(work.documents)
    by_bytes = sizes.shard_bytes // work.average_size if work.average_size else by_number
    return max(1, min(by_number, by_bytes))


def _at_once(requests: float, shards: float, most: int) -> float:
    """How many of its calls a worker has under way, on average: a shard of few has fewer."""
    return max(1.0, min(most, requests / shards)) if shards else 1.0


def _requests(documents: int, in_shard: int, each: int) -> int:
    """How many requests documents take: no request has documents of two shards."""
    whole, rest = divmod(documents, in_shard)
    each = max(1, each)
    return whole * ceil(in_shard / each) + ceil(rest / each)


def _lookups(work: Workload, sizes: Sizes) -> int:
    """How many calls ask for the statuses of the documents of a run. The rule is that of ``verify.Trusting``."""
    index = index_class(work.index)
    looked_up = looks_up(work, sizes)
    puts = work.puts if looked_up else 0
    deleted = work.deleted if work.verify == "all" or (looked_up and not index.service.has_jobs) else 0
    limits = index.limits
    if limits.list_page and work.changes > sizes.small_run:
        return ceil(work.documents / limits.list_page) if puts or deleted else 0
    if limits.statuses_by_id:
        return ceil(puts / limits.statuses) + ceil(deleted / limits.statuses)
    return ((puts > 0) + (deleted > 0)) * ceil(work.documents / limits.statuses)
