"""Finished backups as files, in the layout that an appliance leaves at its target.

``<root>/<host of the location>/<its path>/vCenter/sn_<name>/M_<version>_<YYYYMMDD-HHMMSS>_<comment>/``, ``S_`` for a
scheduled one, the comment in base32. 6.5 writes straight into the folder it is given. Source: folder names in VMware
Cloud Foundation's recovery documentation and scripts, and a listing of a 7.0.3 backup.
"""

import base64
import errno
import gzip
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from backupctl.simulator import parts
from backupctl.simulator.jobs import Job, timestamp

_FILES: dict[str, tuple[str, ...]] = {
    "common": ("config_files.tar.gz", "lotus_backup.tar.gz", "vum.gz"),
    "seat": ("database_full_backup.tar.gz", "backup_label_file_data.tar.gz", "full_wal_backup_meta.tar.gz"),
    "supervisors": ("supervisors_backup.tar.gz",),
}
"""Files by part; which file belongs to which part is UNCONFIRMED, their names are real (the last one is not)."""


_LEADS_OUT = "The backup location leads out of the folder of the simulator"


class BackupStore:
    """A folder that plays every backup server: each host is a folder in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, job: Job, host: str) -> None:
        """Write the files of one backup of the appliance ``host``; it appears whole or not at all.

        Raises ``OSError``, also for a location that would lead out of the root.
        """
        folder = self.folder_of(job, host)
        if not folder.resolve().is_relative_to(self.root.resolve()):  # a link inside may lead anywhere
            raise PermissionError(errno.EPERM, _LEADS_OUT)
        folder.parent.mkdir(parents=True, exist_ok=True)
        growing = folder.with_name(f".{folder.name}.part")
        try:
            growing.mkdir()
            for name, content in _contents(job, host).items():
                (growing / name).write_bytes(content)
            if folder.exists():
                folder.rmdir()
            growing.replace(folder)
        except OSError:
            shutil.rmtree(growing, ignore_errors=True)
            raise

    def folder_of(self, job: Job, host: str) -> Path:
        """Return the folder that holds the files of this backup; raises ``OSError`` for one outside of the root."""
        server, segments = split_location(job.target.location)
        if "vcenter-folder" in job.release.features:
            segments += ["vCenter", f"sn_{host}", folder_name(job)]
        names = [server, *segments]
        if any(name in {"", ".", ".."} or re.search(r"[/\\\0]", name) for name in names):
            raise PermissionError(errno.EPERM, _LEADS_OUT)
        return self.root.joinpath(*names)


def split_location(location: str) -> tuple[str, list[str]]:
    """Return the server, without user and port, and the folders of a location.

    A port may be empty, as in ``sftp://10.0.0.250:/root/backups``, and the scheme missing.
    """
    rest = location.partition("://")[2] or location.lstrip("/\\")
    authority, _, path = rest.partition("/")
    server = authority.rpartition("@")[2]
    bracketed = re.match(r"\[([^\]]*)\]", server)
    name = bracketed[1] if bracketed else server.partition(":")[0]
    return name, [unquote(segment) for segment in path.split("/") if segment not in {"", "."}]


def folder_name(job: Job) -> str:
    """Return ``M_<version>_<timestamp>_<comment>``: the time is that of the id, no comment leaves an underscore."""
    kind = "M" if job.job_type == "MANUAL" else "S"
    comment = base64.b32encode(job.target.comment.encode()).decode()
    return f"{kind}_{job.release.version}_{job.job_id.rpartition('-')[0]}_{comment}"


def _contents(job: Job, host: str) -> dict[str, bytes]:
    part_ids = sorted({"common", *job.target.parts})
    files = {
        name: gzip.compress(f"{name} of {job.job_id}\n".encode(), mtime=0)
        for part_id in part_ids
        for name in _FILES.get(part_id, ())
    }
    files["backup-metadata.json"] = json.dumps(_metadata(job, host, part_ids), indent=2).encode() + b"\n"
    return files


def _metadata(job: Job, host: str, part_ids: list[str]) -> dict[str, Any]:
    """Return the content of backup-metadata.json; only the first two keys are confirmed."""
    return {
        "BackupSize": parts.total_bytes(job.target.parts),
        "PrimaryNetworkInfo": {"ipv4": {"prefix": 24, "defaultGateway": "192.0.2.1"}},
        "PNID": host,
        "Version": job.release.version,
        "Build": job.release.build,
        "JobId": job.job_id,
        "StartTime": timestamp(job.start_time),
        "EndTime": timestamp(job.start_time + timedelta(seconds=job.duration)),
        "Parts": part_ids,
        "Comment": job.target.comment,
        "Encrypted": job.target.encrypted,
    }
