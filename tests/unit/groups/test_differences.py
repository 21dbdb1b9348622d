"""What the index has to be told of groups: told that, it holds what the list says."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from docferry.groups.differences import Difference, after, differences
from docferry.groups.known import Known
from docferry.model import Group

NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
MEMBERS = st.frozensets(st.sampled_from(["ann", "bob", "eve"]), min_size=1).map(lambda found: tuple(sorted(found)))
WANTED = st.dictionaries(NAMES, st.builds(Group, id=st.just(""), users=MEMBERS, groups=MEMBERS)).map(
    lambda found: [structs.replace(found[name], id=name) for name in sorted(found)]
)
KNOWN = st.dictionaries(
    NAMES, st.builds(Known, id=st.just(""), users=MEMBERS, groups=MEMBERS, doubtful=st.booleans())
).map(lambda found: [structs.replace(found[name], id=name) for name in sorted(found)])


def certain(groups: list[Group]) -> list[Known]:
    """Groups as an index holds them for certain."""
    return [Known(group.id, group.users, group.groups) for group in groups]


@given(known=KNOWN, wanted=WANTED)
def test_an_index_that_takes_every_difference_holds_what_is_wanted(known: list[Known], wanted: list[Group]) -> None:
    """And then there is no difference left."""
    found = list(differences(known, wanted))

    now = list(after(known, {change.id: change.done() for change in found}))

    assert now == certain(wanted)
    assert list(differences(now, wanted)) == []


@given(known=KNOWN, wanted=WANTED)
def test_what_is_certain_and_as_it_should_be_is_left_alone(known: list[Known], wanted: list[Group]) -> None:
    """One call for each group that differs, in order, and none for another."""
    changed = [change.id for change in differences(known, wanted)]

    equal = {one.id for one in known if not one.doubtful} & {
        group.id for group, one in ((g, o) for g in wanted for o in certain([g])) if one in known
    }
    assert changed == sorted(({one.id for one in known} | {group.id for group in wanted}) - equal)


@given(known=KNOWN, wanted=WANTED, returned=WANTED)
def test_after_a_death_amid_the_calls_the_next_run_repairs(
    known: list[Known], wanted: list[Group], returned: list[Group]
) -> None:
    """Whatever calls have got through, and even if the list is what it was before: what was underway is sent again."""
    found = list(differences(known, wanted))
    noted = list(after(known, {change.id: change.underway() for change in found}))

    again = {change.id: change for change in differences(noted, returned)}

    assert {change.id for change in found} <= set(again)
    assert list(after(noted, {change.id: change.done() for change in again.values()})) == certain(returned)


@given(known=KNOWN, wanted=WANTED)
def test_a_group_that_somebody_has_left_is_known_as_such(known: list[Known], wanted: list[Group]) -> None:
    """Also while nobody knows whether the index has taken it."""
    old, new = {one.id: one for one in known}, {one.id: one for one in wanted}
    for change in differences(known, wanted):
        members = {*old[change.id].users, *old[change.id].groups} if change.id in old else set()
        left = bool(members and change.id not in new) or any(
            set(getattr(old[change.id], kind)) - set(getattr(new[change.id], kind))
            for kind in ("users", "groups")
            if change.id in old and change.id in new
        )
        assert change.narrows == left
        underway = change.underway()
        assert set(underway.users) >= set(change.wanted.users if change.wanted else ())
        if left:
            assert Difference(change.id, underway, change.wanted).narrows
