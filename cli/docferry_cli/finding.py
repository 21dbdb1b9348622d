"""Finds the run that a person means: by its name, or by the beginning of its name."""

import re
from difflib import get_close_matches
from itertools import islice

from docferry.errors import ConfigurationError
from docferry.reporting import ledger
from docferry.reporting.ledger import Entry
from docferry.state.keys import RUNS
from docferry.state.store import Store
from docferry_cli.safe_text import visible

# Step Functions takes more characters in a name, and none that is a folder of S3 or cannot be seen.
NAME = re.compile(r"[!-.0-~]+")
NEAR = 3
LISTED = 1000
"""How many names of runs are read to find one that is like the name given: as many as S3 gives in one call."""


def find(store: Store, name: str) -> Entry:
    """Return the ledger's entry of a run, by its name or the beginning of it.

    Raises ConfigurationError, which names runs that are near, and StateInvalid.
    """
    possible = NAME.fullmatch(name) is not None
    found = ledger.find(store, name) if possible else None
    if found is not None:
        return found
    matching = list(islice(store.folders(f"{RUNS}{name}"), NEAR + 1)) if possible else []
    if len(matching) > 1:
        more = ", ..." if len(matching) > NEAR else ""
        raise ConfigurationError(
            f"more than one run begins with {visible(name)}: {', '.join(matching[:NEAR])}{more}; give more of the name"
        )
    entry = ledger.find(store, matching[0]) if matching else None
    if entry is None:
        shown = visible(name) or repr(name)
        raise ConfigurationError(
            f"this connector has no run {shown}; {_near(store, name)}`docferry runs` lists those it has"
        )
    return entry


def current(store: Store) -> Entry:
    """Return the entry of the run that is going on, or else of the newest. Raises ConfigurationError without any."""
    newest = list(islice(ledger.newest(store), NEAR))
    if not newest:
        raise ConfigurationError("this connector has no run yet: start one with `docferry sync`")
    # A run that was refused beside the one that is going on is newer than that one.
    return next((entry for entry in newest if entry.status == "RUNNING"), newest[0])


def _near(store: Store, name: str) -> str:
    near = get_close_matches(name, islice(store.folders(RUNS), LISTED), n=NEAR, cutoff=0.5)
    newest = [entry.run for entry in islice(ledger.newest(store), NEAR)]
    if near:
        return f"did you mean {', '.join(near)}? "
    return f"the newest are {', '.join(newest)}; " if newest else "it has none yet; "
