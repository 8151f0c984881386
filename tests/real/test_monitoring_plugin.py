"""``check`` as a process, and executed by a real Icinga with the configuration that the manual shows."""

import re
import shlex
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.support.command_line import write_private
from tests.support.documents import section, text_of
from tests.support.processes import (
    CLOCK,
    ROOT,
    Process,
    Program,
    Programs,
    Simulators,
    require_program,
    run_in_parallel,
    wait_until,
)
from tests.support.socket_server import serve_connections

pytestmark = pytest.mark.real

HANGS = ["slow=30s@version"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("words", [[], ["-o", "json"]], ids=str)
def test_signal_is_unknown(program: Program, serve: Simulators, number: signal.Signals, words: list[str]) -> None:
    served = serve("--no-tls", faults=HANGS)
    checking = program.start("check", "-v", *words, environ=served.environ)
    checking.wait_for_stderr("POST /api/session")
    checking.signal(number)
    began = CLOCK.monotonic()
    run = checking.wait()
    assert CLOCK.monotonic() - began < 6
    assert run.code == 3
    if words:
        assert (run.json["exit_code"], run.json["error"]["slug"]) == (3, "interrupted")
    else:
        assert re.fullmatch(rf"BACKUP UNKNOWN - \S+: interrupted \({number.name}\).*\n", run.out)


def test_signal_at_any_moment_leaves_the_codes_of_a_plugin(program: Program, serve: Simulators) -> None:
    """Before Python has begun to run the program, a signal ends the process itself."""
    served = serve("--no-tls", "--history", faults=["slow=0.2s"])

    def interrupt(seconds: float) -> tuple[int, str]:
        checking = program.start("check", environ=served.environ)
        CLOCK.sleep(seconds)
        checking.signal(signal.SIGTERM)
        run = checking.wait_unchecked()
        return run.code, run.out.partition(" -")[0]

    ended = run_in_parallel(interrupt, [0.04 * step for step in range(1, 30)])
    assert set(ended) <= {(-signal.SIGTERM, ""), (3, "BACKUP UNKNOWN"), (0, "BACKUP OK")}
    assert (3, "BACKUP UNKNOWN") in ended


def test_program_that_cannot_load_is_unknown(program: Program, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text('raise ImportError("no such library")')
    run = program.run("check", environ={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert (run.code, run.out, run.err) == (3, "BACKUP UNKNOWN - unexpected: ImportError: no such library\n", "")


def test_dead_host_is_unknown_in_time(program: Program) -> None:
    def stay_silent(_connection: socket.socket, over: threading.Event) -> None:
        over.wait()

    with serve_connections(stay_silent) as (silent, _):
        environ = {"BACKUPCTL_USERNAME": "a@b", "BACKUPCTL_PASSWORD": "x"}
        servers = ["-s", f"http://{silent}", "-s", "http://127.0.0.1:1"]
        began = CLOCK.monotonic()
        run = program.run("check", *servers, "--timeout", "3s", environ=environ)
        assert CLOCK.monotonic() - began < 4.5
    assert (run.code, run.out.startswith("BACKUP UNKNOWN - 2 UNKNOWN")) == (3, True)


def test_full_disk_is_unknown(program: Program, serve: Simulators) -> None:
    served = serve("--no-tls", "--history")
    with Path("/dev/full").open("wb") as full:
        for words in (["check"], ["check", "--help"], ["check", "-o", "json"]):
            assert program.start(*words, environ=served.environ, stdout=full).wait().code == 3


SETTINGS = """
object CheckerComponent "checker" {{ }}
object PerfdataWriter "perfdata" {{
  service_perfdata_path = "{folder}/service"
  service_temp_path = "{folder}/service.tmp"
  host_perfdata_path = "{folder}/host"
  host_temp_path = "{folder}/host.tmp"
  service_format_template = "$host.name$|$service.state_id$|$service.output$|$service.perfdata$"
  rotation_interval = 1s
}}
object CheckCommand "none" {{ command = [ "/bin/true" ] }}
template Host "vcenter" {{ check_command = "none"; enable_active_checks = false; vars.vcenter = true }}
object Host "vc01" {{ import "vcenter" }}
object Host "vc02" {{ import "vcenter" }}
{documented}
"""


def start_icinga(programs: Programs, folder: Path, password: Path) -> Process:
    """Start Icinga with the configuration of the manual, which checks each host every second."""
    icinga = require_program("icinga2")
    plugin = folder / "backupctl"
    environ = shlex.join([f"PYTHONPATH={ROOT}", f"BACKUPCTL_CONFIG={folder}/config.toml"])
    plugin.write_text(f'#!/bin/sh\nexec env {environ} {sys.executable} -m backupctl "$@"\n')
    plugin.chmod(0o755)
    (documented,) = re.findall(
        r"```text\n(object CheckCommand.*?)```", section(text_of("monitoring"), "Icinga 2"), re.DOTALL
    )
    for shown, used in {
        "/usr/local/bin/backupctl": str(plugin),
        "/etc/backupctl/nagios.password": str(password),
        "check_interval = 15m": "check_interval = 1s",
    }.items():
        assert shown in documented
        documented = documented.replace(shown, used)
    configuration = folder / "icinga2.conf"
    configuration.write_text(SETTINGS.format(folder=folder, documented=documented))
    folders = [f"-D{name}={folder}/{name}" for name in ("DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir")]
    for name in folders:
        Path(name.partition("=")[2]).mkdir()
    user = [f"-DRunAs{each}=root" for each in ("User", "Group")]
    # Icinga has several processes and may hang while it ends: in a namespace of their own, all die with the first.
    words = ["unshare", "--pid", "--fork", "--kill-child", icinga, "daemon", "-c", str(configuration), *user, *folders]
    return programs.start(words, programs.environ({}))


def test_icinga_executes_the_check_and_reads_its_performance_data(
    programs: Programs, serve: Simulators, tmp_path: Path
) -> None:
    served = serve("--no-tls", "--history")
    folder = tmp_path / "icinga"
    folder.mkdir()
    password = write_private(folder / "password", served.password)
    write_private(
        folder / "config.toml",
        f'[defaults]\nusername = "{served.username}"\n'
        f'[servers.vc01]\nhost = "{served.url}"\n[servers.vc02]\nhost = "http://127.0.0.1:1"\n',
    )
    icinga = start_icinga(programs, folder, password)

    def checked() -> dict[str, list[str]] | None:
        text = "\n".join(path.read_text() for path in folder.glob("service.[0-9]*"))
        found = {host: fields for host, *fields in re.findall(r"(vc\d\d)\|(\d)\|([^|]*)\|(.*)", text)}
        return found if len(found) == 2 else None

    found = wait_until(checked, "a check of each host", seconds=50)
    icinga.kill()
    state, output, data = found["vc01"]
    assert (state, output.startswith("BACKUP OK - vc01: last success 2 h ago")) == ("0", True)
    assert re.fullmatch(r"age=\d+s;93600;180000;0 size=\d+B;;;0 duration=\d+s;;;0 running=0s;;;0", data)
    state, output, data = found["vc02"]
    assert (state, output.partition("\n")[0], data) == (
        "3",
        "BACKUP UNKNOWN - vc02: connection failed: Connection refused",
        "",
    )
