"""Who may see a document: the access control trees of both services, and the one rule that evaluates them."""

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import Struct

Relation = Literal["AND", "OR"]
Access = Literal["ALLOW", "DENY"]


class Principal(Struct, frozen=True, omit_defaults=True):
    """A user or group in an access control list.

    ``data_source`` limits the entry to identities of that data source (Kendra). ``membership`` INDEX limits it to
    identities of the index; DATASOURCE limits it to identities of the document's data source (Q Business).
    """

    type: Literal["USER", "GROUP"]
    name: str
    access: Access
    data_source: str | None = None
    membership: Literal["INDEX", "DATASOURCE"] | None = None


class Control(Struct, frozen=True):
    """A list of principals. The reader has to be all of them (AND) or one of them (OR)."""

    principals: tuple[Principal, ...]
    relation: Relation = "OR"


class Tree(Struct, frozen=True):
    """A list of controls. The reader has to satisfy all of them (AND) or one of them (OR)."""

    controls: tuple[Control, ...]
    relation: Relation = "AND"

    def principals(self) -> int:
        """Return how many entries the tree has."""
        return sum(len(control.principals) for control in self.controls)


def same(name: str) -> str:
    """Return a name unchanged: Kendra compares names as they are."""
    return name


def fold_address(name: str) -> str:
    """Return an e-mail address in lower case and without +tag: Q Business ignores case and tag since 2024-12-17."""
    local, at, domain = name.partition("@")
    return f"{local.split('+', 1)[0]}@{domain}".lower() if at else name


class Identity(Struct, frozen=True):
    """Who is asking. Each pair is a name and the data source in which it counts; None means everywhere."""

    users: frozenset[tuple[str, str | None]]
    groups: frozenset[tuple[str, str | None]]
    fold: Callable[[str], str] = same

    def is_(self, principal: Principal, data_source: str | None) -> bool:
        """Tell whether a principal is this identity. ``data_source`` is that of the document with the principal."""
        user = principal.type == "USER"
        names = self.users if user else self.groups
        name = self.fold(principal.name) if user else principal.name
        of_index = (name, None) in names
        if principal.membership == "INDEX" or (of_index and (user or principal.membership is None)):
            return of_index
        source = principal.data_source or data_source
        return source is not None and (name, source) in names


NOBODY = Identity(frozenset(), frozenset())


def visible(tree: Tree | None, identity: Identity, data_source: str | None) -> bool:
    """Tell whether an identity may see a document.

    A document without a tree is public. One DENY that matches hides the document, even if other entries allow it. A
    control without any ALLOW can only hide the document; otherwise it is ignored. A tree without any ALLOW hides the
    document from everyone.
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
