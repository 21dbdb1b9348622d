"""Prints what `docferry migrate` says, for a person."""

import re
from collections import Counter

from rich.console import Console
from rich.table import Table

from docferry_cli.migration.facts import Migration, Missing
from docferry_cli.safe_text import printable

SHOWN = 50
REASONS = 10
STAGES = {
    "listed": "nothing was sent yet",
    "filled": "filled: it holds what it takes of the source",
    "filling failed": "the fill has failed",
    "not possible": "it cannot be filled like this",
}


def show_list(console: Console, found: Migration) -> None:
    """Print what a fill would send, and each document that the new index will not hold."""
    table = Table(title=f"{found.connector} → {found.to}", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    held = "not known" if found.held_by_old is None else f"{found.held_by_old:,}"
    table.add_row(f"held by {found.connector} ({found.kinds[0]})", held)
    table.add_row(f"held by {found.to} ({found.kinds[1]})", f"{found.there:,}")
    table.add_row("to be sent", f"{found.due:,}")
    lost = sum(one.held for one in found.missing)
    table.add_row("will not arrive", f"{len(found.missing):,}", style="yellow" if found.missing else "")
    table.add_row(f"  of them held by {found.connector}", f"{lost:,}", style="yellow" if lost else "")
    table.add_row("plan", found.plan or "-")
    console.print(table)
    _show_missing(console, found.missing)
    for obstacle in found.obstacles:
        console.print(f"[red]not possible[/] {printable(obstacle)}", soft_wrap=True)
    for note in found.notes:
        console.print(f"[yellow]{printable(note)}[/]", soft_wrap=True)


def show_rest(console: Console, found: Migration) -> None:
    """Print how far the move is, and what is left to do."""
    style = "green" if found.stage in {"listed", "filled"} else "red"
    console.print(f"[bold]{found.to}[/]: [{style}]{STAGES[found.stage]}[/]")
    if found.next:
        console.print(
            f"To {'fill it' if found.stage == 'listed' else 'go on'}: {printable(found.next)}", soft_wrap=True
        )
    if found.stage != "filled":
        return
    console.print("[bold]Before the application is switched, and after:[/]")
    for number, step in enumerate(found.checklist, 1):
        console.print(f"{number:>2}. {printable(step.what)}", soft_wrap=True)
        if step.command:
            console.print(f"    {printable(step.command)}", soft_wrap=True)
    console.print("[bold]What Docferry cannot know:[/]")
    for sentence in found.unknown:
        console.print(f" -  {printable(sentence)}", soft_wrap=True)


def _show_missing(console: Console, missing: tuple[Missing, ...]) -> None:
    """Print each document with its reason, those first that people find today; of a long list also the reasons."""
    for one in sorted(missing, key=lambda one: not one.held)[:SHOWN]:
        what = "lost" if one.held else "in neither"
        console.print(f"[bold]{what}[/] {printable(one.id)}: {printable(one.reason)}", soft_wrap=True)
    if len(missing) > SHOWN:
        reasons = Counter(re.sub(r"\d[\d,]*", "…", one.reason) for one in missing)
        console.print(f"… and {len(missing) - SHOWN:,} more; --json lists them all. Most common reasons:")
        for reason, count in reasons.most_common(REASONS):
            console.print(f"{count:>7,}  {printable(reason)}", soft_wrap=True)
