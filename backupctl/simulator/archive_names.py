"""Archives: what a successful backup leaves at its location, in the folder layout of the appliance.

Layout: ``<location>/vCenter/sn_<name>/M_<version>_<YYYYMMDD-HHMMSS>_<comment>/``, ``S_`` for a scheduled backup, the
comment in base32. 6.5 writes into the folder of the location itself. Source: folder names in VMware Cloud Foundation's
recovery documentation and scripts. That the API uses these folder names as ids is UNCONFIRMED.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from backupctl.simulator.backup_runs import BackupRun

FolderPath = tuple[str, ...]
"""A folder on a backup server: the name of the server, then the folders from its root."""

_VCENTER_FOLDER = "vCenter"


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """One archive: ``folder`` is its own folder, ``started`` and ``completed`` are in UTC."""

    name: str
    folder: FolderPath
    host: str
    version: str
    started: datetime
    completed: datetime
    parts: tuple[str, ...] = ("common",)
    comment: str = ""
    encrypted: bool = False

    @property
    def scheduled(self) -> bool:
        """Whether a schedule made the archive."""
        return self.name.startswith("S_")

    @property
    def system(self) -> str:
        """The id of the backed-up system: the name of the folder above."""
        return self.folder[-2]


def archive_of(job: BackupRun, host: str) -> StoredArchive:
    """Return the archive that a job of the appliance ``host`` leaves when it succeeds."""
    end = job.planned_end()
    name, folder = archive_folder_name(job), folder_of(job.spec.location)
    if "vcenter-folder" in job.release.features:
        folder = (*systems_folder(folder), system_name(host), name)
    return StoredArchive(
        name=name,
        folder=folder,
        host=host,
        version=job.release.version,
        started=job.start_time,
        completed=job.start_time + timedelta(seconds=end.seconds if end else job.duration),
        parts=tuple(sorted({"common", *job.spec.parts})),
        comment=job.spec.comment,
        encrypted=job.spec.encrypted,
    )


def archive_location(job: BackupRun, host: str) -> str:
    """Return the location of the archive of a job."""
    return "/".join((job.spec.location.rstrip("/"), _VCENTER_FOLDER, system_name(host), archive_folder_name(job)))


def archive_folder_name(job: BackupRun) -> str:
    """Return ``M_<version>_<timestamp>_<comment>`` with the timestamp of the job id; the comment may be empty."""
    kind = "M" if job.job_type == "MANUAL" else "S"
    comment = base64.b32encode(job.spec.comment.encode()).decode()
    return f"{kind}_{job.release.version}_{job.job_id.rpartition('-')[0]}_{comment}"


def system_name(host: str) -> str:
    """Return the id of the system ``host``, which is the name of its folder."""
    return f"sn_{host}"


def systems_folder(folder: FolderPath) -> FolderPath:
    """Return the folder with the systems of a location."""
    return (*folder, _VCENTER_FOLDER)


def folder_of(location: str) -> FolderPath:
    """Return the folder of a location, without scheme, user and port.

    The port may be empty, as in ``sftp://10.0.0.250:/root/backups``, and the scheme may be missing.
    """
    rest = location.partition("://")[2] or location.lstrip("/\\")
    authority, _, path = rest.partition("/")
    server = authority.rpartition("@")[2]
    bracketed = re.match(r"\[([^\]]*)\]", server)
    name = bracketed[1] if bracketed else server.partition(":")[0]
    return (name, *(unquote(segment) for segment in path.split("/") if segment not in {"", "."}))
