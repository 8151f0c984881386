"""The result of ``check``: a verdict about the backups of an appliance."""

from typing import Literal

import msgspec

from backupctl.errors import BackupctlError
from backupctl.exit_codes import ServiceState
from backupctl.results.result import Result


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A measured value in seconds or bytes; the states begin outside the ranges, written as in monitoring plugins."""

    value: int
    unit: Literal["s", "B"]
    warning: str | None = None
    critical: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the backups: ``summary`` is a sentence, ``problems`` are the reasons, most severe first."""

    state: int
    summary: str
    problems: tuple[str, ...] = ()
    metrics: dict[str, Metric] = {}


class VerdictResult(Result, frozen=True, kw_only=True):
    """The result of ``check``; the exit code is the state, UNKNOWN with every error."""

    check: Verdict | None = None

    def exit_code_with(self, error: BackupctlError | None) -> int:
        """Return the state."""
        return ServiceState.UNKNOWN if error is not None or self.check is None else self.check.state
