"""Secrets that nobody was sent yet: an appliance that knows them from elsewhere does not make us show them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from backupctl.secrets.secret import MASK
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, PASSWORD, TO_APPLIANCE, USER, CommandLine, Run

SECRET = "Sup3r-s3cret"
AT = ("--location", LOCATION, "--location-user", "backup")


class Telling(httpx.BaseTransport):
    """An appliance that tells a secret in its first answer: to a login, or where it lets in, to what is asked next."""

    def __init__(self, *, at_login: bool) -> None:
        self._at_login = at_login
        clock = FakeClock()
        self._inner = SimulatorTransport(SimulatedAppliance(clock, host=HOST), clock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/session") and not self._at_login:
            return self._inner.handle_request(request)
        message = {"id": "x", "default_message": f"the location takes {SECRET}", "args": []}
        return httpx.Response(401, json={"error_type": "UNAUTHENTICATED", "messages": [message]})


def check(run: Run) -> None:
    assert run.code == 4
    assert f"the location takes {MASK}" in run.out + run.err
    assert SECRET not in run.out + run.err


def told(*words: str, environ: Mapping[str, str] = {}, at_login: bool = True, **how: Any) -> Run:
    backupctl = CommandLine(transport=Telling(at_login=at_login))
    return backupctl(*words, environ={**TO_APPLIANCE, **environ}, **how)


def configured(folder: Path, key: str) -> dict[str, str]:
    path = folder / "config.toml"
    path.write_text(f'[defaults]\n{key}-env = "VC_SECRET"\n')
    path.chmod(0o600)
    return {"BACKUPCTL_CONFIG": str(path), "VC_SECRET": SECRET}


@pytest.mark.parametrize("at_login", [True, False])
@pytest.mark.parametrize("name", ["LOCATION_PASSWORD", "BACKUP_PASSWORD", "SSO_PASSWORD"])
def test_secret_in_a_variable_is_masked_though_the_command_does_not_use_it(name: str, at_login: bool) -> None:
    check(told("list", "-vv", environ={f"BACKUPCTL_{name}": SECRET}, at_login=at_login))


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
def test_secret_in_a_file_is_masked_before_it_is_sent(tmp_path: Path, output: str) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    check(told("create", *AT, "--location-password-file", str(path), "-vv", "-o", output))


def test_secret_that_was_typed_is_masked_before_it_is_sent() -> None:
    check(told("create", *AT, answers=[SECRET, ""]))
    check(told("create", "--location", "nfs://nfs.example.com/x", answers=[SECRET] * 2))


@pytest.mark.parametrize("key", ["location-password", "backup-password"])
def test_secret_in_a_variable_of_the_configuration_is_masked(tmp_path: Path, key: str) -> None:
    check(told("list", environ=configured(tmp_path, key)))


def test_schedule_masks_what_it_reads_before_it_is_sent() -> None:
    check(told("schedule", "set", "--at", "02:30", environ={"BACKUPCTL_LOCATION_PASSWORD": SECRET}))


def test_nothing_is_read_only_to_be_masked(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    environ = {
        **TO_APPLIANCE,
        "BACKUPCTL_LOCATION_PASSWORD_COMMAND": f"touch {ran}",
        "BACKUPCTL_BACKUP_PASSWORD_FILE": str(tmp_path / "missing"),
        "CREDENTIALS_DIRECTORY": str(tmp_path / "missing"),
    }
    run = CommandLine()("list", environ=environ)
    assert (run.code, run.err) == (0, f"{HOST} has no backup jobs yet\n")
    assert not ran.exists()


@pytest.mark.parametrize("before", range(33, 38))
def test_name_that_is_cut_off_does_not_show_the_half_of_a_secret(before: int) -> None:
    class Misnaming(httpx.BaseTransport):
        clock = FakeClock()
        inner = SimulatorTransport(SimulatedAppliance(clock, host=HOST), clock)

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = self.inner.handle_request(request)
            if request.method == "POST" and request.url.path.endswith("/job"):
                return httpx.Response(201, json={"id": "-" * before + PASSWORD, "state": "INPROGRESS"})
            return answer

    run = CommandLine(transport=Misnaming())("create", "--location", "nfs://nfs.example.com/x", "--timeout", "5s", "-v")
    assert PASSWORD[:3] not in (run.out + run.err).replace(USER, "")
