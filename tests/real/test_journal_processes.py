"""Processes that write to one journal at the same time, and one that is killed meanwhile."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from backupctl.state.journal import read_journal
from tests.support.processes import ROOT, wait_until

pytestmark = pytest.mark.real

PROCESSES, LINES = 20, 50
WRITER = """
import sys
from pathlib import Path
import msgspec
from backupctl.clock import SystemClock
from backupctl.results.job import Job, Message
from backupctl.results.journal_entry import JournalEntry
from backupctl.state.journal import append_journal

clock, messages = SystemClock(), (Message(id="", default_message="x" * int(sys.argv[4])),)
for number in range(int(sys.argv[3])):
    entry = JournalEntry(
        time=clock.now(), command="create", server=sys.argv[2], host="h", exit_code=number,
        job=Job(id="job", state="SUCCEEDED", messages=messages),
    )
    append_journal(Path(sys.argv[1]), [msgspec.json.encode(entry).decode()], clock)
"""


def writer(folder: Path, name: str, lines: int, length: int) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", WRITER, str(folder), name, str(lines), str(length)]
    return subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE)


def test_twenty_processes_lose_and_tear_no_line(tmp_path: Path) -> None:
    writers = [writer(tmp_path, str(number), LINES, 50 * number) for number in range(PROCESSES)]
    assert [(each.communicate(timeout=120)[1], each.returncode) for each in writers] == [(b"", 0)] * PROCESSES
    journal = read_journal(tmp_path)
    written = sorted((int(entry.server), entry.exit_code) for entry in journal.entries)
    assert written == [(number, line) for number in range(PROCESSES) for line in range(LINES)]
    assert journal.unreadable == 0


def test_killed_writers_leave_a_journal_that_can_be_read_and_continued(tmp_path: Path) -> None:
    def lines() -> int:
        return sum(path.read_bytes().count(b"\n") for path in tmp_path.glob("*"))

    def has_more_than(number: int) -> bool:
        return lines() > number

    for number in range(10):
        some_more = partial(has_more_than, lines() + 10)
        killed = [writer(tmp_path, f"{number}-{each}", 100_000, 100_000) for each in range(2)]
        wait_until(some_more, "some more lines")
        for each in killed:
            each.kill()
            each.communicate(timeout=10)
    last = writer(tmp_path, "last", 1, 10)
    assert (last.communicate(timeout=30)[1], last.returncode) == (b"", 0)
    journal = read_journal(tmp_path)
    assert (len(journal.entries) >= 100, journal.entries[-1].server) == (True, "last")
    assert journal.unreadable <= 20
