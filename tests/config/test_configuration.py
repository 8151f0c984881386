"""The configuration file: its contents, and an error for each invalid one."""

import os
import re
import stat
from pathlib import Path

import pytest

from backupctl.config.config_file import SYSTEM_PATH, find_configuration, read_configuration
from backupctl.config.configuration import Configuration
from backupctl.config.option_table import OPTIONS, SECRETS
from backupctl.errors import ConfigError
from tests import wording
from tests.support.clock import FakeClock, MinuteClock

GOOD = """
[defaults]
username = "svc-backup@vsphere.local"
password-command = ["pass", "show", "vcenter/svc-backup"]
location = "sftp://backup.example.com/vcenter/{server}"
location-user = "backup"
location-password-file = "location.pass"
parts = ["common", "seat"]
require-encryption = true
timeout = "6h"
interval = 10
parallel = 4

[servers.vc01]
host = "vc01.example.com"
ca-file = "ca.pem"
read-only = true

[servers.vc02]
host = "vc02.example.com:8443"
timeout = "1h"

[groups]
production = ["vc01", "vc02", "vc01"]
"""


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def read(folder: Path, text: str | bytes, mode: int = 0o600) -> Configuration:
    return read_configuration(written(folder, text, mode), FakeClock())


def test_configuration_gives_servers_with_their_layers_and_groups(tmp_path: Path) -> None:
    configuration = read(tmp_path, GOOD)
    vc01, vc02 = configuration.all_servers()
    assert (vc01.name, vc01.address.host, vc01.read_only.value) == ("vc01", "vc01.example.com", True)
    assert (vc02.address.port, vc02.read_only.value) == (8443, False)
    assert [layer.values.get("timeout") for layer in vc02.layers] == [3600.0, 21600.0]
    assert configuration.defaults.values["interval"] == 10.0
    assert vc01.layers[0].values["ca-file"] == tmp_path / "ca.pem"
    assert configuration.defaults.values["location-password-file"] == str(tmp_path / "location.pass")
    assert configuration.group("production") == (vc01, vc02)


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("vc01", "vc01", 443),
        ("vc01.example.com", "vc01", 443),
        ("https://VC01.example.com./", "vc01", 443),
        ("vc01.example.com:5480", "vc01", 5480),
        ("vc01.example.com:9443", "vc01.example.com:9443", 9443),
        ("vc02.example.com:8443", "vc02", 8443),
        ("vc02.example.com", "vc02.example.com", 443),
        ("vc03", "vc03", 443),
    ],
)
def test_profile_is_found_by_name_and_by_either_port(tmp_path: Path, text: str, name: str, port: int) -> None:
    profile = read(tmp_path, GOOD).profile(text)
    assert (profile.name, profile.address.port, profile.read_only.value) == (name, port, name == "vc01")
    assert profile.layers[-1].values["username"] == "svc-backup@vsphere.local"


def test_numbers_may_be_written_without_quotes(tmp_path: Path) -> None:
    values = read(tmp_path, "[defaults]\ntimeout = 90\ninterval = 1.5\nparallel = 4").defaults.values
    assert values == {"timeout": 90.0, "interval": 1.5, "parallel": 4}


def test_every_option_with_a_file_key_is_read_and_no_other(tmp_path: Path) -> None:
    flags_only = {option.name for option in OPTIONS if option.file_key is None}
    assert flags_only == {
        *("server", "insecure", "simulate", "config", "group", "all", "together", "fail-fast"),
        *("output", "quiet", "verbose", "color", "dry-run", "no-wait", "prune"),
    }
    for name in sorted(flags_only):
        with pytest.raises(ConfigError, match=f"defaults.{name}: --{wording.NEVER_FROM_A_FILE(name)}"):
            read(tmp_path, f'[defaults]\n{name} = "x"')


@pytest.mark.parametrize("place", ["file", "command", "env", "credential", "keyring"])
def test_every_secret_may_name_each_kind_of_place(tmp_path: Path, place: str) -> None:
    for secret in SECRETS:
        value = '["x"]' if place == "command" else '"x"'
        assert (
            f"{secret.name}-{place}" in read(tmp_path, f"[defaults]\n{secret.name}-{place} = {value}").defaults.values
        )


SERVER = '[servers.vc01]\nhost = "vc01.example.com"\n'

MISTAKES = [
    ("usernme = 1\n[defaults]", f"config.toml: usernme: {wording.NO_SUCH_TABLE}", wording.REMOVE_IT),
    ("[default]", f"config.toml: default: {wording.NO_SUCH_TABLE}", wording.DID_YOU_MEAN("defaults")),
    ("defaults = 1", f"config.toml: {wording.NOT_A_TABLE('defaults')}", "use [defaults]"),
    ("servers = 1", f"config.toml: {wording.NOT_A_TABLE('servers')}", "use [servers]"),
    ("groups = []", f"config.toml: {wording.NOT_A_TABLE('groups')}", "use [groups]"),
    ("[servers]\nvc01 = 1", f"config.toml: {wording.NOT_A_TABLE('servers.vc01')}", "use [servers.vc01]"),
    (
        "[defaults]\nusernme = 'x'",
        f"config.toml: defaults.usernme: {wording.NO_SUCH_KEY}",
        wording.DID_YOU_MEAN("username"),
    ),
    (
        "[defaults]\nlocation_user = 'x'",
        f"defaults.location_user: {wording.NO_SUCH_KEY}",
        wording.DID_YOU_MEAN("location-user"),
    ),
    ("[defaults]\nxyz = 1", f"config.toml: defaults.xyz: {wording.NO_SUCH_KEY}", wording.REMOVE_IT),
    (
        "[servers.vc01.example.com]\nhost = 'a'",
        f"servers.vc01: {wording.DOTS_IN_NAME}",
        'use [servers."vc01.example.com"]',
    ),
    (f"{SERVER}fingerprnt = 'x'", f"config.toml: servers.vc01.fingerprnt: {wording.NO_SUCH_KEY}", ""),
    ("[defaults]\npassword = 'S3cret'", f"defaults.password: {wording.SECRET_IN_CONFIGURATION}", "password-file"),
    (
        f"{SERVER}backup-password = 'S3cret'",
        f"servers.vc01.backup-password: {wording.SECRET_IN_CONFIGURATION}",
        "-command",
    ),
    (
        "[defaults]\nproxy = 'http://u:S3cret@p:3128'",
        f"defaults.proxy: {wording.SECRET_IN_CONFIGURATION}",
        "BACKUPCTL_PROXY",
    ),
    ("[defaults]\nlocation = 'sftp://u:S3cret@h/x'", "defaults.location: ", wording.USE_LOCATION_USER),
    ("[defaults]\ninsecure = true", f"defaults.insecure: {wording.NEVER_FROM_A_FILE('--insecure')}", wording.REMOVE_IT),
    ("[defaults]\nusername = 1.5", f"defaults.username {wording.NOT_A_STRING}", wording.IN_QUOTES),
    ("[defaults]\nusername = ''", wording.EMPTY_KEY("defaults.username"), wording.REMOVE_IT),
    ("[defaults]\nusername = 'a:b'", f"defaults.username: {wording.COLON_IN_USER_NAME}", "password"),
    ("[defaults]\ntimeout = 'soon'", f"defaults.timeout: {wording.INVALID_DURATION('soon')}", "30s"),
    ("[defaults]\ntimeout = true", f"defaults.timeout: {wording.INVALID_DURATION('true')}", wording.DURATION_EXAMPLES),
    ("[defaults]\ntimeout = ['1h']", f"defaults.timeout {wording.NOT_A_STRING}", wording.IN_QUOTES),
    (
        "[defaults]\nparallel = true",
        f"defaults.parallel: {wording.INVALID_NUMBER_OF_BACKUPS('true')}",
        wording.ZERO_MEANS_NO_LIMIT,
    ),
    (
        "[defaults]\nparallel = 1.5",
        f"defaults.parallel: {wording.INVALID_NUMBER_OF_BACKUPS('1.5')}",
        wording.ZERO_MEANS_NO_LIMIT,
    ),
    ("[defaults]\nif-running = true", f"defaults.if-running: {wording.INVALID_CHOICE('true')}", "fail, wait, attach"),
    ("[defaults]\nusername = 3", f"defaults.username {wording.NOT_A_STRING}", wording.IN_QUOTES),
    ("[defaults]\ncomment = 1", f"defaults.comment {wording.NOT_A_STRING}", wording.IN_QUOTES),
    (
        "username = 'x'\n[defaults]",
        f"config.toml: {wording.KEY_OUTSIDE_OF_TABLES('username')}",
        "move it to [defaults]",
    ),
    ("host = 'x'", f"config.toml: {wording.KEY_OUTSIDE_OF_TABLES('host')}", "move it to [servers.NAME]"),
    ("password = 'S3cret'", f"config.toml: password: {wording.NO_SUCH_TABLE}", wording.REMOVE_IT),
    ("[defaults]\npassword-env = 'S3cret B'", f"defaults.password-env {wording.NOT_A_VARIABLE_NAME}", "export it"),
    ("[defaults]\npassword-env = '1A'", f"defaults.password-env {wording.NOT_A_VARIABLE_NAME}", "export it"),
    ("[defaults]\nauth = 'magic'", f"defaults.auth: {wording.INVALID_CHOICE('magic')}", "session, basic"),
    (
        "[defaults]\nparallel = -1",
        f"defaults.parallel: {wording.INVALID_NUMBER_OF_BACKUPS('-1')}",
        wording.ZERO_MEANS_NO_LIMIT,
    ),
    ("[defaults]\nrequire-encryption = 'yes'", f"require-encryption {wording.NOT_A_BOOLEAN}", wording.WITHOUT_QUOTES),
    ("[defaults]\nread-only = 1", f"defaults.read-only {wording.NOT_A_BOOLEAN}", wording.WITHOUT_QUOTES),
    ("[defaults]\nparts = 'common'", f"defaults.parts {wording.NOT_A_LIST_OF_STRINGS}", "parts = ["),
    ("[defaults]\nparts = []", wording.EMPTY_KEY("defaults.parts"), wording.REMOVE_IT),
    ("[defaults]\nparts = [1]", f"defaults.parts {wording.NOT_A_STRING}", wording.IN_QUOTES),
    ("[defaults]\npart = ['common']", f"defaults.part: {wording.NO_SUCH_KEY}", wording.DID_YOU_MEAN("parts")),
    ("[defaults]\nparts = ['a b']", "defaults.parts: ", ""),
    ("[defaults]\npassword-command = 'pass show x'", f"password-command {wording.NOT_A_LIST_OF_WORDS}", "no shell"),
    ("[defaults]\npassword-command = []", f"password-command {wording.NOT_A_LIST_OF_WORDS}", "no shell"),
    ("[defaults]\npassword-file = '-'", f"password-file: {wording.STDIN_ONLY_ON_COMMAND_LINE}", "use a file"),
    ("[defaults]\npassword-env = 1", f"password-env {wording.NOT_A_STRING}", wording.IN_QUOTES),
    (
        "[defaults]\npassword-env = 'A'\npassword-file = 'B'",
        wording.CANNOT_BOTH_BE_SET("password-file", "password-env"),
        wording.KEEP_ONE,
    ),
    ("[defaults]\nhost = 'vc01'", f"defaults.host {wording.KEY_OF_ANOTHER_TABLE}", "[servers.NAME]"),
    (f"{SERVER}parallel = 2", f"servers.vc01.parallel {wording.KEY_OF_ANOTHER_TABLE}", "[defaults]"),
    ("[servers.vc01]\nusername = 'x'", wording.SERVER_WITHOUT_HOST("servers.vc01"), 'host = "'),
    ("[servers.vc01]\nhost = 'a b'", f"servers.vc01.host: {wording.BLANK_IN_SERVER}", ""),
    ("[servers.vc01]\nhost = 'http://vc01'", f"servers.vc01.host: {wording.SERVER_OVER_HTTP}", "https://"),
    (
        "[servers.vc01]\nhost = 'u:S3cret@vc01'",
        f"servers.vc01.host: {wording.USER_IN_SERVER}",
        wording.USE_USERNAME,
    ),
    ("[servers.'a/b']\nhost = 'vc01'", wording.INVALID_CHARACTERS_IN_NAME("a/b"), "letters, digits"),
    (
        f"{SERVER}[servers.b]\nhost = 'VC01.example.com:443'",
        wording.SAME_APPLIANCE("servers.vc01", "servers.b"),
        wording.KEEP_ONE,
    ),
    ("[groups]\nproduction = 'vc01'", f"groups.production {wording.NOT_A_LIST_OF_NAMES}", 'production = ["vc01"'),
    ("[groups]\nproduction = []", f"groups.production {wording.NOT_A_LIST_OF_NAMES}", 'production = ["vc01"'),
    (
        f"{SERVER}[groups]\nproduction = ['vc1']",
        f"groups.production: {wording.NO_SUCH_SERVER_IN_GROUP('vc1')}",
        wording.DID_YOU_MEAN("vc01"),
    ),
    *(
        (
            f"{SERVER}[groups]\nprod = ['{name}']",
            f"groups.prod: {wording.NO_SUCH_SERVER_IN_GROUP(name)}",
            wording.ADD_TABLE_OR_REMOVE_IT(table),
        )
        for name, table in (("zebra", "servers.zebra"), ("zebra.lab", 'servers."zebra.lab"'))
    ),
    (
        "[defaults]\nca-file = '~nobody-at-all/ca.pem'",
        "defaults.ca-file: '~nobody-at-all/ca.pem'",
        wording.WRITE_THE_WHOLE_PATH,
    ),
    (
        "[defaults]\npassword-file = '~nobody-at-all/p'",
        "defaults.password-file: '~nobody-at-all/p'",
        wording.WRITE_THE_WHOLE_PATH,
    ),
    ("[defaults", f"config.toml {wording.NOT_TOML}: ", "https://toml.io"),
    ("[defaults]\na = 1\na = 2", f"config.toml {wording.NOT_TOML}: ", "https://toml.io"),
    (b"[defaults]\nusername = '\xff'", f"config.toml {wording.NOT_UTF8}", "byte 24"),
    ("x = " + "[" * 20000 + "]" * 20000, f"config.toml {wording.NOT_TOML}", ""),
    ("#" * (4 << 20) + "##", f"config.toml {wording.CONFIGURATION_TOO_LARGE}", wording.IS_IT_A_CONFIGURATION),
]


@pytest.mark.parametrize(("text", "expected", "expected_hint"), MISTAKES, ids=[str(row[1]) for row in MISTAKES])
def test_invalid_file_is_an_error_with_path_key_and_hint_and_no_secret(
    tmp_path: Path, text: str | bytes, expected: str, expected_hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    error = caught.value
    assert str(tmp_path) in error.message
    assert expected in error.message
    assert error.hint is not None
    assert expected_hint in error.hint
    assert "S3cret" not in f"{error.message}{error.hint}{error.details}{error!r}"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_file_writable_by_others_is_rejected_with_the_chmod_command(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match=wording.WRITABLE_BY_OTHERS) as caught:
        read(tmp_path, GOOD, mode)
    assert caught.value.hint == f"chmod go-w {tmp_path}/config.toml"
    read(tmp_path, GOOD, 0o644)


def test_file_in_a_world_writable_directory_is_rejected_also_through_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (tmp_path / "link").symlink_to(written(folder, GOOD))
    folder.chmod(0o777)
    for path in (folder / "config.toml", tmp_path / "link"):
        with pytest.raises(ConfigError, match=wording.REPLACEABLE_BY_OTHERS) as caught:
            read_configuration(path, FakeClock())
        assert caught.value.hint == f"chmod o-w {folder}"
    folder.chmod(0o1777)
    read_configuration(tmp_path / "link", FakeClock())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_rejected_even_for_root(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    os.chown(path, 65534, -1)
    with pytest.raises(ConfigError, match=re.escape(wording.OTHER_OWNER(65534))) as caught:
        read_configuration(path, FakeClock())
    assert caught.value.hint == f"chown 0 {path}"


def test_unreadable_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b")):
        with pytest.raises(ConfigError, match=wording.UNREADABLE):
            read_configuration(path, FakeClock())


def test_terminal_as_configuration_file_is_rejected() -> None:
    main, terminal = os.openpty()
    with pytest.raises(ConfigError, match=wording.IS_A_TERMINAL):
        read_configuration(Path(os.ttyname(terminal)), FakeClock())
    os.close(main)
    os.close(terminal)


def test_pipe_is_read_to_its_end_and_times_out_without_a_writer(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, SERVER.encode())
    os.close(writing)
    assert list(read_configuration(Path(f"/dev/fd/{reading}"), FakeClock()).servers) == ["vc01"]
    os.close(reading)
    os.mkfifo(tmp_path / "fifo")
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
    with pytest.raises(ConfigError, match=wording.PIPE_NOT_CLOSED_IN_TIME):
        read_configuration(tmp_path / "fifo", MinuteClock())


def test_file_search_order_is_named_then_user_then_system(tmp_path: Path) -> None:
    home = tmp_path / ".config" / "backupctl"
    home.mkdir(parents=True)
    (home / "config.toml").write_text(SERVER)
    assert find_configuration(Path("/named"), {"HOME": str(tmp_path)}) == Path("/named")
    assert find_configuration(None, {"HOME": str(tmp_path)}) == home / "config.toml"
    assert find_configuration(None, {"XDG_CONFIG_HOME": str(home.parent), "HOME": "/x"}) == home / "config.toml"
    assert find_configuration(None, {"XDG_CONFIG_HOME": "relative", "HOME": str(tmp_path)}) == home / "config.toml"
    assert find_configuration(None, {}) in {None, SYSTEM_PATH}
    assert read(tmp_path, "") == Configuration(tmp_path / "config.toml", read(tmp_path, "").defaults)
