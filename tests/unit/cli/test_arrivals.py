"""What arrives in the new index: each document of either index is accounted for, once, with its reason."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from docferry.model import Principal
from docferry.reporting.report import Failure
from docferry_cli.migration.arrivals import Arrivals, Sources
from docferry_cli.migration.facts import Missing
from tests.unit.fakes import IDS, document

NAMES = ("old", "new")
ANN = Principal("ann@example.com", "USER", "ALLOW")


def missing(sources: Sources) -> list[Missing]:
    """What does not arrive."""
    return list(Arrivals(NAMES, sources).missing())


def test_what_comes_is_not_missing_and_what_the_index_refuses_is_told_with_its_reason() -> None:
    """Documents are paired by what follows the connector's name. One that neither index has is told, too."""
    found = missing(
        Sources(
            old=[document("old/a"), document("old/b")],
            coming=[document("new/a"), document("new/z")],
            refused=[Failure("new/b", "too large"), Failure("new/c", "no type that is indexed")],
        )
    )

    assert found == [Missing("b", "too large", held=True), Missing("c", "no type that is indexed", held=False)]


def test_what_only_the_old_index_holds_is_missing() -> None:
    """Nothing of the source fills it: it is gone there, or it was handed in beside the source."""
    handed_in = structs.replace(document("old/b"), origin="inbox")

    found = missing(Sources(old=[document("old/a"), handed_in], coming=[], refused=[]))

    assert [(one.id, one.held) for one in found] == [("a", True), ("b", True)]
    assert found[0].reason == "the source does not list it any more"
    assert "inbox of old" in found[1].reason
    assert "that of new" in found[1].reason


def test_a_document_that_comes_hides_another_that_wanted_its_id() -> None:
    """Of two documents with one id one is indexed, in the old index as in the new one."""
    twice = Failure("new/a", "another document has this id")

    assert missing(Sources(old=[document("old/a")], coming=[document("new/a")], refused=[twice])) == []


def test_two_reasons_for_one_document_are_told_together() -> None:
    """And the document once."""
    found = missing(Sources(old=[], coming=[], refused=[Failure("new/a", "one"), Failure("new/a", "two")]))

    assert found == [Missing("a", "one; two", held=False)]


def test_the_sample_is_a_document_that_comes_and_is_not_for_everybody() -> None:
    """The checklist asks who may see it."""
    secret = structs.replace(document("new/b"), access_control=(ANN,))
    arrivals = Arrivals(NAMES, Sources(old=[], coming=[document("new/a"), secret], refused=[]))

    assert list(arrivals.missing()) == []
    assert arrivals.sample == ("b", secret)


@given(st.sets(IDS), st.sets(IDS), st.sets(IDS))
def test_every_document_is_accounted_for_once(old: set[str], coming: set[str], refused: set[str]) -> None:
    """What comes is not missing, and whatever else anybody knows of is, sorted, whichever characters its id has."""
    found = missing(
        Sources(
            old=[document(f"old/{id_}") for id_ in sorted(old)],
            coming=[document(f"new/{id_}") for id_ in sorted(coming)],
            refused=[Failure(f"new/{id_}", "no") for id_ in sorted(refused)],
        )
    )

    assert [one.id for one in found] == sorted((old | refused) - coming)
    assert {one.id for one in found if one.held} == old - coming
