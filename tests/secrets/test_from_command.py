import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from backupctl.clock import SystemClock
from backupctl.config.environment import environment_without_secrets
from backupctl.config.option_table import PASSWORD, SECRETS
from backupctl.config.secret_resolver import SecretOptions, SecretResolver
from backupctl.errors import BackupctlError, ConfigError, UsageError
from backupctl.secrets.from_file import StandardInput
from tests import wording
from tests.support.clock import MinuteClock

ENVIRON = {"PATH": os.defpath}


class ClockThatWaitsFor(SystemClock):
    """A clock whose timeout expires as soon as a file has been written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readings = 0

    def monotonic(self) -> float:
        self._readings += 1
        while self._readings > 1 and not (self._path.exists() and self._path.read_text().endswith("\n")):
            self.sleep(0.01)
        return self._readings * 60


def run(command: str, environ: dict[str, str] | None = None) -> str:
    value = SecretResolver(environ or ENVIRON, StandardInput(None)).find(PASSWORD, SecretOptions(command=command))
    assert value is not None
    assert str(value.source) == "flag --password-command"
    return value.value.reveal()


def shell(script: str) -> str:
    return shlex.join(["/bin/sh", "-c", script])


def shown(error: BackupctlError) -> str:
    return f"{error!r} {error.hint} {error.details} {error.__cause__!r} {error.__context__!r}"


@pytest.mark.parametrize(
    ("script", "secret"), [("printf 'pw\\n'", "pw"), ("printf 'pw\\r\\n'", "pw"), ("printf ' p w '", " p w ")]
)
def test_command_gives_its_output_without_the_newline(script: str, secret: str) -> None:
    assert run(shell(script)) == secret


def test_command_is_split_without_a_shell() -> None:
    assert run("/bin/echo '$HOME;' \"a b\" *") == "$HOME; a b *"


def test_command_is_found_in_the_path() -> None:
    assert run("echo pw") == "pw"


def test_command_gets_the_environment_without_our_secrets() -> None:
    environ = {
        "BACKUPCTL_BACKUP_PASSWORD": "S3cret",
        "BACKUPCTL_PASSWORD_COMMAND": "S3cret",
        "BACKUPCTL_SERVER": "vc01",
    }
    assert (
        run(shell('echo "$BACKUPCTL_SERVER-$BACKUPCTL_BACKUP_PASSWORD$BACKUPCTL_PASSWORD_COMMAND"'), environ) == "vc01-"
    )


def test_command_gets_no_variable_that_may_hold_a_secret() -> None:
    secrets = [name for secret in SECRETS for name in secret.environment_names]
    misspelt = ["BACKUPCTL_PASWORD", "backupctl_password", "_BACKUPCTL_COMPLETE"]
    environ = dict.fromkeys([*secrets, *misspelt, "BACKUPCTL_PROXY"], "S3cret") | {"PATH": os.defpath, "HOME": "/"}
    assert environment_without_secrets(environ | {"BACKUPCTL_SERVER": "vc01"}) == {
        "PATH": os.defpath,
        "HOME": "/",
        "BACKUPCTL_SERVER": "vc01",
    }


def test_command_gets_no_input() -> None:
    assert run(shell("cat; echo end")) == "end"


@pytest.mark.parametrize(
    ("script", "word"),
    [("echo S3cret; exit 3", "status 3"), ("echo S3cret; kill -9 $$", "signal 9"), ("true", "empty")],
)
def test_command_that_fails_is_an_error_without_its_arguments_and_output(script: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run(shell(script))
    assert caught.value.message.startswith("--password-command: '/bin/sh'")
    assert word in caught.value.message
    assert "S3cret" not in shown(caught.value)
    assert "echo" not in shown(caught.value)


@pytest.mark.parametrize("command", ["none-of-this-name S3cret", "/ S3cret", "/etc/passwd S3cret", "'a\0b' S3cret"])
def test_command_that_cannot_be_run_is_an_error(command: str) -> None:
    with pytest.raises(ConfigError, match=f"--password-command: .* {wording.COMMAND_CANNOT_RUN}") as caught:
        run(command)
    assert "S3cret" not in shown(caught.value)


@pytest.mark.parametrize("command", ["", " ", "echo 'S3cret", "'' S3cret"])
def test_invalid_command_is_a_usage_error_or_in_the_environment_a_config_error(command: str) -> None:
    with pytest.raises(UsageError, match=r"^--password-command: ") as caught:
        run(command)
    assert "S3cret" not in shown(caught.value)
    if command:
        with pytest.raises(ConfigError, match=r"^BACKUPCTL_PASSWORD_COMMAND: "):
            SecretResolver({"BACKUPCTL_PASSWORD_COMMAND": command}, StandardInput(None)).find(PASSWORD, SecretOptions())


def test_command_that_prints_without_end_is_bounded() -> None:
    with pytest.raises(ConfigError, match="64 KiB") as caught:
        run("yes S3cret")
    assert "S3cret" not in shown(caught.value)


def test_command_that_times_out_is_ended() -> None:
    resolver = SecretResolver(ENVIRON, StandardInput(None), MinuteClock())
    with pytest.raises(ConfigError, match=wording.COMMAND_TIMEOUT(30)) as caught:
        resolver.find(PASSWORD, SecretOptions(command="sleep 60 S3cret"))
    assert "S3cret" not in shown(caught.value)


@pytest.mark.real
def test_command_that_times_out_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {pid_file}; wait"
    resolver = SecretResolver(ENVIRON, StandardInput(None), ClockThatWaitsFor(pid_file))
    with pytest.raises(ConfigError, match=wording.COMMAND_TIMEOUT(30)):
        resolver.find(PASSWORD, SecretOptions(command=shell(script)))
    time.sleep(0.2)  # noqa: TID251 - a killed process needs a moment to go
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid_file.read_text().strip()], capture_output=True, check=False)
    assert state.stdout.strip()[:1] in {b"", b"Z"}


@pytest.mark.real
def test_command_that_keeps_running_after_its_output_is_ended() -> None:
    started = time.monotonic()  # noqa: TID251 - what is measured is real
    with pytest.raises(ConfigError, match=wording.COMMAND_TIMEOUT(30)) as caught:
        run(shell("echo pw; exec >&-; sleep 60; echo S3cret"))
    assert "S3cret" not in shown(caught.value)
    assert time.monotonic() - started < 20  # noqa: TID251 - as above
