"""Names of jobs: the same events and blocks describe backups, restores and reconciliations."""

from typing import Final

from backupctl.errors import InterruptedRunError, NotTogetherError, NotTriedError
from backupctl.output.terminal.styled_lines import STRONG, Piece
from backupctl.results.job import RECONCILIATION_ID, RESTORE_ID, Job

BACKUP: Final = "backup"
WITHOUT_ID: Final = frozenset({RESTORE_ID, RECONCILIATION_ID})
"""An appliance has at most one of each, so these words are their ids."""

STOPPED_BY_OTHERS: Final = frozenset({InterruptedRunError.slug, NotTriedError.slug, NotTogetherError.slug})
"""Errors that an appliance did not cause itself: the failure of another one, or an interrupt."""


MIN_SHARED: Final = 3
"""From this many appliances on, what they have in common is shown once."""


def kind(job: Job) -> str:
    """Return the kind of a job: ``backup``, ``restore`` or ``reconciliation``."""
    return job.id if job.id in WITHOUT_ID else BACKUP


def has_id(job: Job) -> bool:
    """Return whether a job has an id of its own."""
    return job.id not in WITHOUT_ID


def job_name(job: Job) -> list[Piece]:
    """Return ``backup ID``, or ``the restore``."""
    return ["backup ", (job.id, STRONG)] if has_id(job) else [f"the {kind(job)}"]
