"""The phases that `make bench` and `make bench-full` measure, with few documents.

A change of the functions must not break them.
"""

from collections.abc import Iterator

import pytest

from benchmarks.__main__ import PHASES, measure
from benchmarks.bucket import served


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 in another process."""
    with served() as url:
        yield url


@pytest.mark.parametrize("phase", [*PHASES, "unchanged", "listing"])
def test_a_phase_is_measured(phase: str, endpoint: str) -> None:
    """In a process of its own, which fails when the phase does."""
    assert measure(phase, 30, endpoint)["seconds"] > 0
