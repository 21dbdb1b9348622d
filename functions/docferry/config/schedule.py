"""Schedule expressions, as EventBridge Scheduler takes them. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html says what is valid.
"""

import re
from datetime import datetime
from zoneinfo import available_timezones

from msgspec import Struct

RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\((.*)\)")
AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Field(Struct, frozen=True):
    """One field of a cron expression: its range, names for its numbers, and marks that only it knows."""

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    special: str = r"(?!)"


FIELDS = (
    Field("minutes", 0, 59),
    Field("hours", 0, 23),
    Field("day of the month", 1, 31, special=r"\?|L|LW|(?:[1-9]|[12]\d|3[01])W"),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 1, 7, DAYS, special=r"\?|L|(?:[1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(?:L|#[1-5])"),
    Field("year", 1970, 2199),
)


def problem(expression: str) -> str | None:
    """What is wrong with a schedule expression, or None."""
    if found := RATE.fullmatch(expression):
        number, unit, plural = found.groups()
        if int(number) < 1:
            return f"{expression!r}: a rate is at least 1"
        return None if (int(number) == 1) == (plural == "") else f"{expression!r}: write 1 {unit}, or 2 {unit}s"
    if found := CRON.fullmatch(expression):
        return _cron_problem(expression, found[1])
    if found := AT.fullmatch(expression):
        try:
            datetime.fromisoformat(found[1])
        except ValueError as error:
            return f"{expression!r}: {error}"
        return None
    return f"{expression!r} is not valid; wanted: cron(0 3 * * ? *), rate(12 hours) or at(2026-01-31T03:00:00)"


def timezone_problem(name: str) -> str | None:
    """What is wrong with the name of a time zone, or None. Not every machine has a list to look it up in."""
    known = available_timezones()
    return None if name in known or not known else f"{name!r} is no time zone; wanted: one such as Europe/Berlin or UTC"


def _cron_problem(expression: str, text: str) -> str | None:
    parts = text.split()
    if len(parts) != len(FIELDS):
        fields = ", ".join(field.name for field in FIELDS)
        return f"{expression!r} has {len(parts)} fields; wanted: the six {fields}"
    for field, part in zip(FIELDS, parts, strict=True):
        for item in part.split(","):
            if not _fits(field, item.upper()):
                allowed = f"{field.first}-{field.last}" + (
                    f" or {field.names[0]}-{field.names[-1]}" if field.names else ""
                )
                return f"{expression!r}: {item!r} is no {field.name}; wanted: {allowed}, *, or a range or step of them"
    if (parts[2] == "?") == (parts[4] == "?"):
        return f"{expression!r}: exactly one of day of the month and day of the week has to be ?"
    return None


def _fits(field: Field, item: str) -> bool:
    if re.fullmatch(field.special, item):
        return True
    span, _, step = item.partition("/")
    if "/" in item and not (step.isdecimal() and 0 < int(step) <= field.last):
        return False
    if span == "*":
        return True
    ends = [number(field, end) for end in span.split("-")]
    return len(ends) <= 2 and all(end is not None for end in ends)  # noqa: PLR2004  # a range has two ends


def number(field: Field, text: str) -> int | None:
    """Return the number that an item of a field stands for, which may be a name such as MON; None: it is no item."""
    if text in field.names:
        return field.names.index(text) + field.first
    if text.isdecimal() and text.isascii() and field.first <= int(text) <= field.last:
        return int(text)
    return None
