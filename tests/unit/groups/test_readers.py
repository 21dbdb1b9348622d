"""Who may see a document: the verdict is what a search of the index finds."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docferry.connector import Connector, Part
from docferry.groups.known import Known
from docferry.groups.readers import folded, judge, reach, same
from docferry.indexes import Index, Reader
from docferry.model import Document, Group, Principal
from docferry.runtime import wiring
from docferry_emulators import Settings
from docferry_emulators.clock import VirtualClock
from docferry_laptop.provision import provision
from docferry_laptop.storage import storage

USERS = ["ann@x.org", "bob", "eve"]
WRITTEN = [*USERS, "ANN+sea@X.org", "Bob"]
GROUPS = ["crew", "deck", "port", "shore"]

principals = st.builds(
    lambda kind, access, user, group: Principal(user if kind == "USER" else group, kind, access),
    st.sampled_from(["USER", "GROUP"]),
    st.sampled_from(["ALLOW", "ALLOW", "DENY"]),
    st.sampled_from(WRITTEN),
    st.sampled_from(GROUPS),
)
lists = st.lists(principals, max_size=4, unique_by=lambda one: (one.name, one.type)).map(tuple)
members = st.tuples(st.sets(st.sampled_from(WRITTEN), max_size=2), st.sets(st.sampled_from(GROUPS), max_size=2))


class Indexed:
    """An emulated index that holds what an example needs, and nothing of the example before."""

    def __init__(self, kind: str, clock: VirtualClock) -> None:
        self.clock = clock
        part = provision(Connector("demo", Part("files", {"path": "."}), Part(kind)), clock).index
        self.index: Index = wiring.index("demo", part)

    def hold(self, documents: list[Document], groups: list[Group]) -> None:
        """Put documents and groups, and wait until the index has worked on them."""
        job = self.index.start()
        assert not self.index.put(job, [(one, b"ferry") for one in documents])
        self.index.stop()
        for number, group in enumerate(groups):
            self.index.set_group(group, int(self.clock.now().timestamp() * 1000) + number)
        self.clock.sleep(60)

    def finds(self, reader: Reader) -> set[str]:
        """The documents that a reader finds."""
        return {hit.document_id for hit in self.index.search("ferry", 100, reader)}


@pytest.fixture(scope="module", params=["kendra", "qbusiness"])
def indexed(request: pytest.FixtureRequest) -> Iterator[Indexed]:
    """An index of each service."""
    clock = VirtualClock()
    with storage(clock=clock, settings=Settings(qbusiness_search_without_user="all")):
        yield Indexed(request.param, clock)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists=st.lists(lists, min_size=6, max_size=6), members=st.lists(members, min_size=4, max_size=4), data=st.data())
def test_the_verdict_is_what_the_index_finds(indexed: Indexed, lists: list[Any], members: list[Any], data: Any) -> None:
    """For any access control and any nesting of groups, cycles among them, and any writing of a user's name."""
    documents = [
        Document(f"demo/{number}", "v", 5, str(number), "PLAIN_TEXT", "Ferry", access_control=access_control)
        for number, access_control in enumerate(lists)
    ]
    pairs = zip(GROUPS, members, strict=True)
    groups = [Group(name, tuple(sorted(users)), tuple(sorted(inner))) for name, (users, inner) in pairs]
    service = indexed.index.service
    fold = folded if service.folds_addresses else same
    indexed.hold(documents, groups)
    for user in WRITTEN:
        given_groups = data.draw(st.sets(st.sampled_from(GROUPS), max_size=1)) if service.names_groups else set()
        reader = Reader(user, tuple(given_groups))
        reached = reach(reader, (Known(one.id, one.users, one.groups) for one in groups), fold)

        verdicts = {one.id: judge(one.access_control, reached, fold).may_see for one in documents}

        found = indexed.finds(reader)
        assert verdicts == {one.id: "yes" if one.id in found else "no" for one in documents}


CREW = (Principal("crew", "GROUP", "ALLOW"),)


def verdict(access_control: tuple[Principal, ...], *groups: Known) -> tuple[str, tuple[str, ...]]:
    """What is decided for ann, and the way to the group that decides."""
    found = judge(access_control, reach(Reader("ann"), groups, same), same)
    return found.may_see, found.through


def test_the_way_leads_through_every_group() -> None:
    """The shortest one, from the user to the group that the document names."""
    nested = (Known("crew", ("bob",), ("deck",)), Known("deck", (), ("hands",)), Known("hands", ("ann",)))

    assert verdict(CREW, *nested) == ("yes", ("ann", "hands", "deck", "crew"))
    assert verdict((*CREW, Principal("deck", "GROUP", "DENY")), *nested) == ("no", ("ann", "hands", "deck"))


def test_a_group_whose_members_are_not_certain_decides_nothing() -> None:
    """It may hold who it should, or who it held before; what is certain without it stays certain."""
    doubtful = Known("crew", ("ann",), doubtful=True)
    denied = (Principal("ann", "USER", "ALLOW"), Principal("crew", "GROUP", "DENY"))

    assert verdict(CREW, doubtful) == ("unknown", ("ann", "crew"))
    assert verdict(denied, doubtful) == ("unknown", ("ann", "crew"))
    assert verdict((*CREW, Principal("ann", "USER", "DENY")), doubtful) == ("no", ())
    assert verdict((*CREW, Principal("ann", "USER", "ALLOW")), doubtful) == ("yes", ())
    assert verdict((Principal("port", "GROUP", "ALLOW"), Principal("crew", "GROUP", "DENY")), doubtful) == ("no", ())
