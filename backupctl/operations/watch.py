"""Watch and status: follow a job that was started before, or read it once."""

from backupctl.errors import BackupctlError, StillRunningError
from backupctl.operations import jobs
from backupctl.operations.follow import Timeouts, follow, job_failure
from backupctl.operations.outcome import Outcome
from backupctl.results.events import Attached, Detached
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, response_deadline


def watch(appliance: Appliance, job_id: str, timeouts: Timeouts) -> Task[Outcome[Job]]:
    """Follow a job, by its id or ``latest``, to its end.

    Raises NotFoundError if there is no such job.
    """
    began = appliance.clock.monotonic()
    deadline = began + timeouts.timeout
    job, contradiction = yield from _read_with_details(appliance, job_id, until=response_deadline(began, deadline))
    if job.ended or appliance.clock.monotonic() >= deadline:
        return outcome_of(appliance, job, contradiction)
    appliance.emit(Attached(job=job))
    return (yield from follow(appliance, job, timeouts, deadline=deadline))


def status(appliance: Appliance, job_id: str) -> Task[Outcome[Job]]:
    """Read a job, by its id or ``latest``, once."""
    job, contradiction = yield from _read_with_details(appliance, job_id)
    return outcome_of(appliance, job, contradiction)


def return_started(appliance: Appliance, job: Job) -> Outcome[Job]:
    """Return a started job that is not followed (``--no-wait``), and show the command that follows it."""
    if job.ended:
        return outcome_of(appliance, job)
    attach = appliance.attach(job.id)
    appliance.emit(Detached(job=job, attach=attach))
    return Outcome(job, None)


def outcome_of(appliance: Appliance, job: Job, contradiction: BackupctlError | None = None) -> Outcome[Job]:
    """Return the outcome of a job that was read once: done, failed or running; ``contradiction`` denies its success."""
    if job.succeeded:
        return Outcome(job, contradiction)
    if job.ended:
        return Outcome(job, job_failure(appliance.name, job))
    running = StillRunningError(
        "$job is still running on $server", server=appliance.name, job=job.id, attach=appliance.attach(job.id)
    )
    return Outcome(job, running)


def _read_with_details(
    appliance: Appliance, job_id: str, *, until: float | None = None
) -> Task[tuple[Job, BackupctlError | None]]:
    resolved_id = yield from jobs.resolve(appliance, job_id, until=until)
    job = yield from jobs.read(appliance, resolved_id, until=until)
    if job.ended:
        return (yield from jobs.confirm_end(appliance, job, until=until))
    return (yield from jobs.with_details(appliance, job, until=until)), None
