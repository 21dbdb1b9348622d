"""Texts of log lines that alarms look for. CloudWatch metric filters match them, so both sides take them from here."""

from docferry.errors import DocferryError, Throttled

DONE = "done"
"""What a handler logs beside its ``result``."""


def failure(error: DocferryError) -> str:
    """What a handler logs of an error: the name of its class, then its text."""
    return f"{type(error).__name__}: {error}"


THROTTLED = f"{Throttled.__name__}:*"
"""A pattern that matches ``failure`` of every Throttled."""
