"""The JSON schemas of what the commands print with --json: ``python -m docferry_cli.schemas FOLDER`` writes them."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from docferry.indexes import Hit
from docferry.reporting.ledger import Entry
from docferry_cli.comparison.facts import Comparison
from docferry_cli.doctor.findings import Examination
from docferry_cli.migration.facts import Migration
from docferry_cli.printed import CheckedPromise, FailingDocument, Released, RunResult, Served, SourceKind
from docferry_cli.run_report.facts import RunReport
from docferry_cli.status.facts import Status
from docferry_cli.sync_jobs.joining import Job
from docferry_cli.why.answer import Answer
from docferry_laptop.costs.estimate import Estimate

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RUNS = ("sync", "plan", "apply", "approve", "reconcile", "rebuild", "watch")

PRINTED: dict[str, Any] = {
    **dict.fromkeys(RUNS, RunResult),
    "runs": list[Entry],
    "status": list[Status],
    "report": RunReport,
    "history": list[Job],
    "search": list[Hit],
    "failures": list[FailingDocument],
    "retry": Released,
    "migrate": Migration,
    "compare": Comparison,
    "cost": Estimate,
    "doctor": Examination,
    "local serve": Served,
    "sources": list[SourceKind],
    "sources test": list[CheckedPromise],
    "synth": dict[str, str],
    "why": Answer,
}
"""The type of what each command prints with --json, by the words of the command."""


def schema(command: str) -> dict[str, Any]:
    """The JSON schema of what a command prints."""
    described = {"$schema": DIALECT, "title": f"docferry {command} --json", **msgspec.json.schema(PRINTED[command])}
    in_json: dict[str, Any] = msgspec.to_builtins(described)  # a default may be a tuple
    return in_json


def file(folder: Path, command: str) -> Path:
    """Where the schema of a command is kept."""
    return folder / f"{command.replace(' ', '-')}.json"


def write(folder: Path) -> None:
    """Write the schema of each command, and remove others."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    for command in PRINTED:
        text = msgspec.json.format(msgspec.json.encode(schema(command)), indent=2)
        file(folder, command).write_bytes(text + b"\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
