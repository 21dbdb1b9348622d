"""Translates searches between Kendra's names and the engine's: facets, orders, collapsed results, highlighted texts."""

from collections.abc import Sequence

from docferry_emulators.backend import Wire, present
from docferry_emulators.engine.collapse import Collapse
from docferry_emulators.engine.facets import Facet, FacetCount
from docferry_emulators.engine.fields import IndexField
from docferry_emulators.engine.ordering import Sort
from docferry_emulators.engine.search import Hit, Marked
from docferry_emulators.errors import ValidationFailed
from docferry_emulators.kendra.mapping import MEMBER_OF, TYPE_OF, attributes_to_wire

FACET_VALUES = 10
EXPANDED = 10
"""How many groups are expanded, and how many results in each, if a request does not say it. No source says so."""


def facet_of(wire: Wire, fields: dict[str, IndexField], *, nested: bool = False) -> Facet:
    """Read a facet. Raises ValidationFailed for an unknown field, and for more than one nested facet."""
    name = wire.get("DocumentAttributeKey")
    if name is None or name not in fields:
        raise ValidationFailed.of("facets", f"The index has no field {name}.")
    inside = wire.get("Facets", [])
    if len(inside) > (0 if nested else 1):
        raise ValidationFailed.of("facets", f"The facet {name} has more than one nested facet.")
    return Facet(
        name,
        wire.get("MaxResults", FACET_VALUES),
        facet_of(inside[0], fields, nested=True) if inside else None,
    )


def facet_to_wire(facet: Facet, counts: Sequence[FacetCount], fields: dict[str, IndexField]) -> Wire:
    """Write the counts of a facet. Each value has the counts of the nested facet."""
    kind = fields[facet.name].kind
    member = MEMBER_OF["STRING" if kind == "STRING_LIST" else kind]
    return {
        "DocumentAttributeKey": facet.name,
        "DocumentAttributeValueType": TYPE_OF[kind],
        "DocumentAttributeValueCountPairs": [
            present(
                DocumentAttributeValue={member: count.value},
                Count=count.count,
                FacetResults=[facet_to_wire(facet.inside, count.inside, fields)] if facet.inside else None,
            )
            for count in counts
        ],
    }


def sorts_of(wire: Wire) -> list[Sort]:
    """Read the order that a request or a collapse configuration asks for."""
    if "SortingConfiguration" in wire and "SortingConfigurations" in wire:
        raise ValidationFailed.of(
            "sortingConfigurations", "Give either SortingConfiguration or SortingConfigurations, not both."
        )
    sorts = wire.get("SortingConfigurations") or [wire[n] for n in ("SortingConfiguration",) if n in wire]
    return [Sort(sort["DocumentAttributeKey"], sort["SortOrder"] == "DESC") for sort in sorts]


def collapse_of(wire: Wire | None) -> Collapse | None:
    """Read a collapse configuration. Raises ValidationFailed for negative numbers."""
    if wire is None:
        return None
    expand = wire.get("ExpandConfiguration", {})
    groups = expand.get("MaxResultItemsToExpand", EXPANDED)
    members = expand.get("MaxExpandedResultsPerItem", EXPANDED)
    if groups < 0 or members < 0:
        raise ValidationFailed.of("collapseConfiguration", "The numbers of ExpandConfiguration must not be negative.")
    return Collapse(
        name=wire["DocumentAttributeKey"],
        sort=sorts_of(wire),
        missing=wire.get("MissingAttributeKeyStrategy", "COLLAPSE"),
        groups=groups if wire.get("Expand") else 0,
        members=members,
    )


def collapsed_to_wire(collapse: Collapse, hit: Hit, expanded: list[Wire], fields: dict[str, IndexField]) -> Wire:
    """Write the group that a result stands for. If its documents have no value, the value of the group is empty."""
    value = hit.attributes.get(collapse.name)
    member = MEMBER_OF[fields[collapse.name].kind]
    attribute = {"Key": collapse.name, "Value": {} if value is None else {member: value}}
    return present(DocumentAttribute=attribute, ExpandedResults=expanded or None)


def shown(hit: Hit, fields: dict[str, IndexField], wanted: list[str] | None) -> list[Wire]:
    """Write the attributes that the request names. If it names none, write those whose field is displayable."""
    names = {name for name, field in fields.items() if field.displayable or name in (wanted or ())}
    chosen = {
        name: value for name, value in hit.attributes.items() if name in names and (wanted is None or name in wanted)
    }
    return attributes_to_wire(chosen, fields)


def text_to_wire(text: Marked) -> Wire:
    """Write a text with its highlights."""
    highlights = [{"BeginOffset": begin, "EndOffset": end, "TopAnswer": False} for begin, end in text.spans]
    return {"Text": text.text, "Highlights": highlights}
