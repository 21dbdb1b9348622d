"""Whether a reader may see a document, and through which group. Pure.

Both services decide alike. A document without access control is everybody's. A DENY that fits hides it, even where an
ALLOW fits. Otherwise one ALLOW has to fit. https://docs.aws.amazon.com/kendra/latest/dg/user-context-filter.html
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from msgspec import Struct

from docferry.groups.known import Known
from docferry.indexes import Reader
from docferry.model import Principal

Answer = Literal["yes", "no", "unknown"]


class Verdict(Struct, frozen=True):
    """Whether a reader may see a document, and why.

    ``through`` is the way from the reader to the group that decides, such as ``("ann", "deckhands", "crew")``; empty
    when no group does.
    """

    may_see: Answer
    because: str
    through: tuple[str, ...] = ()


class Reach(Struct, frozen=True):
    """The groups of a reader, each with the way to it.

    ``certain`` are those that the index is known to hold. ``possible`` are others: the way to them leads through a
    group whose members in the index are not known for certain.
    """

    user: str
    certain: dict[str, tuple[str, ...]]
    possible: dict[str, tuple[str, ...]]


def same(name: str) -> str:
    """A user's name as it counts where every character counts."""
    return name


def folded(name: str) -> str:
    """A user's name as it counts where of an e-mail address neither letter case nor +tag counts.

    https://docs.aws.amazon.com/amazonq/latest/qbusiness-ug/principal-store-hiw.html
    """
    local, at, domain = name.partition("@")
    return f"{local.partition('+')[0]}@{domain}".lower() if at else name


def reach(reader: Reader, groups: Iterable[Known], fold: Callable[[str], str]) -> Reach:
    """Find every group that a reader is in, directly or through other groups.

    Memory holds the groups that have groups as members, not the users.
    """
    user = fold(reader.user)
    above: dict[str, list[Known]] = defaultdict(list)
    first: list[tuple[str, bool]] = [(name, False) for name in reader.groups]
    for group in groups:
        if any(fold(name) == user for name in group.users):
            first.append((group.id, group.doubtful))
        for inner in group.groups:
            above[inner].append(Known(group.id, doubtful=group.doubtful))
    certain = _ways(reader.user, (name for name, doubtful in first if not doubtful), above, doubtful=False)
    all_ = _ways(reader.user, (name for name, _ in first), above, doubtful=True)
    return Reach(reader.user, certain, {name: way for name, way in all_.items() if name not in certain})


def judge(access_control: tuple[Principal, ...], reach: Reach, fold: Callable[[str], str]) -> Verdict:
    """Decide by an access control list. ``unknown``: it depends on a group that is only possible."""
    if not access_control:
        return Verdict("yes", "it has no access control, so everybody may see it")

    def fitting(access: str, groups: dict[str, tuple[str, ...]], *, users: bool) -> Iterator[Principal]:
        for one in access_control:
            fits = users and fold(one.name) == fold(reach.user) if one.type == "USER" else one.name in groups
            if one.access == access and fits:
                yield one

    deny = next(fitting("DENY", reach.certain, users=True), None)
    if deny is not None:
        return Verdict("no", f"{_named(deny)}, and DENY wins", _way(deny, reach.certain))
    allow = next(fitting("ALLOW", reach.certain, users=True), None)
    maybe_deny = next(fitting("DENY", reach.possible, users=False), None)
    if allow is not None and maybe_deny is None:
        return Verdict("yes", _named(allow), _way(allow, reach.certain))
    maybe = maybe_deny if allow is not None else next(fitting("ALLOW", reach.possible, users=False), None)
    if maybe is None:
        return Verdict("no", "no ALLOW entry names the user, or a group that the user is in")
    way = _way(maybe, reach.possible)
    return Verdict("unknown", f"{_named(maybe)}, and the members of a group on the way are not certain", way)


def _ways(
    user: str, first: Iterable[str], above: dict[str, list[Known]], *, doubtful: bool
) -> dict[str, tuple[str, ...]]:
    """The shortest way to each group. Without ``doubtful`` no way leads through a doubtful group."""
    ways: dict[str, tuple[str, ...]] = {name: (user, name) for name in first}
    ahead = deque(ways)
    while ahead:
        inner = ahead.popleft()
        for group in above.get(inner, ()):
            if group.id not in ways and (doubtful or not group.doubtful):
                ways[group.id] = (*ways[inner], group.id)
                ahead.append(group.id)
    return ways


def _named(principal: Principal) -> str:
    return f"{principal.access} for the {principal.type.lower()} {principal.name}"


def _way(principal: Principal, ways: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    return ways[principal.name] if principal.type == "GROUP" else ()
