"""Looks a document up in the manifest, as a stream."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from docferry.model import Document
from docferry.state import lines
from docferry_cli.why.places import Places

SHOWN = 20
"""How many documents of a kind a person is shown."""
NEAREST = 5
COMPARED = 20_000
"""Edit distances take some 20 µs each."""


class _Attributes(Struct, frozen=True, rename={"uri": "_source_uri"}):
    uri: Any = None


class _Line(Struct):
    id: str
    locator: str
    attributes: _Attributes = _Attributes()


_decoder = msgspec.json.Decoder(_Line)


class Name(Struct, frozen=True):
    """A document by its two names: its id, and its place in the source."""

    id: str
    locator: str


class Scan(Struct):
    """What a whole manifest has: documents that fit, documents that begin so, and names that come near."""

    fitting: list[Document] = []
    beginning: list[Document] = []
    near: list[Name] = []


def by_id(manifest: Iterable[bytes], ids: tuple[str, ...]) -> Document | None:
    """The document of the first of these ids that is there. Stops after the last: a manifest is sorted."""
    found: dict[str, Document] = {}
    last = max(ids)
    for line in manifest:
        id_ = lines.line_id(line)
        if id_ > last:
            break
        if id_ in ids:
            found[id_] = lines.decode(line, Document)
    return next((found[id_] for id_ in ids if id_ in found), None)


def scan(manifest: Iterable[bytes], places: Places) -> Scan:
    """Go through a whole manifest. Memory holds what is shown, and names to compare with."""
    found = Scan()
    wanted = _file(places.text)
    same: list[Name] = []
    others: list[Name] = []
    for line in manifest:
        one = _decoder.decode(line)
        if places.fits(one.id, one.locator, one.attributes.uri):
            if len(found.fitting) < SHOWN:
                found.fitting.append(lines.decode(line, Document))
        elif len(found.beginning) < SHOWN and places.begins(one.id, one.locator):
            found.beginning.append(lines.decode(line, Document))
        if wanted in {_file(one.id), _file(one.locator)}:
            if len(same) < NEAREST:
                same.append(Name(one.id, one.locator))
        elif len(others) < COMPARED:
            others.append(Name(one.id, one.locator))
    if not found.fitting and not found.beginning:
        found.near = nearest(places, [*same, *others])
    return found


def nearest(places: Places, names: Iterable[Name]) -> list[Name]:
    """Those that are written most like what was asked for, the ones with the same file name first."""
    known = list(islice(names, COMPARED))
    wanted, connector = _file(places.text), places.connector
    same = [name for name in known if wanted in {_file(name.id), _file(name.locator)}]
    written = {f"{connector}/{name.locator}": name for name in known} | {name.id: name for name in known}
    close = [written[one] for one in get_close_matches(places.ids[0], written, NEAREST)]
    return list(dict.fromkeys([*same, *close]))[:NEAREST]


def _file(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2].casefold()
