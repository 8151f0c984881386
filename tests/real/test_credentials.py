"""Credentials: none come from .netrc, and none leak to proxies, child processes, arguments or core dumps."""

import base64
import re
import shlex
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.command_line import HOST, write_private
from tests.support.intercepting_proxy import InterceptingProxy, intercepting_proxy
from tests.support.processes import Program, Programs, ServedAppliance, Simulators, wait_until

pytestmark = pytest.mark.real

SECRET = "Mark3d-Pr%xy"
QUOTED = "Mark3d-Pr%25xy"
"""The secret as encoded in a URL."""


@dataclass(frozen=True)
class Way:
    """An appliance whose host name only the proxy can resolve."""

    served: ServedAppliance
    tunnel: InterceptingProxy
    ca_file: Path

    def environ(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**self.served.environ, "BACKUPCTL_SERVER": HOST, "BACKUPCTL_CA_FILE": str(self.ca_file), **more}


@pytest.fixture
def served(serve: Simulators) -> ServedAppliance:
    return serve("--no-tls")


@pytest.fixture
def way(served: ServedAppliance, tmp_path: Path) -> Iterator[Way]:
    authority, ca_file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    with intercepting_proxy(served.port, authority) as tunnel:
        yield Way(served, tunnel, ca_file)


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def headers(name: str, text: str) -> list[str]:
    return re.findall(rf"^{name}: *(.*?)\r$", text, re.MULTILINE | re.IGNORECASE)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "https_proxy", "BACKUPCTL_PROXY"])
def test_proxy_gets_its_own_credentials_and_the_appliance_those_of_the_user(
    program: Program, way: Way, variable: str
) -> None:
    url = f"http://proxy-user:{QUOTED}@{way.tunnel.address}"
    run = program.run("list", "-vv", environ=way.environ({variable: url}))
    assert run.code == 0
    (head,) = way.tunnel.heads
    assert head.startswith(f"CONNECT {HOST}:443 ")
    assert headers("proxy-authorization", head) == [basic("proxy-user", SECRET)]
    assert {line.partition(":")[0].lower() for line in head.splitlines()[1:] if line} <= {
        *("host", "accept", "proxy-authorization", "user-agent")
    }
    (inner,) = (said.decode() for said in way.tunnel.inner)
    assert headers("authorization", inner) == [basic(way.served.username, way.served.password)]
    assert headers("proxy-authorization", inner) == []
    assert way.served.password not in head
    for form in (SECRET, QUOTED, basic("proxy-user", SECRET).split()[1]):
        assert form not in run.out + run.err


@pytest.mark.parametrize("words", [("list", "-vv"), ("trust", "show", "-vv")])
def test_credentials_that_a_proxy_echoes_are_masked(program: Program, way: Way, words: tuple[str, ...]) -> None:
    way.tunnel.refusal = f"no {SECRET} {QUOTED} {basic('u', SECRET)}"
    run = program.run(*words, environ=way.environ({"HTTPS_PROXY": f"http://u:{QUOTED}@{way.tunnel.address}"}))
    assert run.code == 5
    assert "the proxy refused the connection (407)" in run.err
    for form in (SECRET, QUOTED, basic("u", SECRET).split()[1]):
        assert form not in run.out + run.err


@pytest.mark.parametrize("place", ["home", "NETRC"])
@pytest.mark.parametrize("auth", ["session", "basic"])
def test_netrc_does_not_change_the_login(program: Program, programs: Programs, way: Way, place: str, auth: str) -> None:
    netrc = write_private(
        programs.home / (".netrc" if place == "home" else "other"),
        f"machine {HOST}\nlogin someone\npassword else\ndefault login someone password else\n",
    )
    more = {"HTTPS_PROXY": f"http://{way.tunnel.address}", "BACKUPCTL_AUTH": auth}
    more |= {"NETRC": str(netrc)} if place == "NETRC" else {}
    run = program.run("list", environ=way.environ(more))
    assert run.code == 0
    (inner,) = (said.decode() for said in way.tunnel.inner)
    assert set(headers("authorization", inner)) == {basic(way.served.username, way.served.password)}
    assert headers("proxy-authorization", way.tunnel.heads[0]) == []


def test_process_has_no_secrets_in_its_arguments_environment_or_a_core(
    programs: Programs, served: ServedAppliance, tmp_path: Path
) -> None:
    secret = write_private(tmp_path / "password", served.password)
    environ = programs.environ(served.environ)
    del environ["BACKUPCTL_PASSWORD"]
    following = programs.start(
        # Cores are enabled up to the hard limit, as the system may disable them by default.
        ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh", *Program.words("create", "--interval", "60s")],
        {**environ, "BACKUPCTL_PASSWORD_FILE": str(secret)},
    )
    following.wait_for_stderr("backup started")
    folder = Path(f"/proc/{following.pid}")
    assert served.password.encode() not in (folder / "cmdline").read_bytes()
    assert served.password.encode() not in (folder / "environ").read_bytes()
    assert re.search(r"^Max core file size +0 ", (folder / "limits").read_text(), re.MULTILINE)
    following.signal(signal.SIGINT)
    assert following.wait().code == 130


def test_password_command_gets_no_secrets_in_its_environment(
    program: Program, served: ServedAppliance, tmp_path: Path
) -> None:
    environment, config = tmp_path / "seen", tmp_path / "config.toml"
    write_private(
        config, '[defaults]\nlocation-password-env = "ELSEWHERE"\n[servers.b]\nhost = "b"\npassword-env = "OF_B"\n'
    )
    script = f"cat /proc/self/environ /proc/self/cmdline > {environment}; printf %s 'VMware1!'"
    secrets = dict.fromkeys(("BACKUPCTL_LOCATION_PASSWORD", "BACKUPCTL_BACKUP_PASSWORD", "ELSEWHERE", "OF_B"), SECRET)
    secrets |= {"BACKUPCTL_SSO_PASSWORD": SECRET, "BACKUPCTL_PROXY": f"http://u:{QUOTED}@127.0.0.1:1"}
    run = program.run(
        *("list", "--password-command", shlex.join(["sh", "-c", script])),
        environ={**served.environ, **secrets, "BACKUPCTL_CONFIG": str(config)},
        without=["BACKUPCTL_PASSWORD"],
    )
    assert run.code == 0
    found = wait_until(environment.read_bytes, "the child's environment")
    assert b"BACKUPCTL_SERVER=" in found
    assert b"Mark3d" not in found
