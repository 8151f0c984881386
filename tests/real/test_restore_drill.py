"""The day on which the vCenter is dead, as `help restore` says: from the last backup to the restored appliance.

A real OpenSSH server has the backups, and each appliance is a process of its own. Every command line is from the page,
or was printed by the step before.
"""

import shlex

import pytest

from tests.support.command_line import Run, write_private
from tests.support.documents import blocks, command_lines, section, text_of
from tests.support.openssh_server import PASSWORD, USER, OpenSshServer
from tests.support.processes import Program, Programs, ServedAppliance, Simulators

pytestmark = pytest.mark.real

SYSTEM = "vcsa.simulator.test"
"""The name of a simulated appliance, which is at another address."""


class Operator:
    """An admin with a configuration file, who reads the page."""

    def __init__(self, program: Program, programs: Programs, openssh: OpenSshServer, served: ServedAppliance) -> None:
        self.program, self.home = program, programs.home
        self.store = self.home / "store"
        self.place = f"drill-{self.home.parent.name}"
        (self.store / "127.0.0.1" / self.place).mkdir(parents=True)
        (openssh.home / self.place).symlink_to(self.store / "127.0.0.1" / self.place)
        for name, text in (("vcenter", served.password), ("location", PASSWORD), ("backup", "VMw@re123")):
            write_private(self.home / f"{name}.password", text)
        write_private(
            self.home / "config.toml",
            f'[defaults]\nusername = "{served.username}"\npassword-file = "vcenter.password"\n'
            f'location = "{openssh.url(f"/{self.place}/vcenter")}"\nlocation-user = "{USER}"\n'
            f'location-password-file = "location.password"\nlocation-fingerprint = "{openssh.fingerprint()}"\n'
            f'backup-password-file = "backup.password"\ninterval = "0.2s"\n'
            f'[servers.vc01]\nhost = "{served.url}"\nsystem = "{SYSTEM}"\nfingerprint = "{served.fingerprint}"\n',
        )
        self.environ = {"BACKUPCTL_CONFIG": str(self.home / "config.toml"), "BACKUPCTL_BACKUP_PASSWORD": "VMw@re123"}

    def run(self, line: str, *more: str) -> Run:
        """Run a command line without the name of the program."""
        return self.program.run(*shlex.split(line), *more, environ=self.environ, seconds=60)


def test_backup_is_found_without_its_appliance_and_restored_to_a_fresh_one(
    program: Program, programs: Programs, openssh: OpenSshServer, serve: Simulators
) -> None:
    listed, pinned, validated, created, watched = command_lines(f"```sh\n{blocks(text_of('restore'), 'sh')[0]}```")
    store = programs.home / "store"
    dead = serve("--store", str(store))
    operator = Operator(program, programs, openssh, dead)
    for line in list(command_lines(section(text_of("archives"), "Prove them")))[:2]:  # create and archive verify
        run = operator.run(line, "-o", "json")
        assert (run.code, run.result["verification"]["damages"]) == (0, []), line
    serve.close()

    run = operator.run("archive list -s vc01")
    assert (run.code, "--direct" in run.err) == (5, True)
    run = operator.run(listed)
    assert (run.code, run.err) == (0, "")
    (restore,) = (line.strip().removeprefix("backupctl ") for line in run.out.splitlines() if " restore " in line)
    assert shlex.split(restore)[:-2] == shlex.split(validated.replace("backup --location", f"{USER} --location"))[:-2]

    root = write_private(programs.home / "root.password", "Fr3sh-root!")
    fresh = serve(
        *("--fresh", "--store", str(store), "--listen", f"127.0.0.1:{dead.port}", "--accept-password-file", str(root)),
    )
    assert operator.run(restore).code == 2  # the configured password is that of another user
    operator.environ["BACKUPCTL_PASSWORD_FILE"] = str(root)
    assert operator.run(restore).code == 5  # not the pinned certificate
    assert operator.run(pinned.replace("vc01.example.com:5480", "vc01"), "--yes").code == 0
    run = operator.run(restore)
    assert (run.code, SYSTEM in run.out) == (0, True)

    sso = ("--sso-username", fresh.username, "--sso-password-file", str(root), "--yes")
    assert shlex.split(created) == ["restore", "create", *shlex.split(validated)[2:]]
    assert operator.run(restore.replace("validate", "create", 1), *sso).code == 0
    assert operator.run(watched).code == 0
