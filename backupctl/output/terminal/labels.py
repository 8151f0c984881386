"""Words for people: names and states of jobs, and verdicts; JSON has the words of the API and the slugs."""

from typing import Final

from backupctl.errors import InterruptedRunError, NotTogetherError, NotTriedError
from backupctl.models import JobState
from backupctl.output.terminal.styled_lines import STRONG, Piece
from backupctl.results.job import Job

BACKUP: Final = "backup"
STOPPED_BY_OTHERS: Final = frozenset({InterruptedRunError.slug, NotTriedError.slug, NotTogetherError.slug})
"""Errors that an appliance did not cause itself: the failure of another one, or an interrupt."""

MIN_SHARED: Final = 3
"""From this many appliances on, what they have in common is shown once."""

RUNNING: Final = "running"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
_STATES: Final[dict[str, str]] = {
    JobState.INPROGRESS: RUNNING,
    JobState.SUCCEEDED: SUCCEEDED,
    JobState.FAILED: FAILED,
}

_VERDICTS: Final = {
    "backup-failed": FAILED,
    **dict.fromkeys(("auth", "forbidden", "api"), "refused"),
    **dict.fromkeys(("not-started", "not-tried", "not-together"), "not started"),
    **dict.fromkeys(("timed-out", "stalled", "running"), "still running"),
    "connection": "unreachable",
    **dict.fromkeys(("tls", "pin-mismatch"), "not trusted"),
    "outcome-unknown": "unknown",
    "usage": "invalid",
    "config": "misconfigured",
    "hook-failed": "stopped by a hook",
    "verify-failed": "damaged or missing",
    "target-connection": "backup server unreachable",
    "target-identity": "backup server not trusted",
    "target-auth": "refused by the backup server",
    "target": "refused by the backup server",
}


def state_word(job: Job, *, cancelled: bool = False) -> str:
    """Return the state of a job; with ``cancelled``, a job that has ended without success was cancelled.

    A state of a newer release is shown as it is.
    """
    if cancelled and job.ended and not job.succeeded:
        return CANCELLED
    return _STATES.get(job.state, job.state)


def verdict(slug: str) -> str:
    """Return what became of an appliance, by the slug of its error."""
    return _VERDICTS.get(slug, slug.replace("-", " "))


def kind(job: Job) -> str:
    """Return the kind of a job: ``backup``, ``restore`` or ``reconciliation``."""
    return BACKUP if job.has_id else job.id


def job_name(job: Job) -> list[Piece]:
    """Return ``backup ID``, or ``the restore``."""
    return ["backup ", (job.id, STRONG)] if job.has_id else [f"the {kind(job)}"]
