"""Watch and status: follow a job that was started before, or look at it once."""

from backupctl.errors import BackupctlError, StillRunningError
from backupctl.operations import jobs
from backupctl.operations.follow import Timeouts, follow, job_failure
from backupctl.operations.outcome import Outcome
from backupctl.results.events import Attached, Detached
from backupctl.results.job import Job
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Task, response_deadline


def watch(appliance: Appliance, job_id: str, timeouts: Timeouts) -> Task[Outcome[Job]]:
    """Follow a job, or the latest one, to its end.

    Raises NotFoundError where there is no such job.
    """
    began = appliance.clock.monotonic()
    deadline = began + timeouts.timeout
    job, denial = yield from _read_with_details(appliance, job_id, until=response_deadline(began, deadline))
    if job.ended or appliance.clock.monotonic() >= deadline:
        return outcome_of(appliance, job, denial)
    appliance.emit(Attached(time=appliance.clock.now(), server=appliance.name, job=job))
    return (yield from follow(appliance, job, timeouts, deadline=deadline))


def status(appliance: Appliance, job_id: str) -> Task[Outcome[Job]]:
    """Look at a job, or the latest one, once."""
    job, denial = yield from _read_with_details(appliance, job_id)
    return outcome_of(appliance, job, denial)


def return_started(appliance: Appliance, job: Job) -> Outcome[Job]:
    """Return a job that was started and is not followed (``--no-wait``), and tell how it can be."""
    if job.ended:
        return outcome_of(appliance, job)
    attach = appliance.attach(job.id)
    appliance.emit(Detached(time=appliance.clock.now(), server=appliance.name, job=job, attach=attach))
    return Outcome(job, None)


def outcome_of(appliance: Appliance, job: Job, denial: BackupctlError | None = None) -> Outcome[Job]:
    """Return what a job means that was looked at once: done, unless there is a ``denial``, failed, or still running."""
    if job.succeeded:
        return Outcome(job, denial)
    if job.ended:
        return Outcome(job, job_failure(appliance.host, job))
    running = StillRunningError(
        "$job on $server is still running", server=appliance.host, job=job.id, attach=appliance.attach(job.id)
    )
    return Outcome(job, running)


def _read_with_details(
    appliance: Appliance, job_id: str, *, until: float | None = None
) -> Task[tuple[Job, BackupctlError | None]]:
    found = yield from jobs.resolve(appliance, job_id, until=until)
    job = yield from jobs.read(appliance, found, until=until)
    if job.ended:
        return (yield from jobs.confirm_end(appliance, job, until=until))
    return (yield from jobs.with_details(appliance, job, until=until)), None
