"""``trust show`` and ``trust pin`` with ``--location``, on servers of other projects."""

import re
import ssl
from pathlib import Path

import pytest
import trustme

from backupctl.rules.fingerprint import fingerprint_of
from tests.support.command_line import configured
from tests.support.openssh_server import OpenSshServer
from tests.support.processes import Program
from tests.support.tls_server import server_context, tls_server
from tests.support.vsftpd_server import VsftpdServer

pytestmark = pytest.mark.real

CONFIG = '[defaults]\nlocation = "{url}"\nlocation-user = "nobody-here"\n[servers.vc01]\nhost = "vc01.example.com"\n'


@pytest.mark.parametrize("table", ["servers.vc01", "defaults"])
def test_host_key_is_pinned_once_it_is_confirmed(openssh: OpenSshServer, tmp_path: Path, table: str) -> None:
    backupctl = configured(tmp_path, CONFIG.format(url=openssh.url("/backup")))
    words = ["trust", "pin", "--location", *(["-s", "vc01"] if table != "defaults" else [])]
    refused = backupctl(*words, answers=["n"])
    assert (refused.code, "location-fingerprint" in (tmp_path / "config.toml").read_text()) == (2, False)
    assert any(openssh.fingerprint() in each for each in backupctl.prompter.questions)
    assert backupctl(*words, answers=["y"]).code == 0
    _, _, rest = (tmp_path / "config.toml").read_text().partition(f"[{table}]")
    assert f'location-fingerprint = "{openssh.fingerprint()}"' in rest.partition("[")[0]
    again = backupctl(*words, "-o", "json", answers=[])
    assert (again.code, again.result["pinned"]) == (0, again.result["fingerprint"])


def test_unexpected_host_key_is_not_pinned(openssh: OpenSshServer, tmp_path: Path) -> None:
    backupctl = configured(tmp_path, '[servers.vc01]\nhost = "vc01.example.com"\n')
    words = ["trust", "pin", "--location", openssh.url("/backup")]
    assert backupctl(*words).code == 2
    run = backupctl(*words, "--location-fingerprint", openssh.fingerprint("rsa"), "-o", "json")
    assert (run.code, run.result["error"]["slug"], run.result["file"]) == (5, "target-identity", None)
    assert backupctl(*words, "--location-fingerprint", openssh.fingerprint()).code == 0
    shown = backupctl("trust", "show", *words[2:], "-o", "json").result
    assert shown["fingerprint"] == shown["pinned"] == openssh.fingerprint()


@pytest.mark.parametrize("pin", ["", "presented", "other"])
def test_what_is_presented_is_compared_with_the_pin(openssh: OpenSshServer, tmp_path: Path, pin: str) -> None:
    pins = {"": "", "presented": openssh.fingerprint(), "other": openssh.fingerprint("rsa")}
    own = f'location-fingerprint = "{pins[pin]}"\n' if pin else ""
    backupctl = configured(tmp_path, CONFIG.format(url=openssh.url("/backup")) + own)
    run = backupctl("trust", "show", "--location", "-s", "vc01")
    states = {
        "": (0, "! vc01: the host key of the backup server is not pinned"),
        "presented": (0, "✓ vc01: the host key of the backup server is pinned"),
        "other": (5, "✗ vc01: the host key of the backup server is not the pinned one"),
    }
    assert (run.code, run.out.partition("\n")[0]) == states[pin]
    assert all(each in run.out for each in (openssh.fingerprint(), pins[pin]))


@pytest.mark.parametrize("pin", ["", "presented", "other"])
def test_own_pin_of_a_server_is_named_when_the_defaults_get_one(
    openssh: OpenSshServer, tmp_path: Path, pin: str
) -> None:
    pins = {"": "", "presented": openssh.fingerprint(), "other": openssh.fingerprint("rsa")}
    own = f'location-fingerprint = "{pins[pin]}"\n' if pin else ""
    backupctl = configured(tmp_path, CONFIG.format(url=openssh.url("/backup")) + own)
    run = backupctl("trust", "pin", "--location", "--yes")
    assert run.code == 0
    assert f'location-fingerprint = "{openssh.fingerprint()}"' in (tmp_path / "config.toml").read_text()
    assert ("vc01 has a pin of its own" in run.err) == (pin == "other")
    again = backupctl("trust", "pin", "--location", answers=[])
    assert "is already pinned" in again.out
    if not pin:  # what the defaults trust is not asked for again
        assert "is now pinned" in backupctl("trust", "pin", "--location", "-s", "vc01", answers=[]).out


def test_certificate_is_shown_without_a_byte_of_http(tmp_path: Path) -> None:
    leaf = trustme.CA().issue_cert("127.0.0.1")
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    with tls_server(server_context(leaf)) as server:
        backupctl = configured(tmp_path, CONFIG.format(url=f"{server.url}/dav"))
        assert backupctl("trust", "show", "--location", "-q").out.strip() == fingerprint_of(der)
        assert not server.received


@pytest.mark.parametrize("kind", ["ftps", "expired", "unknown"])
def test_certificate_of_an_ftps_server_is_shown(vsftpd: VsftpdServer, tmp_path: Path, kind: str) -> None:
    url = vsftpd.access(kind, path="/").location.text
    shown = configured(tmp_path, CONFIG.format(url=url))("trust", "show", "--location", "-o", "json").result
    assert (shown["kind"], shown["fingerprint"]) == ("certificate", fingerprint_of(vsftpd.certificates[kind]))


def test_location_without_an_identity_is_a_usage_error(tmp_path: Path) -> None:
    backupctl = configured(tmp_path, CONFIG.format(url="ftp://backup.example.com/"))
    assert backupctl("trust", "show", "--location").code == 2


def test_unanswered_key_exchange_prints_no_traceback(openssh: OpenSshServer, program: Program) -> None:
    run = program.run("trust", "show", "--location", openssh.url("", "old"), environ={})
    assert run.code == 5
    assert re.fullmatch("error: .*host key.*\nhint: .*\n", run.err)
