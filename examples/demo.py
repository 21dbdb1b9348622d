"""What `make demo` runs: a handbook synced into both services, changed, synced again, and searched.

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
CONNECTORS = Path(__file__).parent.parent / "connectors.yaml"
DOCFERRY = Path(sys.executable).parent / "docferry"
SERVICES = {"handbook": "Amazon Kendra", "handbook-q": "Amazon Q Business"}

EXPECTED = {"added": 1, "modified": 2, "deleted": 1, "failed": 0}


def main() -> int:
    """Run the demonstration."""
    with tempfile.TemporaryDirectory(prefix="docferry-demo-") as name:
        folder = Path(name)
        shutil.copytree(HANDBOOK, folder / "examples" / "handbook")
        shutil.copy(CONNECTORS, folder)
        say("A handbook in Markdown, HTML, text, CSV, JSON, PDF and Word, into both services.")
        for connector, service in SERVICES.items():
            say(f"The first sync into an emulated {service} index: everything is new.")
            docferry(folder, "sync", connector)
        change(folder / "examples" / "handbook")
        for connector, service in SERVICES.items():
            say(f"Two documents were changed, one was added and one deleted. The next sync into {service}:")
            docferry(folder, "sync", connector)
        for connector in SERVICES:
            say(f"The sync jobs of {connector}, as ListDataSourceSyncJobs gives them:")
            docferry(folder, "history", connector)
        for connector, service in SERVICES.items():
            say(f"What a user of {service} finds:")
            docferry(folder, "search", "electric car on fire", "--connector", connector, "--limit", "3")
        return check(folder)


def change(handbook: Path) -> None:
    """Change two documents, add one, delete one."""
    with (handbook / "operations" / "bicycles.txt").open("a", encoding="utf-8") as bicycles:
        bicycles.write("\nCargo bikes are stowed on the car deck, in the bay beside the forward ramp.\n")
    with (handbook / "terminal" / "opening-and-closing.md").open("a", encoding="utf-8") as opening:
        opening.write("\n## Winter\n\nFrom November to February the terminal opens thirty minutes later.\n")
    (handbook / "operations" / "night-sailings.md").write_text(
        "# Night sailings\n\nBetween 23:00 and 05:00 deck lights are dimmed and announcements are made on the car "
        "deck only.\n",
        encoding="utf-8",
    )
    lost = handbook / "operations" / "lost-property.txt"
    lost.unlink()
    lost.with_name(f"{lost.name}.metadata.json").unlink(missing_ok=True)


def check(folder: Path) -> int:
    """Whether the second job of each connector moved what was changed, and nothing else."""
    for connector in SERVICES:
        jobs: list[dict[str, Any]] = json.loads(
            subprocess.run(
                [DOCFERRY, "history", connector, "--json"], cwd=folder, check=True, stdout=subprocess.PIPE
            ).stdout
        )
        if jobs[0]["metrics"] != EXPECTED:
            say(f"{connector}: the second sync should have counted {EXPECTED}, not {jobs[0]['metrics']}.")
            return 1
    say("Only what was changed moved, in both services. Your own folder: .venv/bin/docferry sync --path DIR")
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
