"""create --verify: a success whose archive is damaged or missing is none, and one that cannot be read is told."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Final

import pytest

from backupctl.simulator.archive_directory import ArchiveDirectory
from tests import wording
from tests.support.archive_folder import ArchiveFolder
from tests.support.archive_folders import archive_name
from tests.support.command_line import HOST, LOCATION, TO_APPLIANCE, CommandLine, Run

CREATED: Final = archive_name("20260301-020000")
"""The archive of the first backup that a command line creates."""


class Stored:
    """A command line whose appliance writes archives to a folder that is mounted here, or ``elsewhere``."""

    def __init__(self, tmp_path: Path, *, location: str = LOCATION, **options: Any) -> None:
        self.root = tmp_path / "store"
        environ = {**TO_APPLIANCE, "XDG_STATE_HOME": str(tmp_path)}
        self.backupctl = CommandLine(environ=environ, store=ArchiveDirectory(self.root), **options)
        self.words = ("--location", location, "--path-for", f"{LOCATION}={self.root}/backup.example.com/vcenter")
        self.state = tmp_path / "backupctl"

    @property
    def systems(self) -> Path:
        return self.root / "backup.example.com" / "vcenter" / "vCenter"

    def create(self, *words: str) -> Run:
        return self.backupctl("create", *self.words, "-o", "json", *words)


@pytest.mark.parametrize(
    ("fault", "level", "code"),
    [
        (None, "present", 0),
        (None, "readable", 0),
        ("rotten-file", "present", 0),
        ("rotten-file", "readable", 7),
        ("truncated-archive", "readable", 7),
        ("unfinished", "present", 7),
    ],
)
def test_create_verifies_its_archive(fault: str | None, level: str, code: int, tmp_path: Path) -> None:
    stored = Stored(tmp_path, faults=[fault] if fault else [])
    run = stored.create(f"--verify={level}")
    assert (run.code, run.result["job"]["state"]) == (code, "SUCCEEDED")
    assert run.result["verification"]["level"] == level
    manifests = list(stored.state.glob("manifest-*.json"))
    if code:
        assert (run.json["error"]["slug"], manifests) == ("verify-failed", [])
    else:
        manifest = json.loads(manifests[0].read_bytes())
        assert (manifest["recorded_by"], manifest["encrypted"]) == ("create", False)
        assert (manifest["checksums_at"] is not None) is (level == "readable")
        assert ("sha256" in manifest["files"][0]) is (level == "readable")
        again = stored.backupctl("archive", "verify", *stored.words, "--level", "unchanged", "-o", "json")
        assert again.code == 0
        assert again.result["verification"]["compared"] == ("checksums" if level == "readable" else "sizes")
        assert wording.AFTER_THE_BACKUP in stored.backupctl("archive", "verify", *stored.words).out


def test_create_alone_verifies_nothing_and_has_no_key_for_it(tmp_path: Path) -> None:
    stored = Stored(tmp_path, faults=["unfinished"])
    run = stored.create()
    assert (run.code, "verification" in run.result, stored.state.exists()) == (0, False, False)


def test_a_location_that_cannot_be_read_is_not_verified() -> None:
    run = CommandLine().create("--verify", "--path-for", f"{LOCATION}=/nowhere", "-o", "json")
    assert (run.code, run.json["error"]["slug"]) == (5, "not-verified")
    assert run.result["job"]["state"] == "SUCCEEDED"
    assert wording.DO_NOT_REPEAT_THE_BACKUP in run.json["error"]["hint"]


def test_create_waits_for_an_archive_that_shows_up_late(tmp_path: Path) -> None:
    """Without the folder of the appliance, as on a mount point without its mount, nothing is known of the archive."""
    late, never = ArchiveFolder(tmp_path / "late"), tmp_path / "never"
    empty = ArchiveFolder(tmp_path / "empty")
    never.mkdir()
    mounted = tmp_path / "mounted"
    for before, shows_up_at, code in ((empty.root, 40, 0), (never, 40, 0), (empty.root, 90, 7), (never, 90, 5)):
        backupctl = CommandLine(environ={**TO_APPLIANCE, "XDG_STATE_HOME": str(tmp_path)}, job_duration=20)
        mounted.unlink(missing_ok=True)
        mounted.symlink_to(before)
        late.add(*({CREATED} - set(late.names)))
        backupctl.clock.at(shows_up_at, mounted.unlink)
        backupctl.clock.at(shows_up_at, lambda: mounted.symlink_to(late.root))
        run = backupctl.create("--verify", "--path-for", f"{LOCATION}={mounted}", "-o", "json")
        assert (run.code, run.result["job"]["state"]) == (code, "SUCCEEDED")
        assert 40 <= backupctl.clock.elapsed <= 51
        if code:
            assert run.json["error"]["slug"] == {7: "verify-failed", 5: "not-verified"}[code]
            assert (wording.DO_NOT_REPEAT_THE_BACKUP in run.json["error"]["hint"]) is (code == 5)


def test_an_interruption_keeps_the_success_of_the_backup(tmp_path: Path) -> None:
    stored = Stored(tmp_path, job_duration=20, faults=["unfinished"])
    stored.backupctl.clock.at(30, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = stored.create("--verify")
    assert (run.code, run.result["job"]["state"]) == (130, "SUCCEEDED")
    assert wording.WAS_NOT_VERIFIED in run.json["error"]["message"]
    assert stored.backupctl.clock.elapsed < 31


def test_a_bug_in_the_verification_keeps_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backupctl.operations.verify_archive._unusual", lambda *_: 1 / 0)
    run = Stored(tmp_path).create("--verify")
    assert (run.code, run.json["error"]["slug"], run.result["job"]["state"]) == (5, "not-verified", "SUCCEEDED")


def test_a_failed_backup_stays_failed(tmp_path: Path) -> None:
    run = Stored(tmp_path, faults=["fail-at=50"]).create("--verify")
    assert (run.code, run.json["error"]["slug"]) == (7, "backup-failed")


@pytest.mark.parametrize(
    ("hosts", "words", "code"),
    [
        (("vc02.example.com",), (), 5),  # perhaps another appliance's, of the same second
        (("vc02.example.com", "empty.example.com"), ("--system", "empty.example.com"), 5),
        (("empty.example.com",), ("--system", "empty.example.com"), 7),
        (("pnid.example.com", "vc02.example.com"), ("--system", "vc02.example.com"), 0),
        ((HOST, "vc02.example.com"), (), 0),
        (("vc02.example.com",), ("--system", "vc03.example.com"), 5),
    ],
)
def test_the_archive_is_found_by_the_time_of_the_job(
    hosts: tuple[str, ...], words: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    for host in hosts:
        folder = ArchiveFolder(tmp_path / "mounted", host)
        folder.add(*([] if host == "empty.example.com" else [CREATED]))
    backupctl = CommandLine(environ={**TO_APPLIANCE, "XDG_STATE_HOME": str(tmp_path)})
    run = backupctl("create", *folder.words, "--verify", *words, "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (code, "SUCCEEDED")


def test_a_location_with_the_time_is_verified_where_the_backup_went(tmp_path: Path) -> None:
    stored = Stored(tmp_path, location=f"{LOCATION}/{{time}}")
    assert stored.create("--verify").code == 0
    assert [each.name for each in (stored.root / "backup.example.com" / "vcenter").iterdir()] == ["02-00-00"]


def test_a_backup_of_6_5_has_no_archive_of_its_own(tmp_path: Path) -> None:
    stored = Stored(tmp_path, release="6.5", location="scp://backup.example.com/vcenter/{time}")
    mounted = f"scp://backup.example.com={stored.root}/backup.example.com"
    run = stored.create("--verify", "--path-for", mounted)
    assert (run.code, run.json["error"]["slug"], run.result["job"]["state"]) == (5, "not-verified", "SUCCEEDED")
    assert wording.NO_FOLDER_OF_ITS_OWN in run.json["error"]["message"]


@pytest.mark.parametrize("flag", ["--no-wait", "--simulate"])
def test_verify_excludes_no_wait_and_simulate_unless_it_is_a_default(flag: str, tmp_path: Path) -> None:
    stored = Stored(tmp_path)
    if flag == "--simulate":
        del stored.backupctl.environ["BACKUPCTL_SERVER"]
    assert stored.create("--verify", flag).code == 2
    stored.backupctl.environ["BACKUPCTL_VERIFY"] = "present"
    assert stored.create(flag).code == 0


def test_the_journal_has_the_result_of_the_verification(tmp_path: Path) -> None:
    stored = Stored(tmp_path, faults=["unfinished"])
    assert stored.create("--verify", "--journal").code == 7
    (line,) = (tmp_path / "backupctl" / "journal-2026-03.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert (entry["exit_code"], entry["slug"], entry["job"]["state"]) == (7, "verify-failed", "SUCCEEDED")
