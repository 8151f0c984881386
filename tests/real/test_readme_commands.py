"""The README's commands, run as a user does: the first one on a terminal, the crontab by a shell as cron does."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.command_line import write_private
from tests.support.documents import README, blocks
from tests.support.processes import Programs, Simulators
from tests.support.terminal import Terminal

pytestmark = pytest.mark.real

TEXT = README.read_text(encoding="utf-8")


def test_first_command_of_the_readme_asks_nothing_on_a_terminal(programs: Programs, tmp_path: Path) -> None:
    (block,) = [block for block in blocks(TEXT, "sh") if ".venv-try" in block]
    words = block.strip().rpartition("bin/backupctl ")[2]
    line = f"{shlex.quote(sys.executable)} -m backupctl {words}; echo code $?"
    with Terminal(tmp_path, ["/bin/sh", "-c", line], programs.environ({})) as terminal:
        terminal.wait_for("^code 0$", 30)
        assert not terminal.find(r"\?|:\s*$")


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
    (text,) = blocks(TEXT, "crontab")
    line = re.sub(r"^(\S+ ){5}", "", text.splitlines()[-1])
    environ = programs.environ({"BACKUPCTL_CONFIG": str(config)})
    return line, {**environ, "PATH": f"{program.parent}:{environ['PATH']}"}


def test_crontab_of_the_readme_sends_no_mail_when_all_backups_succeed(programs: Programs, serve: Simulators) -> None:
    line, environ = crontab(programs, serve)
    run = programs.start(["/bin/sh", "-c", line], environ).wait()
    assert (run.code, run.out, run.err) == (0, "", "")


def test_crontab_of_the_readme_mails_each_failure(programs: Programs, serve: Simulators) -> None:
    line, environ = crontab(programs, serve, "--fault", "fail-at=40")
    run = programs.start(["/bin/sh", "-c", line], environ).wait()
    assert (run.code, run.out) == (7, "")
    for server in ("vc01", "vc02"):
        assert re.search(rf"(?m)^.*\b{server}\b.* \d{{8}}-\d{{6}}-\d+\b", run.err), run.err
