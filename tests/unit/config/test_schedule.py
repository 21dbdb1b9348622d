"""Schedule expressions: what EventBridge Scheduler takes, and how a mistake in one is told."""

import pytest

from docferry.config import schedule


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(12 hours)",
        "rate(2 days)",
        "cron(0 3 * * ? *)",
        "cron(0/15 8-18 ? * MON-FRI *)",
        "cron(0 0 1,15 JAN,JUL ? 2026-2030)",
        "cron(30 2 L * ? *)",
        "cron(30 2 15W * ? *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 9 ? * FRIL *)",
        "cron(0 9 ? * mon *)",
        "at(2026-01-31T03:00:00)",
    ],
)
def test_what_the_scheduler_takes_is_taken(expression: str) -> None:
    """As its guide describes the three kinds."""
    assert schedule.problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("", "wanted: cron("),
        ("now", "wanted: cron("),
        ("Rate(1 day)", "wanted: cron("),
        ("rate(0 days)", "at least 1"),
        ("rate(1 days)", "write 1 day, or 2 days"),
        ("rate(2 day)", "write 1 day, or 2 days"),
        ("rate(30 seconds)", "wanted: cron("),
        ("cron(0 3 * * *)", "has 5 fields; wanted: the six minutes, hours"),
        ("cron(0 3 * * * *)", "exactly one of day of the month and day of the week has to be ?"),
        ("cron(0 3 ? * ? *)", "exactly one of day of the month and day of the week has to be ?"),
        ("cron(60 3 * * ? *)", "'60' is no minutes; wanted: 0-59"),
        ("cron(0 24 * * ? *)", "'24' is no hours"),
        ("cron(0 3 32 * ? *)", "'32' is no day of the month"),
        ("cron(0 3 * MAI ? *)", "'MAI' is no month; wanted: 1-12 or JAN-DEC"),
        ("cron(0 3 ? * 0 *)", "'0' is no day of the week"),
        ("cron(0 3 ? * 8#1 *)", "'8#1' is no day of the week"),
        ("cron(0/0 3 * * ? *)", "'0/0' is no minutes"),
        ("cron(0 1-2-3 * * ? *)", "'1-2-3' is no hours"),
        ("cron(0 3 * * ? 1969)", "'1969' is no year"),
        ("cron(? 3 * * ? *)", "'?' is no minutes"),
        ("at(2026-02-30T03:00:00)", "at(2026-02-30T03:00:00)"),
        ("at(2026-01-31)", "wanted: cron("),
    ],
)
def test_what_it_refuses_is_told(expression: str, told: str) -> None:
    """A deployment would end with a validation error that names no connector."""
    assert told in (schedule.problem(expression) or "")


def test_a_time_zone_is_one_of_the_list() -> None:
    """An abbreviation is none: CET has no summer."""
    assert schedule.timezone_problem("Europe/Berlin") is None
    assert schedule.timezone_problem("UTC") is None
    assert "'Berlin' is no time zone" in (schedule.timezone_problem("Berlin") or "")


def test_a_machine_without_a_list_of_time_zones_takes_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better a deployment that fails than none that can be made."""
    monkeypatch.setattr(schedule, "available_timezones", set)

    assert schedule.timezone_problem("Europe/Berlin") is None
