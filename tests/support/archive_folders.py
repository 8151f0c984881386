"""Folders of archives as public listings of backup locations show them, written without code of the simulator.

Sources: folder names in VMware Cloud Foundation's documentation of recovery and in public scripts, and the files of a
7.0.3 backup in a public listing. Nothing else about the files is public.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

METADATA = "backup-metadata.json"
NAMES = (
    "backup_label_file_data.tar.gz",
    "config_files.tar.gz",
    "database_full_backup.tar.gz",
    "full_wal_backup_meta.tar.gz",
    "lotus_backup.tar.gz",
    "vum.gz",
)
"""The names of the data files that a listing shows; a real folder has more."""


def archive_name(
    started: datetime | str, *, kind: str = "M", version: str = "8.0.0.10000", comment: str | bytes = ""
) -> str:
    """Return a name such as ``M_8.0.0.10000_20260301-020000_``, with the comment in base32."""
    text = comment.encode() if isinstance(comment, str) else comment
    time = started if isinstance(started, str) else f"{started:%Y%m%d-%H%M%S}"
    return f"{kind}_{version}_{time}_{base64.b32encode(text).decode()}"


def archive_files(size: int = 4000) -> dict[str, bytes]:
    """Return the files of a complete archive by name; each file of data has about ``size`` bytes."""
    data = {name: gzip.compress((name * (1 + size // len(name))).encode(), 0, mtime=0) for name in NAMES}
    metadata = {
        "BackupSize": sum(map(len, data.values())),
        "PrimaryNetworkInfo": {"ipv4": {"prefix": 24, "defaultGateway": "192.0.2.1"}},
    }
    return {**data, METADATA: json.dumps(metadata).encode()}


def write_archive(location: Path, system: str, name: str, files: Mapping[str, bytes | None] = {}) -> Path:
    """Write an archive below ``<location>/vCenter/sn_<system>``; ``files`` replace its files, None removes one."""
    folder = location / "vCenter" / f"sn_{system}" / name
    folder.mkdir(parents=True)
    for file, content in {**archive_files(), **files}.items():
        if content is not None:
            (folder / file).write_bytes(content)
    return folder
