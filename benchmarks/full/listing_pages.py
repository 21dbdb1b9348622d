"""Reading a page of ListObjectsV2, against boto3 as it comes."""

from statistics import median

from benchmarks import listing
from benchmarks.full.figures import Figure, Figures
from docferry.sources import s3_listing

MILLISECONDS = 1000


def listing_pages() -> Figures:
    """Measure the ratio of benchmarks.listing, and the page alone."""
    quick = listing._client()  # noqa: SLF001  # the client that the benchmark of listings measures
    s3_listing.speed_up(quick)
    seconds = median(listing._seconds(quick) for _ in range(listing.ROUNDS))  # noqa: SLF001  # as above
    return Figures(
        key="listing",
        title="A page of a listing",
        how=(
            f"Processor time for a page of {listing.KEYS:,} keys, without a network: boto3 as it comes, as many times "
            "that of source `s3`, and the milliseconds that `s3` takes. The simulation of millions of documents adds "
            "them to a page."
        ),
        unit="times, and ms",
        figures=(
            Figure("boto3 against source s3", listing.ratio()),
            Figure("source s3, ms a page", seconds / listing.PAGES * MILLISECONDS),
        ),
    )
