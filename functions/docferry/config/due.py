"""Says whether a success is too old for a schedule. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html describes the expressions.
"""

from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from docferry.config.cron import Cron
from docferry.config.deployment import Schedule
from docferry.config.schedule import CRON, RATE

MISSED = 2
"""How many times a schedule may be due after a success before that success is too old."""


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
