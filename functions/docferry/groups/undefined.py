"""Groups that documents name in their access control, and that have no member in the list. Pure."""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct

from docferry.model import Group

# A name has up to 1,024 characters; these many are some MB at most.
REMEMBERED = 10_000


class _Principal(Struct):
    name: str
    type: Literal["USER", "GROUP"]


class _Access(Struct):
    access_control: tuple[_Principal, ...] = ()


_decoder = msgspec.json.Decoder(_Access)


def undefined(listing: Iterable[bytes], defined: Iterable[Group], limit: int) -> tuple[str, ...]:
    """The first of these groups, sorted. ``listing`` are the lines of documents.

    Memory holds the names of up to REMEMBERED groups; where documents name more, the others are not looked for.
    """
    names: set[str] = set()
    for line in listing:
        if b'"GROUP"' in line and len(names) < REMEMBERED:
            names.update(one.name for one in _decoder.decode(line).access_control if one.type == "GROUP")
    if names:
        names.difference_update(group.id for group in defined)
    return tuple(sorted(names)[:limit])
