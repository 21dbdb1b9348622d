"""A website for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.sources.web.site import Site, website


@pytest.fixture
def site() -> Iterator[Site]:
    """A website without pages."""
    with website() as made:
        yield made
