"""Apache httpd with mod_dav as a process of the tests: over TLS, with its own configuration and nothing in /etc.

A request to a folder needs a login; ``https`` has the right certificate, the other ports one that is not trusted.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from backupctl.tls.trust_settings import TrustSettings
from tests.support.processes import require_program, wait_until
from tests.support.socket_server import free_ports, is_open
from tests.support.tls_server import write_certificates

USER, PASSWORD = "backup", "Pa55 wörd!"
_ACCOUNT = "www-data"
_MODULES = (
    *("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "dav"),
    *("dav_fs", "dir", "alias", "mime", "ssl"),
)
_CONFIGURATION = """
ServerRoot {folder}
ServerName 127.0.0.1
PidFile {folder}/pid
ErrorLog {folder}/error.log
TransferLog {folder}/access.log
DavLockDB {folder}/locks/db
StartServers 1
MaxKeepAliveRequests 0
TypesConfig /dev/null
DocumentRoot {folder}/page
<Directory />
  Require all granted
</Directory>
Alias /dav {folder}/dav
Alias /digest {folder}/dav
Redirect 302 /moved https://127.0.0.1:1/dav
<Location /dav>
  Dav on
  AuthType Basic
  AuthName backups
  AuthBasicProvider file
  AuthUserFile {folder}/users
  Require valid-user
</Location>
<Location /dav/forbidden>
  Require all denied
</Location>
<Location /digest>
  AuthType Digest
  AuthName backups
  AuthDigestProvider file
  AuthUserFile {folder}/users
  Require valid-user
</Location>
"""
_HOST = """
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
  SSLEngine {engine}
  SSLCertificateFile {folder}/{name}.pem
</VirtualHost>
"""


class ApacheServer:
    """A running server; ``root`` is what it serves as ``/dav``."""

    def __init__(self, folder: Path, ports: dict[str, int], certificates: dict[str, bytes]) -> None:
        self.root = folder / "dav"
        self.ca_file = folder / "ca.pem"
        self.ports = ports
        self.certificates = certificates

    @contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        """Yield a folder to make and to ``give``, and remove it at the end."""
        yield self.root / name
        shutil.rmtree(self.root / name)

    @property
    def log(self) -> Path:
        """The log of all requests."""
        return self.root.parent / "access.log"

    @staticmethod
    def location(url: str) -> Location:
        return Location.parse(url).of_type(None)

    def give(self, path: Path) -> None:
        """Let the server change a folder and everything in it."""
        if os.geteuid() == 0:
            account = pwd.getpwnam(_ACCOUNT)
            for each in (path, *path.rglob("*")):
                os.chown(each, account.pw_uid, account.pw_gid, follow_symlinks=False)

    def access(
        self,
        path: str = "/dav",
        kind: str = "https",
        *,
        port: int | None = None,
        password: str = PASSWORD,
        tls: TrustSettings | None = None,
    ) -> TargetAccess:
        """Return the access to a path, with the CA of the server trusted; ``port`` is that of a relay."""
        scheme = "http" if kind == "http" else "https"
        location = self.location(f"{scheme}://127.0.0.1:{port or self.ports[kind]}{path}")
        return TargetAccess(location, USER, Secret(password), tls=tls or TrustSettings(ca_file=self.ca_file))


@contextmanager
def apache_server() -> Iterator[ApacheServer]:
    """Run a server on ports of loopback; a session of tests needs one."""
    program = shutil.which("apache2", path=f"{os.defpath}:/usr/sbin") or require_program("apache2")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="apache-")))
        folder.chmod(0o755)  # the folders of pytest are closed to the account of the server
        for name in ("dav", "page", "locks"):
            (folder / name).mkdir()
        (folder / "page" / "index.html").write_text("<html>welcome</html>")
        certificates = write_certificates(folder, "https")
        ports = dict(zip(("http", *certificates), free_ports(1 + len(certificates)), strict=True))
        _configure(folder, ports)
        server = ApacheServer(folder, ports, certificates)
        server.give(folder)
        process = subprocess.Popen(
            [program, "-DFOREGROUND", "-f", str(folder / "httpd.conf")],
            stderr=stack.enter_context((folder / "stderr").open("wb")),
            user=_ACCOUNT if os.geteuid() == 0 else None,
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        wait_until(lambda: all(map(is_open, ports.values())) or process.poll(), "apache2")
        assert process.poll() is None, (folder / "stderr").read_text() + (folder / "error.log").read_text()
        yield server


def _configure(folder: Path, ports: dict[str, int]) -> None:
    modules = "".join(f"LoadModule {each}_module /usr/lib/apache2/modules/mod_{each}.so\n" for each in _MODULES)
    hosts = ""
    for name, port in ports.items():
        engine = "off" if name == "http" else "on"
        hosts += _HOST.format(port=port, folder=folder, engine=engine, name="https" if name == "http" else name)
    (folder / "httpd.conf").write_text(modules + _CONFIGURATION.format(folder=folder) + hosts)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "-stdin"], input=PASSWORD.encode(), capture_output=True, check=True
    )
    (folder / "users").write_text(f"{USER}:{hashed.stdout.decode().strip()}\n")
