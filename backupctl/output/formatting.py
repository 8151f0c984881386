"""Numbers with units as people read them: sizes, durations, percents, moments.

Sizes are decimal, as the unit says: 1 GB is 1000 MB is 1 000 000 000 bytes. The exact numbers are in the JSON output.
"""

from datetime import datetime, timedelta, tzinfo

MEGABYTE = 1_000_000


def size(count: float) -> str:
    """Return a number of bytes as ``812 MB`` or ``1.2 GB``."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while abs(count) >= 999.5 and unit != "TB":
        count, unit = count / 1000, next(units)
    return f"{count:.1f} {unit}" if unit in {"GB", "TB"} and abs(count) < 99.95 else f"{count:.0f} {unit}"


def size_of_megabytes(count: float) -> str:
    """Return a number of megabytes as ``size`` does, zero as ``0 MB``."""
    return size(count * MEGABYTE) if count else "0 MB"


def duration(seconds: float) -> str:
    """Return seconds as ``1 h 02 m 10 s``, without the units that are too large."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    numbers = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    first = next((index for index, (number, _) in enumerate(numbers) if number), len(numbers) - 1)
    head, *tail = numbers[first:]
    return " ".join([f"{head[0]} {head[1]}", *(f"{number:02} {unit}" for number, unit in tail)])


def duration_as_written(seconds: float) -> str:
    """Return seconds in the form in which options take them: ``1d``, ``1h30m``, ``0.5s``."""
    whole, fraction = divmod(round(max(0.0, seconds), 6), 1)
    words, rest = [], int(whole)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, rest = divmod(rest, size)
        words += [f"{count}{unit}"] if count else []
    last = f"{rest + fraction:.6f}".rstrip("0").rstrip(".")
    return "".join([*words, *([f"{last}s"] if last != "0" or not words else [])])


def percent(number: float) -> str:
    """Return a number of percent as ``40 %``."""
    return f"{number:.0f} %"


def moment(time: datetime, zone: tzinfo | None = None) -> str:
    """Return a time in ``zone`` (None: that of this machine) with its offset, as ``2026-03-01 02:00:10 +0000``."""
    try:
        local = time.astimezone(zone)
    except (OverflowError, ValueError, OSError):  # the year 1, which some appliances say for "never", has no zone
        local = time
    return f"{local.replace(tzinfo=None).isoformat(' ', 'seconds')} {local:%z}".rstrip()


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the time from ``start`` to ``end`` where both are known and in this order."""
    if start is None or end is None or (start.tzinfo is None) != (end.tzinfo is None):
        return None
    passed: timedelta = end - start
    return passed.total_seconds() if passed >= timedelta(0) else None


def counted(number: int, noun: str) -> str:
    """Return a number of things as ``1 backup`` or ``7 backups``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
