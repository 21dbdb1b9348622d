"""Says when a schedule was due, to tell whether a success is too old. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html describes the expressions.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError, CroniterError, croniter

from docferry.config.deployment import Schedule
from docferry.config.schedule import CRON, RATE

MISSED = 2
"""How many times a schedule may be due after a success before that success is too old."""
DAY_OF_WEEK = 4
YEAR = 5


def overdue(schedule: Schedule, success: datetime, now: datetime) -> bool | None:
    """Return whether a success is older than two intervals of its schedule.

    A cron expression says when a run was due, so a weekend without a run makes nothing too old. None: the schedule is
    due only once, and so has no interval, or its times cannot be worked out.
    """
    if found := RATE.fullmatch(schedule.expression):
        return now - success > MISSED * timedelta(**{f"{found[2]}s": int(found[1])})
    if found := CRON.fullmatch(schedule.expression):
        try:
            return _due_twice(found[1], ZoneInfo(schedule.timezone), success, now)
        except (CroniterError, ZoneInfoNotFoundError):
            return None
    return None


def _due_twice(fields: str, zone: ZoneInfo, success: datetime, now: datetime) -> bool:
    """Return whether a run was due twice after a success."""
    times = croniter(_for_croniter(fields), now.astimezone(zone) + timedelta(seconds=1))
    try:
        for _ in range(MISSED):
            due = times.get_prev(datetime)
        return bool(success < due.astimezone(UTC))
    except CroniterBadDateError:  # it was never due so often
        return False


def _for_croniter(fields: str) -> str:
    """Translate the fields of AWS: croniter has seconds before the year, and counts the days of a week from 0.

    https://github.com/pallets-eco/croniter describes its fields.
    """
    parts = fields.upper().replace("?", "*").replace("LW", "L").split()
    parts[DAY_OF_WEEK] = ",".join(map(_day_of_week, parts[DAY_OF_WEEK].split(",")))
    return " ".join([*parts[:YEAR], "0", *parts[YEAR:]])


def _day_of_week(item: str) -> str:
    span, slash, step = item.partition("/")
    day, mark, number = span.partition("#")
    if day == "L":  # alone it is the last day of a week, Saturday
        return "6"
    last = "L" if day.endswith("L") else ""
    shifted = re.sub(r"\d+", lambda found: str(int(found[0]) - 1), day.removesuffix("L"))
    return f"{last}{_numbers(shifted)}{mark}{number}{slash}{step}"


def _numbers(days: str) -> str:
    names = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
    for number, name in enumerate(names):
        days = days.replace(name, str(number))
    return days
