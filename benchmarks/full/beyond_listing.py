"""What a crawl does beyond its listing: to sort, to compare, and to write what has to change."""

from benchmarks.__main__ import measure
from benchmarks.bucket import served
from benchmarks.full.figures import Figure, Figures

DOCUMENTS = 1_000_000
UNCHANGED_S = 5.0


def beyond_listing() -> Figures:
    """The processor time of crawls, each in a process of its own, without that of the source's listing."""
    with served() as endpoint:
        listing, unchanged, first = (
            measure(phase, DOCUMENTS, endpoint)["processor_seconds"] for phase in ("listing", "unchanged", "crawl")
        )
    return Figures(
        key="beyond-listing",
        title="A crawl beyond its listing",
        how=(
            f"Processor time of whole crawls of {DOCUMENTS:,} documents, which a source makes up, less the time in "
            "which it lists them and no more. S3 is in another process; the time of its client counts. Where all are "
            "new, each is read once more and written to a shard."
        ),
        unit="seconds",
        figures=(
            Figure("nothing changed", unchanged - listing, UNCHANGED_S),
            Figure("all documents new", first - listing),
        ),
    )
