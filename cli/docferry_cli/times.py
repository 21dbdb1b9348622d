"""Times and lengths of time, as they are printed for a person."""

from datetime import UTC, datetime, timedelta


def utc(time: datetime | None) -> str:
    """Return a time in UTC, to the second, without saying that it is UTC; a dash for none."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if time else "-"


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units, such as ``3 h 20 min``."""
    whole = timedelta(seconds=max(0, round(seconds)))
    hours, rest = divmod(whole.seconds, 3600)
    parts = {"d": whole.days, "h": hours, "min": rest // 60, "s": rest % 60}
    shown = [f"{count} {unit}" for unit, count in parts.items() if count]
    return " ".join(shown[:2]) or "0 s"
