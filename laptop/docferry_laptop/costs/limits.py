"""The sizes that decide how many calls a run makes. Those of our own are read from the code that uses them."""

from math import ceil

from msgspec import Struct

from docferry.delivery.shards import MOST_SHARD_DOCUMENTS, SHARD_BYTES, SHARD_DOCUMENTS, SHARDS
from docferry.settlement import settling
from docferry.settlement.statuses import FEW_CALLS, SMALL_RUN
from docferry.sources import s3
from docferry.sources.bucket import neighbours
from docferry.state.sorting import CHUNK_LINES
from docferry.workflow import crawl, poll_sync
from docferry.workflow.events import FIRST_WAIT
from docferry.workflow.put_batch import OPENED_AT_ONCE
from docferry.workflow.shard import REQUESTS_AT_ONCE

HOURS_IN_MONTH = 730.0
"""As AWS counts them in its own estimates: https://docs.aws.amazon.com/pricing-calculator/latest/userguide/."""
MILLISECONDS = 1000


class Sizes(Struct, frozen=True, kw_only=True):
    """The sizes of the parts that a run divides its work into. Times are in seconds."""

    shard_documents: int = SHARD_DOCUMENTS
    most_shard_documents: int = MOST_SHARD_DOCUMENTS
    shards: int = SHARDS
    shard_bytes: int = SHARD_BYTES
    chunk_lines: int = CHUNK_LINES
    page_keys: int = s3.PAGE_LENGTH
    small_run: int = SMALL_RUN
    few_calls: int = FEW_CALLS
    first_wait: int = FIRST_WAIT
    wait_growth: float = poll_sync.GROWTH
    longest_wait: int = poll_sync.LONGEST_WAIT
    crawl_reserve: float = crawl.RESERVE_MS / MILLISECONDS
    commit_reserve: float = settling.RESERVE_MS / MILLISECONDS
    requests_at_once: int = REQUESTS_AT_ONCE
    opened_at_once: int = OPENED_AT_ONCE
    alone_at_first: int = neighbours.AT_FIRST
    alone_afterwards: int = neighbours.AFTERWARDS
    worth_a_page: int = neighbours.WORTH

    def in_shard(self, listed: int) -> int:
        """How many documents a shard takes. The rule is ``docferry.delivery.shards.shard_documents``."""
        return min(self.most_shard_documents, max(self.shard_documents, listed // self.shards))


SIZES = Sizes()


class Capacity(Struct, frozen=True, kw_only=True):
    """How many documents an edition of an index holds.

    ``base`` is the price of the index itself, with ``base_documents``; each ``unit`` holds ``unit_documents`` more, and
    there are at most ``most_units``.
    """

    base: str | None = None
    base_documents: int = 0
    unit: str | None = None
    unit_documents: int = 0
    most_units: int = 0

    @property
    def most(self) -> int:
        """The documents that the edition holds at most."""
        return self.base_documents + self.most_units * self.unit_documents

    def units(self, documents: int) -> int | None:
        """How many units the documents need beside the base. None when the edition cannot hold them."""
        if documents > self.most:
            return None
        if documents <= self.base_documents:
            return 0 if self.base else 1
        return ceil((documents - self.base_documents) / self.unit_documents)


# In the order of their prices.
# https://docs.aws.amazon.com/kendra/latest/dg/hiw-index-types.html
# https://docs.aws.amazon.com/kendra/latest/dg/adjusting-capacity.html
# https://docs.aws.amazon.com/amazonq/latest/qbusiness-ug/tiers.html
CAPACITIES: dict[str, dict[str, Capacity]] = {
    "kendra": {
        "DEVELOPER_EDITION": Capacity(base="kendra_developer_edition", base_documents=10_000),
        "ENTERPRISE_EDITION": Capacity(
            base="kendra_enterprise_edition",
            base_documents=100_000,
            unit="kendra_enterprise_edition_unit",
            unit_documents=100_000,
            most_units=100,
        ),
        "GEN_AI_ENTERPRISE_EDITION": Capacity(
            base="kendra_gen_ai_enterprise_edition",
            base_documents=20_000,
            unit="kendra_gen_ai_enterprise_edition_unit",
            unit_documents=20_000,
            most_units=100,
        ),
    },
    "qbusiness": {
        "STARTER": Capacity(unit="qbusiness_starter_unit", unit_documents=20_000, most_units=5),
        "ENTERPRISE": Capacity(unit="qbusiness_enterprise_unit", unit_documents=20_000, most_units=1_000),
    },
    # What a knowledge base costs depends on its kind, its model and its vector store, and is not in the price list.
    "bedrock": {},
}
