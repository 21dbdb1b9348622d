"""docs/guarantees.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_every_test_that_the_guarantees_name_exists() -> None:
    """A proof that was renamed or removed is no proof."""
    named = set(re.findall(r"`(test_\w+|Test\w+)`", (ROOT / "docs" / "guarantees.md").read_text("utf-8")))
    tests = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("*.py"))

    assert len(named) > 20
    assert {name for name in named if not re.search(rf"^ *(def |class |){name}\b", tests, re.MULTILINE)} == set()
