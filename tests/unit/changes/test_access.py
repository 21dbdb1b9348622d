"""The access guard: nothing becomes public because a sidecar was lost."""

from collections.abc import Sequence
from typing import Any

from docferry.changes import access
from docferry.changes.access import NOT_RENAMED, Exposed, Placed, Renamed
from docferry.changes.detection import UNCHANGED, detect
from docferry.connector import Policy
from docferry.model import Change, Document, Listed, Principal, Skipped
from docferry.state import lines
from docferry.state.merge import Ascending
from tests.unit.fakes import document

GROUP = Principal("crew", "GROUP", "ALLOW")


def secret(id_: str, **changes: Any) -> Document:
    """A document that only the crew may see."""
    return document(id_, access_control=(GROUP,), **changes)


def guarded(
    old: list[Document],
    new: Sequence[Listed],
    policy: Policy | None = None,
    *,
    approved: tuple[str, ...] = (),
    renamed: Renamed = NOT_RENAMED,
) -> list[object]:
    """What becomes of a listing under the guard."""
    events = detect(map(lines.encode, old), map(lines.encode, new))
    return list(access.guard(events, policy, approved=Ascending(approved), renamed=renamed))


def renamed(
    old: list[Document], new: Sequence[Listed], *, approved: tuple[str, ...] = ()
) -> tuple[frozenset[str], frozenset[str]]:
    """The ids that documents have lost with their access control, and those that they are listed under."""
    manifest, listing = list(map(lines.encode, old)), list(map(lines.encode, new))
    return access.renamed(
        access.secret(b"\n".join(manifest), "handbook"), access.bare(manifest, listing, Ascending(approved))
    )


def test_a_document_that_lost_its_access_control_is_held_back() -> None:
    """Whatever else has changed of it; documents that never had any pass."""
    old = [secret("a"), secret("b"), document("c")]
    new = [document("a"), document("b", "v2"), document("c", "v2")]

    assert guarded(old, new) == [
        Exposed("a", document("a")),
        Exposed("b", document("b", "v2")),
        Change("c", "modified", document("c", "v2"), ("content",)),
    ]


def test_a_doubtful_document_is_held_back_too() -> None:
    """Nobody knows which version the index holds; that it was secret is known."""
    assert guarded([secret("a", version="")], [document("a")]) == [Exposed("a", document("a"))]


def test_who_may_see_a_document_may_change() -> None:
    """More groups, or others, are a modification as any."""
    wider = document("a", access_control=(GROUP, Principal("office", "GROUP", "ALLOW")))

    assert guarded([secret("a")], [wider]) == [Change("a", "modified", wider, ("access",))]


def test_exactly_the_approved_documents_are_sent() -> None:
    """The list is the one that a person saw."""
    found = guarded([secret("a"), secret("b")], [document("a"), document("b")], approved=("b",))

    assert found == [
        Exposed("a", document("a")),
        Change("b", "modified", document("b"), ("access",), exposes=True),
    ]


def test_a_public_connector_sends_them() -> None:
    """Its settings say that everybody may see everything."""
    (found,) = guarded([secret("a")], [document("a")], "public")

    assert isinstance(found, Change)


def test_a_document_that_lost_its_id_with_its_access_control_is_held_back() -> None:
    """The sidecar gave both. The document is kept under its old id, and not sent under the new one."""
    old = [secret("handbook/plan-7", locator="plan.md")]
    new = [document("handbook/plan.md", locator="plan.md")]

    assert renamed(old, new) == (frozenset({"handbook/plan-7"}), frozenset({"handbook/plan.md"}))
    assert guarded(old, new, renamed=Renamed(*renamed(old, new))) == [UNCHANGED, Exposed("handbook/plan.md", new[0])]

    assert renamed(old, new, approved=("handbook/plan.md",)) == (frozenset(), frozenset())
    assert renamed([*old, *new], new) == (frozenset(), frozenset())
    assert renamed([*old, document("handbook/plan.md", "v0", locator="plan.md")], new) == (frozenset(), frozenset())


def test_a_document_that_has_its_id_from_its_place_is_no_other() -> None:
    """It is found by its id."""
    old = [secret("handbook/plan.md", locator="plan.md"), document("handbook/x", locator="public.md")]

    assert list(access.secret(b"\n".join(map(lines.encode, old)), "handbook")) == []


def test_what_has_access_control_or_is_no_document_is_not_bare() -> None:
    """Neither is a document that is known, whatever has changed of it, nor what is skipped."""
    known = [lines.encode(document("a")), lines.encode(document("b"))]
    listed = [document("a"), document("b", "v2"), secret("c"), Skipped("d", "too large"), document("e")]

    assert list(access.bare(known, list(map(lines.encode, listed)), Ascending(()))) == [Placed("/e", "e")]


def test_what_is_skipped_without_access_control_keeps_the_id_it_had_with_it() -> None:
    """The sidecar gave both: where a document without access control is skipped, its old id is not gone either."""
    old = [secret("handbook/plan-7", locator="plan.md")]
    plain = document("handbook/plan.md", locator="plan.md")
    for skipped in (access.required(plain, "required"), access.fitting(plain, "nobody")):
        assert isinstance(skipped, Skipped)
        assert renamed(old, [skipped]) == (frozenset({"handbook/plan-7"}), frozenset({"handbook/plan.md"}))
        assert guarded(old, [skipped], renamed=Renamed(*renamed(old, [skipped]))) == [UNCHANGED, skipped]


def test_a_document_with_access_control_is_withdrawn_from_an_index_that_has_none() -> None:
    """What has none stays."""
    skipped = access.fitting(secret("a"), "all")

    assert isinstance(skipped, Skipped)
    assert skipped.access_control == (GROUP,)
    assert access.fitting(document("a"), "all") == document("a")


def test_a_connector_that_requires_access_control_skips_what_has_none() -> None:
    """The reason names the setting."""
    skipped = access.required(document("a"), "required")

    assert isinstance(skipped, Skipped)
    assert "access: required" in skipped.skipped
    assert access.required(secret("a"), "required") == secret("a")
    assert access.required(document("a"), None) == document("a")
    assert access.required(skipped, "required") == skipped


def test_the_id_of_a_place_may_belong_to_a_document_of_another_place() -> None:
    """It was handed in, or a sidecar has named it: the secret one is not put in its stead."""
    old = [secret("zulu", locator="/a"), document("handbook//a", locator="collected/1", origin="inbox")]

    assert renamed(old, [document("handbook//a", locator="/a")]) == (frozenset({"zulu"}), frozenset({"handbook//a"}))
    assert renamed(old, [Skipped("handbook//a", "is empty", bare="/a")]) == (
        frozenset({"zulu"}),
        frozenset({"handbook//a"}),
    )
