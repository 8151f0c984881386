"""What takes its time on an appliance, be it a backup or a restore: a function of the clock, from a few numbers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.progress_curves import Curve

State = Literal["INPROGRESS", "SUCCEEDED", "FAILED"]

CANCEL_SECONDS = 2.0
"""How long a cancelled run still runs. UNCONFIRMED."""

FIRST_FAILURE_SECONDS = 0.1
"""A run never fails earlier than this: the answer to its creation always says INPROGRESS."""

FAILED_MESSAGES: tuple[Message, ...] = (
    message(
        "com.vmware.applmgmt.backup_restore.backup_manager.exception",
        "BackupManager encountered an exception. Please check logs for details.",
    ),
)
"""The generic text that the appliance shows for a failed job; the id is UNCONFIRMED."""


class RunEnd(NamedTuple):
    """When a run ends, in seconds from its start, and how."""

    seconds: float
    state: State
    messages: tuple[Message, ...] = ()


@dataclass(slots=True, kw_only=True)
class SimulatedRun:
    """One run. ``started`` is in seconds of the monotonic clock, ``duration`` in seconds; percents are 0 to 100."""

    start_time: datetime
    started: float
    duration: float
    curve: Curve
    fail_at: int | None = None
    fail_messages: tuple[Message, ...] = FAILED_MESSAGES
    stall_at: int | None = None
    cancelled_at: float | None = None
    cancelled_message: Message = field(default_factory=dict)

    def ending(self) -> RunEnd | None:
        """Return the run's end, which may lie in the future; None while it has none."""
        ends = []
        if self.stall_at is None:
            ends.append(RunEnd(self.duration, "SUCCEEDED"))
        if self.fail_at is not None and (self.stall_at is None or self.fail_at <= self.stall_at):
            moment = max(self.curve.first_time_of(self.fail_at) * self.duration, FIRST_FAILURE_SECONDS)
            ends.append(RunEnd(moment, "FAILED", self.fail_messages))
        if self.cancelled_at is not None:
            ends.append(RunEnd(self.cancelled_at - self.started + CANCEL_SECONDS, "FAILED", (self.cancelled_message,)))
        return min(ends, key=lambda end: (end.seconds, end.state), default=None)

    def ended(self, moment: float) -> RunEnd | None:
        """Return the run's end if it lies at or before ``moment`` (monotonic seconds)."""
        end = self.ending()
        return end if end is not None and moment - self.started >= end.seconds else None

    def end_time(self, end: RunEnd) -> str:
        """Return the moment of an end, as the API writes it."""
        return timestamp(self.start_time + timedelta(seconds=end.seconds))

    def cancel(self, moment: float) -> None:
        """Ask for its end; asking again changes nothing."""
        if self.cancelled_at is None:
            self.cancelled_at = moment

    def progress(self, moment: float) -> int:
        """Return the percent that the appliance shows at ``moment``."""
        end = self.ended(moment)
        if end is not None and end.state == "SUCCEEDED":
            return 100
        seconds = min(moment - self.started, end.seconds) if end else moment - self.started
        percent = self.curve.percent_at(seconds / self.duration)
        caps = [cap for cap in (self.stall_at, self.fail_at if end else None) if cap is not None]
        return min([percent, 100, *caps])


def timestamp(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds, such as ``2015-01-01T22:13:05.651Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
