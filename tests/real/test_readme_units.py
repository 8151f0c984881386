"""The README's units and crontab, checked by systemd and run by a shell as cron does.

systemd itself is never started here: it would begin with cleaning the machine's /tmp.
"""

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.command_line import write_private
from tests.support.processes import Programs, Simulators, require_program
from tests.test_readme import README, blocks

pytestmark = pytest.mark.real

EXPOSURE = 20
"""The highest exposure of a unit by ``systemd-analyze security``, in tenths; up to 2.0 is "OK"."""


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """Return the README's units for one group, with an existing program."""
    found = re.findall(r"`/etc/systemd/system/(vcenter-backup@\.\w+)`:\n\n```ini\n(.*?)```", README, re.DOTALL)
    for name, text in found:
        (tmp_path / name).write_text(text.replace("/usr/local/bin/backupctl", sys.executable))
    names = [str(tmp_path / name.replace("@", "@production")) for name, _ in found]
    assert [Path(name).suffix for name in names] == [".service", ".timer"]
    return names


def test_units_of_the_readme_pass_systemd_analyze_verify(programs: Programs, units: list[str]) -> None:
    verified = programs.start([require_program("systemd-analyze"), "verify", *units], programs.environ({})).wait()
    assert (verified.code, verified.out + verified.err) == (0, "")


def test_mistake_in_a_unit_is_reported(programs: Programs, units: list[str]) -> None:
    path = Path(units[0].replace("production", ""))
    path.write_text(path.read_text().replace("DynamicUser=", "DynamicUsr="))
    verified = programs.start([require_program("systemd-analyze"), "verify", *units], programs.environ({})).wait()
    assert "Unknown key" in verified.err


def test_unit_of_the_readme_is_hardened(programs: Programs, units: list[str]) -> None:
    template = units[0].replace("production", "")
    words = ["security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", template]
    judged = programs.start([require_program("systemd-analyze"), *words], programs.environ({})).wait()
    assert judged.code == 0, judged.out[-200:]


def crontab(programs: Programs, serve: Simulators, *words: str) -> tuple[str, dict[str, str]]:
    """Return the crontab line as cron passes it to ``/bin/sh``, for two served appliances, and its variables."""
    served = serve.many(2, *words)
    program = programs.home / "bin" / "backupctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m backupctl "$@"\n')
    program.chmod(0o755)
    write_private(programs.home / "vcenter.password", served[0].password)
    servers = "".join(
        f'[servers.vc{number:02}]\nhost = "{each.url}"\nca-file = "{each.ca_file}"\n'
        for number, each in enumerate(served, 1)
    )
    config = write_private(
        programs.home / "config.toml",
        f'[defaults]\nusername = "{served[0].username}"\npassword-file = "vcenter.password"\n'
        f'location = "sftp://backup.example.com/{{server}}"\ninterval = "0.2s"\n'
        f'{servers}[groups]\nproduction = ["vc01", "vc02"]\n',
    )
    (text,) = blocks("crontab")
    line = re.sub(r"^(\S+ ){5}", "", text.splitlines()[-1])
    environ = programs.environ({"BACKUPCTL_CONFIG": str(config)})
    return line, {**environ, "PATH": f"{program.parent}:{environ['PATH']}"}


def test_crontab_of_the_readme_sends_no_mail_when_all_backups_succeed(programs: Programs, serve: Simulators) -> None:
    line, environ = crontab(programs, serve)
    run = programs.start(["/bin/sh", "-c", line], environ).wait()
    assert (run.code, run.out, run.err) == (0, "", "")


def test_crontab_of_the_readme_mails_failures_reasons_and_the_command_to_check(
    programs: Programs, serve: Simulators
) -> None:
    line, environ = crontab(programs, serve, "--fault", "fail-at=40")
    run = programs.start(["/bin/sh", "-c", line], environ).wait()
    assert run.out == "exit code 7; to look: backupctl status latest -g production\n"
    jobs = re.findall(r"error: (vc\d\d): \S+ says that backup job (\S+) ended as FAILED\n", run.err)
    assert [server for server, _ in jobs] == ["vc01", "vc02"]
    look = programs.start(["/bin/sh", "-c", run.out.partition("to look: ")[2]], environ).wait()
    assert look.code == 7
    assert all(re.search(rf"{server}\s.*{job}", look.out) for server, job in jobs)
