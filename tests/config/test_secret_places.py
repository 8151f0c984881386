"""Sources of secrets: precedence, one read of each, and errors for missing secrets."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from backupctl.config.configuration import Layer
from backupctl.config.option_table import LOCATION_PASSWORD, PASSWORD
from backupctl.config.secret_resolver import SecretOptions, SecretPlace, SecretResolver
from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.from_file import StandardInput
from tests import wording
from tests.support.clock import MinuteClock
from tests.support.command_line import TO_APPLIANCE, CommandLine, write_private
from tests.support.memory_keyring import MemoryKeyring, use_keyring

NOTHING = SecretOptions()


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    with use_keyring(MemoryKeyring()) as memory:
        yield memory


def secrets(environ: Mapping[str, str] | None = None, **options: Any) -> SecretResolver:
    return SecretResolver(environ or {}, StandardInput(None), **options)


def layer(**values: Any) -> Layer:
    return Layer("servers.vc01", {name.replace("_", "-"): value for name, value in values.items()})


def located(given: SecretOptions, layers: tuple[Layer, ...] = ()) -> SecretPlace:
    found = secrets().locate(PASSWORD, given, layers)
    assert found is not None
    return found


# Errors


@pytest.mark.parametrize(
    ("environ", "values", "message", "hint"),
    [
        (
            {"BACKUPCTL_PASSWORD": ""},
            {},
            wording.VARIABLE_EMPTY("BACKUPCTL_PASSWORD"),
            wording.UNSET_EMPTY_VARIABLE,
        ),
        (
            {"BACKUPCTL_PASSWORD_FILE": "a", "BACKUPCTL_PASSWORD_COMMAND": "b"},
            {},
            wording.CANNOT_BOTH_BE_SET("BACKUPCTL_PASSWORD_FILE", "BACKUPCTL_PASSWORD_COMMAND"),
            wording.UNSET_ALL_BUT_ONE,
        ),
        (
            {},
            {"password_env": "TEAM_PASSWORD"},
            f"servers.vc01.password-env: {wording.VARIABLE_NOT_SET('TEAM_PASSWORD')}",
            "export TEAM_PASSWORD",
        ),
        (
            {"TEAM_PASSWORD": ""},
            {"password_env": "TEAM_PASSWORD"},
            f"servers.vc01.password-env: {wording.VARIABLE_NOT_SET('TEAM_PASSWORD')}",
            "export TEAM_PASSWORD",
        ),
        *(
            (
                environ,
                {"password_credential": "vc"},
                f"servers.vc01.password-credential: {wording.NO_CREDENTIAL('vc')}",
                wording.ADD_LOAD_CREDENTIAL("vc:/path/of/the/file"),
            )
            for environ in ({}, {"CREDENTIALS_DIRECTORY": ""}, {"CREDENTIALS_DIRECTORY": "/nonexistent"})
        ),
    ],
)
def test_place_without_a_secret_is_an_error_with_the_remedy(
    environ: dict[str, str], values: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        secrets(environ).find(PASSWORD, NOTHING, [layer(**values)])
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_two_options_for_one_secret_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        secrets().find(PASSWORD, SecretOptions(file="a", command="b"))
    assert caught.value.message == wording.CANNOT_BOTH_BE_GIVEN("--password-file", "--password-command")


def test_invalid_variable_names_the_key_that_refers_to_it() -> None:
    with pytest.raises(ConfigError, match=r"^servers\.vc01\.password-env contains"):
        secrets({"TEAM_PASSWORD": "a\nb"}).find(PASSWORD, NOTHING, [layer(password_env="TEAM_PASSWORD")])


def test_missing_keyring_entry_names_the_key_that_refers_to_it() -> None:
    with pytest.raises(ConfigError, match=r"servers\.vc01\.password-keyring"):
        secrets().find(PASSWORD, NOTHING, [layer(password_keyring="vc")])


def test_unreadable_credential_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "password").symlink_to("password")  # a loop
    with pytest.raises(ConfigError, match="systemd credential password"):
        secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}).find(PASSWORD, NOTHING)


def test_credentials_directory_that_is_a_file_has_no_secret(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert secrets({"CREDENTIALS_DIRECTORY": str(tmp_path / "file")}).find(PASSWORD, NOTHING) is None


def test_credential_without_a_directory_is_not_read_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "None").write_text("S3cret")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=wording.NO_CREDENTIAL("vc")):
        secrets().find(PASSWORD, NOTHING, [layer(password_credential="vc")])


def test_credential_fifo_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "vc")
    layers = [layer(password_credential="vc")]
    with pytest.raises(ConfigError, match=wording.PIPE_NOT_CLOSED_IN_TIME):
        secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}, clock=MinuteClock()).find(PASSWORD, NOTHING, layers)


# Precedence and descriptions


@pytest.mark.parametrize(
    ("values", "environ", "expected"),
    [
        ({"password_env": "TEAM"}, {"TEAM": "from a variable"}, "from a variable"),
        ({"password_command": ["echo", "from a command"]}, {}, "from a command"),
        ({"password_keyring": "vc"}, {}, "from the keyring"),
        ({"password_file": "{folder}/vc"}, {}, "from a file"),
        ({"password_credential": "vc"}, {"CREDENTIALS_DIRECTORY": "{folder}"}, "from a file"),
    ],
)
def test_file_may_name_each_kind_of_place(
    values: dict[str, Any], environ: dict[str, str], expected: str, tmp_path: Path, memory: MemoryKeyring
) -> None:
    memory.entries["vc"] = "from the keyring"
    write_private(tmp_path / "vc", "from a file")
    values = {
        name: value.format(folder=tmp_path) if isinstance(value, str) else value for name, value in values.items()
    }
    environ = {name: text.format(folder=tmp_path) for name, text in environ.items()}
    (key,) = values
    value = secrets(environ).find(PASSWORD, NOTHING, [Layer("none"), layer(**values), layer(password_env="NEVER")])
    assert value is not None
    assert (value.value.reveal(), str(value.source)) == (expected, f"file servers.vc01.{key.replace('_', '-')}")


@pytest.mark.parametrize(
    ("given", "kind", "where", "place"),
    [
        ({"file": "/etc/x"}, "file", "file /etc/x", ("file", "/etc/x", "")),
        ({"file": "-"}, "stdin", "standard input", ("file", "-", "--password-file")),
        ({"command": "pass"}, "command", "command pass", ("command", "pass")),
        ({"command": "pass show vc"}, "command", "command pass ...", ("command", "pass", "show", "vc")),
    ],
)
def test_place_of_an_option_is_described(given: dict[str, Any], kind: str, where: str, place: tuple[str, ...]) -> None:
    found = located(SecretOptions(**given))
    assert (found.kind, found.description, found.key) == (kind, where, place)


@pytest.mark.parametrize(
    ("values", "kind", "where"),
    [
        ({"password_env": "X"}, "env", "variable X"),
        ({"password_credential": "x"}, "credential", "systemd credential x"),
        ({"password_keyring": "x"}, "keyring", "keyring entry x"),
    ],
)
def test_place_of_a_key_is_described(values: dict[str, str], kind: str, where: str) -> None:
    found = located(NOTHING, (layer(**values),))
    assert (found.kind, found.description, found.key) == (kind, where, (kind, *values.values()))


# Each source is read once


def counting(folder: Path, end: str) -> list[str]:
    return ["/bin/sh", "-c", f"echo x >> {folder}/count; {end}"]


def count(folder: Path) -> int:
    return len((folder / "count").read_text().split())


def test_place_is_read_once_for_all_that_name_it(tmp_path: Path) -> None:
    shared, words = secrets(), counting(tmp_path, "echo pw")
    for name, key in ((PASSWORD, "password-command"), (LOCATION_PASSWORD, "location-password-command")):
        value = shared.find(name, NOTHING, [Layer("defaults", {key: words})])
        assert value is not None
        assert (value.value.reveal(), str(value.source)) == ("pw", f"file defaults.{key}")
    assert count(tmp_path) == 1


def test_place_that_fails_is_read_once_for_each_setting_that_names_it(tmp_path: Path) -> None:
    shared, words = secrets(), counting(tmp_path, "exit 3")
    first, second = (Layer(where, {"password-command": words}) for where in ("servers.vc01", "servers.vc02"))
    errors = []
    for each in (first, first, second):
        with pytest.raises(ConfigError) as caught:
            shared.find(PASSWORD, NOTHING, [each])
        errors.append(caught.value)
    assert errors[0] is errors[1]
    assert "servers.vc02" in errors[2].message
    assert count(tmp_path) == 2


def test_places_with_different_names_are_read_separately(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_private(tmp_path / name, name)
    shared = secrets()
    values = [shared.find(PASSWORD, SecretOptions(file=str(tmp_path / name))) for name in ("one", "two")]
    assert [value and value.value.reveal() for value in values] == ["one", "two"]


# The environment of a secret command


def test_secret_command_does_not_inherit_variables_that_hold_secrets(tmp_path: Path) -> None:
    """Run a command that prints the password only if it is the one variable that must be hidden."""
    configuration = write_private(
        tmp_path / "config.toml",
        """
        [defaults]
        location-password-env = "TEAM_SECRET"
        password-command = ["/bin/sh", "-c", 'echo "${TEAM_SECRET-VMware1!}${TEAM_NAME}"']
        """,
    )
    environ = {name: text for name, text in TO_APPLIANCE.items() if name != "BACKUPCTL_PASSWORD"}
    environ |= {"BACKUPCTL_CONFIG": str(configuration), "TEAM_SECRET": "S3cret", "PATH": "/bin:/usr/bin"}
    assert CommandLine(environ=environ)("list").code == 0
    assert CommandLine(environ=environ | {"TEAM_NAME": "x"})("list").code == 4
