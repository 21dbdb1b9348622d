"""How many runs a schedule starts in a month. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html says what an expression means.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

from docferry.config.schedule import AT, CRON, FIELDS, RATE, Field
from docferry_laptop.costs.limits import HOURS_IN_MONTH

HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
MONTHS_IN_YEAR = 12
YEAR = 2027
"""The year whose days are counted: one that begins and ends as most do, without a leap day."""


def runs_per_month(expression: str) -> float:
    """The average number of runs in a month, for an expression that ``schedule.problem`` finds nothing wrong with."""
    if found := RATE.fullmatch(expression):
        return HOURS_IN_MONTH / (int(found[1]) * HOURS[found[2]])
    if AT.fullmatch(expression):
        return 1.0
    found = CRON.fullmatch(expression)
    assert found is not None, expression
    minutes, hours, days, months, weekdays, _ = found[1].upper().split()
    a_day = len(_numbers(FIELDS[0], minutes)) * len(_numbers(FIELDS[1], hours))
    in_months = _numbers(FIELDS[3], months)
    counted = sum(
        day.month in in_months and (_is_day(day, days) if days != "?" else _is_weekday(day, weekdays))
        for day in _days_of_year()
    )
    return a_day * counted / MONTHS_IN_YEAR


def _days_of_year() -> Iterator[date]:
    day = date(YEAR, 1, 1)
    while day.year == YEAR:
        yield day
        day += timedelta(days=1)


def _numbers(field: Field, text: str) -> set[int]:
    """The numbers that a field stands for, without L, W and #."""
    found: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        if span in {"*", "?"}:
            first, last = field.first, field.last
        else:
            begin, _, end = span.partition("-")
            first = _number(field, begin)
            last = _number(field, end) if end else field.last if step else first
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(field: Field, text: str) -> int:
    return field.names.index(text) + field.first if text in field.names else int(text)


def _is_day(day: date, text: str) -> bool:
    """Whether a day of the month is meant: a number, L for the last one, 15W for the weekday nearest to the 15th."""
    last = monthrange(day.year, day.month)[1]
    for item in text.split(","):
        if item.endswith("W"):
            wanted = last if item == "LW" else min(int(item[:-1]), last)
            if day == _nearest_weekday(date(day.year, day.month, wanted), last):
                return True
        elif item == "L":
            if day.day == last:
                return True
        elif day.day in _numbers(FIELDS[2], item):
            return True
    return False


def _nearest_weekday(day: date, last: int) -> date:
    """The day itself, or the Friday before or the Monday after it, in the same month."""
    match day.isoweekday():
        case 6:
            return day - timedelta(days=1) if day.day > 1 else day + timedelta(days=2)
        case 7:
            return day + timedelta(days=1) if day.day < last else day - timedelta(days=2)
        case _:
            return day


def _is_weekday(day: date, text: str) -> bool:
    """Whether a day of the week is meant: 1 is Sunday; 6L the last Friday of the month, 2#1 the first Monday."""
    mine = day.isoweekday() % 7 + 1
    last = monthrange(day.year, day.month)[1]
    for item in text.split(","):
        name, _, nth = item.partition("#")
        if nth:
            if mine == _number(FIELDS[4], name) and (day.day - 1) // 7 + 1 == int(nth):
                return True
        elif item == "L":
            if mine == FIELDS[4].last:
                return True
        elif item.endswith("L"):
            if mine == _number(FIELDS[4], item[:-1]) and day.day > last - 7:
                return True
        elif mine in _numbers(FIELDS[4], item):
            return True
    return False
