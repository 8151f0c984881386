from datetime import UTC, datetime, timedelta

from backupctl.monitoring.journaled_jobs import with_journal
from backupctl.results.job import Job
from backupctl.results.journal_entry import JournalEntry

START = datetime(2026, 3, 1, 2, tzinfo=UTC)
HERE = {"server": "vc01", "host": "vc01.example.com"}


def a_job(number: int, state: str = "SUCCEEDED", **fields: object) -> Job:
    return Job(id=f"job-{number}", state=state, start_time=START + timedelta(days=number), **fields)  # type: ignore[arg-type]


def an_entry(job: Job | None, *, hours: int = 1, command: str = "create", **fields: str) -> JournalEntry:
    time = START + timedelta(days=40, hours=hours)
    known = {**HERE, "command": command, "run_by": command, **fields}
    return JournalEntry(time=time, exit_code=0, job=job, **known)


def test_journal_completes_what_the_appliance_remembers_and_adds_what_it_forgot() -> None:
    entries = [
        an_entry(a_job(3, "INPROGRESS", comment="CHG1", parts=("common",), encrypted=True, size_bytes=1)),
        an_entry(a_job(3, comment="other"), hours=2, command="watch"),
        an_entry(a_job(2, "INPROGRESS", comment="CHG2")),
        an_entry(a_job(2, "FAILED"), hours=2, command="watch"),
        an_entry(a_job(1), server="vc02"),
        an_entry(a_job(0), host="moved.example.com"),
        an_entry(Job(id="restore", state="SUCCEEDED")),
        an_entry(None),
    ]
    remembered = [a_job(4), a_job(3, size_bytes=2)]
    newest, completed, forgotten, moved = with_journal(remembered, entries, "vc01")
    assert (newest.job, newest.run_by, newest.forgotten) == (a_job(4), None, False)
    assert completed.job == a_job(3, size_bytes=2, comment="other", parts=("common",), encrypted=True)
    assert (completed.run_by, completed.forgotten) == ("create", False)
    assert (forgotten.job, forgotten.run_by, forgotten.forgotten) == (
        a_job(2, "FAILED", comment="CHG2"),
        "create",
        True,
    )
    assert (moved.job.id, moved.forgotten) == ("job-0", True)


def test_without_a_journal_there_is_what_the_appliance_remembers() -> None:
    assert [each.job for each in with_journal([a_job(2), a_job(1)], (), "vc01")] == [a_job(2), a_job(1)]
