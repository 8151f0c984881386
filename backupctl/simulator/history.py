"""A small plausible past for an appliance: nightly scheduled jobs, two manual ones, one failure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal, NamedTuple

from backupctl.clock import Clock
from backupctl.simulator.jobs import Job, JobBook, Target
from backupctl.simulator.progress import curve_named
from backupctl.simulator.releases import Release
from backupctl.simulator.wire import message

FULL_BACKUP_NOT_ALLOWED = message(
    "com.vmware.applmgmt.backup_restore.backup_manager.exception",
    "BackupManager encountered an exception. Exception: Full backup not allowed during VM snapshot",
)
"""A real text (https://knowledge.broadcom.com/external/article/344841); the id is UNCONFIRMED."""


class _Past(NamedTuple):
    hours_ago: float
    duration: float
    job_type: Literal["MANUAL", "SCHEDULED"]
    comment: str = ""
    fail_at: int | None = None


_PAST: tuple[_Past, ...] = (
    _Past(98.0, 1260, "SCHEDULED"),
    _Past(75.5, 1395, "MANUAL", "before patching"),
    _Past(74.0, 1284, "SCHEDULED"),
    _Past(50.0, 1310, "SCHEDULED", fail_at=10),
    _Past(44.5, 1344, "MANUAL", "after removing the snapshot"),
    _Past(26.0, 1302, "SCHEDULED"),
)


def past_jobs(clock: Clock, release: Release, user: str, book: JobBook) -> Iterator[Job]:
    """Yield the jobs of the last days, oldest first; a release without schedules only has manual ones."""
    scheme = "sftp" if "SFTP" in release.location_types else "ftp"
    scheduled = "schedules" in release.features
    for past in _PAST:
        back = past.hours_ago * 3600
        start_time = clock.now() - timedelta(seconds=back)
        manual = past.job_type == "MANUAL" or not scheduled
        folder = "" if scheduled else f"/{start_time:%Y-%m-%d-%H-%M-%S}"
        yield Job(
            job_id=book.new_id(start_time, release.build),
            release=release,
            target=Target(
                location_type=scheme.upper(),
                location=f"{scheme}://backup.example.com/vcenter{folder}",
                location_user="backup",
                parts=("common", "seat"),
                comment=past.comment,
            ),
            start_time=start_time,
            started=clock.monotonic() - back,
            duration=past.duration,
            curve=curve_named("linear"),
            job_type="MANUAL" if manual else "SCHEDULED",
            user=user if manual else None,
            fail_at=past.fail_at,
            fail_messages=(FULL_BACKUP_NOT_ALLOWED,),
            finished=True,
        )
