"""What a usage costs: each line with its quantity, its price and its dollars. Pure."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from docferry.config.deployment import Deploy
from docferry.errors import ConfigurationError
from docferry.indexes import index_class
from docferry_laptop.costs.limits import CAPACITIES, HOURS_IN_MONTH
from docferry_laptop.costs.prices import PriceList
from docferry_laptop.costs.usage import Usage

Machine = Literal["arm64", "x86_64"]
GB = 1024**3
ALARMS, ALARM_OF_SCHEDULE = 10, 1
METRICS = 14
"""Custom metrics: four counts of documents from three functions, and what is throttled or withheld."""
POLLERS, POLL_SECONDS = 5, 20
"""Lambda asks an idle queue: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html."""
MESSAGES_OF_RUN = 3
"""SQS requests for the message that a run has ended: sent, received, deleted."""

NOT_INCLUDED = (
    "free tiers, discounts and taxes",
    "people who search: subscriptions of Amazon Q Business users, queries, query capacity of Amazon Kendra",
    "index capacity for more text than an edition holds for its number of documents, images, audio and video",
    "the source: its requests for content that the index reads from S3, data transfer, a NAT, VPC endpoints, EFS",
    "runs that uploads start, retries after errors, and throttling",
    "requests to KMS, and the storage of logs",
    "members of groups",
    "a knowledge base of Amazon Bedrock, whose price depends on its kind, its model and its vector store",
)
"""What no line has."""


class Line(Struct, frozen=True, kw_only=True):
    """One line of a bill. ``price`` is the name of the price in the list; ``each`` is for one unit, in dollars."""

    name: str
    price: str
    quantity: float
    unit: str
    each: float
    dollars: float


class Bill(Struct, frozen=True):
    """Lines, and their sum."""

    lines: tuple[Line, ...]
    dollars: float


def of_run(usage: Usage, prices: PriceList, machine: Machine = "arm64", *, scheduled: bool = True) -> Bill:
    """What a run costs. The storage of what it leaves, and the index, are costs of a month."""
    return _bill(_of_run(usage, prices, machine, scheduled=scheduled))


def of_month(  # noqa: PLR0913  # each is one thing that a month is paid for
    runs: list[tuple[float, Usage]],
    prices: PriceList,
    machine: Machine = "arm64",
    *,
    index: str,
    edition: str,
    documents: int,
    deploy: Deploy,
    scheduled: bool,
) -> Bill:
    """What a month costs: its runs, what is paid by the month, and the index.

    ``runs`` are pairs of a number of runs and the usage of one.
    """
    by_name: dict[tuple[str, str], Line] = {}
    for number, usage in runs:
        for line in _of_run(usage, prices, machine, scheduled=scheduled):
            before = by_name.get((line.name, line.price))
            quantity = line.quantity * number + (before.quantity if before else 0)
            by_name[line.name, line.price] = _line(line.name, line.price, quantity, prices)
    # What a run leaves is deleted or replaced, and kept as an old version for 30 days.
    stored = sum(number * usage.stored_bytes for number, usage in runs)
    return _bill(
        [
            *by_name.values(),
            _line("S3 storage of the state", "s3_storage", stored / GB, prices),
            *_monthly(prices, deploy, scheduled=scheduled),
            *_index(prices, index, edition, documents),
        ]
    )


def _of_run(usage: Usage, prices: PriceList, machine: Machine, *, scheduled: bool) -> Iterator[Line]:
    yield _line("Lambda compute", f"lambda_gb_second_{machine}", usage.gb_seconds, prices)
    yield _line("Lambda invocations", "lambda_request", usage.invocations, prices)
    yield _line("Step Functions transitions", "state_transition", usage.transitions, prices)
    yield _line("S3 requests, PUT and LIST", "s3_put_class", usage.s3_puts, prices)
    yield _line("S3 requests, GET", "s3_get_class", usage.s3_gets, prices)
    yield _line("CloudWatch Logs", "logs_ingestion", usage.log_bytes / GB, prices)
    yield _line("X-Ray traces, at most", "trace", 1, prices)
    yield _line("SQS messages", "sqs_request", MESSAGES_OF_RUN, prices)
    if scheduled:
        yield _line("EventBridge Scheduler", "scheduler_invocation", 1, prices)


def _monthly(prices: PriceList, deploy: Deploy, *, scheduled: bool) -> Iterator[Line]:
    seconds = HOURS_IN_MONTH * 3600
    yield _line(
        "SQS requests of Lambda, which polls the queue", "sqs_request", POLLERS * seconds / POLL_SECONDS, prices
    )
    yield _line("CloudWatch alarms", "alarm", ALARMS + (ALARM_OF_SCHEDULE if scheduled else 0), prices)
    yield _line("CloudWatch metrics", "metric", METRICS, prices)
    yield _line("CloudWatch dashboard", "dashboard", 1, prices)
    if deploy.kms == "own":
        yield _line("KMS key", "kms_key", 1, prices)
    if deploy.alarms_topic:
        yield _line("SNS messages, one a day", "sns_publish", HOURS_IN_MONTH / 24, prices)


def _index(prices: PriceList, index: str, edition: str, documents: int) -> Iterator[Line]:
    """The index itself, which costs as much while nothing happens. Raises ConfigurationError."""
    editions = CAPACITIES.get(index, {})
    if index in CAPACITIES and not editions and not edition:
        return
    if edition not in editions:
        raise ConfigurationError(f"there is no price of the {index} edition {edition!r}; known: {', '.join(editions)}")
    capacity, service = editions[edition], index_class(index).service.name
    units = capacity.units(documents)
    if units is None:
        raise ConfigurationError(
            f"the {index} edition {edition} holds at most {capacity.most:,} documents, not {documents:,}: take another"
        )
    if capacity.base is not None:
        yield _line(f"{service} index, {edition}", capacity.base, HOURS_IN_MONTH, prices)
    if capacity.unit is not None and units:
        yield _line(f"{service} index units, {units:,} of {edition}", capacity.unit, units * HOURS_IN_MONTH, prices)


def edition_for(index: str, documents: int) -> str:
    """The first edition that can hold the documents, in the order of ``CAPACITIES``; the last one if none can."""
    editions = CAPACITIES[index]
    holding = (name for name, one in editions.items() if one.units(documents) is not None)
    return next(holding, list(editions)[-1] if editions else "")


def _line(name: str, price: str, quantity: float, prices: PriceList) -> Line:
    found = prices.of(price)
    return Line(
        name=name,
        price=price,
        quantity=quantity,
        unit=found.unit,
        each=found.each,
        dollars=quantity * found.each,
    )


def _bill(lines: "list[Line] | Iterator[Line]") -> Bill:
    kept = tuple(line for line in lines if line.quantity)
    return Bill(kept, sum(line.dollars for line in kept))
