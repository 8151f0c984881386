"""The settings with which this host reads a location: what they refuse before anything is contacted."""

import sys
from pathlib import Path

import pytest

from tests import wording
from tests.support.archive_folder import ArchiveFolder
from tests.support.archive_folders import archive_name
from tests.support.command_line import HOST, LOCATION, TO_APPLIANCE, USER, CommandLine, configured

HOST_KEY, CERTIFICATE = f"SHA256:{'A' * 43}", f"sha256:{'ab' * 32}"
CLOSED = "127.0.0.1:1/x"
ARCHIVES = [archive_name(f"202602{day}-020000") for day in (26, 27, 28)]


@pytest.mark.parametrize(
    "words",
    [
        ["archive", "systems", "--direct"],
        ["archive", "list", "--direct"],
        ["archive", "show", ARCHIVES[0], "--direct", "--system", HOST],
        ["archive", "verify", "--system", HOST],
        ["archive", "prune", "--keep-last", "1", "--yes", "--system", HOST],
        ["create", "--verify", "--system", HOST],
        ["create", "--prune", "--keep-last", "1", "--system", HOST],
        ["validate", "--direct"],
        ["trust", "show", "--location"],
        ["trust", "pin", "--location", "--yes"],
    ],
    ids=" ".join,
)
def test_simulated_appliance_never_touches_a_real_location(words: list[str], tmp_path: Path) -> None:
    folder = ArchiveFolder(tmp_path)
    folder.add(*ARCHIVES)
    before = folder.files()
    places = {"BACKUPCTL_LOCATION": LOCATION, "BACKUPCTL_PATH_FOR": f"{LOCATION}={folder.root}"}
    run = CommandLine(environ={**places, "XDG_STATE_HOME": str(tmp_path)})(*words, "--simulate", "-o", "json")
    assert (run.code, "--simulate" in run.json["error"]["message"]) == (2, True)
    assert folder.files() == before


@pytest.mark.parametrize(
    ("location", "words", "message"),
    [
        ("ftp://h/x", ("--location-fingerprint", CERTIFICATE), wording.NOTHING_TO_PIN("FTP")),
        ("http://h/x", ("--location-fingerprint", CERTIFICATE), wording.NOTHING_TO_PIN("HTTP")),
        ("smb://h/x", ("--location-fingerprint", HOST_KEY), wording.NOTHING_TO_PIN("SMB")),
        ("ftp://h/x", ("--location-ca-file", "ca.pem"), wording.NOTHING_TO_PIN("FTP")),
        ("sftp://h/x", ("--location-fingerprint", CERTIFICATE), wording.NEEDS_HOST_KEY("SFTP")),
        ("ftps://h/x", ("--location-fingerprint", HOST_KEY), wording.NEEDS_CERTIFICATE("FTPS")),
        ("nfs://h/x", ("--location-fingerprint", HOST_KEY), wording.CANNOT_READ("NFS")),
        ("nfs://h/a/../..", ("--path-for", "nfs://h/a=/none"), wording.DOTS_IN_LOCATION),
        ("nfs://h/a/%2e%2e/b", ("--path-for", "nfs://h/a=/none"), wording.DOTS_IN_LOCATION),
    ],
)
def test_location_is_refused_before_its_server_is_contacted(
    location: str, words: tuple[str, ...], message: str
) -> None:
    run = CommandLine()("archive", "list", "--direct", "--location", location, *words, "-o", "json")
    assert (run.code, run.json["error"]["message"].rpartition(": ")[2]) == (2, message)


def test_pin_is_ignored_for_a_mounted_folder_of_which_the_longest_location_counts(tmp_path: Path) -> None:
    ArchiveFolder(tmp_path / "outer" / "vcenter", "wrong.example.com")
    ArchiveFolder(tmp_path / "inner")
    mounts = ("--path-for", f"nfs://h={tmp_path}/outer", "--path-for", f"nfs://h/vcenter={tmp_path}/inner")
    words = (*mounts, "--location", "nfs://h/vcenter", "--location-fingerprint", HOST_KEY)
    run = CommandLine()("archive", "systems", "--direct", *words, "-o", "json")
    assert (run.code, run.result["systems"]) == (0, [f"sn_{HOST}"])


@pytest.mark.parametrize(
    ("location", "code"), [("sftp://backup.example.com/x", 3), ("nfs://backup.example.com/x", 2)], ids=str
)
def test_location_that_cannot_be_read_is_refused_before_the_backup(
    location: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "backupctl.targets.sftp", raising=False)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    backupctl = CommandLine(environ=TO_APPLIANCE)
    assert (backupctl("create", "--location", location, "--verify").code, backupctl.appliance.jobs) == (code, [])


@pytest.mark.parametrize(
    ("beside", "location", "words", "code"),
    [
        (f"sftp://{CLOSED}", f"https://{CLOSED}", (), 5),
        (f"sftp://{CLOSED}", f"ftps://{CLOSED}", (), 5),
        ("sftp://other/x", f"ftp://{CLOSED}", (), 5),
        (f"ftp://{CLOSED}", f"ftp://{CLOSED}", (), 3),
        (None, f"ftp://{CLOSED}", (), 3),
        (f"sftp://{CLOSED}", f"ftp://{CLOSED}", ("--location-fingerprint", HOST_KEY), 2),
    ],
)
def test_pin_of_the_file_is_for_the_server_beside_it(
    beside: str | None, location: str, words: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    keys = {"location": beside, "location-fingerprint": HOST_KEY}
    text = "".join(f'{key} = "{value}"\n' for key, value in keys.items() if value)
    backupctl = configured(tmp_path, f"[defaults]\n{text}")
    assert backupctl("archive", "list", "--direct", "--location", location, *words).code == code


def test_pin_is_not_stored_beside_the_location_of_another_server(tmp_path: Path) -> None:
    text = f'[defaults]\nlocation = "sftp://h/x"\nlocation-fingerprint = "{HOST_KEY}"\n'
    run = configured(tmp_path, text)("trust", "pin", "--location", f"https://{CLOSED}", "--yes", "-o", "json")
    assert (run.code, "sftp://h/x" in run.json["error"]["message"]) == (2, True)
    assert (tmp_path / "config.toml").read_text() == text


SERVERS = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"

[servers.vc01]
host = "{HOST}"
location = "{LOCATION}"

[servers.vc02]
host = "vc02.example.com"
location = "{LOCATION}"
"""


@pytest.mark.parametrize("command", [["archive", "list"], ["archive", "list", "--direct"], ["archive", "verify"]])
def test_system_of_the_command_line_is_for_one_appliance(command: list[str], tmp_path: Path) -> None:
    backupctl = configured(tmp_path, SERVERS, others={HOST: {}, "vc02.example.com": {}})
    run = backupctl(*command, "--all", "--system", HOST, "-o", "json")
    assert (run.code, wording.SYSTEM_OF_ONE in run.json["error"]["message"]) == (2, True)


@pytest.mark.parametrize("words", [["create", "--prune", "--keep-last", "1"], ["archive", "prune", "--keep-last", "1"]])
def test_folder_is_set_in_the_table_of_its_server_only(words: list[str], tmp_path: Path) -> None:
    for text, code, message in (
        (SERVERS.replace("[defaults]", f'[defaults]\nsystem = "{HOST}"'), 3, wording.KEY_OF_ANOTHER_TABLE),
        (f'{SERVERS}system = "sn_{HOST.upper()}"', 3, wording.SHARED_FOLDER(f"sn_{HOST}")),
    ):
        run = configured(tmp_path, text)(*words, "--all", "-o", "json")
        assert (run.code, message in run.json["error"]["message"]) == (code, True)


@pytest.mark.parametrize("location", ["sftp://other.example.com/x", "sftp://backup.example.com/{server}"])
def test_folders_of_one_name_may_be_at_two_locations(location: str, tmp_path: Path) -> None:
    first, _, second = SERVERS.rpartition(LOCATION)
    text = f'{first}{location}{second}system = "{HOST}"'
    assert configured(tmp_path, text)("config", "show", "-s", "vc02").code == 0
