"""Prints the status of connectors for a person: a few lines each, on one screen."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console

from docferry_cli.safe_text import printable
from docferry_cli.status.facts import Running, Status
from docferry_cli.times import duration

STYLES = {"healthy": "green", "unhealthy": "red", "unknown": "yellow"}


def show(console: Console, found: list[Status], now: datetime) -> None:
    """Print each connector with what is known of it."""
    for status in found:
        style = STYLES[status.health]
        console.print(f"[bold]{status.connector}[/] → {status.index} ({status.target}): [{style}]{status.health}[/]")
        for label, text in _lines(status, now):
            console.print(f"  {label:<10} {text}", soft_wrap=True)


def _lines(status: Status, now: datetime) -> Iterator[tuple[str, str]]:
    if status.error:
        yield "unknown", printable(status.error)
    if status.running is not None:
        yield "running", _running(status.running, now)
    yield from _of_runs(status, now)
    if (waiting := status.waiting) is not None:
        held = f"{waiting.withheld:,} withheld, {waiting.exposed:,} exposed, {waiting.groups:,} groups"
        yield "waiting", f"{held}, in run {printable(waiting.run)}"
    if status.failed or status.quarantined:
        yield "failing", f"{status.failed:,} failed, {status.quarantined:,} quarantined in the last sync"
    if status.job is not None:
        whose = "foreign" if status.job.foreign else "own"
        yield "open job", f"{printable(status.job.execution_id)} {status.job.status} ({whose})"
    if status.lease is not None:
        stale = ", [red]stale[/]" if status.lease.stale else ""
        held_for = duration(status.lease.age_seconds)
        yield "lease", f"held by run {printable(status.lease.run)} for {held_for}{stale}"
    for problem in status.problems:
        yield "[red]problem[/]   ", printable(problem.what)
    yield "next", printable(status.next)


def _of_runs(status: Status, now: datetime) -> Iterator[tuple[str, str]]:
    if (last := status.last) is not None:
        counts = f"{last.added:,} added, {last.modified:,} modified, {last.deleted:,} deleted"
        yield "last run", f"{printable(last.run)} {last.mode} {last.status} {_ago(last.ended, now)}: {counts}"
    if (success := status.success) is not None:
        judged = "" if success.overdue is None else ", overdue" if success.overdue else ", in time"
        by = f"; due {success.schedule} ({success.timezone}){judged}" if success.schedule else ""
        yield "success", f"{_ago(success.ended, now)}{printable(by)}"


def _running(running: Running, now: datetime) -> str:
    pace = running.pace
    done = f"{pace.done:,}" + (f" of {pace.total:,}" if pace.total is not None else "")
    rate = f", {pace.per_second:,.1f} a second" if pace.per_second else ""
    left = f", {duration(pace.seconds_left)} left" if pace.seconds_left else ""
    started = f", began {_ago(running.began, now)}" if running.began else ""
    return f"{printable(running.run)} {running.mode} ({running.trigger}): {pace.phase} {done}{rate}{left}{started}"


def _ago(time: datetime | None, now: datetime) -> str:
    if time is None:
        return "at an unknown time"
    written = time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{duration((now - time).total_seconds())} ago ({written})"
