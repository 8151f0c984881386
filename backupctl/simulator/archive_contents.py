"""The files of an archive: their names, their contents, and damages on request.

The names are those of a listing of a 7.0.3 backup, except for that of ``supervisors``. UNCONFIRMED: which file belongs
to which part, the order in which they are written, what encrypted files are called, and the keys of the metadata but
the first two. The contents are random bytes that belong to nothing.
"""

import gzip
import io
import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from backupctl.simulator.archive_names import StoredArchive
from backupctl.simulator.backup_parts import total_bytes
from backupctl.simulator.backup_runs import BackupRun
from backupctl.simulator.simulated_runs import timestamp

METADATA_FILE: Final = "backup-metadata.json"

_SIZES: Mapping[str, Mapping[str, int]] = {
    "common": {"config_files.tar.gz": 36_000, "lotus_backup.tar.gz": 9_000, "vum.gz": 150_000},
    "seat": {
        "database_full_backup.tar.gz": 120_000,
        "backup_label_file_data.tar.gz": 900,
        "full_wal_backup_meta.tar.gz": 2_500,
    },
    "supervisors": {"supervisors_backup.tar.gz": 14_000},
}
"""The files of each part, with about as many bytes as a real one has kilobytes or more."""

_MEMBERS: Final = 3


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _nothing(_: bytes) -> None:
    return None


def _one_byte_differs(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


DAMAGES: Mapping[str, tuple[str, Callable[[bytes], bytes | None]]] = {
    "truncated-archive": ("config_files.tar.gz", _half),
    "missing-file": ("lotus_backup.tar.gz", _nothing),
    "rotten-file": ("vum.gz", _one_byte_differs),
    "unfinished": (METADATA_FILE, _nothing),
}
"""The faults of archives: the file that each affects, and what is written instead; None for no file."""


def file_names(archive: StoredArchive) -> list[str]:
    """Return the files of an archive in the order in which they are written: the metadata last."""
    return [*(name for part in archive.parts for name in _SIZES.get(part, {})), METADATA_FILE]


def file_content(job: BackupRun, archive: StoredArchive, name: str) -> bytes | None:
    """Return the content of a file, with the damages of the job; None if the file is left out."""
    content: bytes | None = _metadata(job, archive) if name == METADATA_FILE else _data(job, archive, name)
    for damage in job.damages:
        damaged, change = DAMAGES[damage]
        if damaged == name and content is not None:
            content = change(content)
    return content


def _data(job: BackupRun, archive: StoredArchive, name: str) -> bytes:
    size = next(sizes[name] for sizes in _SIZES.values() if name in sizes)
    random = Random(f"{archive.host} {job.job_id} {name}")  # noqa: S311 - repeatable, and no secret
    if archive.encrypted:
        return b"\0" + random.randbytes(size)  # no gzip file begins like this
    members = [random.randbytes(size // _MEMBERS) for _ in range(_MEMBERS)]
    if name.endswith(".tar.gz"):
        return gzip.compress(_tar(name, members, int(archive.started.timestamp())), 1, mtime=0)
    return b"".join(gzip.compress(member, 1, mtime=0) for member in members)


def _tar(name: str, members: list[bytes], modified: int) -> bytes:
    import tarfile

    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for number, content in enumerate(members, 1):
            member = tarfile.TarInfo(f"{name.partition('.')[0]}/{number}")
            member.size, member.mtime = len(content), modified
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def _metadata(job: BackupRun, archive: StoredArchive) -> bytes:
    values: dict[str, Any] = {
        "BackupSize": total_bytes(job.spec.parts),
        "PrimaryNetworkInfo": {"ipv4": {"prefix": 24, "defaultGateway": "192.0.2.1"}},
        "PNID": archive.host,
        "Version": archive.version,
        "Build": job.release.build,
        "JobId": job.job_id,
        "StartTime": timestamp(archive.started),
        "EndTime": timestamp(archive.completed),
        "Parts": list(archive.parts),
        "Comment": archive.comment,
        "Encrypted": archive.encrypted,
    }
    return json.dumps(values, indent=2).encode() + b"\n"
