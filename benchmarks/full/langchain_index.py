"""LangChain's `index()` over documents that have not changed, in an environment of its own: it is no dependency here.

https://python.langchain.com/docs/how_to/indexing/: with a record manager on SQLite, which keeps what is known from one
run to the next as our manifest does, and ``cleanup="full"``, which deletes what is gone. Its vector store holds nothing
but a number a document.
"""

import subprocess
import sys
from pathlib import Path

from benchmarks.full.figures import Figure, Figures

MILLION = 1_000_000
PACKAGES = ("langchain-core==1.8.3", "langchain-classic==1.0.8", "sqlalchemy==2.1.9", "greenlet==3.5.6")
SCRIPT = Path(__file__).with_name("langchain_script.py")
ENVIRONMENT = Path("build/langchain")
DOCUMENTS = 20_000
NOT_INSTALLED = "LangChain could not be installed, so its `index()` was not measured."


def seconds() -> float | None:
    """The processor time of a second `index()` of as many documents; None when LangChain cannot be installed."""
    python = ENVIRONMENT / "bin" / "python"
    uv = [str(Path(sys.executable).with_name("uv"))]
    try:
        if not python.exists():
            subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(ENVIRONMENT)], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES], check=True)
    except (subprocess.CalledProcessError, OSError):
        return None
    done = subprocess.run([str(python), str(SCRIPT), str(DOCUMENTS)], check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def langchain() -> Figures:
    """What LangChain's `index()` takes for a million documents, by those that were measured."""
    taken = seconds()
    figures = () if taken is None else (Figure("LangChain's index()", taken / DOCUMENTS * MILLION),)
    return Figures(
        key="langchain",
        title="Finding that nothing has changed with LangChain",
        how=(
            f"A second `index()` of {DOCUMENTS:,} unchanged documents with a record manager on SQLite, by processor "
            "time, and computed for a million."
        ),
        unit="seconds",
        figures=figures,
        digits=0,
        notes=(NOT_INSTALLED,) if taken is None else (),
    )
