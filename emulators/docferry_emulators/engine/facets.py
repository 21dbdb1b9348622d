"""Facets: count the found documents by the values of a field, and within each value by a second field."""

from collections import defaultdict
from typing import Any

from msgspec import Struct

from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.filters import path_of
from docferry_emulators.engine.store import Store
from docferry_emulators.errors import ValidationFailed


class Facet(Struct, frozen=True):
    """A field to count by, and how many values to return. ``inside`` is a facet to count within each value."""

    name: str
    limit: int
    inside: "Facet | None" = None


class FacetCount(Struct, frozen=True):
    """A value, and how many of the found documents have it."""

    value: Any
    count: int
    inside: tuple["FacetCount", ...] = ()


def count(store: Store, facet: Facet, fields: dict[str, IndexField]) -> list[FacetCount]:
    """Count the hits, the most frequent value first. Raises ValidationFailed if a field is not facetable."""
    source, value = _counted(facet.name, fields, 1)
    rows = store.all(
        f"SELECT {value} AS value, count(*) AS n FROM hits JOIN documents d USING (doc){source}"  # noqa: S608 - constants
        f" WHERE {value} IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT ?2",
        path_of(facet.name),
        facet.limit,
    )
    inside = _pairs(store, facet, facet.inside, fields) if facet.inside is not None else {}
    return [FacetCount(row["value"], row["n"], tuple(inside.get(row["value"], ()))) for row in rows]


def _pairs(store: Store, outer: Facet, inner: Facet, fields: dict[str, IndexField]) -> dict[Any, list[FacetCount]]:
    source, value = _counted(outer.name, fields, 1)
    inner_source, inner_value = _counted(inner.name, fields, 2)
    rows = store.all(
        f"SELECT {value} AS value, {inner_value} AS inner_value, count(*) AS n"  # noqa: S608 - constants
        f" FROM hits JOIN documents d USING (doc){source}{inner_source}"
        f" WHERE {value} IS NOT NULL AND {inner_value} IS NOT NULL GROUP BY 1, 2 ORDER BY n DESC, 2",
        path_of(outer.name),
        path_of(inner.name),
    )
    pairs: dict[Any, list[FacetCount]] = defaultdict(list)
    for row in rows:
        if len(pairs[row["value"]]) < inner.limit:
            pairs[row["value"]].append(FacetCount(row["inner_value"], row["n"]))
    return pairs


def _counted(name: str, fields: dict[str, IndexField], number: int) -> tuple[str, str]:
    """Return the SQL to join, and the SQL of the value to count by. ``number`` is the SQL parameter with the path."""
    if not fields[name].facetable:
        raise ValidationFailed.of("facets", f"The field {name} is not facetable.")
    if fields[name].kind == "STRING_LIST":
        return f", json_each(d.attributes, ?{number}) e{number}", f"e{number}.value"
    return "", f"json_extract(d.attributes, ?{number})"
