"""Parse sizes, such as ``500MB``, and percentages, such as ``50%``."""

import re
from typing import Final

from backupctl.errors import UsageError

_FACTORS: Final = {"": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}
_QUANTITY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?(%|[kmgt]?b)?")


def parse_size(text: str) -> float:
    """Return the bytes that ``text`` stands for. Raises UsageError: for an invalid size."""
    match = _QUANTITY.fullmatch(text.strip().lower())
    if match is None or match[2] == "%":
        raise UsageError(f"invalid size {text!r}", hint="use 500MB, 1.5GB or a number of bytes")
    return float(match[1]) * _FACTORS[(match[2] or "").removeprefix("b")]


def parse_percent(text: str) -> float:
    """Return the number of percent that ``text`` stands for. Raises UsageError: for an invalid percentage."""
    match = _QUANTITY.fullmatch(text.strip().lower())
    if match is None or match[2] not in {None, "%"}:
        raise UsageError(f"invalid percentage {text!r}", hint="use 50%")
    return float(match[1])
