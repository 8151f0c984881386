"""Verify the archive of a backup that has succeeded; whatever happens, its job is kept in the result."""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from backupctl.errors import BackupctlError, BugError, InterruptedRunError, NotFoundError
from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.operations.outcome import Outcome
from backupctl.operations.target_archives import METADATA, list_archives
from backupctl.operations.verify_archive import Verifier, verify_archive
from backupctl.results.backup_results import JobResult
from backupctl.results.target_archive import TargetArchive
from backupctl.rules.archive_name import parse_archive_name
from backupctl.scheduler.task import Task
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target
from backupctl.targets.target_errors import NotVerifiedError, VerifyFailedError

_PATIENCE_SECONDS: Final = 30.0
"""How long a new archive may be missing or incomplete, as NFS clients see a new folder late."""


def verify_backup(
    verifier: Verifier,
    access: Callable[[], TargetAccess],
    find: Callable[..., TargetArchive],
    ended: Outcome[JobResult],
) -> Task[Outcome[JobResult]]:
    """Return the outcome of a backup, with that of the verification of its archive if it has succeeded."""
    result, job = ended.value, ended.value.job
    if ended.error is not None or job is None or not job.succeeded:
        return ended
    find = partial(find, job=job.id)
    error: BackupctlError | None
    try:
        verifying = verify_archive(verifier, access(), find, encrypted=job.encrypted, patience=_PATIENCE_SECONDS)
        verified = yield from verifying
        result, error = replace(result, verification=verified.value.verification or UNSET), verified.error
    except InterruptedRunError as interruption:
        message = "$cause: $job succeeded; its archive was not verified"
        error = InterruptedRunError(message, cause=interruption, job=job.id)
    except Exception as problem:  # noqa: BLE001 - a bug must not take the result of the backup away
        error = problem if isinstance(problem, BackupctlError) else BugError.of(problem)
    return Outcome(result, error and _failure(error, job.id))


def _failure(error: BackupctlError, job: str) -> BackupctlError:
    """Return the error of a backup whose archive is damaged, or was not verified."""
    facts = error.facts
    if isinstance(error, InterruptedRunError):
        return error
    if isinstance(error, VerifyFailedError):
        hint = "start another backup, and keep the earlier ones"
        return error.with_facts(message="$job succeeded, but $cause", cause=facts, job=job, hint=hint)
    hint = f"do not repeat the backup; {facts.hint}" if facts.hint else "do not repeat the backup"
    message = "$job succeeded, but was not verified: $cause"
    return NotVerifiedError.from_facts(facts._replace(message=message, cause=facts, job=job, hint=hint))


def find_archive_of(target: Target, location: Location, *, job: str, system: str, search: bool) -> TargetArchive:
    """Return the archive of a job, which has the timestamp of its id.

    Source: public code for 7.0 that makes the path so; unconfirmed for other releases. ``search``: if the system has no
    folder, as that of an appliance that is configured by its address, all systems are searched.

    Raises VerifyFailedError: if it is missing. Raises NotVerifiedError: if it cannot be told.
    """
    name = parse_archive_name(f"M_0_{job.rpartition('-')[0]}_")
    if name is None:
        raise NotVerifiedError("cannot tell the archive from the job id")
    at_that_time = ArchiveFilter(start_timestamp=name.start_time, end_timestamp=name.start_time, max_results=2)
    try:
        found = list_archives(target, location, system, at_that_time).archives
    except NotFoundError:
        if not search:
            raise
        found = list_archives(target, location, None, at_that_time).archives
    if len(found) == 1:
        return found[0]
    if found:
        raise NotVerifiedError("several archives have the time of this job", hint="choose one system with $--system")
    if any(each.name == METADATA for each in target.list(())):
        raise NotVerifiedError("the backup has no folder of its own, as 6.5 writes it")
    raise VerifyFailedError("it has no archive at the location")
