"""How many runs a schedule starts in a month. Pure."""

from datetime import date, timedelta

from docferry.config.cron import Cron
from docferry.config.schedule import AT, RATE
from docferry_laptop.costs.limits import HOURS_IN_MONTH

HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0}
MONTHS_IN_YEAR = 12
DAYS_IN_YEAR = 365
NEW_YEAR = date(2027, 1, 1)
"""The year whose days are counted: one that begins and ends as most do, without a leap day."""


def runs_per_month(expression: str) -> float:
    """The average number of runs in a month, for an expression that ``schedule.problem`` finds nothing wrong with."""
    if found := RATE.fullmatch(expression):
        return HOURS_IN_MONTH / (int(found[1]) * HOURS[found[2]])
    if AT.fullmatch(expression):
        return 1.0
    cron = Cron(expression)
    days = sum(cron.on(NEW_YEAR + timedelta(number)) for number in range(DAYS_IN_YEAR))
    return len(cron.times) * days / MONTHS_IN_YEAR
