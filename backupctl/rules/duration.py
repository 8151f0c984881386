"""Parse durations: ``90``, ``30s``, ``5m``, ``2h``, ``1d``, ``1h30m``."""

import re
from typing import Final

from backupctl.errors import UsageError

MAX_SECONDS: Final = 3650 * 86400.0
"""Ten years: a longer duration is a typing error, and close to the limits of timers."""

_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_NUMBER: Final = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_SECONDS: Final = re.compile(_NUMBER)
_WRITTEN: Final = re.compile("".join(f"(?:(?P<{unit}>{_NUMBER}){unit})?" for unit, _ in _UNITS))


def parse_duration(text: str) -> float:
    """Return the seconds that ``text`` stands for; a number without a unit is seconds.

    Raises UsageError: for an invalid duration.
    """
    written = text.strip().lower()
    if _SECONDS.fullmatch(written):
        seconds = float(written)
    else:
        match = _WRITTEN.fullmatch(written)
        if not written or match is None:
            raise UsageError(f"invalid duration {text!r}", hint="use 90, 30s, 5m, 2h, 1d or 1h30m")
        seconds = sum(float(match[unit] or 0) * size for unit, size in _UNITS)
    if seconds > MAX_SECONDS:
        raise UsageError(f"duration {text!r} is longer than ten years", hint="use 90, 30s, 5m, 2h, 1d or 1h30m")
    return seconds
