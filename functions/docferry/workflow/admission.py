"""What a crawl takes into its listing: what the index and the connector take, with the users that groups stand for."""

from msgspec import structs

from docferry.crawl import listing
from docferry.groups import expansion
from docferry.model import Listed
from docferry.runtime.wiring import Wired


def expanding(wired: Wired, run: str) -> Wired:
    """What a crawl works with when it lists documents. Raises SourceUnavailable when groups cannot be read now."""
    index = wired.index
    if index.service.on_groups or index.unprotected == "all":
        return wired
    groups = expansion.of_run(wired.store, run, wired.membership, most=index.limits.principals)
    return structs.replace(wired, expansion=groups)


def checked(wired: Wired, entry: Listed) -> Listed:
    """A listed document, or, when the index or the connector would refuse it, why it is skipped."""
    return listing.admitted(entry, wired.index, wired.settings.connector.access, wired.expansion)
