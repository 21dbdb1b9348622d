"""What every test starts with."""

import pytest

from docferry.indexes.calls import PACE


@pytest.fixture(autouse=True)
def a_new_process() -> None:
    """A function that stays warm remembers how it was throttled; a test must not remember another."""
    PACE.forget()
