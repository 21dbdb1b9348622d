"""The delete guard: what it withholds, what it lets pass, and how a person overrules it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docferry.guard import DeleteGuard, reason_to_withhold

GUARD = DeleteGuard(documents=10, percent=10)


@pytest.mark.parametrize(
    ("deletes", "manifest", "approved", "withheld"),
    [
        (0, 0, 0, False),
        (10, 10, 0, False),  # few documents
        (11, 11, 0, True),  # all of them: an empty listing
        (11, 110, 0, False),  # exactly ten per cent
        (11, 109, 0, True),
        (100, 1_000, 0, False),
        (101, 1_000, 0, True),
        (101, 1_000, 100, True),  # fewer were approved
        (101, 1_000, 101, False),
        (101, 1_000, 5_000, False),
    ],
)
def test_deletes_are_withheld_when_they_are_many_and_a_large_part(
    *, deletes: int, manifest: int, approved: int, withheld: bool
) -> None:
    """More than the number and more than the per cent, and nobody approved so many."""
    reason = reason_to_withhold(GUARD, deletes=deletes, manifest=manifest, approved=approved, incomplete=None)

    assert bool(reason) is withheld


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_the_reason_names_the_number_to_approve_and_approving_it_lets_them_pass(deletes: int, kept: int) -> None:
    """A person can always answer a withheld delete with what the text says."""
    manifest = deletes + kept
    reason = reason_to_withhold(GUARD, deletes=deletes, manifest=manifest, approved=0, incomplete=None)

    if reason:
        found = re.search(r"approve_deletes: (\d+)$", reason)
        assert found is not None
        approved = int(found[1])
        assert not reason_to_withhold(GUARD, deletes=deletes, manifest=manifest, approved=approved, incomplete=None)
    else:
        assert deletes <= 10 or deletes * 10 <= manifest


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_an_incomplete_listing_deletes_nothing_whoever_approves(deletes: int, approved: int) -> None:
    """What the listing does not show may well be there."""
    reason = reason_to_withhold(GUARD, deletes=deletes, manifest=10**6, approved=approved, incomplete="docs/: denied")

    assert "docs/: denied" in reason


def test_a_listing_that_deletes_nothing_withholds_nothing() -> None:
    """An incomplete listing without deletes needs no attention of the guard."""
    assert reason_to_withhold(GUARD, deletes=0, manifest=5, approved=0, incomplete="docs/: denied") == ""


def test_the_strictest_guard_withholds_a_single_delete() -> None:
    """Zero documents and zero per cent is a connector that asks before each delete."""
    strict = DeleteGuard(documents=0, percent=0)

    assert reason_to_withhold(strict, deletes=1, manifest=1_000, approved=0, incomplete=None)
    assert not reason_to_withhold(strict, deletes=1, manifest=1_000, approved=1, incomplete=None)


def test_the_laxest_guard_lets_everything_pass() -> None:
    """A hundred per cent is no guard."""
    assert not reason_to_withhold(
        DeleteGuard(documents=0, percent=100), deletes=9, manifest=9, approved=0, incomplete=None
    )
