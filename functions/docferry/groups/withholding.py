"""The delete guard for groups: a list that lost its groups is more often a slip than a purge. Pure."""

from docferry.connector import DeleteGuard


def because(guard: DeleteGuard, *, deletes: int, known: int, empty: bool, command: str) -> str:
    """Why no group is deleted; an empty text when all of them may go.

    ``deletes`` are the groups that are gone from the list and not approved, ``known`` those that the index
    has. ``empty``: the list has no member at all. ``command`` is what approves this run.
    """
    if not deletes:
        return ""
    cure = f"; if that is meant: {command}"
    if empty:
        return f"the list of groups is empty{cure}"
    if deletes > guard.documents and deletes * 100 > guard.percent * known:
        limit = f"more than {guard.documents:,} and more than {guard.percent} %"
        return f"{deletes:,} of {known:,} groups are gone from the list, {limit}{cure}"
    return ""
