"""archive verify: which damage each level finds, and what it says that it does not prove."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests import wording
from tests.support.archive_folder import ArchiveFolder
from tests.support.archive_folders import METADATA, NAMES, archive_files, archive_name
from tests.support.command_line import HOST, CommandLine, Run

NAME: Final = archive_name("20260228-020000")
DATA: Final = NAMES[1]
OTHER: Final = NAMES[4]
LEVELS: Final = ("present", "unchanged", "readable")


@pytest.fixture
def folder(tmp_path: Path) -> ArchiveFolder:
    folder = ArchiveFolder(tmp_path / "mounted")
    folder.add(NAME)
    return folder


@pytest.fixture
def backupctl(tmp_path: Path) -> CommandLine:
    """Return a command line that contacts no appliance: one that did would fail."""
    environ = {"XDG_STATE_HOME": str(tmp_path), "BACKUPCTL_SERVER": HOST}
    return CommandLine(environ=environ, intercept=_no_request)


def _no_request(*_: object) -> Any:
    raise AssertionError("the appliance was contacted")


def verify(backupctl: CommandLine, folder: ArchiveFolder, *words: str) -> Run:
    return backupctl("archive", "verify", *folder.words, "-o", "json", *words)


def _changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda archive: (archive / name).write_bytes(change((archive / name).read_bytes()))


def _flip(at: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _swap(archive: Path) -> None:
    (archive / DATA).rename(archive / "x")
    (archive / OTHER).rename(archive / DATA)
    (archive / "x").rename(archive / OTHER)


def _link(archive: Path) -> None:
    (archive / DATA).rename(archive.parent / "moved")
    (archive / DATA).symlink_to("../moved")


MIDDLE: Final = 2000
DAMAGES: Final[dict[str, tuple[Callable[[Path], object], set[str]]]] = {
    "truncated": (_changed(DATA, lambda content: content[:-9]), {*LEVELS, "unrecorded"}),
    "rotten byte": (_changed(DATA, _flip(MIDDLE)), {"unchanged", "readable", "unrecorded"}),
    "rotten byte that no CRC covers": (_changed(DATA, _flip(9)), {"unchanged", "readable"}),
    "trailing garbage": (_changed(DATA, lambda content: content + b"junk"), {*LEVELS, "unrecorded"}),
    "nothing but zeros": (
        _changed(DATA, lambda content: bytes(len(content))),
        {"unchanged", "readable", "unrecorded"},
    ),
    "missing file": (lambda archive: (archive / DATA).unlink(), {*LEVELS}),
    "extra file": (lambda archive: (archive / "more.gz").write_bytes(gzip.compress(b"x")), {*LEVELS}),
    "swapped files": (_swap, {"unchanged", "readable"}),
    "empty file": (_changed(DATA, lambda _: b""), {*LEVELS, "unrecorded"}),
    "missing metadata": (lambda archive: (archive / METADATA).unlink(), {*LEVELS, "unrecorded"}),
    "broken metadata": (_changed(METADATA, lambda content: content[:-1]), {*LEVELS, "unrecorded"}),
    "link": (_link, {*LEVELS, "unrecorded"}),
    "folder": (lambda archive: (archive / "inner").mkdir(), {*LEVELS, "unrecorded"}),
    "other metadata": (_changed(METADATA, lambda _: b'{"BackupSize": 1}'), {*LEVELS}),
}
"""Planted damages, and the levels that find each; "unrecorded" is ``readable`` without a manifest."""


ENCRYPTED: Final = {name: b"\0" + os.urandom(3000) for name in NAMES}
UNCHECKED: Final = {"rotten byte", "truncated", "trailing garbage", "nothing but zeros"}
"""Damages that only decompressing would find, and that an encrypted archive hides from it."""


@pytest.mark.parametrize("encrypted", [False, True])
def test_each_damage_is_found_at_the_levels_that_can(encrypted: bool, backupctl: CommandLine, tmp_path: Path) -> None:
    root = tmp_path / "mounted"
    folders = {damage: ArchiveFolder(root, f"{damage.replace(' ', '-')}.example.com") for damage in DAMAGES}
    for folder in folders.values():
        folder.add(NAME, files=ENCRYPTED if encrypted else {})
    servers = [word for folder in folders.values() for word in ("-s", folder.host)]
    words = ("archive", "verify", NAME, *folder.words, *servers, "-o", "json", "--level")
    assert backupctl(*words, "readable").code == (5 if encrypted else 0)
    for damage, (plant, _) in DAMAGES.items():
        plant(folders[damage].path / NAME)
    found: dict[str, set[str]] = {damage: set() for damage in DAMAGES}
    for level in (*LEVELS, "unrecorded"):
        other = ("readable", "--state-dir", str(tmp_path / "other"))
        run = backupctl(*words, *(other if level == "unrecorded" else (level,)))
        for damage, result in zip(DAMAGES, run.json["results"], strict=True):
            found[damage] |= _found(result, level, encrypted=encrypted)
    expected = {damage: levels for damage, (_, levels) in DAMAGES.items()}
    if encrypted:
        expected |= {damage: expected[damage] - {"unrecorded"} for damage in UNCHECKED}
        expected["extra file"] |= {"unrecorded"}  # which is the only one of gzip data
    assert found == expected


def _found(result: Any, level: str, *, encrypted: bool) -> set[str]:
    """Return the level if it has found damage; check the facts otherwise."""
    verification, error = result["verification"], result["error"]
    if error and error["slug"] == "verify-failed":
        assert (result["exit_code"], error["details"]) == (7, verification["damages"])
        return {level}
    if encrypted and level == "unrecorded":
        assert (result["exit_code"], error["slug"], verification) == (5, "not-verified", None)
        return set()
    assert (error, verification["damages"]) == (None, [])
    assert verification["compared"] == {"present": "sizes", "unrecorded": None}.get(level, "checksums")
    assert (OTHER in verification["unpacked"]) is (level in {"readable", "unrecorded"} and not encrypted)
    assert (OTHER in verification["not_unpacked"]) is (encrypted and level == "readable")
    return set()


def test_results_say_what_is_proved_and_once_what_is_not(backupctl: CommandLine, tmp_path: Path) -> None:
    first, second = (ArchiveFolder(tmp_path / "mounted", host) for host in (HOST, "vc02.example.com"))
    first.add(NAME)
    second.add(NAME)
    verify = ("archive", "verify", *first.words)
    one = backupctl(*verify).out
    assert all(each in one for each in (f"sn_{HOST}/{NAME}", wording.NOT_READ, wording.ONLY_RESTORE_VALIDATE))
    assert wording.VERIFIED_FIRST in backupctl(*verify).out
    readable = backupctl(*verify, "--level", "readable").out
    assert (wording.NOT_COMPARED in readable, wording.NOT_READ in readable) == (True, False)
    both = backupctl(*verify, "-s", HOST, "-s", second.host).out
    assert [both.count(each) for each in (wording.NOT_READ, wording.ONLY_RESTORE_VALIDATE, NAME)] == [1, 1, 2]
    (second.path / NAME / OTHER).unlink()
    run = backupctl(*verify, "-s", HOST, "-s", second.host)
    assert (run.code, run.out.count(wording.NOT_READ), run.err.count(OTHER)) == (7, 1, 1)


def test_an_archive_of_which_nothing_can_be_checked_is_not_verified(backupctl: CommandLine, tmp_path: Path) -> None:
    """Unless it is known to be encrypted; from then on, its checksums are compared."""
    folder = ArchiveFolder(tmp_path / "mounted")
    folder.add(NAME, files=ENCRYPTED)
    assert verify(backupctl, folder).code == 0
    (path,) = (tmp_path / "backupctl").iterdir()
    recorded = path.read_text()
    run = verify(backupctl, folder, "--level", "readable")
    assert (run.code, run.json["error"]["slug"]) == (5, "not-verified")
    assert wording.NOT_CHECKED in run.json["error"]["message"]
    again = verify(backupctl, folder, "--level", "readable").result["verification"]
    assert (again["compared"], wording.NOT_CHECKED in again["warnings"][0]) == ("checksums", True)
    path.write_text(recorded.replace('"encrypted": null', '"encrypted": true'))
    quiet = backupctl("archive", "verify", *folder.words, "--level", "readable", "-q")
    assert (quiet.code, quiet.out, wording.NOTHING_CHECKED in quiet.err) == (0, "", True)


def test_a_manifest_is_recorded_once_and_says_by_whom(
    backupctl: CommandLine, folder: ArchiveFolder, tmp_path: Path
) -> None:
    missing = verify(backupctl, folder, "--level", "unchanged")
    assert (missing.code, missing.json["error"]["slug"]) == (10, "not-found")
    assert verify(backupctl, folder).code == 0
    path = tmp_path / "backupctl" / f"manifest-sn_{HOST}-{NAME}.json"
    recorded = path.read_bytes()
    manifest = json.loads(recorded)
    assert (manifest["schema"], manifest["recorded_by"], manifest["archive"]) == (1, "archive verify", NAME)
    assert {each["name"] for each in manifest["files"]} == set(archive_files())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    again = verify(backupctl, folder, "--level", "readable")
    dates = {"recorded_at": "2026-03-01T02:00:00Z", "recorded_by": "archive verify", "checksums_at": None}
    assert (again.code, again.result["verification"]["manifest"]) == (0, dates)
    completed = json.loads(path.read_bytes())
    assert completed["checksums_at"] == "2026-03-01T02:00:00Z"
    assert all(each.pop("sha256") for each in completed["files"])
    assert completed | {"checksums_at": None} == manifest
    for broken in (b"{", recorded.replace(b'"schema": 1', b'"schema": 2'), b'{"schema": 1}'):
        path.write_bytes(broken)
        run = verify(backupctl, folder, "--level", "readable")
        assert (run.code, run.json["error"]["slug"]) == (3, "config")
        assert str(path) in run.json["error"]["message"]


def test_a_state_directory_that_cannot_be_written_is_a_warning(backupctl: CommandLine, folder: ArchiveFolder) -> None:
    run = verify(backupctl, folder, "--state-dir", "/dev/null/state")
    (warning,) = run.result["verification"]["warnings"]
    assert (run.code, wording.MANIFEST_NOT_RECORDED in warning) == (0, True)


def test_what_earlier_archives_of_the_same_kind_had_is_a_warning(
    backupctl: CommandLine, folder: ArchiveFolder, tmp_path: Path
) -> None:
    small = dict.fromkeys(NAMES, b"\x1f\x8b\x08x")
    folder.add(archive_name("20260227-020000"), archive_name("20260226-020000", kind="S"))
    folder.add(archive_name("20260227-030000"), files={DATA: b""})  # damaged, so that it shows nothing
    folder.add(archive_name("20260301-020000"), files={OTHER: None})
    folder.add(archive_name("20260301-030000", kind="S"), files=small)

    def warnings(name: str) -> list[str]:
        run = verify(backupctl, folder, name)
        assert run.code == 0
        return list(run.result["verification"]["warnings"])

    assert warnings(NAME) == []
    assert [OTHER in each for each in warnings(archive_name("20260301-020000"))] == [True]
    assert list(tmp_path.glob("backupctl/*20260301*")) == []  # and no manifest is recorded
    quiet = backupctl("archive", "verify", *folder.words, archive_name("20260301-020000"), "-q")
    assert (quiet.code, quiet.out, OTHER in quiet.err) == (0, "", True)
    assert [wording.SMALLER_THAN_EARLIER in each for each in warnings("latest")] == [True]


def test_latest_is_the_newest_even_if_it_is_damaged_unless_it_is_unfinished(
    backupctl: CommandLine, folder: ArchiveFolder
) -> None:
    newest, unfinished = archive_name("20260301-010000"), archive_name("20260301-020000")
    folder.add(newest, files={OTHER: b""})
    folder.add(unfinished, files={METADATA: None})
    (folder.path / "M_wrong").mkdir()
    run = verify(backupctl, folder, "latest")
    assert (run.code, run.result["verification"]["archive"]) == (7, newest)
    assert unfinished in run.result["verification"]["warnings"][0]
    assert verify(backupctl, folder, unfinished).code == 7
    for missing in ("M_wrong", "M_8.0.0.10000_20260101-020000_", "../M_8.0.0.10000_20260228-020000_"):
        assert verify(backupctl, folder, missing).code == 10
    assert verify(backupctl, folder, "--system", "vc02.example.com").code == 10
    assert verify(CommandLine(environ={}), folder).code == 2


def test_damage_is_remembered_until_the_files_are_read_without_it(
    backupctl: CommandLine, folder: ArchiveFolder, tmp_path: Path
) -> None:
    whole, mark = (folder.path / NAME / DATA).read_bytes(), f"damaged-sn_{HOST}-{NAME}.json"
    rotten = whole[:MIDDLE] + bytes([whole[MIDDLE] ^ 1]) + whole[MIDDLE + 1 :]
    state = tmp_path / "backupctl"
    for content, level, code, marked in (
        (rotten, "readable", 7, True),
        (rotten, "present", 0, True),
        (whole, "present", 0, True),
        (whole, "readable", 0, False),
    ):
        (folder.path / NAME / DATA).write_bytes(content)
        run = verify(backupctl, folder, "--level", level)
        assert (run.code, (state / mark).exists()) == (code, marked)
        warned = any(wording.FOUND_DAMAGED in each for each in run.result["verification"]["warnings"])
        assert warned is (level == "present")


def test_several_appliances_are_verified_each_in_its_own_folder(
    backupctl: CommandLine, folder: ArchiveFolder, tmp_path: Path
) -> None:
    other = "vc02.example.com"
    run = verify(backupctl, folder, "-s", HOST, "-s", other)
    assert [(each["server"], each["exit_code"]) for each in run.json["results"]] == [(HOST, 0), (other, 10)]
    assert run.code == 10
