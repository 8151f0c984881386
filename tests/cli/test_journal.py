"""The journal, written by commands and read for reports."""

import fcntl
import io
import json
import os
import pwd
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backupctl import __version__
from backupctl.cli.context import Context
from backupctl.cli.journal_access import journal
from tests import wording
from tests.support.command_line import HOST, LOCATION, PASSWORD, USER, CommandLine, configured

OTHER = "vc02.example.com"
CONFIGURATION = f"""[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"
location = "{LOCATION}"
location-user = "backup"
journal = true
state-dir = "state"
[servers.vc01]
host = "{HOST}"
[servers.vc02]
host = "{OTHER}"
journal = false
"""


def journaling(folder: Path, text: str = CONFIGURATION, **options: Any) -> CommandLine:
    environ = {"BACKUPCTL_LOCATION_PASSWORD": "L0cation-Secret", "BACKUPCTL_BACKUP_PASSWORD": "B4ckup-Secret"}
    return configured(folder, text, environ=environ, others={HOST: {}, OTHER: {}}, **options)


def entries(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "state").glob("*"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def test_entry_has_the_result_of_the_run_and_no_secret(tmp_path: Path) -> None:
    backupctl = journaling(tmp_path)
    backupctl.environ["SUDO_USER"] = "ada"
    run = backupctl("create", "-s", "vc01", "--comment", "CHG1 é", "-o", "json")
    (entry,) = entries(tmp_path)
    assert entry["job"] == run.result["job"]
    assert {name: entry[name] for name in entry if name not in {"job", "time"}} == {
        "command": "create",
        "server": "vc01",
        "host": HOST,
        "release": run.result["release"],
        "exit_code": 0,
        "slug": None,
        "message": None,
        "run_by": pwd.getpwuid(os.getuid()).pw_name,
        "sudo_user": "ada",
        "version": __version__,
    }
    (path,) = (tmp_path / "state").iterdir()
    assert not any(secret in path.read_text() for secret in (PASSWORD, "L0cation-Secret", "B4ckup-Secret"))


def test_each_command_that_makes_or_follows_a_backup_writes_an_entry_and_no_other(tmp_path: Path) -> None:
    backupctl = journaling(tmp_path, history=True)
    for line in (
        "create",
        "create --no-wait",
        "create --dry-run",
        "watch",
        "status",
        "list",
        "cancel nonsense",
        "schedule run",
        "schedule run --dry-run",
        "restore watch",
        "create --no-journal",
        "create --comment a\nb",
    ):
        backupctl(*line.split(" "), "-s", "vc01")
    backupctl("create", "--simulate", "--journal", "--timeout", "30s")
    found = [(entry["command"], entry["exit_code"], entry["slug"]) for entry in entries(tmp_path)]
    assert found[:5] == [
        ("create", 0, None),
        ("create", 0, None),
        ("watch", 0, None),
        ("cancel", 10, "not-found"),
        ("schedule run", 0, None),
    ]
    assert [command for command, *_ in found[5:]] == ["restore watch"]


def test_only_appliances_whose_settings_want_it_are_in_the_journal(tmp_path: Path) -> None:
    assert journaling(tmp_path)("create", "--all").code == 0
    assert [entry["server"] for entry in entries(tmp_path)] == ["vc01"]
    without = journaling(tmp_path, CONFIGURATION.replace("journal = true", "").replace('"state"', '"none"'))
    assert without("create", "-s", "vc01").code == 0
    assert not (tmp_path / "none").exists()


def test_failure_before_the_backup_is_in_the_journal(tmp_path: Path) -> None:
    backupctl = journaling(tmp_path)
    backupctl.environ["VC_PASSWORD"] = "wrong"
    assert backupctl("create", "-s", "vc01").code == 4
    (entry,) = entries(tmp_path)
    assert (entry["exit_code"], entry["slug"], entry["job"]) == (4, "auth", None)
    assert wording.WRONG_LOGIN in entry["message"]


def test_error_in_the_settings_of_all_appliances_is_in_the_journal_of_a_nightly_run(tmp_path: Path) -> None:
    backupctl = journaling(tmp_path)
    backupctl.environ["VC_PASSWORD"] = ""
    assert backupctl("create", "-s", "vc01", answers=["x"] * 9).code != 0
    assert entries(tmp_path) == []
    assert backupctl("create", "-s", "vc01").code == 3
    (entry,) = entries(tmp_path)
    assert (entry["server"], entry["exit_code"], entry["slug"], entry["job"]) == ("vc01", 3, "config", None)


def test_interrupted_run_is_in_the_journal_with_the_job_that_it_left_running(tmp_path: Path) -> None:
    backupctl = journaling(tmp_path)
    backupctl.clock.at(5, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert backupctl("create", "-s", "vc01").code == 130
    (entry,) = entries(tmp_path)
    assert (entry["exit_code"], entry["slug"], entry["job"]["state"]) == (130, "interrupted", "INPROGRESS")


@pytest.mark.parametrize(
    ("state", "environ", "reason"),
    [
        ('state-dir = "config.toml/state"', {}, "Not a directory"),
        ("", {"XDG_STATE_HOME": "/dev/null"}, "Not a dir"),
        ("", {"BACKUPCTL_JOURNAL": "maybe"}, "BACKUPCTL_JOURNAL: "),
    ],
)
def test_journal_that_cannot_be_written_is_a_warning_even_if_quiet(
    tmp_path: Path, state: str, environ: Mapping[str, str], reason: str
) -> None:
    backupctl = journaling(tmp_path, CONFIGURATION.replace('state-dir = "state"', state))
    backupctl.environ.update(environ)
    run = backupctl("create", "-s", "vc01", "-q", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (0, "SUCCEEDED")
    assert run.err.startswith(f"warning: {wording.NOT_IN_THE_JOURNAL}")
    assert reason in run.err
    assert backupctl("create", "-s", "vc01", "-q").err.startswith(f"warning: {wording.NOT_IN_THE_JOURNAL}")


def test_result_is_shown_before_the_journal_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backupctl, stdout, shown = journaling(tmp_path), io.StringIO(), list[str]()
    backupctl.make_stdout = lambda: stdout
    monkeypatch.setattr(backupctl.clock, "sleep", lambda _: shown.append(stdout.getvalue()))  # while it is locked
    (tmp_path / "state").mkdir()
    with (tmp_path / "state" / f"journal-{backupctl.clock.now():%Y-%m}.jsonl").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        run = backupctl("create", "-s", "vc01")
    assert (run.code, set(shown)) == (0, {run.out})
    assert wording.NOT_IN_THE_JOURNAL in run.err


def test_state_directory_belongs_to_the_run_and_not_to_a_server(tmp_path: Path) -> None:
    backupctl = journaling(tmp_path, f'{CONFIGURATION}state-dir = "other"\n')
    run = backupctl("create", "-s", "vc01")
    assert run.code == 3
    assert wording.KEY_OF_ANOTHER_TABLE in run.err


def test_reading_a_journal_warns_of_what_cannot_be_read_and_goes_on(tmp_path: Path) -> None:
    def read(environ: Mapping[str, str]) -> tuple[list[str], str]:
        stderr = io.StringIO()
        context = Context(argv=(), stdin=None, stdout=io.StringIO(), stderr=stderr, environ=environ)
        return [entry.server for entry in journal(context).entries], stderr.getvalue()

    backupctl = journaling(tmp_path)
    backupctl("create", "-s", "vc01")
    environ = {"BACKUPCTL_CONFIG": str(tmp_path / "config.toml")}
    assert read(environ) == (["vc01"], "")
    (path,) = (tmp_path / "state").iterdir()
    path.chmod(0o666)
    assert read(environ) == (["vc01"], f"warning: {wording.OPEN_JOURNAL}\nhint: run chmod -R o-w {path.parent}\n")
    path.chmod(0o600)
    path.write_text(f"{path.read_text()}torn")
    assert read(environ) == (["vc01"], f"warning: {wording.UNREADABLE_JOURNAL_LINES('1 unreadable line')}\n")
    path.unlink()
    path.symlink_to("/proc/self/mem")  # which can be opened, but not read
    assert read(environ) == ([], f"warning: {wording.UNREADABLE_JOURNAL}{path.parent}: Input/output error\n")
    assert read({"XDG_STATE_HOME": str(tmp_path / "nothing")}) == ([], "")
    for name, reason in (("nothing", "No such file or directory"), ("config.toml", "Not a directory")):
        named = str(tmp_path / name)
        warning = f"warning: {wording.UNREADABLE_JOURNAL}{named}: {reason}\n"
        assert read({"BACKUPCTL_STATE_DIR": named}) == ([], warning)
