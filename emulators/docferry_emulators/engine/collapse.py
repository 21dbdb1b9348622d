"""Collapsing: found documents with the same value of a field form a group, and one of them stands for it."""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.filters import path_of
from docferry_emulators.engine.ordering import Sort, order_by
from docferry_emulators.engine.store import Store
from docferry_emulators.errors import ValidationFailed


class Collapse(Struct, frozen=True, kw_only=True):
    """The field to group by. The first document in the order ``sort`` stands for its group; relevance decides a tie.

    ``missing`` says what to do with documents without a value: COLLAPSE puts them into one group, EXPAND makes a group
    of each, IGNORE leaves them out. The first ``groups`` groups of all results are expanded: each shows at most
    ``members`` other documents.
    """

    name: str
    sort: Sequence[Sort] = ()
    missing: Literal["COLLAPSE", "EXPAND", "IGNORE"] = "COLLAPSE"
    groups: int = 0
    members: int = 0


def collapse(store: Store, wanted: Collapse, fields: dict[str, IndexField]) -> None:
    """Keep in the table ``hits`` only the documents that stand for a group. Write every group to the table ``folded``.

    Raises ValidationFailed for a field that cannot be collapsed on: a list, a date, or a field that is not sortable.
    """
    field = fields.get(wanted.name)
    if field is None or not field.sortable or field.kind not in ("STRING", "LONG"):
        raise ValidationFailed.of("collapseConfiguration", f"Results cannot be collapsed on {wanted.name}.")
    order, values = order_by(wanted.sort, fields)
    alone = "d.doc" if wanted.missing == "EXPAND" else "NULL"
    value = "json_extract(d.attributes, ?1)"
    store.run("DELETE FROM folded")
    store.run(
        "INSERT INTO folded SELECT doc, score, first_value(doc) OVER siblings, row_number() OVER siblings"  # noqa: S608 - from constants
        f" FROM hits h JOIN documents d USING (doc) WHERE {value} IS NOT NULL OR {int(wanted.missing != 'IGNORE')}"
        f" WINDOW siblings AS (PARTITION BY {value}, iif({value} IS NULL, {alone}, NULL) ORDER BY {order})",
        path_of(wanted.name),
        *values,
    )
    store.run("DELETE FROM hits WHERE doc NOT IN (SELECT doc FROM folded WHERE place = 1)")


def members(store: Store, wanted: Collapse | None, leader: int, place: int) -> list[Any]:
    """Return the rows of the other documents of a group, in its order; none if the group is not expanded.

    ``leader`` is the document that stands for the group. ``place`` is the group's place in all results, from 0.
    """
    if wanted is None or place >= wanted.groups:
        return []
    return store.all(
        "SELECT d.*, f.score FROM folded f JOIN documents d USING (doc)"
        " WHERE f.leader = ? AND f.place > 1 ORDER BY f.place LIMIT ?",
        leader,
        wanted.members,
    )
