"""Writes what two indexes find as one page."""

from docferry_cli.comparison.facts import Comparison
from docferry_cli.comparison.showing import percent, rows, said, summary
from docferry_cli.pages.page import read, render


def page(found: Comparison) -> str:
    """Return the page of a comparison, as HTML."""
    return render(
        read(__package__, "page.html.j2"),
        found=found,
        rows=rows,
        said=said,
        summary=list(summary(found)),
        percent=percent,
    )
