"""When a schedule fires. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html. docferry.config.schedule has checked the
expression before it was deployed.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from docferry.config.schedule import AT, CRON, FIELDS, RATE, Field, number

MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
DAYS_OF_WEEK = FIELDS[4]
FRIDAY, SATURDAY = 5, 6
WEEK = 7


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
    found = CRON.fullmatch(expression)
    return found is not None and not there.fold and _cron(found[1].upper().split(), local)


def _cron(parts: list[str], local: datetime) -> bool:
    minutes, hours, day, month, weekday, year = parts
    plain = ((minutes, local.minute), (hours, local.hour), (month, local.month), (year, local.year))
    fields = (FIELDS[0], FIELDS[1], FIELDS[3], FIELDS[5])
    return (
        all(_listed(field, text, value) for field, (text, value) in zip(fields, plain, strict=True))
        and any(_day(item, local.date()) for item in day.split(","))
        and any(_weekday(item, local.date()) for item in weekday.split(","))
    )


def _listed(field: Field, text: str, value: int) -> bool:
    return any(_item(field, item, value) for item in text.split(","))


def _item(field: Field, item: str, value: int) -> bool:
    """Whether a value is in one item of a field: ``*``, a number, a range, or a step of those."""
    if item == "?":
        return True
    span, slash, step = item.partition("/")
    first, last = field.first, field.last
    if span != "*":
        start, dash, end = span.partition("-")
        first = number(field, start) or 0
        last = (number(field, end) or 0) if dash else (last if slash else first)
    if first > last:  # over the end of the field, such as FRI-MON
        length = field.last - field.first + 1
        last += length
        value += length if value < first else 0
    return first <= value <= last and (value - first) % int(step or 1) == 0


def _day(item: str, day: date) -> bool:
    """Whether a day is in an item of the day of the month; ``L`` is the last, ``W`` the nearest weekday."""
    last = monthrange(day.year, day.month)[1]
    if item == "L":
        return day.day == last
    if item.endswith("W"):
        wanted = last if item == "LW" else min(int(item[:-1]), last)
        return day == _nearest_weekday(day.replace(day=wanted))
    return _item(FIELDS[2], item, day.day)


def _nearest_weekday(day: date) -> date:
    """The nearest day from Monday to Friday within the month of a day."""
    over = day.isoweekday() - FRIDAY
    if over <= 0:
        return day
    near = day - timedelta(1) if over == 1 else day + timedelta(1)
    if near.month == day.month:
        return near
    return day + timedelta(2) if over == 1 else day - timedelta(2)


def _weekday(item: str, day: date) -> bool:
    """Whether a day is in an item of the day of the week; ``6L`` is the last Friday, ``6#3`` the third."""
    value = day.isoweekday() % WEEK + 1  # 1 is Sunday
    name, hash_, nth = item.partition("#")
    if hash_:
        return value == number(DAYS_OF_WEEK, name) and (day.day - 1) // WEEK + 1 == int(nth)
    if item == "L":
        return day.isoweekday() == SATURDAY
    if item.endswith("L"):
        last = monthrange(day.year, day.month)[1]
        return value == number(DAYS_OF_WEEK, item[:-1]) and day.day > last - WEEK
    return _item(DAYS_OF_WEEK, item, value)
