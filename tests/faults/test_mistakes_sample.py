"""A sample of the mistakes: each on one of the services; `make faults` tries each on all that it concerns."""

import pytest

from tests.faults.mistakes import MISTAKES, violations

SAMPLE = [
    (name, mistake.concerns[number % len(mistake.concerns)]) for number, (name, mistake) in enumerate(MISTAKES.items())
]


@pytest.mark.parametrize(("name", "service"), SAMPLE)
def test_a_mistake_costs_nothing_and_one_command_leads_back(name: str, service: str) -> None:
    """Nothing is deleted, exposed or forgotten; the run says what is wrong."""
    assert violations(name, service) == []
