"""What `docferry compare` says. `--json` prints one Comparison."""

from msgspec import Struct


class Compared(Struct, frozen=True, kw_only=True):
    """One query. ``old`` and ``new`` are what each index found, the best first, by what its ids have in common.

    An overlap is a share from 0 to 1, None where neither index found anything. ``problem`` says why an index has not
    answered.
    """

    query: str
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    overlap_5: float | None = None
    overlap_10: float | None = None
    problem: str = ""


class Comparison(Struct, frozen=True, kw_only=True):
    """What two connectors find for some queries, as one reader, or without saying who reads.

    The means are over the queries for which at least one of the two found something. ``apart`` are those for which
    they have nothing in common, ``silent`` those for which neither found anything.
    """

    connector: str
    to: str
    kinds: tuple[str, str]
    target: str
    queries: tuple[Compared, ...]
    user: str | None = None
    groups: tuple[str, ...] = ()
    mean_overlap_5: float | None = None
    mean_overlap_10: float | None = None
    apart: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
