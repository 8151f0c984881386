"""A small machine with a systemd of its own: Linux namespaces over a throw-away copy of this machine's files.

Its init is the systemd that is installed here, booted to journald and nothing else. Its files are an overlay of ``/``,
so nothing that it writes reaches this machine; its network is a loopback device. Needs root.

The machine ends when the standard input of its outer shell does, so it also ends when the tests are killed.
"""

import json
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.command_line import Run
from tests.support.processes import ROOT, Process, Programs, require_program, skip_outside_ci, wait_until

PROGRAM = "/usr/local/bin/backupctl"
"""The installed program."""
SCRIPT = """#!/usr/bin/env -S LD_LIBRARY_PATH={library} {python}
import sys
sys.path[:0] = ["/opt/backupctl/source", "/opt/backupctl/packages"]
from backupctl.__main__ import main
sys.exit(main())
"""
SECRETS = {"vcenter": "VMware1!", "location": "Location-Secret-1", "backup": "Backup-Secret-1"}
"""The passwords in ``/etc/backupctl``."""
CONFIG = """[defaults]
username = "administrator@vsphere.local"
password-file = "vcenter.password"
location = "sftp://backup.example.com/vcenter"
location-user = "backup"
location-password-file = "location.password"
backup-password-file = "backup.password"
require-encryption = true
interval = "0.2s"
[servers.vc01]
host = "127.0.0.1:8443"
fingerprint = "%s"
[groups]
production = ["vc01"]
"""
SIMULATOR = f"""[Service]
ExecStart={PROGRAM} simulator serve --listen 127.0.0.1:8443 --ready-file /run/simulator.json %s
"""
SENDMAIL = "#!/bin/sh\ncat >/var/mails/$$.new && mv /var/mails/$$.new /var/mails/$$\n"

OUTER = """
mount -t tmpfs -o mode=755 machine "$1"
cd "$1"
mkdir upper work root cgroup
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
mount -t cgroup2 cgroup2 cgroup
group=cgroup/backupctl-tests-$$
mkdir "$group"
sh -euc 'echo $$ >"$1/cgroup.procs"; shift; exec setpriv --pdeathsig KILL "$@"' enter "$group" \
    unshare --fork --kill-child=KILL --pid --mount --cgroup --uts --ipc --net \
    sh -euc "$2" inner "$3" "$4" "$5" </dev/null &
cat >/dev/null
kill -KILL $!
for _ in $(seq 100); do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.05
done
"""

INNER = """
cd root
mkdir -p old opt/backupctl/python opt/backupctl/packages opt/backupctl/source
mount --bind "$1" opt/backupctl/python
mount --bind "$2" opt/backupctl/packages
mount --bind "$3" opt/backupctl/source
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
for each in null zero full random urandom tty; do
    : >"dev/$each"
    mount --bind "/dev/$each" "dev/$each"
done
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
for each in etc/systemd/system lib/systemd/system-generators lib/systemd/system/*.wants; do
    mount -t tmpfs -o mode=755 empty "$each"
done
echo 0123456789abcdef0123456789abcdef >etc/machine-id
echo machine >etc/hostname
printf '[Unit]\\nWants=systemd-journald.service\\n' >etc/systemd/system/machine.target
read -r pid rest </proc/self/stat
echo "machine $pid"
pivot_root . old
umount -l /old
mount --make-rshared /
exec env -i container=tests PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=machine.target --show-status=no --log-target=journal
"""


class SystemdMachine:
    """A running machine; its files are named as they are inside."""

    def __init__(self, programs: Programs, shell: Process, pid: str) -> None:
        self._programs = programs
        self.shell = shell
        self.pid = pid

    def path(self, path: str) -> Path:
        """Return the path of a file as the tests see it."""
        return Path(f"/proc/{self.pid}/root{path}")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def inside(self, *argv: str) -> list[str]:
        """Return the command that runs another one in the machine, as root."""
        environ = ["HOME=/root", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TERM=dumb"]
        return ["nsenter", "--target", self.pid, "--all", "--", "env", "-i", *environ, *argv]

    def run(self, *argv: str) -> Run:
        """Run a command as root, to its end."""
        return self._programs.start(self.inside(*argv), {"PATH": "/usr/bin:/bin"}).wait()

    def serve(self, *options: str) -> None:
        """Serve an appliance, and configure it as the only one of the group ``production``."""
        self.write("/etc/systemd/system/simulator.service", SIMULATOR % " ".join(options))
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "start", "simulator")
        ready = self.path("/run/simulator.json")
        served = json.loads(wait_until(lambda: ready.read_text() if ready.exists() else None, "the simulator"))
        self.write("/etc/backupctl/config.toml", CONFIG % served["appliances"][0]["fingerprint"])
        for name, secret in SECRETS.items():
            self.write(f"/etc/backupctl/{name}.password", f"{secret}\n", 0o600)

    def job(self) -> dict[str, Any]:
        """Return the only job of the served appliance."""
        (found,) = self.run("backupctl", "list", "-g", "production", "-o", "json").result["jobs"]
        return dict(found)

    def mails(self) -> list[str]:
        """Return the mails that were sent."""
        return [mail.read_text() for mail in self.path("/var/mails").glob("*[0-9]")]

    def wait_for_mail(self) -> str:
        """Wait for the only mail."""
        (mail,) = wait_until(self.mails, "a mail")
        return mail

    def properties(self, unit: str, *names: str) -> list[str]:
        """Return properties of a unit, as systemctl shows them."""
        shown = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).out
        found = dict(line.split("=", 1) for line in shown.splitlines())
        return [found[name] for name in names]

    def journal(self, unit: str) -> list[dict[str, Any]]:
        """Return the entries of a unit in the journal, oldest first."""
        lines = self.run("journalctl", "--unit", unit, "--output=json").out.splitlines()
        return [json.loads(line) for line in lines]

    def wait_for_journal(self, unit: str, pattern: Callable[[str], Any]) -> Any:
        """Wait for a message of a unit for which ``pattern`` returns something, and return that."""
        return wait_until(
            lambda: next((found for entry in self.journal(unit) if (found := pattern(entry["MESSAGE"]))), None),
            f"a message of {unit}",
        )


@contextmanager
def systemd_machine(programs: Programs) -> Iterator[SystemdMachine]:
    """Boot a machine with the program and a sendmail that keeps mails; nothing of it is left at the end."""
    if os.geteuid() != 0:
        skip_outside_ci("a machine of its own for systemd needs root")
    for name in ("systemctl", "unshare", "nsenter", "setpriv"):
        require_program(name)
    place = programs.home / "machine"
    place.mkdir()
    mounted = [sys.base_prefix, sysconfig.get_paths()["purelib"], str(ROOT)]
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", OUTER, "outer", str(place), INNER, *mounted]
    reading, writing = os.pipe()
    try:
        shell = programs.start(argv, programs.environ({}), stdin=reading)
        os.close(reading)
        machine = SystemdMachine(programs, shell, shell.wait_for_stdout(r"^machine (\d+)$")[1])
        wait_until(lambda: machine.run("systemctl", "is-active", "--quiet", "machine.target").code == 0, "systemd")
        python = f"/opt/backupctl/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
        machine.write(PROGRAM, SCRIPT.format(library=f"/opt/backupctl/python/{sys.platlibdir}", python=python), 0o755)
        machine.write("/usr/sbin/sendmail", SENDMAIL, 0o755)
        machine.path("/var/mails").mkdir()
        yield machine
    finally:
        os.close(writing)
    shell.wait()
