"""Prints what two indexes find, for a person."""

from collections.abc import Iterator
from itertools import zip_longest

from rich.console import Console
from rich.table import Table

from docferry_cli.comparison.facts import Compared, Comparison
from docferry_cli.comparison.overlap import FAR, NEAR
from docferry_cli.safe_text import printable


def show(console: Console, found: Comparison) -> None:
    """Print the two lists of each query side by side, then the summary."""
    for one in found.queries:
        table = Table(title=printable(one.query), title_justify="left", caption=said(one), caption_justify="left")
        table.add_column("", justify="right")
        table.add_column(f"{found.connector} ({found.kinds[0]})", overflow="fold")
        table.add_column(f"{found.to} ({found.kinds[1]})", overflow="fold")
        for place, old, new in rows(one):
            both = "green" if old in one.new else "", "green" if new in one.old else ""
            table.add_row(
                str(place),
                *(
                    f"[{style}]{printable(id_)}[/]" if style else printable(id_)
                    for style, id_ in zip(both, (old, new), strict=True)
                ),
            )
        console.print(table)
    for line in summary(found):
        console.print(printable(line), soft_wrap=True)
    for note in found.notes:
        console.print(f"[yellow]{printable(note)}[/]", soft_wrap=True)


def rows(one: Compared) -> Iterator[tuple[int, str, str]]:
    """The lines of a query: a place, and what each index has there, or nothing."""
    for place, (old, new) in enumerate(zip_longest(one.old, one.new, fillvalue=""), 1):
        yield place, old, new


def said(one: Compared) -> str:
    """What is to be said of a query in one line."""
    if one.problem:
        return printable(f"not answered: {one.problem}")
    if one.overlap_10 is None:
        return "neither finds anything"
    return f"overlap {percent(one.overlap_5)} at {NEAR}, {percent(one.overlap_10)} at {FAR}"


def summary(found: Comparison) -> Iterator[str]:
    """The result in some lines."""
    who = f" as {found.user}" + (f" in {', '.join(found.groups)}" if found.groups else "") if found.user else ""
    yield (
        f"{len(found.queries):,} queries{who}: mean overlap {percent(found.mean_overlap_5)} at {NEAR}, "
        f"{percent(found.mean_overlap_10)} at {FAR}"
    )
    if found.apart:
        yield f"nothing in common for {len(found.apart):,}: {'; '.join(found.apart)}"
    if found.silent:
        yield f"neither finds anything for {len(found.silent):,}: {'; '.join(found.silent)}"
    if unanswered := [one for one in found.queries if one.problem]:
        yield f"not answered: {len(unanswered):,}"


def percent(share: float | None) -> str:
    """Return a share as it is written."""
    return "-" if share is None else f"{share:.0%}"
