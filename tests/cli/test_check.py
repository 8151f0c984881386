"""``check``: the states in every format, the exit codes 0 to 3 for everything, the deadline, requests."""

import io
import json
import os
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest

from backupctl.cli.context import Context
from backupctl.simulator.backup_runs import BackupSpec
from tests import wording
from tests.support.clock import START
from tests.support.command_line import HOST, LOCATION, TO_APPLIANCE, USER, CommandLine, Run, configured
from tests.support.documents import rows, section, text_of
from tests.support.intercept import JOB, Intercept, amend_jobs, send_on
from tests.support.processes import CLOCK

HOUR = 3600.0


def wait(hours: float) -> Callable[[CommandLine], None]:
    """Return a preparation that lets time pass without a schedule."""

    def prepare(backupctl: CommandLine) -> None:
        disable_schedule(backupctl)
        backupctl.clock.sleep(hours * HOUR)

    return prepare


def start(backupctl: CommandLine, *, hours: float = 0, takes: float = 0.35, fail_at: int | None = None) -> None:
    run = backupctl.appliance.start_backup(BackupSpec("SFTP", LOCATION), user=USER)
    run.duration, run.fail_at = takes * HOUR, fail_at
    backupctl.clock.sleep(hours * HOUR)


def disable_schedule(backupctl: CommandLine) -> None:
    assert backupctl("schedule", "disable").code == 0


def refuse(*_: object) -> httpx.Response:
    raise httpx.ConnectError("Connection refused")


class Situation(NamedTuple):
    """How to bring an appliance into a state, and the state that the check must find."""

    words: str = ""
    state: int = 0
    prepare: Callable[[CommandLine], None] = lambda _: None
    options: Mapping[str, Any] = MappingProxyType({"history": True})
    environ: Mapping[str, str] = TO_APPLIANCE


def install_now(request: httpx.Request, send: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
    response = send(request)
    installed = response.read().replace(b"2025-01-15", f"{START:%Y-%m-%d}".encode())
    return httpx.Response(response.status_code, content=installed, headers={"content-type": "application/json"})


NEW: dict[str, Any] = {"history": False}
FAILS = partial(start, fail_at=40, hours=2)

SITUATIONS: dict[str, Situation] = {
    "no backup ever": Situation(state=2, options=NEW),
    "fresh backup": Situation(),
    "older than `--warning`": Situation(state=1, prepare=wait(25)),
    "older than `--critical`": Situation(state=2, prepare=wait(49)),
    "failed after a success": Situation(state=1, prepare=FAILS),
    "the same": Situation("--last-result ignore", 0, FAILS),
    "only failures": Situation(state=2, prepare=FAILS, options=NEW),
    "failures, new": Situation("--grace 1d", 1, FAILS, {**NEW, "intercept": install_now}),
    "a backup runs": Situation(prepare=start),
    "": Situation("--max-running 6h", 1, partial(start, hours=7, takes=8)),
    "too small": Situation("--min-size 5GB", 2),
    "release 6.5": Situation(options={"history": True, "release": "6.5"}),
    "schedule disabled": Situation(prepare=disable_schedule),
    "disabled": Situation("--schedule required", 1, disable_schedule),
    "unreachable": Situation(state=3, options={"intercept": refuse}),
    "wrong password": Situation(state=3, environ={**TO_APPLIANCE, "BACKUPCTL_PASSWORD": "wrong"}),
    "wrong option": Situation("-w tomorrow", 3),
}


@cache
def checked(name: str) -> Mapping[str, Run]:
    """Return the runs of the check in a situation, in each format."""
    situation = SITUATIONS[name]
    backupctl = CommandLine(**{"job_duration": 1260.0, **situation.options})
    situation.prepare(backupctl)
    backupctl.environ.update(situation.environ)
    formats = {each: ("--format", each) for each in ("nagios", "checkmk", "prtg")} | {"json": ("-o", "json")}
    return {each: backupctl("check", "-s", HOST, *situation.words.split(), *words) for each, words in formats.items()}


@pytest.mark.parametrize("name", SITUATIONS)
def test_state_is_the_same_in_every_format(name: str) -> None:
    situation, ran = SITUATIONS[name], checked(name)
    assert {each: (run.code, run.err) for each, run in ran.items()} == dict.fromkeys(ran, (situation.state, ""))
    head, *_ = ran["nagios"].out.splitlines()
    state, text, data = re.fullmatch(r"BACKUP (\w+) - (.*?)(?: \| (.+))?", head).groups()  # type: ignore[union-attr]
    assert ("OK", "WARNING", "CRITICAL", "UNKNOWN")[situation.state] == state
    sentence = text.removeprefix(f"{HOST}: ")
    assert re.fullmatch(rf'{situation.state} "Backup( {HOST})?" \S+ {re.escape(sentence)}\n', ran["checkmk"].out)
    assert json.loads(ran["prtg"].out)["prtg"]["text"] == text
    assert ("error" in json.loads(ran["prtg"].out)["prtg"]) is (data is None)
    envelope = ran["json"].json
    assert envelope["exit_code"] == situation.state
    assert (envelope["error"] is not None) is (situation.state == 3)
    if situation.state != 3:
        assert envelope["results"][0]["check"]["summary"] == sentence


def test_table_of_the_manual_is_what_the_check_says() -> None:
    def row(name: str, situation: Situation) -> list[str]:
        run = checked(name)["nagios"]
        sentence = run.out.splitlines()[0].partition(" | ")[0].partition(" - ")[2].removeprefix(f"{HOST}: ")
        options = f"`{situation.words}`" if situation.words else ""
        return [
            ", ".join(filter(None, (name, options))),
            str(run.code),
            re.sub(": BackupManager .* details", "", sentence),
        ]

    expected = [row(name, situation) for name, situation in SITUATIONS.items()]
    shown = "\n".join(f"| {' | '.join(cells)} |" for cells in expected)
    assert rows(section(text_of("monitoring"), "States")) == expected, f"the table must be:\n{shown}"


@pytest.mark.parametrize(
    "line",
    [
        *(
            "check --bogus",
            "check extra",
            "check -w",
            "check --min-size big",
            "check --size-deviation 5kB",
            "check -o yaml",
        ),
        *(
            "check --format xml",
            "check --format json",
            "check --format",
            "check -w 3h -c 1h",
            "check -s",
            "check --config /nowhere/config.toml",
        ),
        *(
            "check -g nobody",
            "check --all",
            "-w 26h check",
            "--bogus check -s vc01",
            "-o yaml check",
            "-s vc01 -w 1 check",
        ),
    ],
)
def test_whatever_is_wrong_with_the_command_line_is_unknown(line: str) -> None:
    run = CommandLine()(*line.split())
    assert (run.code, run.out.startswith("BACKUP UNKNOWN - "), run.err) == (3, True, "")
    as_json = (
        CommandLine()(*line.split(), "-o=json") if "yaml" not in line and not line.endswith(("-w", "-s")) else None
    )
    if as_json is not None:
        assert (as_json.code, as_json.json["exit_code"], as_json.json["error"] is None) == (3, 3, False)


@pytest.mark.parametrize(
    ("line", "code"), [("-s check list --bogus", 2), ("config check --config /nowhere", 3), ("check --help", 0)]
)
def test_only_the_command_check_has_the_codes_of_a_plugin(line: str, code: int) -> None:
    run = CommandLine()(*line.split())
    assert (run.code, "BACKUP" in run.out) == (code, False)


def test_bug_is_unknown(backupctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Context, "check_run_options", lambda _: 1 / 0)
    run = backupctl("check")
    assert (run.code, run.out.startswith("BACKUP UNKNOWN - unexpected: ZeroDivisionError"), run.err) == (3, True, "")


class FullDisk(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("words", [[], ["-o", "json"], ["-w", "1m", "-c", "2m"], ["--help"]], ids=str)
def test_verdict_that_cannot_be_written_is_unknown(words: list[str]) -> None:
    backupctl = CommandLine(history=True)
    backupctl.make_stdout = FullDisk
    run = backupctl("check", *words)
    assert (run.code, "No space left on device" in run.err) == (3, True)


def spoil_newest(**fields: Any) -> Intercept:
    """Change the details of the newest job; a status of None makes its status unreadable too."""

    def intercept(request: httpx.Request, send: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        response = send(request)
        if request.method == "GET" and request.url.path == f"{JOB}details":
            details = json.loads(response.read())
            newest = max(details)
            return httpx.Response(200, json=details | {newest: details[newest] | fields})
        if request.url.path.startswith(JOB) and "status" in fields and fields["status"] is None:
            return httpx.Response(200, json={"state": None})
        return response

    return intercept


LOCAL_ONLY = amend_jobs(details={"type": "LOCAL_BACKUP"})


@pytest.mark.parametrize(
    ("words", "fields", "state", "said"),
    [
        ("--min-size 5GB", {"size": None}, 3, "the size of the last success is unknown"),
        ("--type scheduled", {"status": 7}, 1, "cannot tell the type of 1 newer backup"),
        ("--type scheduled", {"status": None}, 1, "cannot read 1 newer job"),
        ("", {"status": 7}, 1, "last backup failed"),
        ("", {"status": None}, 1, "cannot read 1 newer job"),
        ("--type manual", {"type": "LOCAL_BACKUP"}, 1, "no manual backup succeeded for more than 1d2h"),
        ("", {"type": "LOCAL_BACKUP"}, 0, "last success 2 h ago"),
    ],
)
def test_what_cannot_be_known_is_not_ok(words: str, fields: dict[str, Any], state: int, said: str) -> None:
    backupctl = CommandLine(history=True, intercept=spoil_newest(**fields))
    start(backupctl, hours=1, fail_at=None if "size" in fields else 40)
    run = backupctl("check", *words.split())
    assert (run.code, said in run.out) == (state, True), run.out


def test_local_backups_are_no_backups() -> None:
    run = CommandLine(history=True, release="9.0", intercept=LOCAL_ONLY)("check")
    assert (run.code, run.out.partition(" |")[0]) == (
        2,
        f"BACKUP CRITICAL - {HOST}: no backup yet; 6 local backups do not count",
    )


@pytest.mark.parametrize("release", ["6.5", "8.0"])
def test_failures_of_many_nights_are_no_new_appliance(release: str) -> None:
    backupctl = CommandLine(release=release)
    for _ in range(5):
        start(backupctl, takes=0.1, fail_at=40, hours=24)
    assert backupctl("check", "--grace", "4d").code == 2


def test_job_left_over_from_a_crash_does_not_run() -> None:
    backupctl = CommandLine(history=True)
    start(backupctl, takes=24 * 90)
    start(backupctl, hours=7)
    run = backupctl("check", "--max-running", "6h")
    assert (run.code, "running for" in run.out) == (0, False)
    assert f'backupctl_running{{server="{HOST}"}} 0' in backupctl("metrics", "export").out


@pytest.mark.parametrize("name", ["no", "last"])
def test_line_names_the_server(tmp_path: Path, name: str) -> None:
    configuration = f"""[servers.{name}]\nhost = "{HOST}"\nusername = "{USER}"\npassword-env = "VC_PASSWORD"\n"""
    backupctl = configured(tmp_path, configuration, others={HOST: {}}, history=False)
    assert backupctl("check", "-s", name).out.startswith(f"BACKUP CRITICAL - {name}: no backup yet")


@pytest.mark.parametrize("place", ['password-command = ["sleep", "20"]', 'password-file = "{}/pipe"'])
def test_time_to_read_the_password_counts(tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    settings = place.format(tmp_path)
    backupctl = configured(tmp_path, f"""[servers.vc01]\nhost = "{HOST}"\nusername = "{USER}"\n{settings}\n""")
    began = CLOCK.monotonic()
    run = backupctl("check", "-s", "vc01", "--timeout", "0.2s")
    assert CLOCK.monotonic() - began < 5
    assert (run.code, run.out.startswith("BACKUP UNKNOWN - vc01: "), "password" in run.out) == (3, True, True)


OTHERS: dict[str, dict[str, Any]] = {
    "vc02.example.com": {"faults": ["slow=1h@login"]},
    "vc03.example.com": {"history": False},
}


def test_most_severe_of_several_comes_first_and_each_has_a_line() -> None:
    backupctl = CommandLine(history=True, others=OTHERS)
    run = backupctl("check", *(word for host in (HOST, *OTHERS) for word in ("-s", host)), "--timeout", "9s")
    lines = run.out.splitlines()
    assert lines[0] == "BACKUP CRITICAL - 1 CRITICAL, 1 UNKNOWN, 1 OK; vc03.example.com: no backup yet"
    assert [line.partition("]")[0] for line in lines[1:4]] == ["[CRITICAL", "[UNKNOWN", "[OK"]
    assert wording.CHECK_TIMED_OUT("9s", "login") in lines[2]
    assert "'vc01.example.com age'=" in lines[-1]
    assert run.code == 2
    assert backupctl.clock.elapsed <= 9


@pytest.mark.parametrize("release", ["6.5", "8.0"])
@pytest.mark.parametrize("phase", ["login", "version", "list", "poll", "read-schedule", "logout"])
@pytest.mark.parametrize("fault", ["slow=1h", "drop", "http-503", "trickle"])
def test_check_ends_within_its_timeout(fault: str, phase: str, release: str) -> None:
    backupctl = CommandLine(history=True, release=release, faults=[f"{fault}@{phase}"])
    run = backupctl("check", "--timeout", "9s", *(["--schedule", "required"] if release == "8.0" else []))
    assert backupctl.clock.elapsed <= 9
    undisturbed = phase == "logout" or (phase, release) in {("list", "8.0"), ("read-schedule", "6.5")}
    assert run.code == (0 if undisturbed else 3)
    answered_late = phase == "login" and (fault == "slow=1h" or (fault, release) == ("trickle", "6.5"))
    not_ended = phase == "logout" and fault in {"drop", "http-503"}
    assert backupctl.appliance.open_sessions == int(answered_late or not_ended)


@pytest.mark.parametrize(
    ("release", "words", "phases"),
    [
        ("8.0", "", "login version last-poll logout"),
        ("8.0", "--schedule required", "login version last-poll read-schedule health logout"),
        ("6.5", "", "other login version last-poll list last-poll last-poll logout"),
    ],
)
def test_check_reads_no_more_than_it_needs(release: str, words: str, phases: str) -> None:
    backupctl = CommandLine(history=True, release=release)
    start(backupctl, hours=1, fail_at=10)
    assert backupctl("check", *words.split()).code == 1
    assert [each.phase or "other" for each in backupctl.appliance.requests] == phases.split()


def test_text_of_the_appliance_neither_ends_the_line_nor_becomes_performance_data() -> None:
    def spoil(request: httpx.Request, send: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        response = send_on(request, send)
        spoiled = response.content.replace(b"encountered an exception", rb"a | 'age'=1s\n\u001b[31m \u2028b")
        return httpx.Response(response.status_code, content=spoiled, headers={"content-type": "application/json"})

    backupctl = CommandLine(history=True, intercept=spoil)
    FAILS(backupctl)
    ran = [backupctl("check", "--format", each).out for each in ("nagios", "checkmk", "prtg")]
    assert [len(out.splitlines()) for out in ran] == [1, 1, 1]
    assert ran[0].count("|") == 1
    assert all(out.isascii() and "\x1b" not in out for out in ran)
