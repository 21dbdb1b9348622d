"""The delete guard: an empty or shrunken listing is more often an outage than a purge. Pure."""

from typing import Annotated

from msgspec import Meta, Struct


class DeleteGuard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many deletes are withheld until a person approves: more than ``documents`` and more than ``percent``."""

    documents: Annotated[int, Meta(ge=0)] = 10
    percent: Annotated[int, Meta(ge=0, le=100)] = 10


def reason_to_withhold(
    guard: DeleteGuard, *, deletes: int, manifest: int, approved: int, incomplete: str | None
) -> str:
    """Why the deletes of a crawl are withheld, or an empty string.

    ``manifest`` is how many documents the index is known to hold, ``approved`` how many deletes a person agreed to.
    An ``incomplete`` listing cannot be approved: what it does not show may well be there.
    """
    if deletes == 0:
        return ""
    if incomplete:
        return f"the listing is incomplete ({incomplete}), and what it does not show may still be there"
    if deletes <= approved or deletes <= guard.documents or deletes * 100 <= guard.percent * manifest:
        return ""
    return (
        f"{deletes:,} of {manifest:,} documents are gone from the source, more than {guard.documents:,} and more than "
        f"{guard.percent} %; if that is meant, run again with approve_deletes: {deletes}"
    )
