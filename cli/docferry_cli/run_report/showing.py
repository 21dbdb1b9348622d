"""Prints everything about a run for a person."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console

from docferry_cli.result import show_documents, show_held_back, show_planned
from docferry_cli.run_report.facts import RunReport
from docferry_cli.safe_text import printable
from docferry_cli.times import duration, utc

STYLES = {"SUCCEEDED": "green", "RUNNING": "cyan"}


def show(console: Console, found: RunReport) -> None:
    """Print a run."""
    style = STYLES.get(found.entry.status, "red")
    console.print(f"[bold]run {printable(found.entry.run)}[/]: [{style}]{found.entry.status}[/]", soft_wrap=True)
    for label, text in lines(found):
        console.print(f"  {label:<12} {printable(text)}", soft_wrap=True)
    for unknown in found.unknown:
        console.print(f"[yellow]{printable(unknown)}[/]", soft_wrap=True)
    show_planned(console, list(found.planned))
    show_documents(console, "failed", list(found.failures))
    show_documents(console, "skipped", list(found.skipped))
    show_held_back(console, "withheld", list(found.withheld))
    show_held_back(console, "exposed", list(found.exposed))
    for note in found.result.notes if found.result else ():
        console.print(f"[yellow]{printable(note)}[/]", soft_wrap=True)
    if found.error:
        console.print(f"[red]{printable(found.error)}[/]", soft_wrap=True)


def lines(found: RunReport) -> Iterator[tuple[str, str]]:
    """Give what is known in single lines: a label, and a text that is not made safe for printing yet."""
    entry = found.entry
    yield "connector", f"{found.connector} → {found.index} ({found.target})"
    yield "data source", entry.data_source or "unknown"
    yield "started by", f"{entry.trigger}, as run {entry.number:,} of the connector"
    yield "execution", entry.execution or "unknown"
    yield "mode", entry.mode + _asked(found)
    ended = written(entry.ended) if entry.ended else "not yet" if found.going_on else "unknown"
    yield "began", written(entry.began)
    yield "ended", ended + (f", after {_between(entry.began, entry.ended)}" if entry.began and entry.ended else "")
    if entry.keys is not None:
        yield "looked at", f"{entry.keys:,} keys that have changed; the counts are of their documents"
    for phase in found.phases:
        yield f"{phase.phase.split()[0]}", duration(phase.seconds)
    yield "documents", ", ".join(f"{count:,} {name}" for name, count in found.counts.items() if count) or "none"
    if (rate := throughput(found)) is not None:
        yield "throughput", f"{rate:,.1f} documents a second while sending"
    if found.result is not None and found.result.groups is not None:
        groups = found.result.groups
        yield "groups", f"{groups.put:,} put, {groups.deleted:,} deleted, {groups.withheld:,} withheld"
    yield "sync job", _job(found)
    if found.result is not None and found.result.withheld_because:
        yield "withheld", found.result.withheld_because
    if found.approved_by is not None:
        yield "approved", f"by run {found.approved_by}"


def throughput(found: RunReport) -> float | None:
    """Return the documents a second of the sending as a whole, or None when it took less than a second."""
    sending = next((phase for phase in found.phases if phase.phase == "sending"), None)
    if sending is None or not sending.seconds or not found.throughput:
        return None
    last = found.throughput[-1]
    return (last.put + last.deleted) / sending.seconds


def written(time: datetime | None) -> str:
    """Return a time as it is written in a report."""
    return f"{utc(time)} UTC" if time else "unknown"


def _between(began: datetime, ended: datetime) -> str:
    return duration((ended - began).total_seconds())


def _asked(found: RunReport) -> str:
    asked = found.input
    if asked is None:
        return ""
    parts = {
        "a plan of": asked.compares if found.entry.mode == "plan" else None,
        "of the plan": asked.apply,
        "of run": asked.approve,
    }
    said = ", ".join(f"{what} {value}" for what, value in parts.items() if value)
    return f" ({said})" if said else ""


def _job(found: RunReport) -> str:
    if (job := found.job) is not None:
        metrics = job.metrics
        counted = {name: getattr(metrics, name) for name in ("added", "modified", "deleted", "failed")}
        counts = ", ".join(f"{count:,} {name}" for name, count in counted.items())
        said = f": {job.error}" if job.error else ""
        return f"{job.execution_id} {job.status}, {written(job.started_at)} to {written(job.ended_at)}: {counts}{said}"
    result = found.result
    if result is not None and result.execution_id:
        return f"{result.execution_id} {result.job_status or ''}".strip()
    return found.entry.execution_id or "none"
