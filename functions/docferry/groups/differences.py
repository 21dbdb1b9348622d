"""What the index has to be told of groups. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from docferry.groups.known import Known
from docferry.model import Group
from docferry.state.merge import align


class Difference(Struct, frozen=True):
    """A group that the index does not hold as it should. ``wanted`` is None for a group to be deleted."""

    id: str
    known: Known | None
    wanted: Group | None

    @property
    def narrows(self) -> bool:
        """Whether somebody who may be a member in the index is none any more."""
        if self.known is None:
            return False
        users, groups = (self.wanted.users, self.wanted.groups) if self.wanted is not None else ((), ())
        return self.wanted is None or bool(
            set(self.known.users).difference(users) or set(self.known.groups).difference(groups)
        )

    @property
    def size(self) -> int:
        """What it costs to send, in members: a call costs as much as a hundred of them."""
        return 100 + (len(self.wanted.users) + len(self.wanted.groups) if self.wanted is not None else 0)

    def underway(self) -> Known:
        """What is known of the group before it is sent: the index may hold it as it was, or as it will be."""
        users, groups = set[str](), set[str]()
        for one in (self.known, self.wanted):
            if one is not None:
                users.update(one.users)
                groups.update(one.groups)
        return Known(self.id, tuple(sorted(users)), tuple(sorted(groups)), doubtful=True)

    def done(self) -> Known | None:
        """What is known of the group once the index has taken it; None when it is gone."""
        return Known(self.id, self.wanted.users, self.wanted.groups) if self.wanted is not None else None


def differences(known: Iterable[Known], wanted: Iterable[Group]) -> Iterator[Difference]:
    """The groups to be put or deleted. Both streams are sorted by name."""
    for old, new in align(known, wanted, lambda one: one.id, lambda one: one.id):
        if old is None:
            assert new is not None
            yield Difference(new.id, None, new)
        elif new is None or old.doubtful or (old.users, old.groups) != (new.users, new.groups):
            yield Difference(old.id, old, new)


def after(known: Iterable[Known], outcomes: Mapping[str, Known | None]) -> Iterator[Known]:
    """What is known, with the groups of ``outcomes`` as they say. Sorted by name."""
    changed = (outcomes[name] or Known(name) for name in sorted(outcomes))
    for old, new in align(known, changed, lambda one: one.id, lambda one: one.id):
        if new is None:
            assert old is not None
            yield old
        elif outcomes[new.id] is not None:
            yield new
