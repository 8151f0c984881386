"""Verify the archive of a backup that has succeeded."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from msgspec import UNSET

from backupctl.errors import NotFoundError, NotVerifiedError, VerifyFailedError
from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.operations.after_backup import after_backup
from backupctl.operations.outcome import Outcome
from backupctl.operations.target_archives import METADATA, find_system, list_archives
from backupctl.operations.verify_archive import MAKE_ANOTHER, Found, Verifier, verify_archive
from backupctl.results.backup_results import JobResult
from backupctl.results.job import Job
from backupctl.results.target_archive import TargetArchive
from backupctl.rules.archive_name import job_time
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target

_NO_FOLDERS: Final = "vCenter 6.5 makes no folder for each backup, so it cannot be verified"

_RETRY_SECONDS: Final = 30.0
"""How long a new archive may be missing or incomplete, as NFS clients see a new folder late."""


def verify_backup(
    appliance: Appliance,
    verifier: Verifier,
    access: Callable[[], TargetAccess],
    system: str,
    ended: Outcome[JobResult],
) -> Task[Outcome[JobResult]]:
    """Return the outcome of a backup, with that of the verification of its archive if it has succeeded."""

    def verify(job: Job) -> Task[Outcome[Mapping[str, Any]]]:
        find = partial(find_archive_of, job=job.id, system=system)
        task = verify_archive(verifier, access(), find, encrypted=job.encrypted, retry_seconds=_RETRY_SECONDS)
        verified = yield from task
        return Outcome({"verification": verified.value.verification or UNSET}, verified.error)

    message = "$job succeeded, but was not verified: $cause"
    hint = "verify it later with `backupctl archive verify $selector`"
    return after_backup(appliance, ended, verify, NotVerifiedError, message=message, hint=hint)


def find_archive_of(target: Target, location: Location, *, job: str, system: str) -> Found:
    """Return the archive of a job, which has the timestamp of its id.

    Source: public code for 7.0 that makes the path so; unconfirmed for other releases.

    Raises NotFoundError: if the system has no folder, as at a location that is not mounted. Raises VerifyFailedError:
    if the archive is not in it. Raises NotVerifiedError: if the job id has no time, or several archives match.
    """
    time = job_time(job)
    if time is None:
        raise NotVerifiedError("the job id has no timestamp to find the archive by")
    at_that_time = ArchiveFilter(start_timestamp=time, end_timestamp=time, max_results=2)
    found, hint = _archives(target, location, system, at_that_time), "set $--system if that is the appliance's folder"
    if len(found) == 1:
        return Found(found[0])
    if found:
        raise NotVerifiedError("several archives have the time of this job")
    for other in _archives(target, location, None, at_that_time):
        raise NotVerifiedError("$1 has an archive of this time", texts=(other.system_name,), hint=hint)
    if any(each.name == METADATA for each in target.list(())):
        raise NotVerifiedError(_NO_FOLDERS)
    find_system(target, system)
    raise VerifyFailedError("its archive was not found at the location", hint=MAKE_ANOTHER)


def _archives(
    target: Target, location: Location, system: str | None, selection: ArchiveFilter
) -> tuple[TargetArchive, ...]:
    with suppress(NotFoundError):
        return list_archives(target, location, system, selection).archives
    return ()
