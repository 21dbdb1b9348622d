"""What the model makes of a workload: parts, requests, and times."""

import pytest
from msgspec import structs

from docferry_laptop.costs.estimate import too_long
from docferry_laptop.costs.model import drivers, polls, usage
from docferry_laptop.costs.usage import Usage
from docferry_laptop.costs.workload import Workload

MANY = Workload(source="s3", index="kendra", documents=1_000_000, sidecars=1_000_000, attributes=True).from_nothing()


@pytest.mark.parametrize(("puts", "shards", "requests"), [(1, 1, 1), (500, 1, 50), (501, 2, 51), (1_234, 3, 124)])
def test_shards_and_requests_are_counted_as_they_are_filled(puts: int, shards: int, requests: int) -> None:
    """500 documents a shard, ten a request, and no request over two shards."""
    work = Workload(source="s3", index="kendra", documents=puts, added=puts)

    found = drivers(work)

    assert (found["put_shards"], found["put_requests"]) == (shards, requests)


@pytest.mark.parametrize(("size", "requests", "staged"), [(400_000, 10, 0), (2_000_000, 50, 0), (9_000_000, 100, 100)])
def test_large_documents_take_requests_of_their_own(size: int, requests: int, staged: int) -> None:
    """A request takes 5 MB; what is larger is staged on S3."""
    work = Workload(source="files", index="kendra", documents=100, added=100, average_size=size)

    found = drivers(work)

    assert (found["put_requests"], found["staged"]) == (requests, staged)


def test_only_small_runs_look_up_every_document() -> None:
    """The rule of the settlement: up to 1,000 documents, unless the connector says otherwise."""
    work = Workload(source="s3", index="kendra", documents=5_000, modified=1_000)

    assert drivers(work)["looked_up_calls"] == 100
    assert drivers(structs.replace(work, modified=1_001))["looked_up_calls"] == 0
    assert drivers(structs.replace(work, modified=1_001, verify="all"))["looked_up_calls"] == 101
    assert drivers(structs.replace(work, verify="metrics"))["looked_up_calls"] == 0
    # Amazon Q Business lists the whole data source.
    assert drivers(structs.replace(work, index="qbusiness", modified=1))["looked_up_calls"] == 50
    assert drivers(structs.replace(work, index="qbusiness", documents=20_000, modified=1))["looked_up_calls"] == 0


def test_the_waits_for_the_index_grow() -> None:
    """A million documents take hours to be indexed, and some dozen looks."""
    assert 1 < polls(structs.replace(MANY, added=1)) < polls(MANY) < 100


def test_a_run_without_changes_opens_no_job() -> None:
    """Only the crawl and the commit work."""
    used = usage(structs.replace(MANY, documents=100, sidecars=100).unchanged())

    assert {name for name, use in used.functions.items() if use.invocations} == {"crawl", "commit", "trigger"}
    assert used.polls == 0
    assert used.transitions == 8


def test_a_long_crawl_takes_several_invocations() -> None:
    """And Step Functions enters two states for each."""
    huge = structs.replace(MANY, documents=5_000_000, sidecars=5_000_000).unchanged()
    long, short = usage(huge), usage(structs.replace(MANY, documents=10, sidecars=10).unchanged())

    assert long.functions["crawl"].invocations > short.functions["crawl"].invocations == 1
    assert long.functions["crawl"].seconds > 600
    assert long.transitions - short.transitions == 2 * (long.functions["crawl"].invocations - 1)


def test_more_work_never_costs_less() -> None:
    """Each figure of a run grows with the documents and with the changes."""
    sizes = [usage(structs.replace(MANY, documents=each, sidecars=each, added=each)) for each in (10, 1_000, 100_000)]
    for name in ("s3_puts", "s3_gets", "index_calls", "transitions", "gb_seconds", "log_bytes", "stored_bytes"):
        figures = [getattr(used, name) for used in sizes]
        assert figures == sorted(figures), name


def test_what_would_not_end_in_time_is_named() -> None:
    """A function whose invocations are estimated to take longer than Lambda lets them."""
    used = Usage()
    for name, seconds in (("put_batch", 2_000), ("delete_batch", 1_700)):
        used.of(name).invocations, used.of(name).seconds = 2, seconds

    assert list(too_long(used)) == ["put_batch would take 1,000 s, longer than the 900 s that it has"]
