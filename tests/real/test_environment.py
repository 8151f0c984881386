"""Restricted environments: missing variables, folders, users or streams, and resource limits."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.command_line import Run
from tests.support.http_relay import jobs_of
from tests.support.processes import (
    Process,
    Program,
    Programs,
    ServedAppliance,
    Simulators,
    require_program,
    run_in_parallel,
    skip_outside_ci,
)

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Environment:
    """The environment of a run; a shell runs ``shell`` first, and then executes the program."""

    shell: str = ":"
    environ: Mapping[str, str] = field(default_factory=dict)
    without: Sequence[str] = ()
    words: Sequence[str] = ()
    code: int = 0


NOWHERE = "/nonexistent/folder"
RESTRICTED = {
    "no environment": Environment(without=("PATH", "HOME", "XDG_CONFIG_HOME", "LANG")),
    "no home": Environment(environ={"HOME": NOWHERE}),
    "no temporary folder": Environment(environ={"TMPDIR": NOWHERE, "HOME": "/proc"}),
    "dumb terminal": Environment(environ={"TERM": "dumb"}),
    "terminal of an unknown kind": Environment(environ={"TERM": "no-such-terminal", "COLUMNS": "x", "LINES": "-1"}),
    "locale C": Environment(environ={"LANG": "C"}, words=("--comment", "täglich")),
    "locale POSIX": Environment(environ={"LC_ALL": "POSIX"}, words=("--comment", "täglich")),
    "missing locale": Environment(environ={"LC_ALL": "xx_YY.UTF-8"}),
    "encoding UTF-16": Environment(environ={"PYTHONIOENCODING": "utf-16"}),
    "encoding Latin 1, strictly": Environment(environ={"PYTHONIOENCODING": "latin-1:strict"}),
    "removed working directory": Environment("mkdir gone && cd gone && rmdir ../gone"),
    "folder that cannot be written": Environment("cd /proc"),
    "64 files": Environment("ulimit -n 64"),
    "10 files": Environment("ulimit -n 10"),
    "files of no length": Environment("ulimit -f 0"),
    "files of no length, and one for the result": Environment("ulimit -f 0; exec > result", code=11),
    "a journal and files of no length": Environment(
        "export XDG_STATE_HOME=$HOME; ulimit -f 0", environ={"BACKUPCTL_JOURNAL": "1"}
    ),
    "a journal that cannot be written": Environment(environ={"BACKUPCTL_JOURNAL": "1", "XDG_STATE_HOME": "/proc"}),
    "some memory": Environment("ulimit -v 150000"),
    "a small stack": Environment("ulimit -s 256"),
    "no core": Environment("ulimit -c 0"),
    "nohup": Environment('set -- nohup "$@"'),
    "setsid": Environment('set -- setsid -w "$@"'),
    "nice": Environment('set -- nice -n 19 "$@"'),
    "no standard input": Environment("exec <&-"),
    "no standard error": Environment("exec 2>&-"),
    "no standard streams": Environment("exec <&- >&- 2>&-"),
}


def created(
    programs: Programs,
    served: ServedAppliance,
    environment: Environment,
    wait: Callable[[Process], Run] = Process.wait,
) -> tuple[int, list[str]]:
    """Run create; return its exit code and the states of the jobs on the appliance."""
    environ = programs.environ({**served.environ, **environment.environ})
    kept = {name: value for name, value in environ.items() if name not in environment.without}
    command = Program.words("create", *environment.words, python=("-W", "error::ResourceWarning"))
    line = f'{environment.shell}; exec "$@"'
    run = wait(programs.start([require_program("bash"), "-c", line, "bash", *command], kept))
    return run.code, [job["status"] for job in jobs_of(served)]


def test_create_succeeds_in_restricted_environments(programs: Programs, serve: Simulators) -> None:
    def once(pair: tuple[ServedAppliance, str]) -> tuple[str, int, list[str]]:
        return pair[1], *created(programs, pair[0], RESTRICTED[pair[1]])

    outcomes = run_in_parallel(
        once, zip(serve.many(len(RESTRICTED), "--no-tls", seconds="0.4s"), RESTRICTED, strict=True)
    )
    assert outcomes == [(name, environment.code, ["SUCCEEDED"]) for name, environment in RESTRICTED.items()]


def test_too_little_memory_fails_or_completes_the_backup(programs: Programs, serve: Simulators) -> None:
    kilobytes = range(22_000, 62_000, 4_000)

    def once(pair: tuple[ServedAppliance, int]) -> tuple[int, list[str]]:
        # Without memory for an exception, the interpreter itself prints that it ignores one.
        return created(programs, pair[0], Environment(f"ulimit -v {pair[1]}"), Process.wait_unchecked)

    outcomes = run_in_parallel(
        once, zip(serve.many(len(kilobytes), "--no-tls", seconds="0.4s"), kilobytes, strict=True)
    )
    # A backup that began may succeed after the program ran out of memory, which is not 0 either.
    assert [jobs for code, jobs in outcomes if code == 0 and jobs != ["SUCCEEDED"]] == []
    assert outcomes[0][0] != 0


UNKNOWN = "54321"
AS_UNKNOWN = ("setpriv", f"--reuid={UNKNOWN}", f"--regid={UNKNOWN}", "--clear-groups")
WAYS_TO_BE_UNKNOWN = (
    AS_UNKNOWN,
    (*AS_UNKNOWN, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"),  # for a Python in a folder of root
    ("unshare", "--user", f"--map-user={UNKNOWN}"),
)
IS_UNKNOWN = """
import backupctl, os, pwd
try:
    pwd.getpwuid(os.getuid())
except KeyError:
    raise SystemExit(0)
raise SystemExit("somebody")
"""
WAYS_TO_BE_KEPT_OUT = (
    ("env",),
    ("setpriv", "--inh-caps=-all", "--bounding-set=-all"),  # root without the capability to write everywhere
)
IS_KEPT_OUT = """
import backupctl, os, tempfile
for folder in {os.curdir, os.environ["HOME"], os.environ["TMPDIR"]}:
    try:
        os.mkdir(os.path.join(folder, "written"))
    except OSError:
        continue
    os.rmdir(os.path.join(folder, "written"))
    raise SystemExit(f"{folder} can be written to")
"""


def first_that_works(ways: Sequence[Sequence[str]], check: str, environ: Mapping[str, str], cwd: Path) -> Sequence[str]:
    """Return the first way to start a program in which the Python code ``check`` succeeds.

    If there is none, skip the test (in CI, fail).
    """
    said = []
    for name, *options in ways:
        way = [require_program(name), *options]
        tried = subprocess.run(
            [*way, sys.executable, "-c", check], check=False, capture_output=True, env=dict(environ), cwd=cwd
        )
        if tried.returncode == 0:
            return way
        said.append(f"{' '.join(way)}: {tried.stderr.decode().strip()}")
    return skip_outside_ci("\n".join(said))


def test_create_as_an_unknown_user_succeeds(programs: Programs, program: Program, serve: Simulators) -> None:
    under = first_that_works(WAYS_TO_BE_UNKNOWN, IS_UNKNOWN, programs.environ({}), programs.home)
    environ = serve("--no-tls", seconds="0.4s").environ
    ran = program.run("create", environ=environ, without=["HOME", "XDG_CONFIG_HOME"], under=under)
    assert ran.code == 0, ran.err


def test_create_where_no_folder_can_be_written_to_succeeds(
    programs: Programs, program: Program, serve: Simulators, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    environment = {"HOME": str(closed), "TMPDIR": str(closed)}
    under = first_that_works(WAYS_TO_BE_KEPT_OUT, IS_KEPT_OUT, programs.environ(environment), closed)
    ran = program.run("create", environ=serve(seconds="0.4s").environ | environment, under=under, cwd=closed)
    assert ran.code == 0, ran.err
    assert "succeeded" in ran.out
    assert list(closed.iterdir()) == []


# Streams of each command

SIMULATED = ["--simulate"]
COMMANDS = {
    "list": [*SIMULATED],
    "status": ["latest", *SIMULATED],
    "watch": ["latest", *SIMULATED],
    "parts": [*SIMULATED],
    "validate": ["--location", "nfs://nfs.example.com/vcenter", *SIMULATED],
    "create": ["--dry-run", "--location", "nfs://nfs.example.com/vcenter", *SIMULATED],
    "cancel": ["--dry-run", "20260301-020000-1", *SIMULATED],
    "schedule": ["list", *SIMULATED],
}
FORMS = {"watch": ("text", "json", "jsonl")}
STREAMS = {
    "closed": (">&-", 0),
    "full": (">/dev/full", 11),
    "closed reader": ("| true; exit ${PIPESTATUS[0]}", 0),
    "full, and standard error": (">/dev/full 2>/dev/full", 11),
}


def test_every_command_has_its_code_with_closed_or_full_streams(programs: Programs) -> None:
    cases = [
        (name, form, stream) for name in COMMANDS for form in FORMS.get(name, ("text", "json")) for stream in STREAMS
    ]
    bash = require_program("bash")

    def once(case: tuple[str, str, str]) -> int:
        name, form, stream = case
        command = Program.words(name, *COMMANDS[name], "-o", form, python=("-W", "error::ResourceWarning"))
        line = f'"$@" {STREAMS[stream][0]}'
        return programs.start([bash, "-c", line, "bash", *command], programs.environ({})).wait().code

    codes = run_in_parallel(once, cases)
    assert [(case, code) for case, code in zip(cases, codes, strict=True) if code != STREAMS[case[2]][1]] == []


@pytest.mark.parametrize("missing", ["SERVER", "USERNAME", "PASSWORD", "LOCATION"])
def test_missing_value_without_standard_input_is_an_error(programs: Programs, missing: str) -> None:
    served = ServedAppliance("https://127.0.0.1:1", "administrator@vsphere.local", "VMware1!", None, None)
    environ = programs.environ({**served.environ})
    del environ[f"BACKUPCTL_{missing}"]
    line = '"$@" <&-'
    run = programs.start([require_program("bash"), "-c", line, "bash", *Program.words("create")], environ).wait()
    assert run.code == 2
    assert "missing" in run.err
