"""Editing one value of the configuration file: the rest keeps its layout, and a failure changes nothing."""

import re
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from backupctl.config.config_edit import SAMPLE, StoredValue, add_sample, merge, path_to_edit, store
from backupctl.config.config_file import SYSTEM_PATH, file_modes, read_configuration
from backupctl.errors import ConfigError, OutputError
from tests import wording
from tests.support.clock import FakeClock

PIN = f"sha256:{'ab' * 32}"
OLD = f"sha256:{'cd' * 32}"
HOST = "vc01.example.com"
WRITTEN = """\
# ours
[defaults]
username = "svc-backup@vsphere.local"   # not root

[servers.vc01]
host = 'vc01.example.com'       # the first
ca-file = "ca.pem"

[groups]
production = ["vc01",
    "vc02"]  # both
"""


def test_stored_value_is_read_back(path: Path, clock: FakeClock) -> None:
    path.write_text(WRITTEN.replace(', "vc02"', "").replace('["vc01",\n    "vc02"]', '["vc01"]'))
    put(path)
    put(path, "[::1]:8443", host="[::1]:8443")
    read = read_configuration(path, clock)
    assert read.profile(HOST).layers[0].values["fingerprint"] == PIN
    assert read.profile("[::1]:8443").layers[0].values["fingerprint"] == PIN
    assert set(read.servers) == {"vc01", "1-8443"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def put(path: Path, name: str = "vc01", value: str = PIN, host: str = HOST) -> StoredValue:
    return store(path, name, "fingerprint", value, host=host)


def test_store_creates_the_file_and_folders_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "config" / "backupctl" / "config.toml"
    assert put(path, HOST) == StoredValue(HOST, None)
    assert tomllib.loads(path.read_text()) == {"servers": {HOST: {"host": HOST, "fingerprint": PIN}}}
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_store_changes_one_line_and_keeps_comments_and_layout(path: Path) -> None:
    path.write_text(WRITTEN)
    assert put(path) == StoredValue("vc01", None)
    expected = WRITTEN.replace('ca-file = "ca.pem"\n', f'ca-file = "ca.pem"\nfingerprint = "{PIN}"\n')
    assert path.read_text() == expected
    assert put(path, value=OLD) == StoredValue("vc01", PIN)
    assert path.read_text() == expected.replace(PIN, OLD)


def test_store_adds_a_table_with_a_valid_name(path: Path) -> None:
    path.write_text(WRITTEN)
    assert put(path, f"{HOST}:8443", host=f"{HOST}:8443") == StoredValue(f"{HOST}-8443", None)
    read = tomllib.loads(path.read_text())
    assert read["servers"][f"{HOST}-8443"] == {"host": f"{HOST}:8443", "fingerprint": PIN}
    assert read["groups"] == {"production": ["vc01", "vc02"]}


def test_store_into_an_inline_table_keeps_it_inline(path: Path) -> None:
    path.write_text(f'servers = {{vc01 = {{host = "{HOST}"}}}}\n')
    put(path)
    assert tomllib.loads(path.read_text()) == {"servers": {"vc01": {"host": HOST, "fingerprint": PIN}}}


def test_store_into_a_table_written_in_two_places_adds_one_line(path: Path) -> None:
    path.write_text(f"[servers.vc01]\nhost = '{HOST}'\n[groups]\n[servers.vc01.more]\n")
    put(path)
    assert (
        path.read_text() == f"[servers.vc01]\nhost = '{HOST}'\nfingerprint = \"{PIN}\"\n[groups]\n[servers.vc01.more]\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("username = 'a' # who\n# next\n#[servers.b]\n", "username = 'a' # who\n{line}# next\n#[servers.b]\n"),
        (
            "api = 'rest'\n# where\npassword-env = 'x'\n\nparallel = 1\n",
            "api = 'rest'\n# where\n{line}\nparallel = 1\n",
        ),
        ("# nothing yet\n", "{line}# nothing yet\n"),
        ("", "{line}"),
    ],
)
def test_place_of_a_secret_replaces_another_one_or_is_added_after_the_last(path: Path, before: str, after: str) -> None:
    path.write_text(f"[defaults]\n{before}")
    merge(path, {("defaults",): {"password-keyring": "y"}})
    assert path.read_text() == "[defaults]\n" + after.format(line='password-keyring = "y"\n')


def test_store_of_the_current_value_writes_nothing(path: Path) -> None:
    put(path)
    before = path.stat()
    assert put(path) == StoredValue("vc01", PIN)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_store_keeps_the_mode_and_follows_a_link(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text(WRITTEN)
    real.chmod(0o640)
    path.symlink_to(real)
    put(path)
    assert path.is_symlink()
    assert PIN in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.toml", "real.toml"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[defaults\n", "line 1"),
        ("[defaults]\nusername = \n", "line 2"),
        ("a = 1\na = 2\n", "config.toml"),
        ("servers = 3\n", wording.NOT_A_TABLE("'servers'")),
        ("[servers]\nvc01 = 3\n", wording.NOT_A_TABLE("servers.vc01")),
    ],
)
def test_store_into_an_invalid_file_changes_nothing(path: Path, text: str, why: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=why) as caught:
        put(path)
    assert str(path) in caught.value.message
    assert path.read_text() == text


def test_store_into_a_file_that_is_not_utf8_is_rejected(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=f"config\\.toml {wording.NOT_A_TOML_FILE}"):
        put(path)


def test_store_that_cannot_write_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot create .*/file: File exists"):
        put(tmp_path / "file" / "config.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        put(tmp_path)


USER = {"HOME": "/home/a"}
OWN = Path("/home/a/.config/backupctl/config.toml")


@pytest.fixture(autouse=True)
def _system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these tests see the path of the system's file; they do not open it."""
    monkeypatch.setattr("backupctl.config.config_file.SYSTEM_PATH", SYSTEM_PATH)


AS_USER, AS_ROOT = (lambda: 1000), (lambda: 0)


@pytest.mark.parametrize("named", [SYSTEM_PATH, Path("other.toml")])
def test_path_is_the_named_file(named: Path) -> None:
    assert path_to_edit(named, OWN, USER) == named


@pytest.mark.parametrize(
    ("user", "current", "environ", "path"),
    [
        (AS_USER, None, USER, OWN),
        (AS_USER, OWN, USER, OWN),
        (AS_ROOT, None, USER, SYSTEM_PATH),
        (AS_ROOT, SYSTEM_PATH, USER, SYSTEM_PATH),
        (AS_ROOT, OWN, USER, OWN),
        (AS_ROOT, None, {"XDG_CONFIG_HOME": "/home/a/.config"}, OWN),
    ],
)
def test_path_is_the_current_file_or_a_new_one_of_the_user(
    monkeypatch: pytest.MonkeyPatch, user: Callable[[], int], current: Path | None, environ: dict[str, str], path: Path
) -> None:
    monkeypatch.setattr("os.geteuid", user)
    assert path_to_edit(None, current, environ) == path


def test_system_wide_path_is_changed_by_a_user_only_when_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", AS_USER)
    with pytest.raises(ConfigError, match=wording.SYSTEM_CONFIGURATION) as caught:
        path_to_edit(None, SYSTEM_PATH, USER)
    assert caught.value.hint == wording.NAME_THE_FILE(SYSTEM_PATH)


def test_file_of_the_system_can_be_read_by_services() -> None:
    assert file_modes(SYSTEM_PATH) == (0o644, 0o755)
    assert file_modes(OWN) == (0o600, 0o700)


def test_path_without_a_home_has_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", AS_USER)
    with pytest.raises(ConfigError) as caught:
        path_to_edit(None, None, {})
    assert "--config" in (caught.value.hint or "")


def test_concurrent_stores_lose_nothing(path: Path) -> None:
    names = [f"vc{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        for name in names:
            pool.submit(put, path, name, host=name)
    assert sorted(tomllib.loads(path.read_text())["servers"]) == sorted(names)


def test_sample_is_added_above_a_pin(path: Path) -> None:
    put(path)
    pinned = path.read_text()
    add_sample(path)
    assert path.read_text() == f"{SAMPLE}\n{pinned}"
    assert tomllib.loads(path.read_text()) == {"defaults": {}, **tomllib.loads(pinned)}


@pytest.mark.parametrize("text", [WRITTEN, SAMPLE, "defaults.username = 'a'\n", f"servers.vc01.host = '{HOST}'\n"])
def test_sample_is_not_added_to_a_file_with_defaults_or_keys_outside_tables(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(wording.ALREADY_EXISTS(path))):
        add_sample(path)
    assert path.read_text() == text


SERVER = {"host": "vc02.example.com", "fingerprint": PIN}


def test_merge_changes_only_what_is_new(path: Path) -> None:
    path.write_text(WRITTEN.replace('["vc01",\n    "vc02"]', '["vc01"]'))
    merge(
        path,
        {
            ("defaults",): {"username": "a", "password-file": "vcenter.password"},
            ("servers", "vc02"): SERVER,
            ("groups",): {"production": ["vc01", "vc02"], "site.b": ["vc02"]},
        },
    )
    assert path.read_text() == (
        """\
# ours
[defaults]
username = "a"   # not root
password-file = "vcenter.password"

[servers.vc01]
host = 'vc01.example.com'       # the first
ca-file = "ca.pem"

[servers.vc02]
host = "vc02.example.com"
fingerprint = "PIN"

[groups]
production = ["vc01", "vc02"]  # both
"site.b" = ["vc02"]
""".replace("PIN", PIN)
    )


def test_merge_replaces_another_place_of_a_secret(path: Path) -> None:
    path.write_text("[defaults]\npassword-file = 'a'  # old\nbackup-password-file = 'b'\n")
    merge(path, {("defaults",): {"password-command": ["pass", "show"]}})
    expected = {"password-command": ["pass", "show"], "backup-password-file": "b"}
    assert tomllib.loads(path.read_text())["defaults"] == expected


def test_merge_into_a_new_file_starts_with_the_sample(path: Path) -> None:
    merge(path, {("servers", "vc02"): SERVER, ("defaults",): {"username": "a"}})
    text = path.read_text()
    assert all(line in text.splitlines() for line in SAMPLE.splitlines())
    assert tomllib.loads(text) == {"defaults": {"username": "a"}, "servers": {"vc02": SERVER}}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        (WRITTEN, {("groups",): {"production": ["nobody"]}}),
        ("[defaults]\nnonsense = 1\n", {("servers", "vc02"): SERVER}),
        ("[servers]\nvc02 = 3\n", {("servers", "vc02"): SERVER}),
    ],
)
def test_merge_that_would_leave_an_invalid_file_changes_nothing(path: Path, text: str, tables: Any) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        merge(path, tables)
    assert path.read_text() == text
