"""Runs: backups, restores and reconciliations, each a function of the clock."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.progress_curves import Curve

State = Literal["INPROGRESS", "SUCCEEDED", "FAILED"]

CANCEL_SECONDS = 2.0
"""Time from the cancellation of a run to its end. UNCONFIRMED."""

FIRST_FAILURE_SECONDS = 0.1
"""No run fails earlier than this, so the response to its creation always says INPROGRESS."""

FAILED_MESSAGES: tuple[Message, ...] = (
    message(
        "com.vmware.applmgmt.backup_restore.backup_manager.exception",
        "BackupManager encountered an exception. Please check logs for details.",
    ),
)
"""The generic text of the appliance for a failed job; the id is UNCONFIRMED."""


class RunEnd(NamedTuple):
    """When a run ends, in seconds from its start, and how."""

    seconds: float
    state: State
    messages: tuple[Message, ...] = ()


@dataclass(slots=True, kw_only=True)
class SimulatedRun:
    """One run.

    ``started`` is in seconds of the monotonic clock, ``duration`` in seconds, ``fail_at`` and ``stall_at`` in percent.
    """

    start_time: datetime
    started: float
    duration: float
    curve: Curve
    fail_at: int | None = None
    fail_messages: tuple[Message, ...] = FAILED_MESSAGES
    stall_at: int | None = None
    cancelled_at: float | None = None
    cancelled_message: Message = field(default_factory=dict)

    def planned_end(self) -> RunEnd | None:
        """Return how the run will end, or has ended; None for a stalled run."""
        ends = []
        if self.stall_at is None:
            ends.append(RunEnd(self.duration, "SUCCEEDED"))
        if self.fail_at is not None and (self.stall_at is None or self.fail_at <= self.stall_at):
            seconds = max(self.curve.first_time_of(self.fail_at) * self.duration, FIRST_FAILURE_SECONDS)
            ends.append(RunEnd(seconds, "FAILED", self.fail_messages))
        if self.cancelled_at is not None:
            ends.append(RunEnd(self.cancelled_at - self.started + CANCEL_SECONDS, "FAILED", (self.cancelled_message,)))
        return min(ends, key=lambda end: (end.seconds, end.state), default=None)

    def ended(self, moment: float) -> RunEnd | None:
        """Return the end of the run; None if it is still running at ``moment`` (monotonic seconds)."""
        end = self.planned_end()
        return end if end is not None and moment - self.started >= end.seconds else None

    def end_time(self, end: RunEnd) -> str:
        """Return the time of ``end`` in the format of the API."""
        return timestamp(self.start_time + timedelta(seconds=end.seconds))

    def fail(self, percent: int, *messages: Message) -> None:
        """Make the run fail at ``percent``, unless it fails earlier already."""
        if self.fail_at is None or self.fail_at > percent:
            self.fail_at, self.fail_messages = percent, messages

    def cancel(self, moment: float) -> None:
        """Cancel the run; a second call changes nothing."""
        if self.cancelled_at is None:
            self.cancelled_at = moment

    def progress(self, moment: float) -> int:
        """Return the percent done at ``moment``."""
        end = self.ended(moment)
        if end is not None and end.state == "SUCCEEDED":
            return 100
        seconds = min(moment - self.started, end.seconds) if end else moment - self.started
        percent = self.curve.percent_at(seconds / self.duration)
        caps = [cap for cap in (self.stall_at, self.fail_at if end else None) if cap is not None]
        return min([percent, 100, *caps])


def timestamp(moment: datetime) -> str:
    """Return a time in UTC as ISO 8601 with milliseconds, such as ``2015-01-01T22:13:05.651Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
