"""What every test starts with."""

import pytest
from hypothesis import HealthCheck, settings

from docferry.indexes.calls import PACE

# A machine may be slow, or busy with something else: no test is about time.
settings.register_profile("docferry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("docferry")


@pytest.fixture(autouse=True)
def a_new_process() -> None:
    """A function that stays warm remembers how it was throttled; a test must not remember another."""
    PACE.forget()
