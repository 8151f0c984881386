"""Closed, full or broken streams, and restricted environments: the backup still completes."""

import os
import shlex
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.processes import CLOCK, Program, Programs, ServedAppliance, Simulators, require_program

pytestmark = pytest.mark.real


def redirected(
    programs: Programs, served: ServedAppliance, words: Sequence[str], redirection: str
) -> tuple[int, str, str]:
    """Run a command line in a shell with a redirection."""
    line = f"{shlex.join(Program.words(*words, python=('-W', 'error::ResourceWarning')))} {redirection}"
    run = programs.start([require_program("bash"), "-c", line], programs.environ(served.environ)).wait()
    return run.code, run.out, run.err


def test_reader_that_closes_early_does_not_change_the_code(programs: Programs, serve: Simulators) -> None:
    rest = "| head -1; exit ${PIPESTATUS[0]}"
    code, out, err = redirected(programs, serve(), ["create", "-o", "jsonl"], rest)
    assert (code, out.count("\n"), err) == (0, 1, "")


@pytest.mark.parametrize("options", [(), ("-o", "jsonl")], ids=["text", "jsonl"])
@pytest.mark.parametrize(("faults", "code"), [([], 0), (["fail-at=40"], 7)], ids=["done", "failed"])
def test_closed_reader_does_not_change_the_code_of_the_command(
    program: Program, serve: Simulators, options: tuple[str, ...], faults: list[str], code: int
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        process = program.start("create", *options, environ=serve(faults=faults, seconds="0.4s").environ, stdout=gone)
    assert process.wait().code == code


@pytest.mark.parametrize("options", [(), ("-o", "json"), ("-o", "jsonl")], ids=["text", "json", "jsonl"])
@pytest.mark.parametrize(("faults", "code"), [([], 11), (["fail-at=40"], 7)], ids=["done", "failed"])
def test_full_disk_is_11_unless_something_worse_happened(
    program: Program, serve: Simulators, options: tuple[str, ...], faults: list[str], code: int
) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = program.run("create", *options, environ=serve(faults=faults, seconds="0.4s").environ, stdout=full)
    assert ran.code == code
    assert "No space left" in ran.err


@pytest.mark.parametrize(
    ("redirection", "code"),
    [("<&-", 0), (">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 0), ("2>/dev/full", 0), (">/dev/full 2>/dev/full", 11)],
)
def test_create_with_closed_or_full_streams_ends_with_the_right_code(
    programs: Programs, serve: Simulators, redirection: str, code: int
) -> None:
    assert redirected(programs, serve(seconds="0.4s"), ["create"], redirection)[0] == code


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["create", "--help"], ["completion", "bash"]])
@pytest.mark.parametrize(
    ("redirection", "code"),
    [(">&-", 0), ("2>/dev/full", 0), (">/dev/full", 11), ("| true; exit ${PIPESTATUS[0]}", 0), ("<&-", 0)],
)
def test_help_with_closed_or_full_streams_ends_with_the_right_code(
    programs: Programs, words: list[str], redirection: str, code: int
) -> None:
    nowhere = ServedAppliance("https://127.0.0.1:1", "", "", None, None)
    assert redirected(programs, nowhere, words, redirection)[0] == code


@pytest.mark.parametrize("redirection", ["", "2>/dev/full", "2>&-"])
def test_wrong_command_line_is_2_with_closed_or_full_standard_error(programs: Programs, redirection: str) -> None:
    nowhere = ServedAppliance("https://127.0.0.1:1", "", "", None, None)
    assert redirected(programs, nowhere, ["no-such-command"], redirection)[0] == 2
    assert redirected(programs, nowhere, [], redirection)[0] == 2


def test_simulator_whose_ready_line_cannot_be_written_ends_with_11(program: Program) -> None:
    with Path("/dev/full").open("wb") as full:
        assert program.run("simulator", "serve", stdout=full).code == 11


def test_create_without_home_and_term_succeeds(program: Program, serve: Simulators) -> None:
    environ = serve(seconds="0.4s").environ
    assert program.run("create", environ=environ, without=["HOME", "XDG_CONFIG_HOME", "LANG"]).code == 0


@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LANG": "C", "PYTHONIOENCODING": "ascii"}], ids=["C", "ascii"])
@pytest.mark.parametrize("options", [(), ("--no-wait", "-o", "json"), ("--dry-run",)])
def test_text_beyond_ascii_is_no_error_in_any_locale(
    program: Program, serve: Simulators, locale: dict[str, str], options: tuple[str, ...]
) -> None:
    environ = {**serve(seconds="0.4s").environ, **locale}
    created = program.run("create", "--comment", "täglich – 日次 ☃", *options, environ=environ)
    assert created.code == 0, created.err


def test_comment_that_the_locale_cannot_decode_is_a_clear_error(program: Program) -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    refused = program.run("create", "--simulate", "--location", "nfs://h/f", "--comment", "täglich", environ=locale)
    assert refused.code == 2
    assert "--comment" in refused.err


def test_create_in_a_folder_that_cannot_be_written_succeeds(program: Program, serve: Simulators) -> None:
    assert program.run("create", environ=serve(seconds="0.4s").environ, cwd="/proc").code == 0


def test_create_leaves_no_file_behind(program: Program, programs: Programs, serve: Simulators) -> None:
    assert program.run("create", environ=serve(seconds="0.4s").environ).code == 0
    assert list(programs.home.iterdir()) == []


def test_create_under_warnings_as_errors_is_silent(program: Program, serve: Simulators) -> None:
    strict = ("-W", "error", "-X", "dev")
    created = program.run("create", "-q", environ=serve(seconds="0.4s").environ, python=strict)
    assert (created.code, created.out, created.err) == (0, "", "")


@pytest.mark.parametrize(
    "words", [["--help"], ["list", "--simulate"], ["simulator", "--help"], ["validate", "--simulate"]]
)
def test_programs_under_warnings_as_errors_leave_no_warning(program: Program, words: list[str], tmp_path: Path) -> None:
    environ = {"BACKUPCTL_LOCATION": f"nfs://nfs.example.com/{tmp_path.name}", "BACKUPCTL_INTERVAL": "1s"}
    ran = program.run(*words, environ=environ, python=("-W", "error", "-X", "dev"))
    assert ran.code == 0
    assert "Warning" not in ran.err


@pytest.mark.parametrize("milliseconds", [10, 40, 80, 120])
def test_signal_while_the_program_loads_prints_no_own_traceback(program: Program, milliseconds: int) -> None:
    loading = program.start("list", "--simulate")
    CLOCK.sleep(milliseconds / 1000)
    loading.signal(signal.SIGTERM)
    assert loading.wait().code in {130, -signal.SIGTERM}
