"""How many runs a schedule starts in a month."""

import pytest

from docferry.config import schedule
from docferry_laptop.costs.months import runs_per_month


@pytest.mark.parametrize(
    ("expression", "in_year"),
    [
        ("rate(12 hours)", 730),
        ("rate(1 day)", 365),
        ("rate(30 minutes)", 17_520),
        ("cron(0 3 * * ? *)", 365),
        ("cron(0/15 8-17 ? * MON-FRI *)", 4 * 10 * 261),
        ("cron(0 3,15 1 * ? *)", 24),
        ("cron(0 3 L * ? *)", 12),
        ("cron(0 3 LW * ? *)", 12),
        ("cron(0 3 15W * ? *)", 12),
        ("cron(0 3 31 * ? *)", 7),
        ("cron(0 3 ? * 6L *)", 12),
        ("cron(0 3 ? * L *)", 52),
        ("cron(0 3 ? * 2#1 *)", 12),
        ("cron(0 3 ? JAN,JUL SUN *)", 9),
        ("cron(0 3 1 */3 ? *)", 4),
        ("at(2026-01-31T03:00:00)", 12),
    ],
)
def test_the_runs_of_a_schedule_are_counted(expression: str, in_year: int) -> None:
    """Over the days of a year, divided by twelve."""
    assert schedule.problem(expression) is None
    assert runs_per_month(expression) * 12 == pytest.approx(in_year)
