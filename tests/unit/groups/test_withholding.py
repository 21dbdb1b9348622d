"""Which groups are not deleted, at the numbers where that changes."""

import pytest

from docferry.connector import DeleteGuard
from docferry.groups.withholding import because

GUARD = DeleteGuard(documents=10, percent=10)


@pytest.mark.parametrize(
    ("deletes", "known", "empty", "withheld"),
    [
        (0, 0, True, False),
        (0, 100, False, False),
        (10, 10, False, False),
        (11, 109, False, True),
        (11, 110, False, False),
        (1, 1_000, True, True),
    ],
)
def test_when_groups_are_not_deleted(deletes: int, known: int, *, empty: bool, withheld: bool) -> None:
    """More than both numbers, or any when the list is empty."""
    why = because(GUARD, deletes=deletes, known=known, empty=empty, command="docferry approve x")

    assert bool(why) == withheld
    assert why.endswith("docferry approve x") == withheld
