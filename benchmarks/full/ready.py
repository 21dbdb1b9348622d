"""How long a function takes until it can make its first call, against a program that builds a client of S3."""

import json
import os
import subprocess
import sys
import time
from statistics import median

from benchmarks.full.figures import Figure, Figures
from docferry.runtime.assets import HANDLERS

BARE = "import boto3; boto3.client('s3')"
READY = (
    "import sys; sys.path.insert(0, {folder!r}); import os, {name}; from docferry.runtime.handling import wired; "
    "from docferry.runtime.settings import Settings; "
    "wired(Settings.from_env(os.environ)).store._s3.meta"
)
"""Import the handler, wire it, and make the one client that every invocation needs first."""
CONNECTOR = {
    "name": "bench",
    "source": {"kind": "s3", "settings": {"bucket": "documents"}},
    "index": {"kind": "kendra", "settings": {}},
}
ROUNDS = 25
"""With nine, six runs on one idle machine gave 1.20 to 1.26 for the crawl."""
GOAL = 1.25


def ready() -> Figures:
    """Measure each function in turn with the bare client."""
    figures = []
    for name in ("crawl", "put_batch", "commit"):
        program = READY.format(folder=str(HANDLERS), name=name)
        ratio = median(_seconds(program) / _seconds(BARE) for _ in range(ROUNDS))
        figures.append(Figure(name, ratio, GOAL))
    return Figures(
        key="ready",
        title="A handler that is ready",
        how=(
            "From the start of Python until the handler is imported, its connector is wired, and the client of S3 is "
            f"made, against a program that makes a client of S3 and no more. The median of {ROUNDS} rounds."
        ),
        unit="times as long",
        figures=tuple(figures),
    )


def _seconds(program: str) -> float:
    environment = {
        **os.environ,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "STATE_BUCKET": "bench",
        "CONNECTOR": json.dumps(CONNECTOR),
    }
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    return time.perf_counter() - began
