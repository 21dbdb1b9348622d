"""Collapsing: of the documents found that share the value of a field, one stands for all."""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.filters import path_of
from docferry_emulators.engine.ordering import Sort, order_by
from docferry_emulators.engine.store import Store
from docferry_emulators.errors import ValidationFailed


class Collapse(Struct, frozen=True, kw_only=True):
    """The field to group by. ``sort`` puts first the document that stands for its group; relevance decides a tie.

    ``missing`` is what becomes of documents without a value: a group of their own together, or each, or nothing.
    The first ``groups`` of a page are expanded, by at most ``members`` other documents each.
    """

    name: str
    sort: Sequence[Sort] = ()
    missing: Literal["COLLAPSE", "EXPAND", "IGNORE"] = "COLLAPSE"
    groups: int = 0
    members: int = 0


def collapse(store: Store, wanted: Collapse, fields: dict[str, IndexField]) -> None:
    """Leave in the table ``hits`` who stands for a group; the others go to the table ``folded``.

    Raises ValidationFailed for a field that cannot be collapsed on: a list or a date, or not sortable.
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
    """Return the rows of the other documents of the group at a place (from 0), in its order, if it is expanded."""
    if wanted is None or place >= wanted.groups:
        return []
    return store.all(
        "SELECT d.*, f.score FROM folded f JOIN documents d USING (doc)"
        " WHERE f.leader = ? AND f.place > 1 ORDER BY f.place LIMIT ?",
        leader,
        wanted.members,
    )
