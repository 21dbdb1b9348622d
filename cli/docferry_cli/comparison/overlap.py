"""How much two lists of results have in common. Pure."""

from collections.abc import Iterable, Sequence
from statistics import fmean

from docferry_cli.comparison.facts import Compared

NEAR, FAR = 5, 10


def compared(query: str, old: Iterable[str], new: Iterable[str], problem: str = "") -> Compared:
    """Compare two lists of ids, the best first. An id that comes twice counts where it comes first."""
    one, other = (tuple(dict.fromkeys(ids))[:FAR] for ids in (old, new))
    if problem:
        return Compared(query=query, old=one, new=other, problem=problem)
    return Compared(
        query=query, old=one, new=other, overlap_5=overlap(one, other, NEAR), overlap_10=overlap(one, other, FAR)
    )


def overlap(old: Sequence[str], new: Sequence[str], first: int) -> float | None:
    """The share of the ``first`` results that two lists have in common, of the longer one; None for two empty ones.

    Of the longer one, so that an index that finds less does not look better.
    """
    one, other = set(old[:first]), set(new[:first])
    longer = max(len(one), len(other))
    return round(len(one & other) / longer, 3) if longer else None


def mean(overlaps: Iterable[float | None]) -> float | None:
    """The mean of those that are known."""
    known = [one for one in overlaps if one is not None]
    return round(fmean(known), 3) if known else None
