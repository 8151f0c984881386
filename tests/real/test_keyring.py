"""A secret in a real keyring: gnome-keyring as the Secret Service of a D-Bus session, unlocked and locked."""

import shlex

import pytest

from tests.support.command_line import Run, write_private
from tests.support.processes import Program, Programs, Simulators, require_program

pytestmark = pytest.mark.real


class Sessions:
    """Runs the program in D-Bus sessions, each new, with the keyring of one home directory."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._bus = require_program("dbus-run-session")
        self._daemon = require_program("gnome-keyring-daemon")
        self._runtime = programs.home / "run"
        self._runtime.mkdir(mode=0o700)

    def run(self, *words: str, unlocked: bool = True, piped: str = "") -> Run:
        """Run a command line in a session in which the keyring was unlocked, as at a login, or was not."""
        unlock = f"printf lock-password | {self._daemon} --unlock --components=secrets >/dev/null 2>&1; "
        line = f"{unlock if unlocked else ''}printf %s {shlex.quote(piped)} | {shlex.join(Program.words(*words))}"
        environ = self._programs.environ({"XDG_RUNTIME_DIR": str(self._runtime)})
        return self._programs.start([self._bus, "--", "bash", "-c", line], environ).wait()


def test_secret_from_a_real_keyring_logs_in_and_a_locked_keyring_does_not_hang(
    programs: Programs, serve: Simulators
) -> None:
    sessions, served = Sessions(programs), serve()
    path = programs.home / ".config" / "backupctl" / "config.toml"
    path.parent.mkdir(parents=True)
    write_private(
        path,
        f'[defaults]\nusername = "{served.username}"  # the one\n\n'
        f'[servers.vc01]\nhost = "{served.url}"\nca-file = "{served.ca_file}"\n',
    )
    stored = sessions.run("config", "set-secret", "password", "--password-file", "-", piped=served.password)
    assert stored.code == 0, stored.err
    assert 'password-keyring = "password"\n' in path.read_text()
    assert "# the one" in path.read_text()
    assert served.password not in stored.out + stored.err + path.read_text()
    assert sessions.run("list", "-s", "vc01").code == 0
    locked = sessions.run("list", "-s", "vc01", unlocked=False)
    assert locked.code == 3
    assert "defaults.password-keyring: the keyring is locked" in locked.err
