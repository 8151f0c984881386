"""A real OpenSSH server: its users, and what it may write to, exist in a mount namespace of its own only. Needs root.

It ends when its standard input does, so it also ends when the tests are killed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from tests.support.processes import require_program, skip_outside_ci, wait_until
from tests.support.socket_server import free_ports, is_open

USER = "vcenter"
"""May read and write everything, as the user id is that of root."""
PASSWORD = "Sftp-Secret-1"
_USERS = {USER: 0, "chrooted": 0, "key-only": 0, "two-factor": 0, "no-sftp": 0, "other": 64200}
KEY_TYPES = ("ed25519", "ecdsa", "rsa")

_NAMESPACE = """
for each in passwd shadow; do mount --bind "$1/$each" "/etc/$each"; done
mount --bind "$1/pam" /etc/pam.d/sshd
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=755 srv /srv
mkdir /run/sshd /srv/chroot /srv/full
mount --bind "$1/chroot" /srv/chroot
mount -t tmpfs -o mode=755,size=64k full /srv/full
mkdir /srv/full/archive
cat /dev/zero >/srv/full/archive/file 2>/dev/null || :
for each in "$1"/*.conf; do "$2" -D -e -f "$each" 2>"$each.log" & done
cat
"""
_COMMON = """ListenAddress 127.0.0.1
PidFile none
StrictModes no
PermitRootLogin yes
MaxStartups 1000
Subsystem sftp internal-sftp
"""
_KINDS = {
    "default": """UsePAM no
Match User chrooted
ChrootDirectory /srv/chroot
ForceCommand internal-sftp
Match User key-only
PasswordAuthentication no
KbdInteractiveAuthentication no
Match User two-factor
AuthenticationMethods password,publickey
Match User no-sftp
ForceCommand /bin/false
""",
    "interactive": """UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication yes
""",
    "old": """UsePAM no
HostKeyAlgorithms ssh-rsa
""",
}
_PAM = "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n"


class OpenSshServer:
    """A running server. ``ports`` has one for each configuration; ``chroot`` is the root of the user ``chrooted``.

    ``/srv/full/archive/file`` lies on a full file system. ``home`` is the login folder of the other users.
    """

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self._folder = folder
        self.ports = ports
        self.home = folder / "home"
        self.chroot = folder / "chroot"

    @property
    def port(self) -> int:
        return self.ports["default"]

    def public_key(self, key_type: str = "ed25519") -> str:
        """Return the type and the base64 text of a host key, as a line of ``known_hosts`` has them."""
        return " ".join((self._folder / f"{key_type}.pub").read_text().split()[:2])

    def fingerprint(self, key_type: str = "ed25519") -> str:
        """Return the fingerprint of a host key, as ``ssh-keygen`` prints it."""
        return fingerprint_of(self._folder / f"{key_type}.pub")

    def url(self, folder: Path | str, kind: str = "default") -> str:
        """Return the location of a folder of this machine."""
        return f"sftp://127.0.0.1:{self.ports[kind]}{folder}"

    def access(
        self, folder: Path | str = "", kind: str = "default", *, user: str = USER, password: str = PASSWORD
    ) -> TargetAccess:
        """Return the access to a folder of this machine, with the host key pinned."""
        location = Location.parse(self.url(folder, kind)).of_type(None)
        key = self.fingerprint("rsa" if kind == "old" else "ed25519")
        return TargetAccess(location, user, Secret(password), host_key=key)


def fingerprint_of(public_key: Path) -> str:
    """Return the SHA-256 fingerprint of a public key, according to ``ssh-keygen``."""
    printed = subprocess.run(["ssh-keygen", "-l", "-f", str(public_key)], capture_output=True, text=True, check=True)
    return printed.stdout.split()[1]


def make_key(file: Path, key_type: str = "ed25519") -> Path:
    """Generate a key, and return the file of the public one."""
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", key_type, "-f", str(file)], check=True)
    return file.with_name(f"{file.name}.pub")


@contextmanager
def openssh_server(folder: Path) -> Iterator[OpenSshServer]:
    """Run a server whose files are in ``folder``; a session of tests needs one."""
    program = shutil.which("sshd", path=f"{os.defpath}:/usr/sbin") or require_program("sshd")
    if os.geteuid() != 0:
        skip_outside_ci("only root can start an OpenSSH server with users of its own")
    ports = dict(zip(_KINDS, free_ports(len(_KINDS)), strict=True))
    _write_files(folder, ports)
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-euc", _NAMESPACE, "sshd"]
    with subprocess.Popen([*words, str(folder), program], stdin=subprocess.PIPE) as process:
        try:
            wait_until(lambda: all(map(is_open, ports.values())) or process.poll(), "sshd")
            assert process.poll() is None, "the namespace of sshd could not be made"
            yield OpenSshServer(folder, ports)
        finally:
            process.kill()


def _write_files(folder: Path, ports: dict[str, int]) -> None:
    (folder / "home").mkdir(parents=True)
    (folder / "chroot").mkdir(mode=0o755)
    keys = "".join(f"HostKey {make_key(folder / each, each).with_suffix('')}\n" for each in KEY_TYPES)
    hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True).stdout
    users = "".join(f"{name}:x:{number}:{number}::{folder}/home:/bin/sh\n" for name, number in _USERS.items())
    shadow = "".join(f"{name}:{hashed.strip()}:19000:0:99999:7:::\n" for name in _USERS)
    files = {"passwd": f"root:x:0:0::/root:/bin/sh\nsshd:x:64201:64201::/run/sshd:/bin/false\n{users}"}
    files |= {"shadow": f"root:*:19000:0:99999:7:::\n{shadow}", "pam": _PAM}
    files |= {f"{kind}.conf": f"Port {ports[kind]}\n{keys}{_COMMON}{text}" for kind, text in _KINDS.items()}
    for name, text in files.items():
        lines = re.sub("HostKey .*(ed25519|ecdsa)\n", "", text) if name == "old.conf" else text
        (folder / name).write_text(lines)
