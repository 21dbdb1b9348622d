"""Who access control stands for, in an index that knows no groups."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.groups import expansion
from docferry.groups.expansion import Expansion, Unexpandable
from docferry.groups.reading import MembershipUnreadable
from docferry.model import Document, Group, Member, Principal, Skipped
from docferry.state.keys import members_key
from docferry.state.store import Store
from tests.unit.fakes import document

NAMES = ("a", "b", "c", "d")


def allow(*names: str, access: str = "ALLOW", kind: str = "GROUP") -> tuple[Principal, ...]:
    """Entries for some names."""
    return tuple(Principal(name, kind, access) for name in names)  # type: ignore[arg-type]  # as they are drawn


def names(entries: tuple[Principal, ...]) -> set[tuple[str, str]]:
    """Who is named, and how."""
    return {(one.name, one.access) for one in entries}


@given(
    users=st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(("ann", "bob", "eve"))), min_size=4),
    inner=st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES))),
)
def test_a_group_stands_for_everybody_who_can_be_reached(
    users: dict[str, set[str]], inner: dict[str, set[str]]
) -> None:
    """Also where groups contain each other: compared with a closure that is made by repetition."""
    groups = [Group(name, tuple(sorted(users[name])), tuple(sorted(inner.get(name, ())))) for name in NAMES]
    reached = {name: {name} for name in NAMES}
    for _ in NAMES:
        reached = {
            name: {far for near in found for far in {near, *inner.get(near, ())}} for name, found in reached.items()
        }

    found = Expansion(Store("bucket", None), groups, most=100).users(allow("a"))

    assert {one.name for one in found} == {user for name in reached["a"] for user in users[name]}
    assert len(set(found)) == len(found)


def test_a_deny_stays_one(store: Store) -> None:
    """Beside an ALLOW for the same user."""
    groups = [Group("crew", ("ann", "bob")), Group("night", ("bob",))]

    found = Expansion(store, groups, most=10).users((*allow("crew"), *allow("night", access="DENY")))

    assert names(found) == {("ann", "ALLOW"), ("bob", "ALLOW"), ("bob", "DENY")}


def test_the_same_users_have_the_same_digest_whatever_the_groups_are_called(store: Store) -> None:
    """So a document changes with its readers, and the users are kept under the digest for the puts."""
    groups = [Group("one", ("ann", "bob")), Group("two", ("ann",), ("three",)), Group("three", ("bob",))]
    known = Expansion(store, groups, most=10)

    found = [known.of(document("d", access_control=allow(name))) for name in ("one", "two", "three")]

    digests = [one.members for one in found if isinstance(one, Document)]
    assert len(digests) == 3
    assert digests[0] == digests[1] != digests[2]
    kept = store.read(members_key(digests[0]), tuple[Principal, ...])
    assert kept is not None
    assert names(kept.value) == {("ann", "ALLOW"), ("bob", "ALLOW")}


def test_users_alone_need_no_digest(store: Store) -> None:
    """The document is as it was listed, and so is what is skipped."""
    known = Expansion(store, (), most=10)
    plain, skipped = document("d", access_control=allow("ann", kind="USER")), Skipped("s", "broken")

    assert known.of(plain) == plain
    assert known.of(skipped) == skipped


@pytest.mark.parametrize("groups", [[], [Group("crew", ("ann",), ("ghosts",))]], ids=["unknown", "within a known one"])
def test_a_group_without_a_member_keeps_its_documents_back(store: Store, groups: list[Group]) -> None:
    """Wherever it stands: what it would deny is not known."""
    entry = Expansion(store, groups, most=10).of(document("d", access_control=allow("crew")))

    assert isinstance(entry, Skipped)
    assert "the list of groups has no member of it" in entry.skipped


def test_too_many_users_are_not_cut_off(store: Store) -> None:
    """The index would take fewer than may see the document, or fewer than may not."""
    known = Expansion(store, [Group("crew", ("ann", "bob", "eve"))], most=2)

    with pytest.raises(Unexpandable, match="3 members in all; the index takes 2"):
        known.users(allow("crew"))


class Listed:
    """A list of members, or what is wrong with it."""

    def __init__(self, *members: Member, error: str = "") -> None:
        self._members = members
        self._error = error

    def members(self) -> Iterator[Member]:
        """See Membership.members."""
        yield from self._members
        if self._error:
            raise MembershipUnreadable(self._error)


def test_a_run_expands_by_the_groups_that_it_has_read_first(store: Store) -> None:
    """An attempt that comes later sees no other members."""
    first = Listed(Member("crew", "ann", "user"), Member("crew", "deck", "group"), Member("deck", "bob", "user"))
    expansion.of_run(store, "run", first, most=10)

    again = expansion.of_run(store, "run", Listed(Member("crew", "eve", "user")), most=10)

    assert names(again.users(allow("crew"))) == {("ann", "ALLOW"), ("bob", "ALLOW")}
    assert names(expansion.now(store, first, most=10).users(allow("crew"))) == {("ann", "ALLOW"), ("bob", "ALLOW")}


@pytest.mark.parametrize(
    ("listed", "why"),
    [(None, "the connector has no `groups`"), (Listed(error="line 7: is not CSV"), "line 7: is not CSV")],
    ids=["none", "broken"],
)
def test_without_a_list_no_group_is_expanded(store: Store, listed: Listed | None, why: str) -> None:
    """The document says why."""
    for known in (expansion.of_run(store, "run", listed, most=10), expansion.now(store, listed, most=10)):
        entry = known.of(document("d", access_control=allow("crew")))
        assert isinstance(entry, Skipped)
        assert why in entry.skipped
