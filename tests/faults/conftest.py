"""Harnesses for tests: one for each service, for as long as a module needs it."""

from collections.abc import Iterator

import pytest

from tests.faults.harness import Harness, harness


@pytest.fixture
def kendra() -> Iterator[Harness]:
    """A harness for Kendra."""
    with harness("kendra") as on:
        yield on


@pytest.fixture
def qbusiness() -> Iterator[Harness]:
    """A harness for Q Business."""
    with harness("qbusiness") as on:
        yield on


@pytest.fixture
def bedrock() -> Iterator[Harness]:
    """A harness for Bedrock."""
    with harness("bedrock") as on:
        yield on
