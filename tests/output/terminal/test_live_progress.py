"""Live progress on a terminal, driven by the fake clock."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest

from backupctl.errors import ApplianceUnreachableError, AuthenticationError, ConfigError, InterruptedRunError
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.events import (
    Attached,
    Cancelling,
    Ended,
    Progressed,
    Queued,
    Recovered,
    Retrying,
    Started,
    Waiting,
)
from backupctl.results.job import Job
from backupctl.results.result import Envelope
from tests import wording
from tests.output.samples import WHERE, LiveScreen, Screen, Terminal, a_finished_job, a_job, a_message


def emit(screen: LiveScreen, kind: Any, *, after: float = 0, server: str = "vc01", **fields: Any) -> list[str]:
    screen.clock.sleep(after)
    screen.view.event(kind(time=screen.clock.now(), server=server, **fields))
    return screen.rows()


def test_live_row_shows_percent_bar_elapsed_size_and_state() -> None:
    screen = LiveScreen()
    emit(screen, Started, job=a_job(progress=0))
    _, row = emit(screen, Progressed, after=730, job=a_job(size_bytes=1_234_000_000))
    percent, sign, bar, *rest = row.split()
    assert (percent, sign, rest) == ("40", "%", ["12m", "10s", "1.2", "GB", "running"])
    assert bar.count("━") in {14, 15}


def test_live_row_shows_the_time_left_as_of_now() -> None:
    screen = LiveScreen()
    emit(screen, Started, job=a_job(progress=0))
    running = a_job(expected_end=screen.clock.now() + timedelta(minutes=14), usual_duration_seconds=1260)
    row = emit(screen, Progressed, job=running)[-1]
    assert row.endswith("about 14m left (usually 21m)")
    assert len(row) <= 80
    assert emit(screen, Progressed, after=13.5 * 60, job=running)[-1].endswith("less than 1m left (usually 21m)")
    assert emit(screen, Progressed, after=60, job=running)[-1].endswith("running")


def test_live_rows_of_several_show_only_the_time_left() -> None:
    screen = LiveScreen()
    screen.view.expect(["vc01", "vc02"])
    running = a_job(expected_end=screen.clock.now() + timedelta(hours=2), usual_duration_seconds=1260)
    for server in ("vc01", "vc02"):
        emit(screen, Started, server=server, job=a_job(progress=0))
        rows = emit(screen, Progressed, server=server, job=running)
    assert [row.endswith("about 2h 00m left") for row in rows[-2:]] == [True, True]


def test_live_last_message_is_below_the_row_at_80_columns_and_truncated() -> None:
    screen = LiveScreen()
    messages = (a_message("first"), a_message("backing up " + "x" * 100))
    row, below = emit(screen, Progressed, job=a_job(messages=messages))
    assert len(row) <= 80
    assert below.startswith("       backing up xxx")
    assert len(below) <= 80
    assert below.endswith("…")


def test_live_last_message_is_in_the_row_at_160_columns() -> None:
    (row,) = emit(LiveScreen(160), Progressed, job=a_job(messages=(a_message("backing up vcdb"),)))
    assert row.endswith("running        backing up vcdb")


def test_live_step_of_a_job_without_messages_replaces_its_last_message() -> None:
    running = a_job(step="backing up vcdb")
    assert emit(LiveScreen(), Progressed, job=running)[1] == "       backing up vcdb"
    assert emit(LiveScreen(160), Progressed, job=running)[0].endswith("running        backing up vcdb")
    warned = a_job(step="backing up vcdb", messages=(a_message("a warning"),))
    assert emit(LiveScreen(160), Progressed, job=warned)[0].endswith("running        a warning")


def test_live_rows_keep_the_order_of_the_run_and_the_first_line_names_its_appliance() -> None:
    screen = LiveScreen()
    screen.view.expect(["vc01", "vc02", "vc03"])
    assert emit(screen, Started, server="vc02", job=a_job())[0].startswith("vc02: backup started")
    emit(screen, Started, server="vc01", job=a_job())
    rows = emit(screen, Started, server="vc03", job=a_job())
    assert [row.split()[0] for row in rows[-3:]] == ["vc01", "vc02", "vc03"]


@pytest.mark.parametrize("width", [1, 10, 30, 40, 79, 119, 120, 300])
def test_live_fits_any_width(width: int) -> None:
    screen = LiveScreen(width)
    for progress in (None, 0, 50, 100):
        rows = emit(screen, Progressed, job=a_job(progress=progress, messages=(a_message("text " * 100),)))
        assert all(len(row) <= width for row in rows)


def test_live_unknown_progress_moves_with_the_clock() -> None:
    screen = LiveScreen()
    (first,) = emit(screen, Progressed, job=a_job(progress=None))
    (second,) = emit(screen, Progressed, after=0.5, job=a_job(progress=None))
    assert "%" not in first
    assert first.count("━") == second.count("━") == 8
    assert [index for index, sign in enumerate(first) if sign == "━"] != [
        index for index, sign in enumerate(second) if sign == "━"
    ]


def test_live_elapsed_of_a_job_that_ran_before_counts_from_its_start() -> None:
    screen = LiveScreen()
    rows = emit(screen, Attached, after=600, job=a_job())
    assert "10m 00s" in rows[-1]


def test_live_elapsed_prefers_the_duration_to_the_clock_of_the_appliance() -> None:
    rows = emit(LiveScreen(), Attached, after=600, job=a_job(duration_seconds=65))
    assert "1m 05s" in rows[-1]


def test_live_error_is_in_the_row_until_the_appliance_answers() -> None:
    screen = LiveScreen()
    emit(screen, Started, job=a_job(progress=0))
    refused = ApplianceUnreachableError("refused")
    assert emit(screen, Retrying, error=refused)[1] == "warning: refused; retrying"
    assert "retrying 42s" in emit(screen, Retrying, after=42, error=refused)[-1]
    assert "running" in emit(screen, Recovered)[-1]


def test_live_error_before_any_job_is_a_line() -> None:
    screen = LiveScreen()
    rows = emit(screen, Retrying, error=ApplianceUnreachableError("refused"))
    assert rows == ["warning: refused; retrying"]


def test_live_backup_waited_for_has_no_row() -> None:
    (line,) = emit(LiveScreen(), Waiting, job=a_job())
    assert line.startswith(wording.ANOTHER_BACKUP_RUNNING)


def test_live_cancelling_keeps_the_row() -> None:
    screen = LiveScreen()
    emit(screen, Progressed, job=a_job())
    line, row = emit(screen, Cancelling, job=a_job())
    assert line.startswith("cancelling backup")
    assert row.startswith(" 40 %")


def test_live_one_server_is_not_named_and_several_are() -> None:
    screen = LiveScreen()
    assert emit(screen, Started, job=a_job(progress=0))[0].startswith("backup started")
    _, started, first, second = emit(screen, Started, server="vc-munich", job=a_job(progress=7))
    assert started.startswith("vc-munich: backup started")
    assert first.split()[:3] == ["vc01", "0", "%"]
    assert second.split()[:3] == ["vc-munich", "7", "%"]


# More rows than fit on the screen


def draw_many(screen: LiveScreen, size: int) -> None:
    screen.view.expect([f"vc{number}" for number in range(1, size + 1)])
    for number in range(1, size + 1):
        screen.view.event(Started(time=screen.clock.now(), server=f"vc{number}", job=a_job(progress=0)))


def test_live_many_rows_are_drawn_as_they_fit_and_the_rest_counted() -> None:
    screen = LiveScreen(height=10)
    draw_many(screen, 30)
    rows = emit(screen, Progressed, server="vc3", job=a_finished_job())
    assert [row.split()[0] for row in rows[-6:-1]] == ["vc1", "vc2", "vc4", "vc5", "vc6"]
    assert rows[-1] == "and 25 more: 24 running, 1 done"


def test_live_many_rows_print_lines_for_errors_only() -> None:
    screen = LiveScreen(height=10)
    draw_many(screen, 30)
    assert not any("backup started" in row for row in screen.rows())
    rows = emit(screen, Retrying, server="vc20", error=ApplianceUnreachableError("refused"))
    assert "vc20: warning: refused; retrying" in rows


@pytest.mark.parametrize(("width", "height"), [(20, 7), (80, 5), pytest.param(160, 20, marks=pytest.mark.exhaustive)])
def test_live_many_rows_fit_the_screen(width: int, height: int) -> None:
    screen = LiveScreen(width, height=height)
    draw_many(screen, 30)
    drawn = [row for row in screen.rows() if "started" not in row]
    assert all(len(row) <= width for row in drawn)
    assert (len(drawn), drawn[-1].startswith("and ")) == (max(3, height - 4), True)


def test_live_waiting_appliance_has_a_row() -> None:
    screen = LiveScreen()
    emit(screen, Started, job=a_job(progress=0))
    rows = emit(screen, Queued, server="vc02")
    assert rows[-1].split() == ["vc02", "waiting"]
    rows = emit(screen, Started, server="vc02", job=a_job(progress=0))
    assert rows[-1].split()[:3] == ["vc02", "0", "%"]


def test_live_preparing_appliances_have_rows_beside_running_backups() -> None:
    screen = LiveScreen()
    names = ["vc01", "vc02", "vc03", "vc04"]
    screen.view.expect(names)
    error = ConfigError("no such file")
    assert emit(screen, Ended, server="vc04", exit_code=3, error=error) == []
    rows = emit(screen, Started, server="vc02", job=a_job(progress=0))
    assert (rows[-3].split(), rows[-1].split()) == (["vc01", "preparing"], ["vc03", "preparing"])
    assert emit(screen, Waiting, server="vc03", job=None)[-1].split() == ["vc03", "waiting"]
    emit(screen, Started, server="vc03", job=a_job(progress=0))
    interrupted = InterruptedRunError("interrupted")
    rows = emit(screen, Ended, server="vc01", exit_code=130, error=interrupted)
    assert [row.split()[0] for row in rows[-2:]] == ["vc02", "vc03"]
    assert not any("preparing" in row for row in rows)


def test_live_appliance_that_failed_before_its_job_has_a_row_with_the_reason() -> None:
    screen = LiveScreen()
    emit(screen, Started, job=a_job(progress=0))
    error = AuthenticationError("wrong password")
    *_, told, first, second = emit(screen, Ended, server="vc02", exit_code=4, error=error)
    assert told == "vc02: error: wrong password"
    assert (first.split()[0], second.split()) == ("vc01", ["vc02", "refused"])


def test_live_interrupted_appliance_is_not_shown_as_failed() -> None:
    screen = LiveScreen()
    before = emit(screen, Started, job=a_job(progress=0))
    error = InterruptedRunError("interrupted")
    assert emit(screen, Ended, exit_code=130, error=error) == before


def test_live_failure_before_the_first_job_is_shown_only_by_the_result() -> None:
    screen = LiveScreen()
    assert emit(screen, Ended, exit_code=4, error=AuthenticationError("wrong password")) == []


def test_live_end_leaves_one_line_and_restores_the_cursor() -> None:
    screen = LiveScreen()
    emit(screen, Progressed, job=a_job(messages=(a_message("backing up"),)))
    screen.view.finish(Envelope.of("create", [JobResult(**WHERE, job=a_finished_job())]))
    (row,) = screen.rows()
    percent, sign, bar, *rest = row.split()
    assert (percent, sign, rest) == ("100", "%", ["12m", "10s", "1.2", "GB", "succeeded"])
    assert set(bar) == {"━"}
    assert screen.raw.rindex("\x1b[?25h") > screen.raw.rindex("\x1b[?25l")


def test_live_elapsed_of_an_ended_job_is_that_of_its_times() -> None:
    screen = LiveScreen()
    emit(screen, Progressed, job=a_job())
    rows = emit(screen, Progressed, after=5, job=a_finished_job("FAILED", duration_seconds=None))
    assert "12m 10s" in rows[-1]
    unknown = a_finished_job("FAILED", duration_seconds=None, end_time=None)
    assert "  5s" in emit(screen, Progressed, job=unknown)[-1]


def test_live_close_stops_and_may_be_called_repeatedly() -> None:
    screen = LiveScreen()
    emit(screen, Progressed, job=a_job())
    screen.view.close()
    raw = screen.raw
    screen.view.close()
    assert screen.raw == raw
    assert raw.endswith("\x1b[?25h")


def test_live_ascii_terminal_is_drawn_in_ascii() -> None:
    screen = LiveScreen(encoding="ascii")
    rows = emit(screen, Progressed, job=a_job(messages=(a_message("日本 " * 50),)))
    assert "----" in rows[0]
    assert screen.raw.isascii()
    assert all(len(row) <= 80 for row in rows)


def test_live_without_color_still_draws() -> None:
    plain, colorful = LiveScreen(), LiveScreen(color=True)
    emit(plain, Progressed, job=a_job())
    emit(colorful, Progressed, job=a_job())
    assert "\x1b[36m" in colorful.raw
    assert set(re.findall(r"\x1b\[[?0-9;]*[A-Za-z]", plain.raw)) <= {"\x1b[?25l", "\x1b[2K", "\x1b[1A"}
    assert "━━━━" in plain.raw


@pytest.mark.parametrize(
    ("environ", "terminal", "drawn", "colored"),
    [
        ({"TERM": "xterm"}, True, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True, True),
        ({"TERM": "dumb"}, True, False, False),
        ({"TERM": "xterm", "CI": "true"}, True, False, True),
        ({"TERM": "xterm", "FORCE_COLOR": "1"}, False, False, True),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, False),
        ({"TERM": "xterm"}, False, False, False),
    ],
)
def test_terminal_selects_live_or_log_and_color(
    environ: dict[str, str], terminal: bool, drawn: bool, colored: bool
) -> None:
    screen = Screen(err=Terminal() if terminal else io.StringIO(), environ={"COLUMNS": "80", **environ})
    screen.view.event(Started(time=screen.clock.now(), server="vc01", job=a_job()))
    screen.view.warn("careful")
    screen.view.close()
    assert ("\x1b[?25l" in screen.err) == drawn
    assert ("\x1b[1;35mwarning:" in screen.err) == colored


@pytest.mark.parametrize(("color", "colored"), [("always", True), ("never", False)])
def test_color_option_overrides_the_environment(color: str, colored: bool) -> None:
    environ = {"TERM": "xterm", "NO_COLOR": "1" if colored else "", "FORCE_COLOR": "" if colored else "1"}
    screen = Screen(environ=environ, color=color)
    screen.view.warn("careful")
    assert ("\x1b[" in screen.err) == colored


def test_live_end_of_a_restore_is_drawn_before_the_result() -> None:
    screen = LiveScreen()
    assert emit(screen, Started, job=Job(id="restore", state="INPROGRESS", progress=0))[0] == "restore started"
    job = Job(id="restore", state="SUCCEEDED", progress=100)
    screen.view.finish(Envelope.of("restore create", [RestoreResult(**WHERE, job=job)]))
    assert screen.rows()[-1].startswith("100 %")
    assert screen.rows()[-1].endswith("succeeded")
