"""validate --direct against the backup servers of other projects."""

import socket
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import trustme

from backupctl.location import Location
from backupctl.operations.target_connections import MAX_CONNECTIONS
from backupctl.secrets.secret import Secret
from backupctl.targets import unverified
from backupctl.targets.access import TargetAccess
from backupctl.targets.target_errors import TargetUnreachableError
from backupctl.targets.unverified import host_key_algorithms, presented_certificate
from tests.support.apache_server import ApacheServer
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine
from tests.support.openssh_server import OpenSshServer
from tests.support.processes import CLOCK
from tests.support.samba_server import PASSWORD, USER, samba
from tests.support.socket_server import Serve, run_server, serve_connections
from tests.support.tcp_relay import tcp_relay
from tests.support.tls_server import TlsServer, server_context
from tests.support.vsftpd_server import VsftpdServer

pytestmark = pytest.mark.real

HERE = "this host only"


def checks(access: TargetAccess, *words: str, release: str = "8.0") -> dict[str, tuple[str, str]]:
    """Return the checks of ``validate --direct`` at a location, which may warn but never fail."""
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
    assert run.code == 0
    assert secret not in run.out + run.err
    found = {check["name"]: (check["status"], check["message"]) for check in run.result["checks"]}
    assert all((status == "WARNING") == (HERE in message) for status, message in list(found.values())[-2:])
    return found


def nowhere(url: str) -> TargetAccess:
    return TargetAccess(Location.parse(url).of_type(None), "backup", Secret("no-such-password"))


@pytest.mark.parametrize(
    ("kind", "release", "status", "named"),
    [
        ("default", "8.0", "OK", "ecdsa-sha2-nistp256"),
        ("default", "9.0", "OK", "ecdsa-sha2-nistp256"),
        ("old", "8.0", "WARNING", "441702"),
        ("old", "9.0", "WARNING", "437603"),
    ],
)
def test_host_keys_of_openssh(openssh: OpenSshServer, kind: str, release: str, status: str, named: str) -> None:
    found = checks(openssh.access("/srv", kind), release=release)
    assert found["host keys"][0] == status
    assert named in found["host keys"][1]
    assert "certificate" not in found


def test_login_from_here(openssh: OpenSshServer, tmp_path: Path) -> None:
    (tmp_path / "sn_vc01").mkdir()
    assert "(1 item)" in checks(openssh.access(tmp_path))["login from here"][1]
    wrong, missing = openssh.access(tmp_path, password="Wrong-Password-1"), openssh.access(tmp_path / "nothing")
    assert [checks(each)["login from here"][0] for each in (wrong, missing)] == ["WARNING", "WARNING"]
    unknown = TargetAccess(openssh.access(tmp_path).location, "vcenter", Secret("Sftp-Secret-1"))
    assert "host key" in checks(unknown)["login from here"][1]


@pytest.mark.parametrize(
    ("kind", "status", "named", "login"),
    [
        ("ftps", "OK", "expires in ", "OK"),
        ("expired", "WARNING", "expired on ", "WARNING"),
        ("unknown", "OK", "trustme", "WARNING"),  # the appliance may know its CA
    ],
)
def test_certificate_of_vsftpd(vsftpd: VsftpdServer, kind: str, status: str, named: str, login: str) -> None:
    found = checks(vsftpd.access(kind, path="/"))
    assert (found["certificate"][0], found["login from here"][0]) == (status, login)
    assert named in found["certificate"][1]
    assert "host keys" not in found


def test_certificate_of_apache(apache: ApacheServer) -> None:
    found = checks(apache.access())
    assert (found["certificate"][0], found["login from here"][0]) == ("OK", "OK")


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
    assert found["login from here"][0] == "OK"
    assert not {"host keys", "certificate"} & set(found)


def hang(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def chatter(client: socket.socket, _: threading.Event) -> None:
    client.sendall(b"hello\r\n" * 1000)


@pytest.mark.parametrize("serve", [hang, chatter])
@pytest.mark.parametrize("scheme", ["sftp", "ftps", "https"])
def test_what_a_server_of_another_kind_shows(monkeypatch: pytest.MonkeyPatch, serve: Serve, scheme: str) -> None:
    monkeypatch.setattr(unverified, "CONNECT_SECONDS", 0.2)
    with serve_connections(serve) as (address, _):
        location = Location.parse(f"{scheme}://{address}/x").of_type(None)
        read = host_key_algorithms if scheme == "sftp" else partial(presented_certificate, now=CLOCK.now())
        with pytest.raises(TargetUnreachableError, match="cannot connect"):
            read(location)


@pytest.mark.parametrize(("scheme", "name"), [("sftp", "host keys"), ("ftps", "certificate"), ("https", "certificate")])
def test_where_nobody_listens_all_are_warnings(scheme: str, name: str) -> None:
    found = checks(nowhere(f"{scheme}://127.0.0.1:1/x"))
    assert (found[name][0], found["login from here"][0]) == ("WARNING", "WARNING")


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
