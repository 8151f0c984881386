"""validate --direct against the backup servers of other projects."""

from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from backupctl.location import Location
from backupctl.operations.target_connections import MAX_CONNECTIONS
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from tests.support.apache_server import ApacheServer
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine
from tests.support.openssh_server import OpenSshServer
from tests.support.processes import CLOCK
from tests.support.samba_server import PASSWORD, USER, samba
from tests.support.socket_server import run_server
from tests.support.tcp_relay import tcp_relay
from tests.support.tls_server import TlsServer, server_context
from tests.support.vsftpd_server import VsftpdServer

pytestmark = pytest.mark.real


def checks(access: TargetAccess, *words: str, release: str = "8.0") -> dict[str, tuple[str, str]]:
    """Return the checks of ``validate --direct`` at a location."""
    assert access.user is not None
    assert access.password is not None
    secret = access.password.reveal()
    backupctl = CommandLine(clock=FakeClock(CLOCK.now()), release=release)
    trust = ("--location-ca-file", str(access.tls.ca_file)) if access.tls.ca_file else ()
    pin = ("--location-fingerprint", access.host_key) if access.host_key else ()
    place = "--location", access.location.text, "--location-user", access.user
    run = backupctl(
        *("validate", *place, "--direct", *trust, *pin, *words, "-o", "json"),
        environ=backupctl.environ | {"BACKUPCTL_LOCATION_PASSWORD": secret},
    )
    assert secret not in run.out + run.err
    found = {check["name"]: (check["status"], check["message"]) for check in run.result["checks"]}
    assert run.code == (7 if any(status == "FAIL" for status, _ in found.values()) else 0)
    return found


def nowhere(url: str) -> TargetAccess:
    return TargetAccess(Location.parse(url).of_type(None), "backup", Secret("no-such-password"))


@pytest.mark.parametrize("release", ["8.0", "9.0"])
def test_host_keys_of_openssh(openssh: OpenSshServer, release: str) -> None:
    found = checks(openssh.access("/srv"), release=release)
    assert (found["host keys"][0], "certificate" in found) == ("OK", False)
    assert "ecdsa-sha2-nistp256" in found["host keys"][1]


def test_failures_of_openssh(openssh: OpenSshServer, tmp_path: Path) -> None:
    (tmp_path / "sn_vc01.example.com").mkdir()
    unknown = TargetAccess(openssh.access(tmp_path).location, "vcenter", Secret("Sftp-Secret-1"))
    for access, status, named in (
        (openssh.access(tmp_path), "OK", "sn_"),
        (openssh.access(tmp_path, password="Wrong-Password-1"), "FAIL", "password"),
        (openssh.access(tmp_path / "nothing"), "FAIL", "does not exist"),
        (openssh.access(tmp_path, "old"), "FAIL", "add an Ed25519 or ECDSA host key"),
        (unknown, "FAIL", "is unknown; compare it on the server"),
    ):
        check = checks(access)["backup server"]
        assert check[0] == status, check
        assert named in check[1]


@pytest.mark.parametrize(
    ("kind", "status", "named", "login"),
    [
        ("ftps", "OK", "expires in ", "WARNING"),
        ("expired", "FAIL", "expired on ", "FAIL"),
        ("unknown", "OK", "trustme", "FAIL"),
    ],
)
def test_certificate_of_vsftpd(vsftpd: VsftpdServer, kind: str, status: str, named: str, login: str) -> None:
    found = checks(vsftpd.access(kind, path="/"))
    assert (found["certificate"][0], found["backup server"][0]) == (status, login)
    assert named in found["certificate"][1]
    assert "host keys" not in found


def test_certificate_of_apache(apache: ApacheServer) -> None:
    found = checks(apache.access())
    assert (found["certificate"][0], found["backup server"][0]) == ("OK", "WARNING")


@pytest.mark.parametrize(("days", "status"), [(29.5, "WARNING"), (30.5, "OK")])
def test_certificate_that_expires_soon(days: float, status: str) -> None:
    leaf = trustme.CA().issue_cert("127.0.0.1", not_after=CLOCK.now() + timedelta(days=days))
    with run_server(TlsServer(server_context(leaf))) as server:
        check = checks(nowhere(f"{server.url}/dav"))["certificate"]
    assert check[0] == status
    assert f"expires in {int(days)} days" in check[1]


def test_login_from_here_at_samba(tmp_path: Path) -> None:
    (tmp_path / "store" / "sn_vc01").mkdir(parents=True)
    (tmp_path / "smb").mkdir(mode=0o700)
    with samba(tmp_path / "smb", {"store": tmp_path / "store"}) as port:
        location = Location.parse(f"smb://127.0.0.1:{port}/store").of_type(None)
        found = checks(TargetAccess(location, USER, Secret(PASSWORD)))
    assert found["backup server"][0] == "WARNING"
    assert not {"host keys", "certificate"} & set(found)


@pytest.mark.parametrize("scheme", ["sftp", "ftps", "https"])
def test_server_that_is_down(scheme: str) -> None:
    found = checks(nowhere(f"{scheme}://127.0.0.1:1/x"))
    assert (found["backup server"][0], "certificate" in found, "host keys" in found) == ("FAIL", False, False)


def test_appliances_that_share_a_server_probe_it_once(openssh: OpenSshServer) -> None:
    others: dict[str, dict[str, object]] = {f"vc{number:02}.example.com": {} for number in range(2, 9)}
    with tcp_relay(openssh.port) as relay:
        backupctl = CommandLine(others=others)
        place = "--location", f"sftp://127.0.0.1:{relay.port}/srv", "--location-user", "vcenter"
        words = "validate", *(each for host in others for each in ("-s", host)), *place, "--direct"
        pin = "--location-fingerprint", openssh.fingerprint()
        environ = backupctl.environ | {"BACKUPCTL_LOCATION_PASSWORD": "Sftp-Secret-1"}
        run = backupctl(*words, *pin, "-o", "json", environ=environ)
    assert run.code == 0
    assert run.out.count('"host keys"') == len(others)
    assert relay.connections <= 1 + MAX_CONNECTIONS
