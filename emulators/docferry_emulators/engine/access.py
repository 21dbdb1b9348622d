"""Who may see a document: the trees of both services, and the one rule that reads them."""

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import Struct

Relation = Literal["AND", "OR"]
Access = Literal["ALLOW", "DENY"]


class Principal(Struct, frozen=True, omit_defaults=True):
    """A user or group in an access control list.

    ``data_source`` narrows it to identities of that data source (Kendra). ``membership`` INDEX narrows it to
    identities of the index, DATASOURCE to those of the document's data source (Q Business).
    """

    type: Literal["USER", "GROUP"]
    name: str
    access: Access
    data_source: str | None = None
    membership: Literal["INDEX", "DATASOURCE"] | None = None


class Control(Struct, frozen=True):
    """Principals, all of whom (AND) or one of whom (OR) the reader has to be."""

    principals: tuple[Principal, ...]
    relation: Relation = "OR"


class Tree(Struct, frozen=True):
    """Controls, all of which (AND) or one of which (OR) the reader has to satisfy."""

    controls: tuple[Control, ...]
    relation: Relation = "AND"

    def principals(self) -> int:
        """Return how many entries it has."""
        return sum(len(control.principals) for control in self.controls)


def same(name: str) -> str:
    """Compare names as they are (Kendra)."""
    return name


def fold_address(name: str) -> str:
    """Compare e-mail addresses without case and without +tag (Q Business, since 2024-12-17)."""
    local, at, domain = name.partition("@")
    return f"{local.split('+', 1)[0]}@{domain}".lower() if at else name


class Identity(Struct, frozen=True):
    """Who is asking. A pair is a name and the data source it counts in; None counts everywhere."""

    users: frozenset[tuple[str, str | None]]
    groups: frozenset[tuple[str, str | None]]
    fold: Callable[[str], str] = same

    def is_(self, principal: Principal, data_source: str | None) -> bool:
        """Tell whether the principal of a document of ``data_source`` is this identity."""
        user = principal.type == "USER"
        names = self.users if user else self.groups
        name = self.fold(principal.name) if user else principal.name
        if (name, None) in names:
            return True
        if principal.membership == "INDEX":
            return False
        source = principal.data_source or data_source
        return source is not None and (name, source) in names


NOBODY = Identity(frozenset(), frozenset())


def visible(tree: Tree | None, identity: Identity, data_source: str | None) -> bool:
    """Tell whether an identity may see a document.

    No tree is public. One DENY that fits hides the document, whatever else allows it. A control without any ALLOW
    only takes away: it is left out of the rest; a tree that allows nobody shows the document to nobody.
    """
    if tree is None:
        return True
    verdicts = []
    for control in tree.controls:
        fits = [(principal, identity.is_(principal, data_source)) for principal in control.principals]
        if any(fit and principal.access == "DENY" for principal, fit in fits):
            return False
        allows = [fit for principal, fit in fits if principal.access == "ALLOW"]
        if allows:
            verdicts.append(all(allows) if control.relation == "AND" else any(allows))
    if not verdicts:
        return False
    return all(verdicts) if tree.relation == "AND" else any(verdicts)


def decode(text: str | None) -> Tree | None:
    """Read a tree from the database."""
    return None if text is None else msgspec.json.decode(text, type=Tree)
