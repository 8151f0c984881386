import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from backupctl.errors import OutputError
from backupctl.results.journal_entry import JournalEntry
from backupctl.state.journal import MONTHS, append_journal, read_journal
from tests.support.clock import START, FakeClock

ENTRY = JournalEntry(time=START, command="create", server="vc01", host="vc01.example.com", exit_code=0)


def line(**fields: object) -> str:
    return msgspec.json.encode(msgspec.structs.replace(ENTRY, **fields)).decode()


def test_entries_are_appended_privately_and_read_back_in_order(tmp_path: Path) -> None:
    directory, clock = tmp_path / "state", FakeClock()
    append_journal(directory, [line(server="vc01"), line(server="vc02")], clock)
    append_journal(directory, [line(server="vc03")], clock)
    assert [each.server for each in read_journal(directory).entries] == ["vc01", "vc02", "vc03"]
    (path,) = directory.iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == ("journal-2026-03.jsonl", 0o600)
    assert directory.stat().st_mode & 0o777 == 0o700


def test_reader_skips_and_counts_broken_lines_and_ignores_unknown_keys(tmp_path: Path) -> None:
    later = line().replace('{"time"', '{"invented": [1], "time"')
    broken = ["{", "[]", line()[:40], line().replace("Z", ""), '"\xff"', line(command=5)]
    (tmp_path / "journal-2026-03.jsonl").write_bytes(
        "\n".join([later, "", *broken, line(server="last")]).encode("latin-1")
    )
    (tmp_path / "journal-2026-04.jsonl").mkdir()
    os.mkfifo(tmp_path / "journal-2026-05.jsonl")
    journal = read_journal(tmp_path)
    assert [each.server for each in journal.entries] == ["vc01", "last"]
    assert journal.unreadable == len(broken)


def test_reader_returns_what_is_not_older_than_since(tmp_path: Path) -> None:
    for days in (0, 20, 40):
        clock = FakeClock(START + timedelta(days=days))
        append_journal(tmp_path, [line(time=clock.now(), exit_code=days)], clock)
    assert [each.exit_code for each in read_journal(tmp_path, START + timedelta(days=20)).entries] == [20, 40]
    (tmp_path / "empty").mkdir()
    assert read_journal(tmp_path / "empty").entries == ()


def test_line_that_a_crash_has_cut_is_ended_by_the_next_writer(tmp_path: Path) -> None:
    (tmp_path / "journal-2026-03.jsonl").write_text(f"{line()}\n{line()[:30]}")
    append_journal(tmp_path, [line(server="next")], FakeClock())
    journal = read_journal(tmp_path)
    assert ([each.server for each in journal.entries], journal.unreadable) == (["vc01", "next"], 1)


def test_oldest_month_is_removed_when_a_new_one_begins_whatever_the_clock_says(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for number in range(30):
        append_journal(tmp_path, [line()], FakeClock(datetime(2024 + number // 12, number % 12 + 1, 15, tzinfo=UTC)))
    append_journal(tmp_path, [line()], FakeClock(datetime(2099, 1, 1, tzinfo=UTC)))
    kept = sorted(path.name for path in tmp_path.glob("journal-*"))
    assert (len(kept), kept[0], kept[-1]) == (MONTHS, "journal-2025-06.jsonl", "journal-2099-01.jsonl")
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize("obstacle", ["file", "folder", "link", "fifo"])
def test_obstacle_is_an_error_and_never_a_wait(tmp_path: Path, obstacle: str) -> None:
    path, directory = tmp_path / "journal-2026-03.jsonl", tmp_path
    if obstacle == "file":
        directory = tmp_path / "file"
        directory.touch()
    elif obstacle == "folder":
        path.mkdir()
    elif obstacle == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(path)
    with pytest.raises(OutputError):
        append_journal(directory, [line()], FakeClock())
    assert not (tmp_path / "elsewhere").exists()


def test_writer_waits_for_another_one_but_not_for_ever(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "journal-2026-03.jsonl"
    with path.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        clock.at(1, lambda: fcntl.flock(other, fcntl.LOCK_UN))
        append_journal(tmp_path, [line()], clock)
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OutputError):
            append_journal(tmp_path, [line()], clock)
    assert 1 <= clock.elapsed < 10
    assert len(read_journal(tmp_path).entries) == 1


def test_full_disk_leaves_no_half_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_journal(tmp_path, [line()], FakeClock())
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:20]))
    with pytest.raises(OutputError):
        append_journal(tmp_path, [line()], FakeClock())
    assert (tmp_path / "journal-2026-03.jsonl").read_text() == f"{line()}\n"
