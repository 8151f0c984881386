"""The simulator on real sockets; no test waits longer than necessary."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from backupctl.clock import SystemClock
from backupctl.errors import OutputError, UsageError
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import SimulatorServer
from tests.simulator.client import JOB, PASSWORD, USER

pytestmark = pytest.mark.real

HEAD = b"Host: vcsa\r\nAuthorization: Basic YWRtaW5pc3RyYXRvckB2c3BoZXJlLmxvY2FsOlZNd2FyZTEh\r\n"
"""Basic credentials of the default user."""


@contextlib.contextmanager
def serving(**options: object) -> Iterator[SimulatorServer]:
    with SimulatorServer(ServerOptions(**options), SystemClock()) as server:  # type: ignore[arg-type]
        yield server


def port_of(server: SimulatorServer, index: int = 0) -> int:
    return urlsplit(server.appliances[index].url).port or 0


def connected(server: SimulatorServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(server)), timeout=5)


def client_of(server: SimulatorServer, index: int = 0) -> httpx.Client:
    target = server.appliances[index]
    verify = ssl.create_default_context(cafile=target.ca_file) if target.ca_file else False
    return httpx.Client(base_url=target.url, verify=verify, trust_env=False, auth=(USER, PASSWORD), timeout=5)


def curl(*arguments: str) -> str:
    program = shutil.which("curl")
    if program is None and os.environ.get("CI") is None:  # noqa: TID251 - asks where the tests run
        pytest.skip("curl is not installed; it must be where CI is set")
    assert program is not None, "curl is not installed"
    command = [program, "--silent", "--show-error", "--max-time", "10", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout


def test_server_certificate_is_trusted_by_its_ca_and_matches_its_fingerprint() -> None:
    with serving() as server, client_of(server) as client:
        assert client.get(f"/api{JOB}").json() == []
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port_of(server))))
        assert server.appliances[0].fingerprint == f"sha256:{hashlib.sha256(der).hexdigest()}"
        ca_file = Path(str(server.appliances[0].ca_file))
        assert ca_file.exists()
    assert not ca_file.exists()


@pytest.mark.parametrize("tls", [True, False])
def test_server_community_script_with_a_cookie_jar_runs_a_backup(tmp_path: Path, tls: bool) -> None:
    with serving(tls=tls, job_duration=0.3) as server:
        url, jar = server.appliances[0].url, str(tmp_path / "jar")
        curl("-k", "-u", f"{USER}:{PASSWORD}", "-c", jar, "-X", "POST", f"{url}/rest/com/vmware/cis/session")
        piece = {"piece": {"parts": ["seat"], "location_type": "FTP", "location": "ftp://h/f"}}
        body = ("-H", "Content-Type: application/json", "-d", json.dumps(piece))
        job_id = json.loads(curl("-k", "-b", jar, *body, f"{url}/rest{JOB}"))["value"]["id"]
        state = "INPROGRESS"
        while state == "INPROGRESS":
            state = json.loads(curl("-k", "-b", jar, f"{url}/rest{JOB}/{job_id}"))["value"]["state"]
        assert state == "SUCCEEDED"
        assert curl("-k", "-b", jar, "-X", "DELETE", f"{url}/rest/com/vmware/cis/session") == ""
        assert server.simulated[0].open_sessions == 0


def test_server_curl_with_the_header_verifies_the_certificate_in_the_api_family() -> None:
    with serving() as server:
        target = server.appliances[0]
        trusted = ("--cacert", str(target.ca_file))
        token = json.loads(curl(*trusted, "-u", f"{USER}:{PASSWORD}", "-X", "POST", f"{target.url}/api/session"))
        header = ("-H", f"vmware-api-session-id: {token}")
        assert json.loads(curl(*trusted, *header, f"{target.url}/api{JOB}")) == []


def test_server_silent_clients_block_no_others() -> None:
    with serving() as server, contextlib.ExitStack() as silent:
        for _ in range(20):
            silent.enter_context(connected(server))
        with client_of(server) as client:
            assert client.get(f"/api{JOB}").status_code == 200


def test_server_appliances_are_independent() -> None:
    with serving(appliances=3, tls=False) as server:
        assert len({port_of(server, index) for index in range(3)}) == 3
        body = {"parts": [], "location_type": "NFS", "location": "nfs://h/f"}
        with client_of(server, 1) as client:
            client.post(f"/api{JOB}", json=body)
        assert [len(state.jobs) for state in server.simulated] == [0, 1, 0]


def test_server_keeps_a_connection_for_several_requests() -> None:
    with serving(tls=False) as server, connected(server) as sock:
        for _ in range(3):
            sock.sendall(b"GET /api/appliance/health/system HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("tls", [True, False])
def test_server_drop_ends_the_connection_without_a_byte(tls: bool) -> None:
    with serving(tls=tls, faults=("drop=1",)) as server, client_of(server) as client:
        with pytest.raises(httpx.TransportError):
            client.get(f"/api{JOB}")
        assert client.get(f"/api{JOB}").status_code == 200


def test_server_trickle_sends_a_byte_per_second() -> None:
    with serving(tls=False, faults=("trickle",)) as server, client_of(server) as client:
        began = time.perf_counter()
        assert client.get(f"/api{JOB}").content == b"[]"
        assert 1.5 < time.perf_counter() - began < 4


def test_server_reboot_closes_connections() -> None:
    options = {"tls": False, "job_duration": 60.0, "faults": ("reboot-at=0:30s",)}
    with serving(**options) as server, client_of(server) as client:
        client.post(f"/api{JOB}", json={"parts": [], "location_type": "NFS", "location": "nfs://h/f"})
        with pytest.raises(httpx.TransportError):
            client.get(f"/api{JOB}")


def test_server_body_over_the_limit_is_413() -> None:
    with serving() as server, client_of(server) as client:
        headers = {"Content-Type": "application/json"}
        assert client.post(f"/api{JOB}", content=b"x" * (9 * 1024 * 1024), headers=headers).status_code == 413


def test_server_chunked_body_is_read() -> None:
    body = json.dumps({"parts": [], "location_type": "NFS", "location": "nfs://h/f"}).encode()
    with serving() as server, client_of(server) as client:
        headers = {"Content-Type": "application/json"}
        response = client.post(f"/api{JOB}", content=iter([body[:9], body[9:]]), headers=headers)
        assert response.json()["state"] == "INPROGRESS"


@pytest.mark.parametrize(
    "request_bytes",
    [b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
def test_server_malformed_request_is_400(request_bytes: bytes) -> None:
    with serving(tls=False) as server, connected(server) as sock:
        sock.sendall(request_bytes)
        assert sock.recv(4096).startswith(b"HTTP/1.1 400")


class WrongClock(SystemClock):
    """A wrong clock, so that no other time can be mistaken for it."""

    def now(self) -> datetime:
        return datetime(2031, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET /api/appliance/health/system HTTP/1.1\r\n" + HEAD + b"\r\n", id="answered"),
        pytest.param(b"GET /api/appliance/health/system HTTP/1.1\r\n\r\n", id="refused"),
        pytest.param(b"GET /nowhere HTTP/1.1\r\n\r\n", id="by the proxy"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", id="bad length"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", id="long body"),
        pytest.param(b"GET / HTTP/1.1\r\n" + 101 * b"X: y\r\n" + b"\r\n", id="many headers"),
    ],
)
def test_server_response_has_one_date_by_the_clock_of_the_simulator(request_bytes: bytes) -> None:
    with SimulatorServer(ServerOptions(tls=False), WrongClock()) as server, connected(server) as sock:
        sock.sendall(request_bytes)
        head = sock.recv(4096)
        assert head.count(b"Date: ") == 1
        assert b"\r\nDate: Mon, 03 Feb 2031 04:05:06 GMT\r\n" in head


def test_server_store_gets_its_files_without_a_request(tmp_path: Path) -> None:
    with serving(tls=False, store=tmp_path, job_duration=0.1) as server, client_of(server) as client:
        client.post(f"/api{JOB}", json={"parts": [], "location_type": "NFS", "location": "nfs://h/f"})
        deadline = time.perf_counter() + 5
        while not list(tmp_path.glob("h/f/vCenter/sn_*/M_*/backup-metadata.json")):
            assert time.perf_counter() < deadline


def test_ready_file_replaces_a_symlink_and_leaves_its_target(tmp_path: Path) -> None:
    ready, foreign = tmp_path / "ready.json", tmp_path / "foreign"
    foreign.write_text("precious")
    foreign.chmod(0o666)
    (tmp_path / "ready.json.part").symlink_to(foreign)
    ready.symlink_to(foreign)
    with serving(tls=False, ready_file=ready) as server:
        assert ready.read_text() == f"{server.ready_line}\n"
        assert (ready.is_symlink(), stat.filemode(ready.stat().st_mode)) == (False, "-rw-------")
    assert foreign.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign", "ready.json", "ready.json.part"]


def test_ready_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "ready.json").mkdir()
    options = ServerOptions(tls=False, ready_file=tmp_path / "ready.json")
    with pytest.raises(OutputError, match=r"ready\.json"), SimulatorServer(options, SystemClock()):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]


def test_server_port_that_is_taken_is_a_usage_error() -> None:
    with serving(tls=False) as first:
        taken = ServerOptions(listen=f"127.0.0.1:{port_of(first)}", tls=False)
        with pytest.raises(UsageError, match="cannot listen"), SimulatorServer(taken, SystemClock()):
            pass


@pytest.mark.parametrize("listen", ["nonsense", ":8443", "127.0.0.1", "127.0.0.1:99999"])
def test_server_invalid_address_is_a_usage_error(listen: str) -> None:
    with pytest.raises(UsageError, match="cannot listen"):
        SimulatorServer(ServerOptions(listen=listen), SystemClock())


PROGRAM = """
import pathlib, sys
from backupctl.clock import SystemClock
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import run
run(ServerOptions(ready_file=pathlib.Path(sys.argv[1])), SystemClock(), lambda line: print(line, flush=True))
print("stopped")
"""


def test_run_interrupted_prints_its_line_and_exits_cleanly(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-c", PROGRAM, str(ready)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        target = json.loads(line)["appliances"][0]
        assert ready.read_text(encoding="utf-8") == line
        assert set(target) == {"url", "username", "password", "ca_file", "fingerprint"}
        with connected_url(target["url"]):
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=10)
            finally:
                process.kill()
    assert (out, err, process.returncode) == ("stopped\n", "", 0)
    assert not Path(target["ca_file"]).exists()


FEW_DESCRIPTORS = """
import resource
from backupctl.clock import SystemClock
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import run
resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
run(ServerOptions(tls=False), SystemClock(), lambda line: print(line, flush=True))
"""


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux has the processor time of a process")
def test_server_out_of_descriptors_idles_until_a_connection_ends() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", FEW_DESCRIPTORS], stdout=subprocess.PIPE, text=True) as process,
        contextlib.ExitStack() as cleanup,
    ):
        cleanup.callback(process.kill)
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["appliances"][0]["url"]
        with contextlib.ExitStack() as silent:
            for _ in range(110):
                silent.enter_context(connected_url(url))
            before = processor_seconds(process.pid)
            SystemClock().sleep(1.0)
            assert processor_seconds(process.pid) - before < 0.1
        with connected_url(url) as sock:
            sock.sendall(b"GET /api/appliance/health/system HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200")


def connected_url(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=5)
