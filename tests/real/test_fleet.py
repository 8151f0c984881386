"""Several appliances on real sockets: a hanging one does not delay the others, and a wrong password is sent once."""

import contextlib
import json
import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from backupctl.api.connect import Login, connect
from backupctl.api.credential_state import LOGIN_GRACE_SECONDS
from backupctl.errors import ApplianceUnreachableError
from backupctl.scheduler.workers import ThreadWorkers
from backupctl.secrets.secret import Secret
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import SimulatorServer
from backupctl.tls.trust_settings import TrustSettings
from tests.support.processes import wait_until
from tests.support.resource_usage import CLOCK, Usage, measure
from tests.support.served_fleet import ServedFleet, serve_fleet

pytestmark = pytest.mark.real


@contextlib.contextmanager
def hanging_server() -> Iterator[str]:
    """Listen without accepting, so that each handshake hangs."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(8)
        yield f"https://127.0.0.1:{sock.getsockname()[1]}"


def create(folder: Path, served: ServedFleet, *words: str) -> Usage:
    words = ("create", "--all", "--interval", "0.2s", "-o", "jsonl", *words)
    return measure(words, folder, served.environ)


def add_server(served: ServedFleet, name: str, url: str) -> None:
    """Insert an appliance before all others of the configuration file."""
    text = served.config.read_text(encoding="utf-8")
    served.config.write_text(text.replace("[servers.", f'[servers.{name}]\nhost = "{url}"\n[servers.', 1), "utf-8")


def codes(run: Usage) -> dict[str, int]:
    return {result["server"]: result["exit_code"] for result in run.lines[-1]["results"]}


def test_login_is_in_progress_from_sending_the_password_to_the_response() -> None:
    workers, ended = ThreadWorkers(), queue.SimpleQueue[BaseException | None]()
    with SimulatorServer(ServerOptions(faults=("slow=1s@login",)), CLOCK) as server, contextlib.ExitStack() as apis:
        (target,) = server.appliances
        login = Login(target.username, Secret(target.password))
        with hanging_server() as hanging:
            slow, unheard = (
                connect(url, login, clock=CLOCK, observe=lambda _: None, trust=TrustSettings(Path(str(target.ca_file))))
                for url in (target.url, hanging)
            )
            for api in (slow, unheard):
                apis.callback(api.close)
                workers.submit(api.log_in, lambda _, error: ended.put(error))
            wait_until(lambda: slow.is_logging_in, "the password on its way")
            assert not unheard.is_logging_in
            assert ended.get(timeout=10) is None
            assert not slow.is_logging_in
            slow.log_out()
        assert isinstance(ended.get(timeout=10), ApplianceUnreachableError)
        assert not unheard.is_logging_in
        assert server.simulated[0].open_sessions == 0


def test_appliance_with_a_hanging_handshake_delays_the_others_by_one_second(tmp_path: Path) -> None:
    with serve_fleet(tmp_path, appliances=6, job_duration=0.5) as served, hanging_server() as hanging:
        add_server(served, "hanging", hanging)
        run = create(tmp_path, served, "--parallel", "0")
        assert codes(run) == {"hanging": 5, **{f"vc{number}": 0 for number in range(1, 7)}}
    times = {line["server"]: line["time"] for line in run.lines if line["event"] == "ended"}
    others = max(time for server, time in times.items() if server != "hanging")
    assert times["hanging"] > others
    assert run.wall > 10


def test_wrong_password_is_one_failed_login_of_twenty_appliances(tmp_path: Path) -> None:
    with serve_fleet(tmp_path, appliances=20, faults=("slow=0.2s@login",)) as served:
        environ = {**served.environ, "VC_PASSWORD": "wrong"}
        run = measure(["list", "--all", "-o", "json"], tmp_path, environ)
        assert sum(state.failed_logins for state in served.server.simulated) == 1
    results = json.loads(run.out)["results"]
    assert {result["exit_code"] for result in results} == {4}
    assert sum("rejected the same credentials" in result["error"]["message"] for result in results) == 19


def test_twenty_appliances_cost_one_handshake_each_and_leave_no_session(tmp_path: Path) -> None:
    with serve_fleet(tmp_path, appliances=20, job_duration=0.5) as served:
        run = create(tmp_path, served, "--parallel", "5")
        assert (run.code, served.handshakes, served.jobs, served.open_sessions) == (0, 20, 20, 0)
    running = most = 0
    for line in run.lines:
        running += {"started": 1, "ended": -1}.get(line["event"], 0)
        most = max(most, running)
    assert most <= 5


@pytest.mark.parametrize("password", ["changed", None])
def test_sessions_that_expire_after_a_password_change_cause_one_failed_login(
    password: str | None, tmp_path: Path
) -> None:
    with serve_fleet(tmp_path, appliances=20, job_duration=12.0, faults=("slow=0.2s@login",)) as served:
        states = served.server.simulated

        def expire(_pid: int, _seconds: float) -> None:
            last = max((job.started for state in states for job in state.jobs), default=0.0)
            doubtful = CLOCK.monotonic() > last + LOGIN_GRACE_SECONDS + 1
            if not expired and served.jobs == len(states) and doubtful:
                for state in states:
                    state.sessions.close_before(float("inf"))
                    state.sessions.password = password or state.sessions.password
                expired.append(True)

        expired: list[bool] = []
        words = ("create", "--all", "--interval", "0.2s", "-o", "jsonl", "--parallel", "0")
        run = measure(words, tmp_path, served.environ, meanwhile=expire)
        failed = sum(state.failed_logins for state in states)
        assert (set(codes(run).values()), failed) == (({4}, 1) if password else ({0}, 0))
        assert (expired, served.jobs, served.open_sessions) == ([True], 20, 0)
