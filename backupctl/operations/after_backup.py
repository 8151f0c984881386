"""What follows a backup that has succeeded; whatever happens, its job is kept in the result."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from backupctl.errors import BackupctlError, BugError, InterruptedRunError, VerifyFailedError
from backupctl.operations.outcome import Outcome
from backupctl.results.backup_results import JobResult
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task


def after_backup(
    appliance: Appliance,
    ended: Outcome[JobResult],
    work: Callable[[Job], Task[Outcome[Mapping[str, Any]]]],
    error_type: type[BackupctlError],
    *,
    message: str,
    hint: str,
) -> Task[Outcome[JobResult]]:
    """Return the outcome of a backup, with the fields of its result that ``work`` returns if it has succeeded.

    Its errors become ``error_type``, as their own exit codes could mean that the backup should be repeated; those of an
    interruption and of a damaged archive stay. ``message`` contains ``$job`` and ``$cause``, and ``hint`` is for an
    error without one.
    """
    result, job = ended.value, ended.value.job
    if ended.error is not None or job is None or not job.succeeded:
        return ended
    error: BackupctlError | None
    try:
        done = yield from work(job)
        result, error = replace(result, **done.value), done.error
    except Exception as problem:  # noqa: BLE001 - a bug must not take the result of the backup away
        error = problem if isinstance(problem, BackupctlError) else BugError.of(problem)
    if error is None:
        return Outcome(result)
    facts = error.facts._replace(server=appliance.name, job=job.id, cause=error.facts._replace(server=None))
    if isinstance(error, VerifyFailedError):
        return Outcome(result, VerifyFailedError.from_facts(facts._replace(message="$job succeeded, but $cause")))
    words, hint = facts.selector or ("-s", appliance.name), f"do not repeat the backup; {facts.hint or hint}"
    facts = facts._replace(message=message, hint=hint, selector=words, exit_code=None)
    kind = InterruptedRunError if isinstance(error, InterruptedRunError) else error_type
    return Outcome(result, kind.from_facts(facts))
