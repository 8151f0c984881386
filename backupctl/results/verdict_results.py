"""The result of ``check``: a verdict about the backups of an appliance."""

from typing import Literal

import msgspec

from backupctl.exit_codes import ServiceState
from backupctl.results.result import Result


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value in seconds or bytes; the states begin above the limits in seconds, below those in bytes."""

    value: int
    unit: Literal["s", "B"]
    warning: float | None = None
    critical: float | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the backups; ``summary`` is a sentence, the most severe problem first."""

    state: ServiceState
    summary: str
    metrics: dict[str, Metric] = {}


class VerdictResult(Result, frozen=True, kw_only=True):
    """The result of ``check``, without a verdict if the appliance cannot be read."""

    check: Verdict | None = None
