"""What a job is called: the same events and blocks tell of backups, restores and reconciliations."""

from typing import Final

from backupctl.errors import InterruptedRunError, NotTogetherError, NotTriedError
from backupctl.output.terminal.styled_lines import STRONG, Piece
from backupctl.results.job import RECONCILIATION, RESTORE, Job

BACKUP: Final = "backup"
WITHOUT_ID: Final = frozenset({RESTORE, RECONCILIATION})
"""An appliance has at most one of each, so their ids are but these words."""

KEPT_BACK: Final = frozenset({InterruptedRunError.slug, NotTriedError.slug, NotTogetherError.slug})
"""How work ends for a reason that is not its appliance's own: somebody else's failure, or the wish of the user."""


FEWEST: Final = 3
"""Of so many appliances or more the same is told once, of all of them together."""


def kind(job: Job) -> str:
    """Return what a job is: ``backup``, ``restore`` or ``reconciliation``."""
    return job.id if job.id in WITHOUT_ID else BACKUP


def has_id(job: Job) -> bool:
    """Return whether a job has an id of its own, by which it can be asked for."""
    return job.id not in WITHOUT_ID


def named(job: Job) -> list[Piece]:
    """Return ``backup ID``, or ``the restore``."""
    return ["backup ", (job.id, STRONG)] if has_id(job) else [f"the {kind(job)}"]
