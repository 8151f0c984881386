"""The names of folders at a backup location.

``M_<version>_<YYYYMMDD-HHMMSS>_<comment>`` is an archive of a manual backup, ``S_`` of a scheduled one, in the folder
``sn_<name>`` of its appliance. The comment is in base32. Source: folder names in VMware Cloud Foundation's
documentation of recovery, and in public scripts.
"""

import binascii
import re
from base64 import b32decode, b32encode
from datetime import UTC, datetime
from typing import Final, NamedTuple

SYSTEM_PREFIX: Final = "sn_"

_NAME: Final = re.compile(r"(?P<kind>[MS])_(?P<version>[0-9][0-9.]*)_(?P<time>[0-9]{8}-[0-9]{6})_(?P<comment>[^/]*)")


class ArchiveName(NamedTuple):
    """The parts of an archive's name: ``kind`` is M or S.

    ``start_time`` is the timestamp of the job id. Its time zone is not documented; it is taken as UTC.
    """

    kind: str
    version: str
    start_time: datetime
    comment: str


def parse_archive_name(name: str) -> ArchiveName | None:
    """Return the parts of a name, None if it is not that of an archive."""
    match = _NAME.fullmatch(name)
    time = _parse_time(match["time"]) if match else None
    if match is None or time is None:
        return None
    return ArchiveName(match["kind"], match["version"], time, _decoded(match["comment"]))


def job_time(job_id: str) -> datetime | None:
    """Return the time in a job id, which is that of the job's archive; None without one.

    Source: public code for 7.0 that makes the path so; unconfirmed for other releases.
    """
    return _parse_time(job_id.rpartition("-")[0])


def is_named_by_vcenter(name: str) -> bool:
    """Return whether the comment in an archive's name is empty or encoded; in a copy that somebody named it is not."""
    comment = name.split("_", 3)[-1]
    return not comment or _decoded(comment) != comment


def _parse_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _decoded(comment: str) -> str:
    """Return a comment, as it is if it is not text in base32; that appliances always encode it is unconfirmed."""
    try:
        content = b32decode(comment)
        decoded = content.decode()
    except (binascii.Error, ValueError):
        return comment
    return decoded if decoded.isprintable() and b32encode(content).decode() == comment else comment


def system_folder(name: str) -> str:
    """Return the name of an appliance's folder; ``name`` may lack the prefix."""
    return SYSTEM_PREFIX + name.removeprefix(SYSTEM_PREFIX)
