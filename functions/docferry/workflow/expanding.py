"""The groups of a run, where the index knows none: its documents are listed with the users that groups stand for."""

from msgspec import structs

from docferry.groups import expansion
from docferry.runtime.wiring import Wired


def expanding(wired: Wired, run: str) -> Wired:
    """What a crawl works with when it lists documents. Raises SourceUnavailable when groups cannot be read now."""
    index = wired.index
    if index.service.on_groups or index.unprotected == "all":
        return wired
    groups = expansion.of_run(wired.store, run, wired.membership, most=index.limits.principals)
    return structs.replace(wired, expansion=groups)
