"""Restore and reconciliation jobs: their status in the API, and which archives can be restored.

The texts of the messages and the exact conditions of the warnings are UNCONFIRMED.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.archive_names import StoredArchive
from backupctl.simulator.simulated_runs import SimulatedRun, timestamp

Stage = Literal["fresh", "configured", "restored"]
"""Deployed but not configured; in service; in service after a restore."""

UNREACHABLE_FROM, UNREACHABLE_UNTIL = 0.4, 0.6
"""Fractions of a restore between which its services restart; UNCONFIRMED."""

_IDS = "com.vmware.applmgmt.backup_restore.restore"

_CANCELLED = message(f"{_IDS}.cancelled", "Restore job was cancelled by the user.")


@dataclass(slots=True, kw_only=True)
class RestoreRun(SimulatedRun):
    """One restore: of ``parts``, or of the whole appliance if they are None."""

    parts: tuple[str, ...] | None = None
    cancelled_message: Message = field(default_factory=lambda: _CANCELLED)

    def is_unreachable(self, moment: float) -> bool:
        """Return whether connections are refused at ``moment`` (monotonic seconds)."""
        fraction = (moment - self.started) / self.duration
        return UNREACHABLE_FROM <= fraction < UNREACHABLE_UNTIL and self.ended(moment) is None

    def status(self, moment: float) -> dict[str, Any]:
        """Return RestoreJobStatus; it has ``parts`` only if the request had."""
        end = self.ended(moment)
        view: dict[str, Any] = {
            "state": end.state if end else "INPROGRESS",
            "messages": list(end.messages) if end else [],
            "progress": self.progress(moment),
        }
        if self.parts is not None:
            view["parts"] = list(self.parts)
        return view


NOT_STARTED: dict[str, Any] = {"state": "NONE", "messages": [], "progress": 0}
"""RestoreJobStatus of a fresh appliance before its first restore. UNCONFIRMED."""


@dataclass(slots=True, kw_only=True)
class ReconciliationRun(SimulatedRun):
    """One reconciliation of a restored appliance with its partners."""

    def info(self, moment: float) -> dict[str, Any]:
        """Return Reconciliation.Job.Info; its ``status`` is RUNNING where RestoreJobStatus has INPROGRESS."""
        end = self.ended(moment)
        service = "com.vmware.appliance.recovery.reconciliation.job"
        view: dict[str, Any] = {
            "description": message(f"{service}.create", "Create a reconciliation job"),
            "service": service,
            "operation": "create",
            "status": end.state if end else "RUNNING",
            "cancelable": False,
            "messages": list(end.messages) if end else [],
            "progress": self.progress(moment),
            "start_time": timestamp(self.start_time),
        }
        if end:
            view["end_time"] = self.end_time(end)
        return view


def version_problems(archive: StoredArchive, version: str) -> list[Message]:
    """Return why an appliance of this version cannot restore the archive.

    It restores archives of its own version and of earlier patches of it: the first three numbers must be the same.
    """
    own, archived = _numbers(version), _numbers(archive.version)
    if own[:3] == archived[:3] and archived <= own:
        return []
    text = f"The backup is of version {archive.version} and cannot be restored to an appliance of version {version}."
    return [message(f"{_IDS}.version_mismatch", text, archive.version, version)]


def warnings(archive: StoredArchive, version: str) -> list[Message]:
    """Return the warnings, which fail a restore unless it ignores them: an archive of an earlier patch."""
    if version_problems(archive, version) or archive.version == version:
        return []
    text = f"The backup is of version {archive.version}, an earlier patch than the appliance's {version}."
    return [message(f"{_IDS}.earlier_patch", text, archive.version, version)]


def metadata(archive: StoredArchive, messages: list[Message], *, applicable: bool) -> dict[str, Any]:
    """Return Restore.Metadata."""
    return {
        "timestamp": timestamp(archive.completed),
        "parts": list(archive.parts),
        "version": archive.version,
        "boxname": archive.host,
        "comment": archive.comment,
        "applicable": applicable,
        "messages": messages,
    }


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in version.split(".")]
