"""Restoring an appliance and reconciling it afterwards: what such a job shows, and which archive fits.

How a real appliance words these messages is UNCONFIRMED, as is what exactly it warns of.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from backupctl.simulator.api_errors import Message, message
from backupctl.simulator.simulated_runs import SimulatedRun, timestamp
from backupctl.simulator.stored_archives import StoredArchive

Stage = Literal["fresh", "configured", "restored"]
"""Freshly deployed and not yet configured; in service; in service after a restore."""

SILENT_FROM, SILENT_TO = 0.4, 0.6
"""In this part of a restore the services restart and nobody listens; the time of that part is UNCONFIRMED."""

_IDS = "com.vmware.applmgmt.backup_restore.restore"

_CANCELLED = message(f"{_IDS}.cancelled", "Restore job was cancelled by the user.")


@dataclass(slots=True, kw_only=True)
class RestoreRun(SimulatedRun):
    """One restore: of ``parts``, or of the whole appliance where they are None."""

    parts: tuple[str, ...] | None = None
    cancelled_message: Message = field(default_factory=lambda: _CANCELLED)

    def is_unreachable(self, moment: float) -> bool:
        """Say whether nobody listens at ``moment`` (monotonic seconds)."""
        share = (moment - self.started) / self.duration
        return SILENT_FROM <= share < SILENT_TO and self.ended(moment) is None

    def status(self, moment: float) -> dict[str, Any]:
        """Return RestoreJobStatus; ``parts`` is there only when parts were asked for."""
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
"""What a fresh appliance says of its restore before there is one. UNCONFIRMED."""


@dataclass(slots=True, kw_only=True)
class ReconciliationRun(SimulatedRun):
    """One reconciliation, which brings a restored appliance and its partners together again."""

    def info(self, moment: float) -> dict[str, Any]:
        """Return Reconciliation.Job.Info, whose ``status`` has the vocabulary of tasks."""
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


def misfits(archive: StoredArchive, version: str) -> list[Message]:
    """Return why an appliance of this version cannot take the archive at all.

    It takes backups of its own build and of an earlier patch of its own version.
    """
    mine, its = _numbers(version), _numbers(archive.version)
    if mine[:3] == its[:3] and its <= mine:
        return []
    text = f"The backup is of version {archive.version} and cannot be restored to an appliance of version {version}."
    return [message(f"{_IDS}.version_mismatch", text, archive.version, version)]


def warnings(archive: StoredArchive, version: str) -> list[Message]:
    """Return what fails a restore unless warnings are ignored: a backup of an earlier patch."""
    if misfits(archive, version) or archive.version == version:
        return []
    text = f"The backup is of version {archive.version}, an earlier patch than the appliance's {version}."
    return [message(f"{_IDS}.earlier_patch", text, archive.version, version)]


def metadata(archive: StoredArchive, problems: list[Message], *, fits: bool, sso: bool | None) -> dict[str, Any]:
    """Return Restore.Metadata; ``sso`` None where the release does not know the field."""
    view: dict[str, Any] = {
        "timestamp": timestamp(archive.completed),
        "parts": list(archive.parts),
        "version": archive.version,
        "boxname": archive.host,
        "comment": archive.comment,
        "applicable": fits,
        "messages": problems,
    }
    if sso is not None:
        view["sso_login_required"] = sso
    return view


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in version.split(".")]
