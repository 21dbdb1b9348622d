"""When a schedule was due, and when a success is too old for it."""

from datetime import datetime

import pytest

from docferry.config.deployment import Schedule
from docferry.config.due import overdue, stale_hours


@pytest.mark.parametrize(
    ("expression", "timezone", "success", "now", "expected"),
    [
        ("rate(12 hours)", "UTC", "2026-03-01T00:00Z", "2026-03-02T00:00Z", False),
        ("rate(12 hours)", "UTC", "2026-03-01T00:00Z", "2026-03-02T00:01Z", True),
        ("rate(1 minute)", "UTC", "2026-03-01T00:00Z", "2026-03-01T00:03Z", True),
        # Daily: due on the 2nd and the 3rd.
        ("cron(0 3 * * ? *)", "UTC", "2026-03-01T03:05Z", "2026-03-03T02:59Z", False),
        ("cron(0 3 * * ? *)", "UTC", "2026-03-01T03:05Z", "2026-03-03T03:00Z", True),
        # Three in the morning in Berlin is two in UTC.
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-03-01T02:05Z", "2026-03-03T01:59Z", False),
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-03-01T02:05Z", "2026-03-03T02:00Z", True),
        # In summer it is one: the clocks changed on the 29th.
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-03-28T02:05Z", "2026-03-30T00:59Z", False),
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-03-28T02:05Z", "2026-03-30T01:00Z", True),
        # Friday to Monday is one interval of working days.
        ("cron(0 3 ? * MON-FRI *)", "UTC", "2026-03-06T03:05Z", "2026-03-10T02:00Z", False),
        ("cron(0 3 ? * 2-6 *)", "UTC", "2026-03-06T03:05Z", "2026-03-10T03:00Z", True),
        ("cron(0 3 ? * 6L *)", "UTC", "2026-01-30T03:05Z", "2026-03-27T02:59Z", False),
        ("cron(0 3 ? * FRI#2 *)", "UTC", "2026-01-09T03:05Z", "2026-03-13T03:00Z", True),
        ("cron(0 3 L * ? *)", "UTC", "2026-01-31T03:05Z", "2026-03-30T03:00Z", False),
        ("cron(0/15 8-17 ? * * 2026)", "UTC", "2026-03-06T08:05Z", "2026-03-06T08:30Z", True),
        # It was due once, this year.
        ("cron(0 3 1 1 ? 2026)", "UTC", "2025-06-01T00:00Z", "2026-03-01T00:00Z", False),
        ("at(2026-01-31T03:00:00)", "UTC", "2025-06-01T00:00Z", "2026-03-01T00:00Z", None),
        ("cron(0 3 1 1 ? 2150)", "UTC", "2025-06-01T00:00Z", "2026-03-01T00:00Z", False),
        # On the weekday nearest to the first: Friday the 30th of January does not count, Monday the 2nd does.
        ("cron(0 3 1W * ? *)", "UTC", "2026-01-01T03:05Z", "2026-03-02T02:59Z", False),
        ("cron(0 3 1W * ? *)", "UTC", "2026-01-01T03:05Z", "2026-03-02T03:00Z", True),
    ],
)
def test_a_success_is_too_old_when_its_schedule_was_due_twice_since(
    expression: str, timezone: str, success: str, now: str, *, expected: bool | None
) -> None:
    """By the time zone of the schedule, and by its own days."""
    schedule = Schedule(expression=expression, timezone=timezone)

    assert overdue(schedule, datetime.fromisoformat(success), datetime.fromisoformat(now)) is expected


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("rate(5 minutes)", 26),
        ("rate(12 hours)", 26),
        ("rate(3 days)", 74),
        ("rate(7 days)", None),
        ("cron(0 3 * * ? *)", 26),
        ("cron(* * * * ? *)", 26),
        # Over the weekend: from Friday to Monday.
        ("cron(0 3 ? * MON-FRI *)", 74),
        ("cron(0 6,18 ? * MON-FRI *)", 62),
        ("cron(0 3 ? * SUN *)", None),
        ("cron(0 3 1 * ? *)", None),
        # The years are left aside: it pauses until the next.
        ("cron(0 3 * * ? 2030)", 26),
        ("cron(0 3 31 2 ? *)", None),
        ("at(2026-01-31T03:00:00)", None),
    ],
)
def test_an_alarm_waits_for_the_longest_pause_of_a_schedule(expression: str, hours: int | None) -> None:
    """And two hours more; it cannot look back for more than a week."""
    assert stale_hours(Schedule(expression=expression)) == hours
