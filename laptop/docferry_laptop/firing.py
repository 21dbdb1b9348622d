"""When a schedule fires. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html. docferry.config.schedule has checked the
expression before it was deployed.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from docferry.config.cron import Cron
from docferry.config.schedule import AT, CRON, RATE

MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


def fires(expression: str, zone: str, since: datetime, minute: datetime) -> bool:
    """Whether a schedule that has been there ``since`` a time fires in a minute. Both times have a time zone.

    ``zone`` is the time zone of a cron or at expression. When its clock is put back, the first of two equal hours
    counts.
    """
    there = minute.astimezone(ZoneInfo(zone))
    local = there.replace(second=0, microsecond=0, tzinfo=None, fold=0)
    if found := RATE.fullmatch(expression):
        passed = int((minute - since).total_seconds() // 60)
        return passed > 0 and passed % (int(found[1]) * MINUTES[found[2]]) == 0
    if found := AT.fullmatch(expression):
        return datetime.fromisoformat(found[1]).replace(second=0) == local and not there.fold
    return CRON.fullmatch(expression) is not None and not there.fold and Cron(expression).due(local)
