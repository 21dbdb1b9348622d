"""Says whether a success is too old for a schedule, and how old one may be. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html describes the expressions.
"""

from datetime import date, datetime, timedelta
from itertools import islice, pairwise
from math import ceil
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from docferry.config.cron import Cron
from docferry.config.deployment import Schedule
from docferry.config.schedule import CRON, RATE

MISSED = 2
"""How many times a schedule may be due after a success before that success is too old."""
USUAL_HOURS, MOST_HOURS = 26, 168
"""A day and two hours; and a week, which is as long as an alarm looks back:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarm-evaluation."""
SLACK_HOURS = 2
FIRST_DAY = date(2024, 1, 1)
DAYS = 5 * 366
"""So many days from a fixed one have every kind of month and weekday in them: the answer is the same every day."""


def overdue(schedule: Schedule, success: datetime, now: datetime) -> bool | None:
    """Return whether a success is older than two intervals of its schedule.

    A cron expression says when a run was due, so a weekend without a run makes nothing too old. None: the schedule is
    due only once, and so has no interval, or this machine does not know its time zone.
    """
    if found := RATE.fullmatch(schedule.expression):
        return now - success > MISSED * timedelta(**{f"{found[2]}s": int(found[1])})
    if CRON.fullmatch(schedule.expression):
        try:
            zone = ZoneInfo(schedule.timezone)
        except ZoneInfoNotFoundError:
            return None
        missed = Cron(schedule.expression).last(now.astimezone(zone), success.astimezone(zone))
        return len(list(islice(missed, MISSED))) == MISSED
    return None


def stale_hours(schedule: Schedule) -> int | None:
    """Hours without a success after which something is wrong: the longest pause of the schedule and some more.

    A day and two hours at least: a run may take long. None for a schedule that is due only once, or that pauses longer
    than an alarm can look back.
    """
    pause = _longest_pause(schedule.expression)
    if pause is None:
        return None
    hours = max(USUAL_HOURS, ceil(pause / timedelta(hours=1)) + SLACK_HOURS)
    return hours if hours <= MOST_HOURS else None


def _longest_pause(expression: str) -> timedelta | None:
    """The longest time between two times that an expression is due. None: it is due once at most."""
    if found := RATE.fullmatch(expression):
        return timedelta(**{f"{found[2]}s": int(found[1])})
    if not CRON.fullmatch(expression):
        return None
    cron = Cron(expression)
    days = [day for number in range(DAYS) if cron.on(day := FIRST_DAY + timedelta(number))]
    one = [datetime.combine(FIRST_DAY, at) for at in cron.times]
    nights = [(after - before) - (one[-1] - one[0]) for before, after in pairwise(days)]
    return max([*nights, *(after - before for before, after in pairwise(one))], default=None)
