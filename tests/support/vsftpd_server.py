"""A real vsftpd: its user, and what it may write to, exist in a mount namespace of its own only. Needs root.

It ends when its standard input does, so it also ends when the tests are killed.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from backupctl.tls.trust_settings import TrustSettings
from tests.support.processes import require_program, skip_outside_ci, wait_until
from tests.support.socket_server import free_ports, is_open
from tests.support.tls_server import write_certificates

USER, PASSWORD = "vcenter", "Ftp-Sécret 1"
_USER_ID = 64210
_PASSIVE_PORTS = 20

_NAMESPACE = """
for each in passwd shadow group; do mount --bind "$1/$each" "/etc/$each"; done
mount --bind "$1/pam.d" /etc/pam.d
mount -t tmpfs -o mode=755 srv /srv
mkdir /srv/home /srv/empty
mount --bind "$1/home" /srv/home
mount -t tmpfs -o mode=755,size=64k full /srv/home/full
mkdir /srv/home/full/archive
cat /dev/zero >/srv/home/full/archive/file 2>/dev/null || :
chown -R vcenter /srv/home/full
for each in "$1"/*.conf; do "$2" "$each" & done
cat
"""
_COMMON = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
local_enable=YES
anonymous_enable=NO
write_enable=YES
pam_service_name=vsftpd
secure_chroot_dir=/srv/empty
allow_writeable_chroot=YES
seccomp_sandbox=NO
delay_failed_login=0
pasv_min_port={passive}
pasv_max_port={last_passive}
"""
_TLS = """
ssl_enable=YES
force_local_logins_ssl=YES
force_local_data_ssl=YES
require_ssl_reuse=YES
ssl_ciphers=HIGH
rsa_cert_file={folder}/{kind}.pem
"""
_KINDS = {"ftp": "chroot_local_user=YES\n", **dict.fromkeys(("ftps", "expired", "unknown", "other-name"), _TLS)}
_PAM = "auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n"


class VsftpdServer:
    """A running server. ``ports`` has one for each configuration; only ``ftp`` has no TLS, and ``/`` for ``home``.

    ``passive`` are the ports of data connections. ``full/archive/file`` lies on a full file system.
    """

    def __init__(self, folder: Path, ports: dict[str, int], passive: range, certificates: dict[str, bytes]) -> None:
        self.ports = ports
        self.passive = passive
        self.home = folder / "home"
        self.ca_file = folder / "ca.pem"
        self.certificates = certificates

    @contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        """Yield a folder to make and to ``give``, and remove it at the end."""
        yield self.home / name
        shutil.rmtree(self.home / name)

    def give(self, path: Path) -> None:
        """Let the user change a folder and everything in it."""
        for each in (path, *path.rglob("*")):
            os.chown(each, _USER_ID, _USER_ID, follow_symlinks=False)

    def access(
        self,
        kind: str = "ftps",
        *,
        path: str = "",
        scheme: str | None = None,
        port: int | None = None,
        password: str = PASSWORD,
        tls: TrustSettings | None = None,
    ) -> TargetAccess:
        """Return the access to a path, with the CA of the server trusted; ``port`` is that of a relay."""
        scheme = scheme or ("ftp" if kind == "ftp" else "ftps")
        location = Location.parse(f"{scheme}://127.0.0.1:{port or self.ports[kind]}{path}").of_type(None)
        return TargetAccess(location, USER, Secret(password), tls=tls or TrustSettings(ca_file=self.ca_file))


@contextmanager
def vsftpd_server(folder: Path) -> Iterator[VsftpdServer]:
    """Run a server whose files are in ``folder``; a session of tests needs one."""
    program = shutil.which("vsftpd", path=f"{os.defpath}:/usr/sbin") or require_program("vsftpd")
    if os.geteuid() != 0:
        skip_outside_ci("only root can start a vsftpd with a user of its own")
    ports = dict(zip(_KINDS, free_ports(len(_KINDS)), strict=True))
    passive = _free_range()
    certificates = _write_files(folder, ports, passive)
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-euc", _NAMESPACE, "vsftpd"]
    with subprocess.Popen([*words, str(folder), program], stdin=subprocess.PIPE) as process:
        try:
            wait_until(lambda: all(map(is_open, ports.values())) or process.poll(), "vsftpd")
            assert process.poll() is None, "the namespace of vsftpd could not be made"
            yield VsftpdServer(folder, ports, passive, certificates)
        finally:
            process.kill()


def _write_files(folder: Path, ports: dict[str, int], passive: range) -> dict[str, bytes]:
    (folder / "home" / "full").mkdir(parents=True)
    (folder / "pam.d").mkdir()
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD.encode(), capture_output=True, check=True
    )
    nobody = "nobody:x:65534:65534::/nonexistent:/bin/false\n"
    files = {
        "passwd": f"root:x:0:0::/root:/bin/sh\n{nobody}{USER}:x:{_USER_ID}:{_USER_ID}::/srv/home:/bin/sh\n",
        "shadow": f"root:*:19000:0:99999:7:::\n{USER}:{hashed.stdout.decode().strip()}:19000:0:99999:7:::\n",
        "group": f"root:x:0:\nnogroup:x:65534:\n{USER}:x:{_USER_ID}:\n",
        "pam.d/vsftpd": _PAM,
        **{
            f"{kind}.conf": _COMMON.format(port=ports[kind], passive=passive.start, last_passive=passive[-1])
            + text.format(folder=folder, kind=kind)
            for kind, text in _KINDS.items()
        },
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return write_certificates(folder, "ftps")


def _free_range() -> range:
    """Return ports below those that the kernel gives to clients; the servers of other tests take other ones."""
    start = random.randrange(20_000, 32_000, _PASSIVE_PORTS)
    return range(start, start + _PASSIVE_PORTS)
