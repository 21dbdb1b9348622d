"""When schedules fire."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from docferry_laptop.firing import fires

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "when", "fired"),
    [
        ("rate(5 minutes)", "UTC", "2026-03-01T12:10", True),
        ("rate(5 minutes)", "UTC", "2026-03-01T12:11", False),
        ("rate(5 minutes)", "UTC", "2026-03-01T12:00", False),
        ("rate(1 day)", "UTC", "2026-03-02T12:00", True),
        ("at(2026-03-02T03:00:30)", "Europe/Berlin", "2026-03-02T02:00", True),
        ("at(2026-03-02T03:00:30)", "Europe/Berlin", "2026-03-02T03:00", False),
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-03-02T02:00", True),
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-07-02T01:00", True),  # summer time
        ("cron(0 3 * * ? *)", "UTC", "2026-03-02T03:01", False),
        ("cron(0/15 8-17 ? * mon-fri *)", "UTC", "2026-03-02T17:45", True),
        ("cron(0/15 8-17 ? * MON-FRI *)", "UTC", "2026-03-01T17:45", False),  # a Sunday
        ("cron(0 9 ? * FRI-MON *)", "UTC", "2026-03-01T09:00", True),
        ("cron(0 9 ? * FRI-MON *)", "UTC", "2026-03-03T09:00", False),
        ("cron(0 9 L * ? *)", "UTC", "2028-02-29T09:00", True),
        ("cron(0 9 LW * ? *)", "UTC", "2026-05-29T09:00", True),  # the 31st is a Sunday
        ("cron(0 9 1W * ? *)", "UTC", "2026-08-03T09:00", True),  # the 1st is a Saturday
        ("cron(0 9 15W * ? *)", "UTC", "2026-08-14T09:00", True),  # the 15th is a Saturday
        ("cron(0 9 ? * 6L *)", "UTC", "2026-03-27T09:00", True),
        ("cron(0 9 ? * 6L *)", "UTC", "2026-03-20T09:00", False),
        ("cron(0 9 ? * 6#3 *)", "UTC", "2026-03-20T09:00", True),
        ("cron(0 9 ? * L *)", "UTC", "2026-03-07T09:00", True),
        ("cron(0 9 1,2 JAN,MAR ? 2026)", "UTC", "2026-03-02T09:00", True),
        ("cron(0 9 1,2 JAN,MAR ? 2027)", "UTC", "2026-03-02T09:00", False),
    ],
)
def test_fires(expression: str, zone: str, when: str, fired: bool) -> None:  # noqa: FBT001  # a case's result
    """As EventBridge Scheduler says."""
    assert fires(expression, zone, SINCE, at(when)) == fired


@pytest.mark.parametrize(("day", "times"), [(date(2026, 3, 1), 7), (date(2026, 3, 8), 6), (date(2026, 11, 1), 7)])
def test_a_nightly_schedule_fires_once_a_night(day: date, times: int) -> None:
    """In the week when the clock skips its hour it is skipped once; when an hour comes twice, the first one counts."""
    start = datetime.combine(day, time(5), tzinfo=UTC)
    minutes = (start + timedelta(minutes=number) for number in range(7 * 24 * 60))
    expression = "cron(30 2 * * ? *)" if day.month == 3 else "cron(30 1 * * ? *)"

    assert sum(fires(expression, "America/New_York", SINCE, minute) for minute in minutes) == times
