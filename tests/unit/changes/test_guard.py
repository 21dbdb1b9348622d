"""The delete guard: what it withholds, what it lets pass, and how a person overrules it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from docferry.changes.detection import WITHDRAWN
from docferry.changes.guard import Findings, judge
from docferry.connector import DeleteGuard
from docferry.model import Change
from docferry.state.merge import Ascending
from tests.unit.fakes import document

GUARD = DeleteGuard(documents=10, percent=10)
COMMAND = "docferry approve run-1 --connector handbook"


def gone(id_: str, **changes: str) -> Change:
    """A document that is gone from the source, or from the inbox."""
    return Change(id_, "deleted", document(id_, **changes))


def withheld(found: Findings, *ids: str, approved: tuple[str, ...] = (), guard: DeleteGuard = GUARD) -> list[str]:
    """Which of these deletes are withheld."""
    verdict = judge(guard, found, Ascending(approved), COMMAND)
    return [id_ for id_ in ids if verdict is not None and verdict.withholds(gone(id_))]


def findings(deletes: int, manifest: int) -> Findings:
    """Deletes of documents that all came from the source."""
    return Findings(deletes=deletes, of_source=deletes, manifest=manifest)


@pytest.mark.parametrize(
    ("deletes", "manifest", "is_withheld"),
    [
        (0, 0, False),
        (10, 10, False),  # few documents
        (11, 11, True),
        (11, 110, False),  # exactly ten per cent
        (11, 109, True),
        (100, 1_000, False),
        (101, 1_000, True),
    ],
)
def test_deletes_are_withheld_when_they_are_many_and_a_large_part(
    *, deletes: int, manifest: int, is_withheld: bool
) -> None:
    """More than the number and more than the per cent."""
    assert bool(withheld(findings(deletes, manifest), "a")) is is_withheld


def test_what_the_index_must_not_show_any_more_never_waits() -> None:
    """The source lists it, so it is no outage."""
    verdict = judge(GUARD, findings(11, 11), (), COMMAND)

    assert verdict is not None
    assert not verdict.withholds(Change("a", "deleted", document("a"), WITHDRAWN))


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_the_reason_names_the_command_that_approves(deletes: int, kept: int) -> None:
    """A person can always answer a withheld delete with what the text says."""
    verdict = judge(GUARD, findings(deletes, deletes + kept), (), COMMAND)

    if verdict is not None:
        assert verdict.because.endswith(COMMAND)
    else:
        assert deletes <= 10 or deletes * 10 <= deletes + kept


@given(st.sets(st.sampled_from("abcdefgh")), st.sets(st.sampled_from("abcdefgh"), min_size=1))
def test_exactly_the_approved_documents_pass(approved: set[str], due: set[str]) -> None:
    """Whatever is not in the list that a person saw is withheld, however little it is."""
    found = structs.replace(findings(len(due), 1_000), approval="run-0")

    held = withheld(found, *sorted(due), approved=tuple(sorted(approved)))

    assert set(held) == due - approved


@given(st.integers(1, 10**6))
def test_an_incomplete_listing_deletes_nothing_whoever_approves(deletes: int) -> None:
    """What the listing does not show may well be there."""
    found = structs.replace(findings(deletes, 10**6), incomplete="docs/: denied", approval="run-0")
    verdict = judge(GUARD, found, ("a",), COMMAND)

    assert verdict is not None
    assert "docs/: denied" in verdict.because
    assert COMMAND not in verdict.because
    assert verdict.withholds(gone("a"))


def test_a_listing_that_deletes_nothing_withholds_nothing() -> None:
    """An incomplete listing without deletes needs no attention of the guard."""
    found = Findings(deletes=0, of_source=0, manifest=5, incomplete="docs/: denied", empty=True, changed=("path",))

    assert judge(GUARD, found, (), COMMAND) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [({"empty": True}, "no document at all"), ({"changed": ("include", "path")}, r"include, path")],
)
def test_an_empty_source_and_changed_settings_withhold_even_one_delete(change: dict[str, object], says: str) -> None:
    """Whatever the numbers. A document that was handed in is deleted by whoever handed it in."""
    found = structs.replace(Findings(deletes=2, of_source=1, manifest=1_000), **change)
    verdict = judge(GUARD, found, (), COMMAND)

    assert verdict is not None
    assert says in verdict.because
    assert verdict.withholds(gone("a"))
    assert not verdict.withholds(gone("b", origin="inbox"))


@pytest.mark.parametrize("change", [{"empty": True}, {"changed": ("path",)}])
def test_many_deletes_are_withheld_wherever_they_came_from(change: dict[str, object]) -> None:
    """The limit holds beside every other reason."""
    found = structs.replace(Findings(deletes=20, of_source=1, manifest=21), **change)
    verdict = judge(GUARD, found, (), COMMAND)

    assert verdict is not None
    assert verdict.withholds(gone("b", origin="inbox"))


def test_what_others_may_have_put_waits_for_approval() -> None:
    """A document that the manifest does not know, in a data source that others write to, too."""
    found = structs.replace(findings(2, 1_000), strangers=1)
    verdict = judge(GUARD, found, (), COMMAND)

    assert verdict is not None
    assert verdict.withholds(gone("stray", locator=""))
    assert not verdict.withholds(gone("known"))


def test_the_strictest_guard_withholds_a_single_delete() -> None:
    """Zero documents and zero per cent is a connector that asks before each delete."""
    strict = DeleteGuard(documents=0, percent=0)

    assert withheld(findings(1, 1_000), "a", guard=strict) == ["a"]


def test_the_laxest_guard_lets_everything_pass() -> None:
    """A hundred per cent is no guard."""
    assert withheld(findings(9, 9), "a", guard=DeleteGuard(documents=0, percent=100)) == []
