"""How long a command takes from start to exit, in a folder with one document that was synced before."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

DOCFERRY = (sys.executable, "-c", "from docferry_cli.main import entry; entry()")
YARDSTICK = (sys.executable, "-c", "import boto3; boto3.client('s3', region_name='us-east-1')")
"""What any program that calls AWS takes at least."""
ROUNDS = 7


def ratios() -> dict[str, float]:
    """The time of each command, as a multiple of the yardstick's. Each is measured in turn with it, several times."""
    with tempfile.TemporaryDirectory() as folder:
        documents = Path(folder) / "documents"
        documents.mkdir()
        (documents / "tides.txt").write_text("High water is at noon.")
        commands = {
            "docferry --help": ("--help",),
            "docferry history": ("history",),
            "docferry search": ("search", "noon"),
            "docferry sync": ("sync", "--path", "documents"),
        }
        seconds((*DOCFERRY, *commands["docferry sync"]), folder)
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, arguments in commands.items():
                # Something to put each time: a sync that finds nothing to do opens no job.
                (documents / "tides.txt").write_text(f"High water is at noon, {time.time_ns()}.")
                taken[name].append(seconds((*DOCFERRY, *arguments), folder) / seconds(YARDSTICK, folder))
    return {name: median(found) for name, found in taken.items()}


def seconds(command: tuple[str, ...], folder: str) -> float:
    """Run a program to its end, and return what it took."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began
