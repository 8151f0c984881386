"""Format numbers and times for people: sizes, durations, percentages, timestamps.

Sizes are decimal: 1 GB is 1000 MB is 1 000 000 000 bytes. The JSON output has the exact numbers.
"""

from datetime import datetime, timedelta, tzinfo
from math import ceil
from typing import Final

MEGABYTE: Final = 1_000_000
_FOREVER: Final = timedelta(days=36_500)
"""Some appliances send the year 1 for "never"."""


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


def duration(seconds: float, *, exact: bool = False) -> str:
    """Format seconds: ``42s``, ``21m``, ``1h 02m``, ``2d 03h``; ``exact`` keeps the seconds below an hour."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    if minutes:
        return f"{minutes}m {rest:02}s" if exact else f"{minutes}m"
    return f"{rest}s"


def time_left(seconds: float, usual: float | None = None) -> str:
    """Format an estimate: ``about 14m left (usually 21m)``; empty if the time is over."""
    if seconds <= 0:
        return ""
    left = f"about {duration(ceil(seconds / 60) * 60)} left" if seconds > 60 else "less than 1m left"
    return left if usual is None else f"{left} (usually {duration(usual)})"


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


def timestamp(time: datetime, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """Format a time in ``zone`` (None: this machine's) with the name of the zone: ``2026-03-01 02:00 UTC``."""
    try:
        local = time.astimezone(zone)
    except (OverflowError, ValueError, OSError):  # the year 1 cannot be converted
        local = time
    return f"{local.replace(tzinfo=None).isoformat(' ', 'seconds' if seconds else 'minutes')} {local:%Z}".rstrip()


def relative(time: datetime, now: datetime) -> str:
    """Format a time as people say it: ``just now``, ``14 min ago``, ``2 h ago``, ``in 3 days``; empty for "never"."""
    passed = now - time
    if abs(passed) > _FOREVER:
        return ""
    seconds = int(abs(passed.total_seconds()))
    for length, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= (length if unit == "min" else 2 * length):
            amount = f"{seconds // length} {unit}"
            return f"{amount} ago" if passed > timedelta(0) else f"in {amount}"
    return "just now"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from ``start`` to ``end``, None if one is unknown or they are not in this order."""
    if start is None or end is None or (start.tzinfo is None) != (end.tzinfo is None):
        return None
    passed: timedelta = end - start
    return passed.total_seconds() if passed >= timedelta(0) else None


def plural(number: int, noun: str) -> str:
    """Format a count: ``1 backup``, ``7 backups``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def colon_form(fingerprint: str) -> str:
    """Return a fingerprint as ``openssl x509 -fingerprint`` prints it: upper case, with colons."""
    digits = fingerprint.removeprefix("sha256:").upper()
    return ":".join(digits[index : index + 2] for index in range(0, len(digits), 2))
