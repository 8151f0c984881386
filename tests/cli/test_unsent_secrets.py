"""Secrets are masked before they are sent, in case the appliance already knows and echoes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from backupctl.secrets.secret import MASK
from tests import wording
from tests.support.command_line import HOST, LOCATION, PASSWORD, TO_APPLIANCE, USER, CommandLine, Run, write_private
from tests.support.intercept import ReplacedAnswer, Send, message

SECRET = "Sup3r-s3cret"
AT = ("--location", LOCATION, "--location-user", "backup")


def respond_with_secret(request: httpx.Request, _: Send) -> httpx.Response:
    """Respond with a secret."""
    said = message(f"the location takes {SECRET}")
    return httpx.Response(401, json={"error_type": "UNAUTHENTICATED", "messages": [said]})


def respond_with_secret_after_login(request: httpx.Request, send: Send) -> httpx.Response:
    return send(request) if request.url.path.endswith("/session") else respond_with_secret(request, send)


def check(run: Run) -> None:
    assert run.code == 4
    assert f"the location takes {MASK}" in run.out + run.err
    assert SECRET not in run.out + run.err


def run_echoed(*words: str, environ: Mapping[str, str] = {}, at_login: bool = True, **how: Any) -> Run:
    backupctl = CommandLine(intercept=respond_with_secret if at_login else respond_with_secret_after_login)
    return backupctl(*words, environ={**TO_APPLIANCE, **environ}, **how)


def configured(folder: Path, key: str) -> dict[str, str]:
    path = write_private(folder / "config.toml", f'[defaults]\n{key}-env = "VC_SECRET"\n')
    return {"BACKUPCTL_CONFIG": str(path), "VC_SECRET": SECRET}


@pytest.mark.parametrize("at_login", [True, False])
@pytest.mark.parametrize("name", ["LOCATION_PASSWORD", "BACKUP_PASSWORD", "SSO_PASSWORD"])
def test_secret_in_a_variable_is_masked_even_if_the_command_does_not_use_it(name: str, at_login: bool) -> None:
    check(run_echoed("list", "-vv", environ={f"BACKUPCTL_{name}": SECRET}, at_login=at_login))


@pytest.mark.parametrize("output", ["text", "json", "jsonl"])
def test_secret_in_a_file_is_masked_before_it_is_sent(tmp_path: Path, output: str) -> None:
    path = write_private(tmp_path / "secret", SECRET)
    check(run_echoed("create", *AT, "--location-password-file", str(path), "-vv", "-o", output))


def test_secret_typed_at_a_prompt_is_masked_before_it_is_sent() -> None:
    check(run_echoed("create", *AT, answers=[SECRET, ""], at_login=False))
    check(run_echoed("create", "--location", "nfs://nfs.example.com/x", answers=[SECRET] * 2, at_login=False))


def test_secret_is_masked_when_a_login_at_a_terminal_is_rejected() -> None:
    environ = {"BACKUPCTL_BACKUP_PASSWORD": SECRET}
    backupctl = CommandLine(intercept=respond_with_secret)
    run = backupctl("list", "-s", HOST, "-u", USER, environ=environ, answers=["first", SECRET])
    check(run)
    assert SECRET not in "".join(backupctl.prompter.questions)


@pytest.mark.parametrize("key", ["location-password", "backup-password"])
def test_secret_in_a_variable_of_the_configuration_is_masked(tmp_path: Path, key: str) -> None:
    check(run_echoed("list", environ=configured(tmp_path, key)))


def test_schedule_masks_what_it_reads_before_it_is_sent() -> None:
    check(run_echoed("schedule", "set", "--at", "02:30", environ={"BACKUPCTL_LOCATION_PASSWORD": SECRET}))


def test_no_secret_is_read_only_for_masking(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    environ = {
        **TO_APPLIANCE,
        "BACKUPCTL_LOCATION_PASSWORD_COMMAND": f"touch {ran}",
        "BACKUPCTL_BACKUP_PASSWORD_FILE": str(tmp_path / "missing"),
        "CREDENTIALS_DIRECTORY": str(tmp_path / "missing"),
    }
    run = CommandLine()("list", environ=environ)
    assert (run.code, run.err) == (0, f"{wording.NO_JOBS(HOST)}\n")
    assert not ran.exists()


@pytest.mark.parametrize("before", range(33, 38))
def test_truncated_name_does_not_show_half_of_a_secret(before: int) -> None:
    body = {"id": "-" * before + PASSWORD, "state": "INPROGRESS"}
    backupctl = CommandLine(intercept=ReplacedAnswer("POST", "/backup/job", body, 201))
    run = backupctl.create("--timeout", "5s", "-v")
    assert PASSWORD[:3] not in (run.out + run.err).replace(USER, "")
