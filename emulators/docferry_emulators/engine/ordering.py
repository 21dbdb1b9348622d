"""The order of search results: by fields, then by relevance."""

from collections.abc import Sequence

from msgspec import Struct

from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.filters import path_of
from docferry_emulators.errors import ValidationFailed


class Sort(Struct, frozen=True):
    """A field to sort by, and the direction."""

    name: str
    descending: bool


def order_by(sorts: Sequence[Sort], fields: dict[str, IndexField]) -> tuple[str, list[str]]:
    """Return the SQL terms of ORDER BY on the rows ``h`` of hits and ``d`` of documents, and their parameters.

    Raises ValidationFailed for a field that is not sortable.
    """
    terms = []
    for sort in sorts:
        if sort.name not in fields or not fields[sort.name].sortable:
            raise ValidationFailed.of("sortingConfiguration", f"The field {sort.name} is not sortable.")
        direction = "DESC" if sort.descending else "ASC"
        # Documents without the attribute come last in both directions.
        terms.append(f"json_extract(d.attributes, ?) IS NULL, json_extract(d.attributes, ?) {direction}")
    return ", ".join([*terms, "h.score DESC", "d.doc"]), [path_of(sort.name) for sort in sorts for _ in (0, 1)]
