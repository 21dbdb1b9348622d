"""When a cron expression of EventBridge Scheduler is due. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html says what the fields mean. The libraries for
cron know other fields: without a year, with Sunday as 0, without the nearest weekday.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from docferry.config.schedule import CRON, FIELDS, Field, number

MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS, YEARS = FIELDS
FRIDAY, SATURDAY = 5, 6
WEEK = 7


class Cron:
    """A cron expression that ``schedule.problem`` finds nothing wrong with. ``times`` are those of a day, in order."""

    def __init__(self, expression: str) -> None:
        found = CRON.fullmatch(expression)
        assert found is not None, expression
        fields: list[str] = found[1].upper().split()
        minutes, hours, self._days, self._months, self._weekdays, self._years = fields
        self.times = [time(hour, minute) for hour in _numbers(HOURS, hours) for minute in _numbers(MINUTES, minutes)]
        self._times = frozenset(self.times)

    def on(self, day: date) -> bool:
        """Whether it is due on a day, if its years are left aside."""
        return (
            _listed(MONTHS, self._months, day.month)
            and any(_is_day(item, day) for item in self._days.split(","))
            and any(_is_weekday(item, day) for item in self._weekdays.split(","))
        )

    def due(self, local: datetime) -> bool:
        """Whether it is due in a minute, which is said in the time zone of the schedule."""
        return local.time() in self._times and _listed(YEARS, self._years, local.year) and self.on(local.date())

    def last(self, now: datetime, since: datetime) -> Iterator[datetime]:
        """The times at which it was due after ``since``, the latest first. Both are in the schedule's time zone."""
        day = now.date()
        while day >= since.date():
            if _listed(YEARS, self._years, day.year) and self.on(day):
                for at in reversed(self.times):
                    moment = datetime.combine(day, at, now.tzinfo)
                    if since < moment <= now:
                        yield moment
            day -= timedelta(1)


def _numbers(field: Field, text: str) -> list[int]:
    return [value for value in range(field.first, field.last + 1) if _listed(field, text, value)]


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


def _is_day(item: str, day: date) -> bool:
    """Whether a day is in an item of the day of the month; ``L`` is the last, ``W`` the nearest weekday."""
    last = monthrange(day.year, day.month)[1]
    if item == "L":
        return day.day == last
    if item.endswith("W"):
        wanted = last if item == "LW" else min(int(item[:-1]), last)
        return day == _nearest_weekday(day.replace(day=wanted))
    return _item(DAYS, item, day.day)


def _nearest_weekday(day: date) -> date:
    """The nearest day from Monday to Friday within the month of a day."""
    over = day.isoweekday() - FRIDAY
    if over <= 0:
        return day
    near = day - timedelta(1) if over == 1 else day + timedelta(1)
    if near.month == day.month:
        return near
    return day + timedelta(2) if over == 1 else day - timedelta(2)


def _is_weekday(item: str, day: date) -> bool:
    """Whether a day is in an item of the day of the week; ``6L`` is the last Friday, ``6#3`` the third."""
    value = day.isoweekday() % WEEK + 1  # 1 is Sunday
    name, hash_, nth = item.partition("#")
    if hash_:
        return value == number(WEEKDAYS, name) and (day.day - 1) // WEEK + 1 == int(nth)
    if item == "L":
        return day.isoweekday() == SATURDAY
    if item.endswith("L"):
        last = monthrange(day.year, day.month)[1]
        return value == number(WEEKDAYS, item[:-1]) and day.day > last - WEEK
    return _item(WEEKDAYS, item, value)
