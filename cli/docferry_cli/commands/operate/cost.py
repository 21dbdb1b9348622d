"""`docferry cost`: what the next run and a month of a connector cost in AWS."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from docferry_cli.options import CONFIG, HERE, STATE, Config, IndexKind, Json, State, TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from docferry.config.deployment import Described
    from docferry_cli.targets import Where
    from docferry_laptop.costs.bill import Bill
    from docferry_laptop.costs.estimate import Estimate
    from docferry_laptop.costs.forecast import Forecast, Given

WIDTH = 100
FEW_CENTS = 0.1


def command(  # noqa: PLR0913  # one parameter an option
    connector: Annotated[
        str | None,
        typer.Argument(
            help="A connector. Default: the one that was synced last here, or the only one of connectors.yaml.",
            show_default=False,
        ),
    ] = None,
    *,
    documents: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many documents the source has.", show_default=False)
    ] = None,
    changed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="How many documents a run changes.", show_default=False)
    ] = None,
    average_size: Annotated[
        int | None, typer.Option(min=1, metavar="BYTES", help="The size of a document.", show_default=False)
    ] = None,
    sidecars: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="How many documents have a sidecar.", show_default=False)
    ] = None,
    runs_per_month: Annotated[
        float | None, typer.Option(min=0, metavar="N", help="Default: by the schedule.", show_default=False)
    ] = None,
    source: Annotated[str | None, typer.Option(help="The kind of source.", show_default=False)] = None,
    index: Annotated[IndexKind | None, typer.Option(help="The service.", show_default=False)] = None,
    edition: Annotated[
        str | None, typer.Option(help="The edition of the index, such as ENTERPRISE_EDITION.", show_default=False)
    ] = None,
    machine: Annotated[Literal["arm64", "x86_64"], typer.Option(help="The processors of the functions.")] = "arm64",
    prices: Annotated[Path | None, typer.Option(help="Another price list.", show_default=False)] = None,
    config: Config = CONFIG,
    state: State = STATE,
    target: TargetOption = HERE,
    as_json: Json = False,
) -> None:
    """Estimate what a connector costs in AWS: its next run, and a month.

    Reads the documents and the last runs of a connector, and its schedule in connectors.yaml. For one that does not
    exist yet, give --documents. Prices are those of a list, with its date.

    Examples:

      docferry cost handbook

      docferry cost --documents 200000 --changed 500 --source s3 --sidecars 200000 --runs-per-month 30

      docferry cost handbook --json

    """
    import msgspec
    from rich.console import Console

    from docferry_cli import connectors
    from docferry_cli.printed import put
    from docferry_cli.targets import Where
    from docferry_laptop.costs import prices as price_list
    from docferry_laptop.costs.estimate import estimate
    from docferry_laptop.costs.forecast import Given

    given = Given(
        documents=documents, changed=changed, average_size=average_size, sidecars=sidecars, runs=runs_per_month
    )
    where = Where(target, state, config)
    if connector is None and documents is None and (target != "here" or connectors.synced(state)):
        connector = where.connector(None).name
    described = _described(connector, config)
    name, forecast = _forecast(connector, described, given, where, source, index)
    deploy = described.deploy if described else None
    if edition is not None:
        from docferry.config.deployment import Deploy

        deploy = msgspec.structs.replace(deploy or Deploy(), edition=edition)
    found = estimate(
        name,
        forecast,
        price_list.load(prices),
        machine=machine,
        deploy=deploy,
        scheduled=described is None or described.schedule is not None,
    )
    if as_json:
        put(found)
    else:
        show(Console(width=max(WIDTH, Console().width), highlight=False), found)


def _described(connector: str | None, config: Path) -> "Described | None":
    """The connector as connectors.yaml describes it, if it does."""
    if connector is None or not config.exists():
        return None
    from docferry.config.connectors import describe

    return describe(config).get(connector)


def _forecast(  # each is one option
    connector: str | None,
    described: "Described | None",
    given: "Given",
    where: "Where",
    source: str | None,
    index: str | None,
) -> "tuple[str, Forecast]":
    """The runs of a connector that was synced, or else of the figures that were given. Raises ConfigurationError."""
    from docferry.errors import ConfigurationError
    from docferry_cli import connectors
    from docferry_laptop.costs import forecast
    from docferry_laptop.costs.months import runs_per_month

    scheduled = runs_per_month(described.schedule.expression) if described and described.schedule else None
    there = where.target != "here" or connector in {one.connector.name for one in connectors.synced(where.state)}
    if connector is not None and there:
        if source is not None or index is not None:
            raise ConfigurationError("--source and --index are for a connector that was not synced: leave them out")
        with where.look(connector) as opened:
            return opened.connector.name, forecast.of_connector(opened.store, opened.connector, given, scheduled)
    if connector is not None and described is None:
        raise ConfigurationError(
            f"connector {connector!r} was not synced with {where.state}, and connectors.yaml does not describe it: "
            "leave the name out and give --documents, or give --state or --config"
        )
    if given.documents is None:
        raise ConfigurationError("nothing is known of the documents: give --documents N, or sync the connector first")
    kinds = (described.connector.source.kind, described.connector.index.kind) if described else ("files", "kendra")
    return connector or "a connector", forecast.of_figures(source or kinds[0], index or kinds[1], given, scheduled)


def show(console: "Console", found: "Estimate") -> None:
    """Print the estimate as two tables, with what it assumes and what it leaves out."""
    run = found.next_run
    work = run.workload
    console.print(
        f"{found.connector}: {work.documents:,} documents, {work.added:,} added, {work.modified:,} modified, "
        f"{work.deleted:,} deleted in the next run; {found.runs_per_month:,.1f} runs a month",
        markup=False,
    )
    console.print(
        f"prices of {found.region} as of {found.prices_as_of}, {found.machine}, {found.index} {found.edition}",
        markup=False,
    )
    console.print(
        f"next run: {run.invocations:,.0f} invocations, {run.gb_seconds:,.0f} GB-seconds, {run.transitions:,.0f} "
        f"transitions, {run.s3_put_requests + run.s3_get_requests:,.0f} requests to S3, {run.index_calls:,.0f} calls "
        "of the index",
        markup=False,
    )
    _table(console, "Next run", run.bill)
    _table(console, "Month", found.month)
    console.print(
        f"month: ${_dollars(found.month.dollars)}, of which ${_dollars(found.index_dollars)} for the index itself",
        markup=False,
    )
    said = {"warning": found.warnings, "assumed": found.assumptions, "not included": found.not_included}
    for title, sentences in said.items():
        for sentence in sentences:
            console.print(f"{title}: {sentence}", markup=False, soft_wrap=True)
    if found.unchecked:
        console.print(f"not checked: the prices {', '.join(found.unchecked)}", markup=False, soft_wrap=True)


def _table(console: "Console", title: str, bill: "Bill") -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_footer=True)
    table.add_column("", footer="total")
    for column, footer in (("quantity", ""), ("unit", ""), ("each", ""), ("dollars", _dollars(bill.dollars))):
        table.add_column(column, footer=footer, justify="left" if column == "unit" else "right", no_wrap=True)
    for line in bill.lines:
        quantity = f"{line.quantity:,.0f}" if line.quantity >= 10 else f"{line.quantity:,.4g}"  # noqa: PLR2004  # digits
        table.add_row(
            escape(line.name), quantity, escape(line.unit), f"{line.each:.10f}".rstrip("0"), _dollars(line.dollars)
        )
    console.print(table)


def _dollars(amount: float) -> str:
    """An amount, with as many digits as say something."""
    return f"{amount:,.2f}" if amount >= FEW_CENTS else f"{amount:.6f}"
