"""Reading a page of ListObjectsV2, against boto3 as it comes."""

from benchmarks import listing
from benchmarks.full.figures import Figure, Figures


def listing_pages() -> Figures:
    """Measure the ratio of benchmarks.listing."""
    return Figures(
        key="listing",
        title="A page of a listing",
        how=(
            f"Processor time that boto3 takes for a page of {listing.KEYS:,} keys, against source `s3`, without a "
            "network."
        ),
        unit="times as long",
        figures=(Figure("boto3 against source s3", listing.ratio()),),
    )
