"""What every test starts with."""

import gc

import pytest
from hypothesis import HealthCheck, settings

from docferry.indexes.calls import PACE

# A machine may be slow, or busy with something else: no test is about time. The examples are the same every time, so
# that a change fails for what it changes; `pytest --hypothesis-profile explore` looks for others.
settings.register_profile("docferry", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", parent=settings.get_profile("docferry"), derandomize=False, max_examples=500)
settings.load_profile("docferry")


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from what imports have made: some 600,000 objects, which live to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True)
def a_new_process() -> None:
    """A function that stays warm remembers how it was throttled; a test must not remember another."""
    PACE.forget()
