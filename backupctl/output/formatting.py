"""Format numbers for people: sizes, durations, percentages, timestamps.

Sizes are decimal: 1 GB is 1000 MB is 1 000 000 000 bytes. The JSON output has the exact numbers.
"""

from datetime import datetime, timedelta, tzinfo

MEGABYTE = 1_000_000


def size(count: float) -> str:
    """Format a number of bytes: ``812 MB``, ``1.2 GB``."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while abs(count) >= 999.5 and unit != "TB":
        count, unit = count / 1000, next(units)
    return f"{count:.1f} {unit}" if unit in {"GB", "TB"} and abs(count) < 99.95 else f"{count:.0f} {unit}"


def size_of_megabytes(count: float) -> str:
    """Format a number of megabytes as ``size`` does, zero as ``0 MB``."""
    return size(count * MEGABYTE) if count else "0 MB"


def duration(seconds: float) -> str:
    """Format seconds: ``1 h 02 m 10 s``, without leading units that are zero."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    numbers = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    first = next((index for index, (number, _) in enumerate(numbers) if number), len(numbers) - 1)
    head, *tail = numbers[first:]
    return " ".join([f"{head[0]} {head[1]}", *(f"{number:02} {unit}" for number, unit in tail)])


def duration_option(seconds: float) -> str:
    """Format seconds as options take them: ``1d``, ``1h30m``, ``0.5s``."""
    whole, fraction = divmod(round(max(0.0, seconds), 6), 1)
    words, rest = [], int(whole)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, rest = divmod(rest, size)
        words += [f"{count}{unit}"] if count else []
    last = f"{rest + fraction:.6f}".rstrip("0").rstrip(".")
    return "".join([*words, *([f"{last}s"] if last != "0" or not words else [])])


def percent(number: float) -> str:
    """Format a percentage: ``40 %``."""
    return f"{number:.0f} %"


def timestamp(time: datetime, zone: tzinfo | None = None) -> str:
    """Format a time in ``zone`` (None: this machine's) with its offset: ``2026-03-01 02:00:10 +0000``."""
    try:
        local = time.astimezone(zone)
    except (OverflowError, ValueError, OSError):  # some appliances send the year 1 for "never"; it cannot be converted
        local = time
    return f"{local.replace(tzinfo=None).isoformat(' ', 'seconds')} {local:%z}".rstrip()


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from ``start`` to ``end``, None if one is unknown or they are not in this order."""
    if start is None or end is None or (start.tzinfo is None) != (end.tzinfo is None):
        return None
    passed: timedelta = end - start
    return passed.total_seconds() if passed >= timedelta(0) else None


def plural(number: int, noun: str) -> str:
    """Format a count: ``1 backup``, ``7 backups``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
