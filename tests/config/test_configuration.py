"""The configuration file: what it may say, and a sentence for each mistake."""

import os
import stat
from pathlib import Path

import pytest

from backupctl.config.config_file import SYSTEM_PATH, find_configuration, read_configuration
from backupctl.config.configuration import Configuration
from backupctl.config.option_table import OPTIONS, SECRETS
from backupctl.errors import ConfigError
from tests.support.clock import FakeClock, ImpatientClock

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
    vc01, vc02 = configuration.everything()
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
def test_profile_is_found_by_name_and_by_either_address_of_its_appliance(
    tmp_path: Path, text: str, name: str, port: int
) -> None:
    profile = read(tmp_path, GOOD).profile(text)
    assert (profile.name, profile.address.port, profile.read_only.value) == (name, port, name == "vc01")
    assert profile.layers[-1].values["username"] == "svc-backup@vsphere.local"


def test_numbers_may_be_written_without_quotes(tmp_path: Path) -> None:
    values = read(tmp_path, "[defaults]\ntimeout = 90\ninterval = 1.5\nparallel = 4").defaults.values
    assert values == {"timeout": 90.0, "interval": 1.5, "parallel": 4}


def test_every_option_that_a_file_may_hold_is_taken_from_it_and_no_other(tmp_path: Path) -> None:
    flags_only = {option.name for option in OPTIONS if option.file_key is None}
    assert flags_only == {
        *("server", "insecure", "simulate", "config", "group", "all", "together", "fail-fast"),
        *("output", "quiet", "verbose", "color", "dry-run", "no-wait"),
    }
    for name in sorted(flags_only):
        with pytest.raises(ConfigError, match=f"defaults.{name}: --{name} is never taken from a file"):
            read(tmp_path, f'[defaults]\n{name} = "x"')


@pytest.mark.parametrize("place", ["file", "command", "env", "credential", "keyring"])
def test_every_secret_may_be_said_to_be_in_each_place(tmp_path: Path, place: str) -> None:
    for secret in SECRETS:
        value = '["x"]' if place == "command" else '"x"'
        assert (
            f"{secret.name}-{place}" in read(tmp_path, f"[defaults]\n{secret.name}-{place} = {value}").defaults.values
        )


SERVER = '[servers.vc01]\nhost = "vc01.example.com"\n'

MISTAKES = [
    ("usernme = 1\n[defaults]", "config.toml: usernme: there is no such table", "take it out"),
    ("[default]", "config.toml: default: there is no such table", "is defaults meant?"),
    ("defaults = 1", "config.toml: defaults is not a table", "write [defaults]"),
    ("servers = 1", "config.toml: servers is not a table", "write [servers]"),
    ("groups = []", "config.toml: groups is not a table", "write [groups]"),
    ("[servers]\nvc01 = 1", "config.toml: servers.vc01 is not a table", "write [servers.vc01]"),
    ("[defaults]\nusernme = 'x'", "config.toml: defaults.usernme: there is no such key", "is username meant?"),
    ("[defaults]\nlocation_user = 'x'", "defaults.location_user: there is no such key", "is location-user meant?"),
    ("[defaults]\nxyz = 1", "config.toml: defaults.xyz: there is no such key", "take it out"),
    ("[servers.vc01.example.com]\nhost = 'a'", "servers.vc01: a name with dots", 'write [servers."vc01.example.com"]'),
    (f"{SERVER}fingerprnt = 'x'", "config.toml: servers.vc01.fingerprnt: there is no such key", ""),
    ("[defaults]\npassword = 'S3cret'", "defaults.password: a secret does not stand in a config", "password-file"),
    (f"{SERVER}backup-password = 'S3cret'", "servers.vc01.backup-password: a secret does not stand", "-command"),
    ("[defaults]\nproxy = 'http://u:S3cret@p:3128'", "defaults.proxy: a secret does not stand", "BACKUPCTL_PROXY"),
    ("[defaults]\nlocation = 'sftp://u:S3cret@h/x'", "defaults.location: ", "give the user with location-user and"),
    ("[defaults]\ninsecure = true", "defaults.insecure: --insecure is never taken from a file", "take it out"),
    ("[defaults]\nusername = 1.5", "defaults.username is not a text", "in quotes"),
    ("[defaults]\nusername = ''", "defaults.username is empty", "take it out"),
    ("[defaults]\nusername = 'a:b'", "defaults.username: a user name cannot hold a colon", "password"),
    ("[defaults]\ntimeout = 'soon'", "defaults.timeout: 'soon' is no duration", "30s"),
    ("[defaults]\ntimeout = true", "defaults.timeout: 'true' is no duration", "write 90, 30s"),
    ("[defaults]\ntimeout = ['1h']", "defaults.timeout is not a text", "in quotes"),
    ("[defaults]\nparallel = true", "defaults.parallel: 'true' is no number of backups", "0 for no limit"),
    ("[defaults]\nparallel = 1.5", "defaults.parallel: '1.5' is no number of backups", "0 for no limit"),
    ("[defaults]\nif-running = true", "defaults.if-running: 'true' is none of its values", "fail, wait, attach"),
    ("[defaults]\nusername = 3", "defaults.username is not a text", "in quotes"),
    ("[defaults]\ncomment = 1", "defaults.comment is not a text", "in quotes"),
    ("username = 'x'\n[defaults]", "config.toml: username stands in no table", "below [defaults]"),
    ("host = 'x'", "config.toml: host stands in no table", "below [servers.NAME]"),
    ("password = 'S3cret'", "config.toml: password: there is no such table", "take it out"),
    ("[defaults]\npassword-env = 'S3cret B'", "defaults.password-env is no name of a variable", "export it"),
    ("[defaults]\npassword-env = '1A'", "defaults.password-env is no name of a variable", "export it"),
    ("[defaults]\nauth = 'magic'", "defaults.auth: 'magic' is none of its values", "session, basic"),
    ("[defaults]\nparallel = -1", "defaults.parallel: '-1' is no number of backups", "0 for no limit"),
    ("[defaults]\nrequire-encryption = 'yes'", "require-encryption is neither true nor false", "without quotes"),
    ("[defaults]\nread-only = 1", "defaults.read-only is neither true nor false", "without quotes"),
    ("[defaults]\nparts = 'common'", "defaults.parts is not a list of texts", "parts = ["),
    ("[defaults]\nparts = []", "defaults.parts is empty", "take it out"),
    ("[defaults]\nparts = [1]", "defaults.parts is not a text", "in quotes"),
    ("[defaults]\npart = ['common']", "defaults.part: there is no such key", "is parts meant?"),
    ("[defaults]\nparts = ['a b']", "defaults.parts: ", ""),
    ("[defaults]\npassword-command = 'pass show x'", "password-command is not a list of words", "no shell"),
    ("[defaults]\npassword-command = []", "password-command is not a list of words", "no shell"),
    ("[defaults]\npassword-file = '-'", "password-file: standard input can be named on the command", "name a file"),
    ("[defaults]\npassword-env = 1", "password-env is not a text", "in quotes"),
    ("[defaults]\npassword-env = 'A'\npassword-file = 'B'", "password-file and password-env cannot both", "keep one"),
    ("[defaults]\nhost = 'vc01'", "defaults.host does not belong here", "[servers.NAME]"),
    (f"{SERVER}parallel = 2", "servers.vc01.parallel does not belong here", "[defaults]"),
    ("[servers.vc01]\nusername = 'x'", "servers.vc01 has no host", 'host = "'),
    ("[servers.vc01]\nhost = 'a b'", "servers.vc01.host: the server has a blank in it", ""),
    ("[servers.vc01]\nhost = 'http://vc01'", "servers.vc01.host: the server is asked for over http://", "https://"),
    (
        "[servers.vc01]\nhost = 'u:S3cret@vc01'",
        "servers.vc01.host: the server holds a user name",
        "the user with username and",
    ),
    ("[servers.'a/b']\nhost = 'vc01'", "the name 'a/b' has characters that cannot stand", "letters, digits"),
    (f"{SERVER}[servers.b]\nhost = 'VC01.example.com:443'", "servers.vc01 and servers.b are one appliance", "keep one"),
    ("[groups]\nproduction = 'vc01'", "groups.production is not a list of names", 'production = ["vc01"'),
    ("[groups]\nproduction = []", "groups.production is not a list of names", 'production = ["vc01"'),
    (f"{SERVER}[groups]\nproduction = ['vc1']", "groups.production: vc1: there is no such server", "is vc01 meant?"),
    ("[defaults]\nca-file = '~nobody-at-all/ca.pem'", "defaults.ca-file: '~nobody-at-all/ca.pem'", "the whole path"),
    ("[defaults]\npassword-file = '~nobody-at-all/p'", "defaults.password-file: '~nobody-at-all/p'", "the whole path"),
    ("[defaults", "config.toml is not TOML: ", "https://toml.io"),
    ("[defaults]\na = 1\na = 2", "config.toml is not TOML: ", "https://toml.io"),
    (b"[defaults]\nusername = '\xff'", "config.toml is not UTF-8 text", "byte 24"),
    ("x = " + "[" * 20000 + "]" * 20000, "config.toml is not TOML", ""),
    ("#" * (4 << 20) + "##", "config.toml holds more than 4 MiB", "is this a configuration file?"),
]


@pytest.mark.parametrize(("text", "sentence", "remedy"), MISTAKES, ids=[str(row[1]) for row in MISTAKES])
def test_mistake_gets_a_sentence_with_file_key_and_remedy_and_shows_no_secret(
    tmp_path: Path, text: str | bytes, sentence: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    error = caught.value
    assert str(tmp_path) in error.message
    assert sentence in error.message
    assert error.hint is not None
    assert remedy in error.hint
    assert "S3cret" not in f"{error.message}{error.hint}{error.details}{error!r}"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_file_that_others_can_change_is_refused_with_the_chmod_line(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="can be changed by others") as caught:
        read(tmp_path, GOOD, mode)
    assert caught.value.hint == f"chmod go-w {tmp_path}/config.toml"
    read(tmp_path, GOOD, 0o644)


def test_file_in_a_directory_that_everybody_may_write_to_is_refused_through_a_link_too(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (tmp_path / "link").symlink_to(written(folder, GOOD))
    folder.chmod(0o777)
    for path in (folder / "config.toml", tmp_path / "link"):
        with pytest.raises(ConfigError, match="can be exchanged by others") as caught:
            read_configuration(path, FakeClock())
        assert caught.value.hint == f"chmod o-w {folder}"
    folder.chmod(0o1777)
    read_configuration(tmp_path / "link", FakeClock())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_refused_even_to_root(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    os.chown(path, 65534, -1)
    with pytest.raises(ConfigError, match=r"belongs to another user \(uid 65534\), who can have commands") as caught:
        read_configuration(path, FakeClock())
    assert caught.value.hint == f"chown 0 {path}"


def test_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b")):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_configuration(path, FakeClock())


def test_terminal_is_no_configuration_file() -> None:
    main, terminal = os.openpty()
    with pytest.raises(ConfigError, match="is a terminal"):
        read_configuration(Path(os.ttyname(terminal)), FakeClock())
    os.close(main)
    os.close(terminal)


def test_pipe_is_read_to_its_end_and_one_that_nobody_writes_to_is_no_hang(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, SERVER.encode())
    os.close(writing)
    assert list(read_configuration(Path(f"/dev/fd/{reading}"), FakeClock()).servers) == ["vc01"]
    os.close(reading)
    os.mkfifo(tmp_path / "fifo")
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
    with pytest.raises(ConfigError, match="not written to its end in time"):
        read_configuration(tmp_path / "fifo", ImpatientClock())


def test_file_is_looked_for_where_it_is_named_then_with_the_user_then_in_the_system(tmp_path: Path) -> None:
    home = tmp_path / ".config" / "backupctl"
    home.mkdir(parents=True)
    (home / "config.toml").write_text(SERVER)
    assert find_configuration(Path("/named"), {"HOME": str(tmp_path)}) == Path("/named")
    assert find_configuration(None, {"HOME": str(tmp_path)}) == home / "config.toml"
    assert find_configuration(None, {"XDG_CONFIG_HOME": str(home.parent), "HOME": "/x"}) == home / "config.toml"
    assert find_configuration(None, {"XDG_CONFIG_HOME": "relative", "HOME": str(tmp_path)}) == home / "config.toml"
    assert find_configuration(None, {}) in {None, SYSTEM_PATH}
    assert read(tmp_path, "") == Configuration(tmp_path / "config.toml", read(tmp_path, "").defaults)
