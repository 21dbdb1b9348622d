"""The whole estimate: the next run and a month, each as a usage and a bill. What `docferry cost` shows."""

from collections.abc import Iterator
from datetime import date

from msgspec import Struct

from docferry.config.deployment import Deploy
from docferry.runtime.lambdas import FUNCTIONS
from docferry_laptop.costs import bill
from docferry_laptop.costs.bill import Bill, Machine
from docferry_laptop.costs.forecast import Forecast
from docferry_laptop.costs.model import usage
from docferry_laptop.costs.prices import PriceList
from docferry_laptop.costs.usage import FunctionUse, Usage
from docferry_laptop.costs.workload import Workload


class FunctionEstimate(Struct, frozen=True):
    """What one function does in the next run."""

    name: str
    invocations: float
    seconds: float
    gb_seconds: float
    s3_requests: float
    index_calls: float


class Run(Struct, frozen=True):
    """The next run: what it has to do, what it uses, and what it costs."""

    workload: Workload
    functions: tuple[FunctionEstimate, ...]
    invocations: float
    gb_seconds: float
    transitions: float
    s3_put_requests: float
    s3_get_requests: float
    index_calls: float
    bill: Bill


class Estimate(Struct, frozen=True):
    """The figures of one connector. ``unchecked`` are prices that were found on no page.

    ``warnings`` name functions that would not end in time. ``index_dollars`` are the part of the month that the index
    costs even when no run takes place.
    """

    connector: str
    index: str
    edition: str
    machine: Machine
    region: str
    prices_as_of: date
    runs_per_month: float
    next_run: Run
    month: Bill
    index_dollars: float
    warnings: tuple[str, ...]
    assumptions: tuple[str, ...]
    not_included: tuple[str, ...]
    unchecked: tuple[str, ...]


def estimate(
    connector: str,
    forecast: Forecast,
    prices: PriceList,
    *,
    machine: Machine = "arm64",
    deploy: Deploy | None = None,
    scheduled: bool = True,
) -> Estimate:
    """Estimate the next run and a month of a connector. Raises ConfigurationError when a price is missing."""
    deploy, work = deploy or Deploy(), forecast.next
    documents = max(one.documents for _, one in (*forecast.month, (1.0, work)))
    edition = deploy.edition or bill.edition_for(work.index, documents)
    used = usage(work)
    month = bill.of_month(
        [(number, usage(one)) for number, one in forecast.month],
        prices,
        machine,
        index=work.index,
        edition=edition,
        documents=documents,
        deploy=deploy,
        scheduled=scheduled,
    )
    charged = {line.price for line in month.lines}
    return Estimate(
        connector=connector,
        index=work.index,
        edition=edition,
        machine=machine,
        region=prices.region,
        prices_as_of=prices.as_of,
        runs_per_month=sum(number for number, _ in forecast.month),
        next_run=_run(work, used, bill.of_run(used, prices, machine, scheduled=scheduled)),
        month=month,
        index_dollars=sum(line.dollars for line in month.lines if line.price.startswith(f"{work.index}_")),
        warnings=tuple(too_long(used)),
        assumptions=forecast.assumptions,
        not_included=bill.NOT_INCLUDED,
        unchecked=tuple(name for name in prices.unchecked if name in charged),
    )


def too_long(used: Usage) -> Iterator[str]:
    """Functions whose invocations take longer than Lambda lets them, by the estimate."""
    for function in FUNCTIONS:
        use = used.of(function.name)
        if use.invocations and use.seconds / use.invocations > function.timeout:
            seconds = use.seconds / use.invocations
            yield f"{function.name} would take {seconds:,.0f} s, longer than the {function.timeout} s that it has"


def _run(work: Workload, used: Usage, charged: Bill) -> Run:
    return Run(
        workload=work,
        functions=tuple(_function(name, use) for name, use in used.functions.items() if use.invocations),
        invocations=used.invocations,
        gb_seconds=used.gb_seconds,
        transitions=used.transitions,
        s3_put_requests=used.s3_puts,
        s3_get_requests=used.s3_gets,
        index_calls=used.index_calls,
        bill=charged,
    )


def _function(name: str, use: FunctionUse) -> FunctionEstimate:
    return FunctionEstimate(
        name, use.invocations, use.seconds, use.gb_seconds, use.s3_puts + use.s3_gets, use.index_calls
    )
