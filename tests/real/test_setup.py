"""From ``backupctl setup`` at a terminal to the nightly run without one, against an unknown certificate."""

import shlex
from pathlib import Path

import pytest

from tests.support.command_line import write_private
from tests.support.processes import Program, Programs, Simulators
from tests.support.terminal import Terminal

pytestmark = pytest.mark.real

SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$HOME/systemctl.log"
case "$*" in *is-system-running) echo degraded; exit 1 ;; *enable*) exit "$(cat "$HOME/enable" || echo 0)" ;; esac
"""
CRONTAB = """#!/bin/sh
case $1 in
    -l) cat "$HOME/crontab" 2> /dev/null || { echo "no crontab for me" >&2; exit 1; } ;;
    -) cat > "$HOME/crontab" ;;
esac
"""


@pytest.fixture
def environ(programs: Programs) -> dict[str, str]:
    """Return an environment with a systemctl and a crontab that only write down what they are told.

    The user has a file already, so that one of this machine is not read.
    """
    config = programs.home / ".config" / "backupctl" / "config.toml"
    config.parent.mkdir(parents=True)
    write_private(config, "# ours\n")
    folder = programs.home / "bin"
    folder.mkdir()
    for name, text in {"systemctl": SYSTEMCTL, "crontab": CRONTAB}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    environ = programs.environ({})
    return {**environ, "PATH": f"{folder}:{environ['PATH']}"}


def answer_everything(terminal: Terminal, url: str, password: str) -> None:
    """Answer up to the nightly run, with a wrong password and a wrong location on the way."""
    terminal.answer(r"^Server .*: *\Z", url)
    terminal.answer(r"^Name for it.*: *\Z", "vc01")
    terminal.answer(r"^Trust this certificate .*: *\Z", "y")
    terminal.answer(r"^User name .*: *\Z", "")
    terminal.answer(r"^Password for .*: *\Z", "wrong")
    terminal.answer(r"five failed logins\.\nUser name .*: *\Z", "")
    terminal.answer(r"^Password for .*: *\Z", password)
    terminal.answer(r"^Location.*: *\Z", "nfs://nfs.example.com/%2E%2E")
    terminal.answer(r"leaves its folder\.\nLocation.*: *\Z", "sftp://backup.example.com/vcenter/{server}")
    terminal.answer(r"^User at .*: *\Z", "backup")
    terminal.answer(r"^Password for backup .*: *\Z", "S3cret-Location")
    terminal.answer(r"^Backup password \(.*: *\Z", "VMw@re123")
    terminal.answer(r"^Backup password again: *\Z", "VMw@re123")
    terminal.answer(r"^Set up another .*: *\Z", "")
    for _ in range(3):
        terminal.answer(r"^Where to keep .*: *\Z", "")
    terminal.answer(r"^Make the first backup now.*: *\Z", "")


@pytest.mark.parametrize("kind", ["systemd", "cron"])
def test_nightly_run_that_setup_installs_makes_a_backup(
    programs: Programs, serve: Simulators, environ: dict[str, str], tmp_path: Path, kind: str
) -> None:
    served = serve(seconds="1s")
    with Terminal(tmp_path, Program.words("setup"), environ, columns=200, rows=60) as terminal:
        answer_everything(terminal, served.url, served.password)
        terminal.answer(r"^Run it every night.*: *\Z", kind)
        terminal.answer(r"^At what time.*: *\Z", "03:15")
        terminal.answer(r"^Install it now.*: *\Z", "")
        terminal.wait_for(rf"Every night +at 03:15 \({kind}\)")
        shown = terminal.screen
    if kind == "systemd":
        folder = programs.home / ".config" / "systemd" / "user"
        (line,) = [line for line in (folder / "backupctl.service").read_text().splitlines() if "ExecStart" in line]
        words = shlex.split(line.removeprefix("ExecStart="))
        assert "OnCalendar=*-*-* 03:15" in (folder / "backupctl.timer").read_text()
        assert "--user enable --now backupctl.timer\n" in (programs.home / "systemctl.log").read_text()
    else:
        schedule, line = (programs.home / "crontab").read_text().split(" * * * ")
        words = ["/bin/sh", "-c", line]
        assert schedule == "15 3"
    ran = programs.start(words, environ).wait()
    assert ran.code == 0
    assert kind == "systemd" or (ran.out, ran.err) == ("", "")
    assert not any(secret in shown for secret in (served.password, "S3cret-Location", "VMw@re123"))


def test_timer_that_cannot_be_enabled_is_shown_instead(
    programs: Programs, serve: Simulators, environ: dict[str, str], tmp_path: Path
) -> None:
    served = serve(seconds="1s")
    (programs.home / "enable").write_text("1")
    with Terminal(tmp_path, Program.words("setup"), environ, columns=200, rows=60) as terminal:
        answer_everything(terminal, served.url, served.password)
        for _ in range(3):
            terminal.press("Enter")
        terminal.wait_for(r"`systemctl --user enable --now backupctl.timer` failed: exit code 1")
        terminal.wait_for(r"^OnCalendar=\*-\*-\* 02:30")
        terminal.wait_for(r"Every night +not installed; install what is shown above by hand \(systemd\)")
