"""Verify the archive of a backup that has succeeded; whatever happens, its job is kept in the result."""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from backupctl.errors import BackupctlError, BugError, InterruptedRunError
from backupctl.operations.find_archive import find_archive_of
from backupctl.operations.outcome import Outcome
from backupctl.operations.verify_archive import Verifier, verify_archive
from backupctl.results.backup_results import JobResult
from backupctl.scheduler.task import Task
from backupctl.targets.access import TargetAccess
from backupctl.targets.target_errors import NotVerifiedError, VerifyFailedError

_PATIENCE_SECONDS: Final = 30.0
"""How long a new archive may be missing or incomplete, as caches of NFS clients keep a folder for up to a minute."""


def verify_backup(
    verifier: Verifier, access: Callable[[], TargetAccess], system: str, ended: Outcome[JobResult], *, search: bool
) -> Task[Outcome[JobResult]]:
    """Return the outcome of a backup, with that of the verification of its archive if it has succeeded.

    ``search`` is as in ``find_archive_of``.
    """
    job = ended.value.job
    if ended.error is not None or job is None or not job.succeeded:
        return ended
    find = partial(find_archive_of, system=system, job=job.id, search=search)
    error: BackupctlError
    try:
        found = yield from verify_archive(verifier, access(), find, encrypted=job.encrypted, patience=_PATIENCE_SECONDS)
        ended = Outcome(replace(ended.value, verification=found.value.verification or UNSET), None)
        if found.error is None:
            return ended
        error = found.error
    except InterruptedRunError as interruption:
        message = "$cause: $job succeeded; its archive was not verified"
        return Outcome(ended.value, InterruptedRunError(message, cause=interruption, job=job.id))
    except Exception as problem:  # noqa: BLE001 - a bug must not take the result of the backup away
        error = problem if isinstance(problem, BackupctlError) else BugError.of(problem)
    facts = error.facts
    if isinstance(error, VerifyFailedError):
        hint = "start another backup, and keep the earlier ones"
        failed = error.with_facts(message="$job succeeded, but $cause", cause=facts, job=job.id, hint=hint)
        return Outcome(ended.value, failed)
    hint = "do not repeat the backup" + (f"; {facts.hint}" if facts.hint else "")
    return Outcome(
        ended.value,
        NotVerifiedError(
            "$job succeeded, but was not verified: $cause",
            cause=facts,
            job=job.id,
            hint=hint,
            selector=facts.selector,
            details=facts.details,
        ),
    )
