"""A sample of the mistakes: each on one of the services; `make faults` tries each on both."""

import pytest

from tests.faults.mistakes import MISTAKES, violations
from tests.faults.stage import SERVICES

SAMPLE = [(name, SERVICES[number % len(SERVICES)]) for number, name in enumerate(MISTAKES)]


@pytest.mark.parametrize(("name", "service"), SAMPLE)
def test_a_mistake_costs_nothing_and_one_command_leads_back(name: str, service: str) -> None:
    """Nothing is deleted, exposed or forgotten; the run says what is wrong."""
    assert violations(name, service) == []
