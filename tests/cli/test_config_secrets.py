"""Each secret from each of its sources, read by a command and sent to an appliance."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from backupctl.config.option import SecretName
from backupctl.config.option_table import BACKUP_PASSWORD, LOCATION_PASSWORD, PASSWORD, SECRETS, SSO_PASSWORD
from tests import wording
from tests.support.command_line import LOCATION, NFS, USER, CommandLine, Run, write_private
from tests.support.memory_keyring import MemoryKeyring

HOST = "vc01.example.com"
ARCHIVE = f"{NFS}/vCenter/sn_{HOST}/M_8.0.0.10000_20260301-000000_"
LOGIN = "L0gin-it."
SECRET = "S3cret-Value."

A_FEW_AND_FIFTY = pytest.mark.parametrize("size", [5, pytest.param(50, marks=pytest.mark.exhaustive)])


@dataclass
class Place:
    """A source of a secret: options, variables, lines of the file, prompt answers and keyring entries."""

    words: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    server_lines: list[str] = field(default_factory=list)
    default_lines: list[str] = field(default_factory=list)
    answers: list[str] | None = None
    entries: dict[str, str] = field(default_factory=dict)


def file(folder: Path, secret: str) -> str:
    path = write_private(folder / f"{secret}.pass", f"{secret}\n")
    return str(path)


def credential(folder: Path, name: str, secret: str) -> dict[str, str]:
    directory = folder / "credentials"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(secret)
    return {"CREDENTIALS_DIRECTORY": str(directory)}


def prompted(name: SecretName, secret: str) -> list[str]:
    if name is SSO_PASSWORD:
        return ["", secret]  # the archive is not encrypted
    return [secret, secret] if name is BACKUP_PASSWORD else [secret]


Rung = Callable[[Path, SecretName, str], Place]
SOURCES: Mapping[str, Rung] = {
    "file option": lambda at, name, secret: Place(words=[name.file_option, file(at, secret)]),
    "command option": lambda at, name, secret: Place(words=[name.command_option, f"cat {file(at, secret)}"]),
    "variable": lambda _, name, secret: Place(environ={name.variable: secret}),
    "variable for a file": lambda at, name, secret: Place(environ={f"{name.variable}_FILE": file(at, secret)}),
    "variable for a command": lambda at, name, secret: Place(
        environ={f"{name.variable}_COMMAND": f"cat {file(at, secret)}"}
    ),
    "credential": lambda at, name, secret: Place(environ=credential(at, name.name, secret)),
    "file of the server": lambda at, name, secret: Place(server_lines=[f'{name.name}-file = "{file(at, secret)}"']),
    "command of the server": lambda at, name, secret: Place(
        server_lines=[f'{name.name}-command = ["cat", "{file(at, secret)}"]']
    ),
    "variable of the server": lambda _, name, secret: Place(
        server_lines=[f'{name.name}-env = "MY_OWN"'], environ={"MY_OWN": secret}
    ),
    "credential of the server": lambda at, name, secret: Place(
        server_lines=[f'{name.name}-credential = "own"'], environ=credential(at, "own", secret)
    ),
    "keyring of the server": lambda _, name, secret: Place(
        server_lines=[f'{name.name}-keyring = "vc01/{name.name}"'], entries={f"vc01/{name.name}": secret}
    ),
    "file of the defaults": lambda at, name, secret: Place(default_lines=[f'{name.name}-file = "{file(at, secret)}"']),
    "prompt": lambda _, name, secret: Place(answers=prompted(name, secret)),
}
"""The sources of a secret, first to last in precedence."""

COMMAND: Mapping[SecretName, list[str]] = {
    PASSWORD: ["list"],
    LOCATION_PASSWORD: ["create", "--location", LOCATION, "--location-user", "backup", "--no-require-encryption"],
    BACKUP_PASSWORD: ["create", "--location", NFS],
    SSO_PASSWORD: ["restore", "create", "--location", ARCHIVE, "--sso-username", USER, "--yes", "--auth", "session"],
}
"""A command that needs the secret and prompts for no other."""


class SecretCommand:
    """One command on an appliance, with secrets in their sources."""

    def __init__(self, folder: Path, name: SecretName, memory: MemoryKeyring) -> None:
        self.folder = folder
        self.name = name
        self.memory = memory

    def run(self, *places: Place, login: str = LOGIN) -> Run:
        """Run the command that needs the secret, on an appliance whose password is ``login``."""
        path = self.folder / "config.toml"
        defaults = [f'username = "{USER}"', *(line for place in places for line in place.default_lines)]
        server = [f'host = "{HOST}"', *(line for place in places for line in place.server_lines)]
        write_private(path, "\n".join(["[defaults]", *defaults, "[servers.vc01]", *server]))
        environ = {"BACKUPCTL_CONFIG": str(path), "PATH": "/usr/bin:/bin"}
        if self.name is not PASSWORD:
            environ["BACKUPCTL_PASSWORD"] = login
        answers = None
        for place in places:
            environ |= place.environ
            answers = place.answers if place.answers is not None else answers
            self.memory.entries |= place.entries
        self.line = CommandLine(environ=environ, others={HOST: {"password": login}})
        words = [word for place in places for word in place.words]
        return self.line(*COMMAND[self.name], "-s", "vc01", *words, answers=answers)

    def sent(self) -> str:
        return json.dumps(self.line.lines[HOST].writes)


OTHER_SECRETS = [name for name in SECRETS if name is not BACKUP_PASSWORD]
LADDERS = [
    *((BACKUP_PASSWORD, kind) for kind in SOURCES),
    *(
        (name, kind)
        for name in SECRETS
        if name is not BACKUP_PASSWORD
        for kind in ("file option", "variable", "prompt")
    ),
]
"""One secret from every source, as all share the same code; the others from the sources that name the secret."""


@pytest.mark.parametrize(("name", "kind"), LADDERS, ids=lambda value: getattr(value, "name", value))
def test_secret_from_every_source_is_sent(tmp_path: Path, memory: MemoryKeyring, name: SecretName, kind: str) -> None:
    secret_command = SecretCommand(tmp_path, name, memory)
    run = secret_command.run(SOURCES[kind](tmp_path, name, SECRET), login=SECRET if name is PASSWORD else LOGIN)
    if name is PASSWORD:
        assert run.code == 0, run.err
    else:
        assert SECRET in secret_command.sent()
    assert SECRET not in run.out + run.err
    assert not secret_command.line.prompter.answers


def test_first_source_of_a_secret_wins(tmp_path: Path, memory: MemoryKeyring) -> None:
    secret_command = SecretCommand(tmp_path, BACKUP_PASSWORD, memory)
    one_of_each = ("file option", "variable", "credential", "file of the server", "file of the defaults", "prompt")
    places = [
        SOURCES[kind](tmp_path, BACKUP_PASSWORD, f"S3cret-No.{number}") for number, kind in enumerate(one_of_each)
    ]
    for number in range(len(places)):
        assert secret_command.run(*places[number:]).code == 0
        assert [n for n in range(len(places)) if f"S3cret-No.{n}" in secret_command.sent()] == [number]


@pytest.mark.parametrize(
    ("words", "code"), [([], 0), (["-u", USER], 0), (["-u", "root"], 2), (["-u", "root", "--password-file", "{}"], 4)]
)
def test_password_of_the_file_is_only_for_the_user_beside_it(tmp_path: Path, words: list[str], code: int) -> None:
    secret = file(tmp_path, LOGIN)
    text = f'[defaults]\nusername = "{USER}"\npassword-file = "{secret}"\n[servers.vc01]\nhost = "{HOST}"\n'
    path = write_private(tmp_path / "config.toml", text)
    environ = {"BACKUPCTL_CONFIG": str(path)}
    line = CommandLine(environ=environ, others={HOST: {"password": LOGIN}})
    assert line("list", "-s", "vc01", *(word.format(secret) for word in words)).code == code
    assert bool(line.lines[HOST].urls) is (code != 2)


def test_two_places_of_equal_rank_are_rejected(tmp_path: Path, memory: MemoryKeyring) -> None:
    secret_command = SecretCommand(tmp_path, PASSWORD, memory)
    for first, second, code, message in [
        ("file option", "command option", 2, wording.CANNOT_BOTH_BE_GIVEN("--password-file", "--password-command")),
        (
            "variable",
            "variable for a file",
            3,
            wording.CANNOT_BOTH_BE_SET("BACKUPCTL_PASSWORD", "BACKUPCTL_PASSWORD_FILE"),
        ),
        (
            "file of the server",
            "keyring of the server",
            3,
            wording.CANNOT_BOTH_BE_SET("password-file", "password-keyring"),
        ),
    ]:
        run = secret_command.run(*(SOURCES[kind](tmp_path, PASSWORD, SECRET) for kind in (first, second)))
        assert run.code == code
        assert message in run.err


def test_secret_place_of_a_server_overrides_another_kind_in_the_defaults(tmp_path: Path, memory: MemoryKeyring) -> None:
    secret_command = SecretCommand(tmp_path, PASSWORD, memory)
    run = secret_command.run(
        SOURCES["keyring of the server"](tmp_path, PASSWORD, SECRET),
        SOURCES["file of the defaults"](tmp_path, PASSWORD, "other"),
        login=SECRET,
    )
    assert run.code == 0


def fleet(folder: Path, count: int, defaults: str, **environ: str) -> CommandLine:
    """Return a command line with ``count`` appliances that share these defaults."""
    hosts = [f"vc{number:02}.example.com" for number in range(count)]
    path = folder / "config.toml"
    servers = "".join(f'[servers.{host.partition(".")[0]}]\nhost = "{host}"\n' for host in hosts)
    write_private(path, f'[defaults]\nusername = "{USER}"\nlocation = "{LOCATION}/{{server}}"\n{defaults}\n{servers}')
    given = {"BACKUPCTL_CONFIG": str(path), "PATH": "/usr/bin:/bin", "COUNT": str(folder / "count"), **environ}
    return CommandLine(environ=given, others={host: {"password": LOGIN} for host in hosts}, job_duration=30.0)


@A_FEW_AND_FIFTY
def test_one_prompt_for_each_secret_is_used_for_all_appliances(tmp_path: Path, size: int) -> None:
    backupctl = fleet(tmp_path, size, 'location-user = "backup"')
    run = backupctl("create", "--all", "--parallel", "0", answers=[LOGIN, "l0cation", "VMw@re123", "VMw@re123"])
    assert run.code == 0
    assert [each for each in backupctl.prompter.questions if "assword" not in each] == [
        wording.CHECKING_LOCATION("vc00")
    ]
    assert len(backupctl.prompter.questions) == 6
    assert [len(line.writes) for line in backupctl.lines.values()] == [2, *[1] * (size - 1)]
    for host, line in backupctl.lines.items():
        body = line.writes[-1][2]
        assert (body["location_password"], body["backup_password"]) == ("l0cation", "VMw@re123")
        assert body["location"] == f"{LOCATION}/{host.partition('.')[0]}"


@A_FEW_AND_FIFTY
def test_secret_command_runs_once_for_all_appliances(tmp_path: Path, size: int) -> None:
    words = json.dumps(["sh", "-c", f'echo once >> "$COUNT"; echo {LOGIN}'])
    backupctl = fleet(tmp_path, size, f"password-command = {words}")
    assert backupctl("list", "--all", "-q").code == 0
    assert (tmp_path / "count").read_text() == "once\n"
    assert backupctl("list", "--all", "-q").code == 0
    assert (tmp_path / "count").read_text() == "once\n" * 2


def test_secret_command_that_fails_runs_once_and_is_reported_once(tmp_path: Path) -> None:
    words = json.dumps(["sh", "-c", 'echo once >> "$COUNT"; exit 3'])
    run = fleet(tmp_path, 50, f"password-command = {words}")("list", "--all")
    assert run.code == 3
    assert run.err.count(wording.COMMAND_FAILED(3)) == 1
    assert (tmp_path / "count").read_text() == "once\n"


@A_FEW_AND_FIFTY
def test_shared_keyring_entry_is_read_once(tmp_path: Path, memory: MemoryKeyring, size: int) -> None:
    memory.entries["service"] = LOGIN
    assert fleet(tmp_path, size, 'password-keyring = "service"')("list", "--all", "-q").code == 0
    assert memory.asked == ["service"]


def test_missing_keyring_entry_has_a_hint_to_store_it(tmp_path: Path, memory: MemoryKeyring) -> None:
    run = fleet(tmp_path, 1, 'password-keyring = "service"')("list", "--all")
    assert run.code == 3
    assert f"defaults.password-keyring: {wording.NO_KEYRING_ENTRY('service')}" in run.err
    assert "config set-secret" in run.err


def test_verbose_shows_the_source_of_each_value_and_no_secret(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, 1, 'password-env = "VC"\ncomment = "nightly"', VC=LOGIN, BACKUPCTL_TIMEOUT="1h")
    run = backupctl("create", "-s", "vc00", "--part", "common", "-v")
    said = run.err.replace(str(tmp_path), "")
    for line in (
        "config: /config.toml (environment BACKUPCTL_CONFIG)",
        f"username: {USER} (file /config.toml: defaults.username)",
        "password: *** (file /config.toml: defaults.password-env)",
        "comment: nightly (file /config.toml: defaults.comment)",
        "timeout: 1h (environment BACKUPCTL_TIMEOUT)",
        "part: common (flag --part)",
        "if-running: fail (default)",
    ):
        assert f"debug: {line}\n" in said
    assert LOGIN not in run.out + run.err


OVERRIDES: list[tuple[str, str, str, Any]] = [
    ("location", f'"{LOCATION}/x"', '"nfs://own/{server}"', "nfs://own/vc00"),
    ("parts", '["seat"]', '["common"]', ["common"]),
    ("comment", '"all"', '"own"', "own"),
    ("fast-backup", "false", "true", True),
]


@pytest.mark.parametrize(("key", "shared", "own", "sent"), OVERRIDES)
def test_settings_of_a_server_override_the_defaults(tmp_path: Path, key: str, shared: str, own: str, sent: Any) -> None:
    defaults = "" if key == "location" else f"{key} = {shared}"
    backupctl = fleet(tmp_path, 2, f'password-env = "VC"\n{defaults}', VC=LOGIN)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace('host = "vc00', f'{key} = {own}\nhost = "vc00'))
    run = backupctl("create", "--all", "--dry-run", "-o", "json")
    first, second = (result["requests"][0]["body"] for result in run.json["results"])
    assert run.code == 0
    assert first[key.replace("-", "_")] == sent
    assert second[key.replace("-", "_")] != sent
