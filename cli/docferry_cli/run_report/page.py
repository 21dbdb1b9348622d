"""Writes everything about a run as one page."""

from docferry_cli.pages.page import read, render
from docferry_cli.run_report.charts import bars, curve
from docferry_cli.run_report.facts import RunReport
from docferry_cli.run_report.showing import lines, written
from docferry_cli.times import duration

ROWS = 5_000
"""How many documents of a list the page shows: a browser searches so many at once. `--json` has all."""


def page(found: RunReport) -> str:
    """Return the page of a run, as HTML."""
    return render(
        read(__package__, "page.html.j2"),
        run=found,
        lines=list(lines(found)),
        bars=bars({name: count for name, count in found.counts.items() if count}),
        curve=curve(found.throughput, found.phases),
        lists=_lists(found),
        rows=ROWS,
        written=written,
        duration=duration,
    )


def _lists(found: RunReport) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """List the documents: an id for the place in the page, a title, and each document with what is said of it."""
    return [
        ("failed", "Failed", [(one.id, one.reason) for one in found.failures]),
        ("skipped", "Skipped", [(one.id, one.reason) for one in found.skipped]),
        ("withheld", "Withheld deletes", [(one, "waits for approval, or did") for one in found.withheld]),
        ("exposed", "Lost their access control", [(one, "stays as it is indexed") for one in found.exposed]),
        ("planned", "Planned", [(one.id, ", ".join(one.why)) for one in found.planned]),
    ]
