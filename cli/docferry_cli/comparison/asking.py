"""Asks the indexes of two connectors the same queries."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from rich.console import Console

from docferry.errors import ConfigurationError, RequestRefused
from docferry.indexes import Index, Reader
from docferry_cli.comparison.facts import Compared, Comparison
from docferry_cli.comparison.overlap import FAR, compared, mean
from docferry_cli.targets import Opened, Where


class Side(Struct, frozen=True):
    """One of the two: a connector with its index, and who searches there."""

    name: str
    index: Index
    reader: Reader | None


def compare(where: Where, names: tuple[str, str], queries: Iterable[str], reader: Reader | None) -> Comparison:
    """Ask both indexes. Raises ConfigurationError."""
    if names[0] == names[1]:
        raise ConfigurationError(f"{names[0]} cannot be compared with itself: name two connectors")
    connectors = [where.connector(name) for name in names]
    with where.see() as open_, Console(stderr=True).status("searching") as status:
        old, new = (_side(open_(connector), reader) for connector in connectors)
        found = []
        for number, query in enumerate(queries, 1):
            status.update(f"searching: query {number:,}")
            found.append(_ask(query, old, new))
    return Comparison(
        connector=old.name,
        to=new.name,
        kinds=(old.index.service.name, new.index.service.name),
        target=where.target,
        user=reader.user if reader else None,
        groups=reader.groups if reader else (),
        queries=tuple(found),
        mean_overlap_5=mean(one.overlap_5 for one in found),
        mean_overlap_10=mean(one.overlap_10 for one in found),
        apart=tuple(one.query for one in found if one.overlap_10 == 0),
        silent=tuple(one.query for one in found if not one.problem and one.overlap_10 is None),
        notes=tuple(_notes((old, new), reader)),
    )


def _side(opened: Opened, reader: Reader | None) -> Side:
    index, name = opened.answering, opened.connector.name
    if index is None:
        raise ConfigurationError(f"{name} cannot be searched while another docferry process uses the folder")
    if reader is not None and not index.service.names_groups:
        reader = Reader(reader.user)
    return Side(name, index, reader)


def _ask(query: str, old: Side, new: Side) -> Compared:
    (before, one), (after, other) = _found(query, old), _found(query, new)
    return compared(query, before, after, "; ".join(filter(None, (one, other))))


def _found(query: str, side: Side) -> tuple[list[str], str]:
    """What a side finds, and why it has not answered, if it has not."""
    try:
        hits = side.index.search(query, FAR, side.reader)
    except RequestRefused as error:
        return [], f"{side.name}: {error}"
    # Another connector of the index may have put what is found: its name stays.
    return [hit.document_id.removeprefix(f"{side.name}/") for hit in hits], ""


def _notes(sides: tuple[Side, Side], reader: Reader | None) -> Iterator[str]:
    for side in sides:
        if reader is None and side.index.unprotected == "nobody":
            yield f"{side.name} shows its documents to nobody who does not say who it is: give --user"
        if reader is not None and reader.groups and not side.index.service.names_groups:
            yield f"{side.name} was asked without groups: it knows those of each user from `groups` of its connector"
