"""An entry of the journal: the result of one run on one appliance, and what it adds to a job."""

from datetime import datetime
from typing import Annotated

import msgspec

from backupctl.results.job import Job


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to: ``exit_code``, the ``slug`` and ``message`` of its error, and its ``job``, if it had one.

    ``run_by`` is the user who ran backupctl, and ``sudo_user`` the one who became that user, as the environment has it;
    ``version`` is that of backupctl.
    """

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    command: str
    server: str
    host: str
    exit_code: int
    release: str | None = None
    slug: str | None = None
    message: str | None = None
    job: Job | None = None
    run_by: str | None = None
    sudo_user: str | None = None
    version: str | None = None


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of a journal, oldest first, and the number of its ``unreadable`` lines."""

    entries: tuple[JournalEntry, ...] = ()
    unreadable: int = 0


class JournaledJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job with what the journal adds, and who ran it; ``forgotten`` if only the journal still knows it.

    The state of a forgotten job is the last one that a run saw, which may be INPROGRESS.
    """

    job: Job
    run_by: str | None = None
    forgotten: bool = False
