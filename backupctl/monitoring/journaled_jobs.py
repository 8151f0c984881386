"""Join the jobs that an appliance remembers with those of the journal."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import asdict, replace

from backupctl.results.job import Job
from backupctl.results.journal_entry import JournaledJob, JournalEntry

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def with_journal(jobs: Iterable[Job], entries: Sequence[JournalEntry], server: str) -> list[JournaledJob]:
    """Return the backups of an appliance, newest first: ``jobs`` that it remembers, and those only in the journal.

    Of the ``entries``, oldest first, those with the name ``server`` are its own; appliances that started backups at the
    same time may have jobs with the same id. What the appliance does not tell of a job, such as its comment, parts and
    encryption, comes from the journal.
    """
    joined = {job.id: JournaledJob(job=job) for job in jobs}
    for entry in reversed(entries):
        if entry.server == server and (job := entry.job) and job.has_id:
            known = joined.get(job.id) or JournaledJob(job=job, forgotten=True)
            added = {name: value for name, value in asdict(job).items() if getattr(known.job, name) is None}
            # The oldest entry of a job is that of the run that started it, and later ones may only follow it.
            joined[job.id] = replace(known, job=replace(known.job, **added), run_by=entry.run_by)
    return sorted(joined.values(), key=lambda each: each.job.start_time or _LONG_AGO, reverse=True)
