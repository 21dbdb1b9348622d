"""Reading a page of ListObjectsV2, against boto3 as it comes."""

from benchmarks import listing
from benchmarks.full.figures import Figure, Figures


def listing_pages() -> Figures:
    """The figures of benchmarks.listing."""
    found = listing.figures()
    return Figures(
        key="listing",
        title="A page of a listing",
        how=(
            f"Processor time for a page of {listing.KEYS:,} keys, without a network: boto3 as it comes, as many times "
            "that of source `s3`, and milliseconds that `s3` takes."
        ),
        unit="times, and ms",
        figures=(
            Figure("boto3 against source s3", found["boto3"]),
            Figure("source s3, ms a page", found["page_ms"], 12.0),
            Figure("with its documents, ms a page", found["documents_ms"]),
            Figure("ElementTree alone, ms a page", found["elementtree_ms"]),
        ),
    )
