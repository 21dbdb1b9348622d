"""What `make demo` runs: a handbook synced into three services, changed, synced again, searched, and compared.

Everything happens in a temporary folder and on this machine. Exits 1 when a step does not do what it says.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HANDBOOK = Path(__file__).parent / "handbook"
GROUPS = HANDBOOK.with_name("handbook-groups.csv")
CONNECTORS = Path(__file__).parent.parent / "connectors.yaml"
DOCFERRY = Path(sys.executable).parent / "docferry"
SERVICES = {"handbook": "Amazon Kendra", "handbook-q": "Amazon Q Business"}
MOVED = {"handbook-kb": "Amazon Bedrock"}
MATE = ("--user", "mate@example.com")
QUERIES = "cancelled sailings\nlife jackets\ndangerous goods on board\n"

EXPECTED = {"added": 1, "modified": 2, "deleted": 1, "failed": 0}


def main() -> int:
    """Run the demonstration."""
    with tempfile.TemporaryDirectory(prefix="docferry-demo-") as name:
        folder = Path(name)
        shutil.copytree(HANDBOOK, folder / "examples" / "handbook")
        shutil.copy(GROUPS, folder / "examples")
        shutil.copy(CONNECTORS, folder)
        say("A handbook in Markdown, HTML, text, CSV, JSON, PDF and Word, into three services.")
        for connector, service in SERVICES.items():
            say(f"The first sync into an emulated {service} index: everything is new.")
            docferry(folder, "sync", connector)
        for connector, service in MOVED.items():
            say(f"Moving from Kendra to {service}: what will not arrive there, and why. Then the rest is sent.")
            docferry(folder, "migrate", "handbook", "--to", connector, "--yes")
        change(folder / "examples" / "handbook")
        for connector, service in (SERVICES | MOVED).items():
            say(f"Two documents were changed, one was added and one deleted. The next sync into {service}:")
            docferry(folder, "sync", connector)
        for connector in SERVICES:
            say(f"The sync jobs of {connector}, as ListDataSourceSyncJobs gives them:")
            docferry(folder, "history", connector)
        for connector, service in SERVICES.items():
            say(f"What a user of {service} finds:")
            docferry(folder, "search", "electric car on fire", "--connector", connector, "--limit", "3")
        for connector in MOVED:
            say("What one of the crew finds in Kendra and in Bedrock, side by side:")
            (folder / "queries.txt").write_text(QUERIES, encoding="utf-8")
            crew = (*MATE, "--group", "crew")
            docferry(folder, "compare", "handbook", connector, "--queries", "queries.txt", *crew)
        return check(folder)


def change(handbook: Path) -> None:
    """Change two documents, add one, delete one."""
    with (handbook / "operations" / "cancelling-a-sailing.md").open("a", encoding="utf-8") as cancelling:
        cancelling.write("\n## Winter\n\nFrom November to February the decision falls thirty minutes earlier.\n")
    with (handbook / "operations" / "departure-checklist.md").open("a", encoding="utf-8") as departure:
        departure.write("\nCargo bikes are stowed on the car deck, in the bay beside the forward ramp.\n")
    added = handbook / "operations" / "night-sailings.md"
    added.write_text(
        "# Night sailings\n\nBetween 23:00 and 05:00 deck lights are dimmed and announcements are made on the car "
        "deck only.\n",
        encoding="utf-8",
    )
    # For the crew, as the others: Bedrock takes no document that does not say who may see it.
    shutil.copy(sidecar(handbook / "operations" / "fuel-bunkering.docx"), sidecar(added))
    gone = handbook / "finance" / "procurement.docx"
    gone.unlink()
    sidecar(gone).unlink()


def sidecar(document: Path) -> Path:
    """The file beside a document that says who may see it."""
    return document.with_name(f"{document.name}.metadata.json")


def check(folder: Path) -> int:
    """Whether the second sync of each connector moved what was changed, and nothing else."""
    for connector in SERVICES | MOVED:
        runs: list[dict[str, Any]] = json.loads(
            subprocess.run(
                [DOCFERRY, "runs", connector, "--json"], cwd=folder, check=True, stdout=subprocess.PIPE
            ).stdout
        )
        counted = {name: runs[0][name] for name in EXPECTED}
        if counted != EXPECTED:
            say(f"{connector}: the second sync should have counted {EXPECTED}, not {counted}.")
            return 1
    say("Only what was changed moved, in all services. Your own folder: .venv/bin/docferry sync --path DIR")
    return 0


def docferry(folder: Path, *arguments: str) -> None:
    """Show a command, and run it."""
    print(f"$ docferry {shlex.join(arguments)}", flush=True)
    subprocess.run([DOCFERRY, *arguments], cwd=folder, check=True)


def say(text: str) -> None:
    """Say what comes next."""
    print(f"\n── {text}\n", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
