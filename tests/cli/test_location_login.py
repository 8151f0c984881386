"""The location password is sent for the host that it belongs to, and for no other."""

from pathlib import Path
from typing import Any

import pytest

from tests import wording
from tests.support.command_line import TO_APPLIANCE, CommandLine, Run

HERE = "location = 'sftp://here.example.com/vcenter/{server}'\n"
THERE = "location = 'sftp://there.example.com/vcenter'\n"
LOGIN = "location-user = 'backup'\nlocation-password-file = 'here.password'\n"
OWN_LOGIN = "location-password-file = 'there.password'\n"
TYPED = ("--location", "sftp://there.example.com/x")
IN_ENVIRONMENT = {"BACKUPCTL_LOCATION": "sftp://there.example.com/x"}


class ConfiguredAppliance:
    """One configured appliance, and a configuration file."""

    def __init__(self, folder: Path, defaults: str, server: str = "", others: str = "") -> None:
        self.path = folder / "config.toml"
        self.path.write_text(f"[defaults]\n{defaults}[servers.vc01]\nhost = 'vc01.example.com'\n{server}{others}")
        for name in ("config.toml", "here.password", "there.password"):
            (folder / name).touch()
            (folder / name).chmod(0o600)
        for name in ("here", "there"):
            (folder / f"{name}.password").write_text(f"of-{name}")
        self.line = CommandLine()

    def __call__(self, *words: str, **environ: str) -> Run:
        return self.line(*words, environ={**TO_APPLIANCE, "BACKUPCTL_CONFIG": str(self.path), **environ})

    @property
    def sent(self) -> list[Any]:
        """Return the location passwords sent to the appliance."""
        found = [body.get("piece", body) for _, _, body in self.line.writes if isinstance(body, dict)]
        return [body["location_password"] for body in found if "location_password" in body]


SAME_HOST = "location = 'sftp://HERE.example.com:22/own'\n"
ACCEPTED: list[tuple[str, str, str, tuple[str, ...], str]] = [
    ("one location and login for all", HERE + LOGIN, "", (), "of-here"),
    ("a folder of its own on the same host", HERE + LOGIN, SAME_HOST, (), "of-here"),
    ("another protocol on the same host", HERE + LOGIN, "location = 'ftps://here.example.com/own'\n", (), "of-here"),
    ("the same protocol without encryption", HERE.replace("sftp", "ftp") + LOGIN, SAME_HOST, (), "of-here"),
    ("a typed location on the same host", HERE + LOGIN, "", ("--location", "sftp://here.example.com/x"), "of-here"),
    ("a password beside its own location", HERE + LOGIN, THERE + OWN_LOGIN, (), "of-there"),
    ("a password of its own for the location of all", HERE + LOGIN, OWN_LOGIN, (), "of-there"),
    ("another host that asks for no password", HERE + LOGIN, "location = 'nfs://there.example.com/x'\n", (), "of-here"),
    ("a login for whatever location there is", LOGIN, THERE, (), "of-here"),
    ("a typed location, and none in the file", LOGIN, "", TYPED, "of-here"),
    ("a typed password", HERE + LOGIN, "", (*TYPED, "--location-password-command", "echo typed"), "typed"),
]


@pytest.mark.parametrize(
    ("defaults", "server", "words", "password"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED]
)
def test_password_is_sent_to_its_own_location_without_a_warning(
    tmp_path: Path, defaults: str, server: str, words: tuple[str, ...], password: str
) -> None:
    appliance = ConfiguredAppliance(tmp_path, defaults, server)
    run = appliance("create", *words)
    assert (run.code, appliance.sent) == (0, [password])
    assert "location" not in "".join(line for line in run.err.splitlines() if line.startswith("warning"))
    assert "FAIL" not in appliance("config", "check").out


def test_password_from_the_environment_is_used_for_any_location(tmp_path: Path) -> None:
    appliance = ConfiguredAppliance(tmp_path, HERE + LOGIN)
    assert appliance("create", *TYPED, BACKUPCTL_LOCATION_PASSWORD="of-the-run").code == 0
    assert appliance.sent == ["of-the-run"]


HERE_HOST, THERE_HOST = "here.example.com", "there.example.com"
OF_DEFAULTS = "{path}: defaults.location-password-file"
REFUSED = [
    (THERE, (), {}, 3, "{path}: servers.vc01.location and defaults.location-password-file", (THERE_HOST, HERE_HOST)),
    ("", TYPED, {}, 2, f"--location and {OF_DEFAULTS}", (THERE_HOST, HERE_HOST)),
    (
        "",
        ("--location", "ftp://here.example.com/x"),
        {},
        2,
        f"--location and {OF_DEFAULTS}",
        ("FTP (unencrypted)", f"sftp://{HERE_HOST}"),
    ),
    ("", (), IN_ENVIRONMENT, 3, f"BACKUPCTL_LOCATION and {OF_DEFAULTS}", (THERE_HOST, HERE_HOST)),
    (
        THERE + OWN_LOGIN,
        ("--location", "sftp://here.example.com/x"),
        {},
        2,
        "--location and {path}: servers.vc01.location-password-file",
        (HERE_HOST, THERE_HOST),
    ),
]
"""Table of the server, words, environment; and the exit code, the settings at fault, and both hosts in the error."""


@pytest.mark.parametrize(
    ("command", "server", "words", "environ", "code", "settings", "hosts"),
    [
        *(("create", *row) for row in REFUSED),
        *((command, *REFUSED[0]) for command in ("validate", "archive list", "restore validate")),
    ],
)
def test_password_for_another_host_is_not_sent(  # noqa: PLR0917 - a row of the table
    tmp_path: Path,
    command: str,
    server: str,
    words: tuple[str, ...],
    environ: dict[str, str],
    code: int,
    settings: str,
    hosts: tuple[str, str],
) -> None:
    appliance = ConfiguredAppliance(tmp_path, HERE + LOGIN, server)
    run = appliance(*command.split(), *words, **environ)
    assert (run.code, appliance.line.line.urls) == (code, [])
    message = wording.PASSWORD_OF_ANOTHER_HOST(*hosts)
    assert run.err.startswith(f"error: {settings.format(path=appliance.path)}: {message}\n")
    where = {"--location": "--location-password-file too", "BACKUPCTL_LOCATION": "BACKUPCTL_LOCATION_PASSWORD too"}
    assert where.get(settings.split(maxsplit=1)[0], wording.LOCATION_PASSWORD_IN_THE_SAME_TABLE) in run.err


def test_check_fails_for_a_password_that_create_would_reject(tmp_path: Path) -> None:
    run = ConfiguredAppliance(tmp_path, HERE + LOGIN, THERE)("config", "check", "-o", "json")
    (fail,) = [check for result in run.json["results"] for check in result["checks"] if check["status"] == "FAIL"]
    assert run.code == 3
    assert fail["name"] == "location"
    assert wording.PASSWORD_OF_ANOTHER_HOST("there.example.com", "here.example.com") in fail["message"]


@pytest.mark.parametrize(
    ("others", "warned"),
    [
        ("[servers.vc02]\nhost = 'vc02'\nlocation = 'sftp://here.example.com/x'\n", ["here.example.com"]),
        ("[servers.vc02]\nhost = 'vc02'\nlocation = 'sftp://there.example.com/x'\n", []),
        ("[servers.vc02]\nhost = 'vc02'\n", []),
    ],
)
def test_check_warns_about_a_password_sent_to_several_hosts(tmp_path: Path, others: str, warned: list[str]) -> None:
    run = ConfiguredAppliance(tmp_path, LOGIN, THERE, others)("config", "check", "-o", "json")
    logins = [check for check in run.json["results"][0]["checks"] if check["name"] == "location login"]
    assert run.code == 0
    assert [check["status"] for check in logins] == ["WARNING"] * len(warned)
    for check, host in zip(logins, warned, strict=True):
        assert (
            wording.PASSWORD_SHOWN_TO_HOSTS("defaults.location-password-file", "there.example.com", host)
            in check["message"]
        )
