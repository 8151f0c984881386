"""create --prune: after a verified success, and without taking that away."""

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.state.manifests import Manifest, Manifests
from backupctl.targets.path import PathTarget
from backupctl.targets.target import TargetPath
from backupctl.targets.target_errors import TargetAnswerError
from tests import wording
from tests.support.archive_folder import ArchiveFolder
from tests.support.archive_folders import METADATA, archive_name
from tests.support.command_line import HOST, TO_APPLIANCE, CommandLine, Run

OLD = [archive_name(f"202602{day}-020000") for day in ("20", "27", "28")]
NEW = archive_name("20260301-020000")
KEEP = ("--prune", "--keep-last", "2")


class Stored:
    """A command line whose appliance writes archives to a mounted folder, which holds some."""

    def __init__(self, tmp_path: Path, *faults: str) -> None:
        self.state = tmp_path / "state"
        environ = {**TO_APPLIANCE, "BACKUPCTL_STATE_DIR": str(self.state)}
        store = ArchiveDirectory(tmp_path / "store")
        self.backupctl = CommandLine(environ=environ, store=store, faults=faults)
        self.folder = ArchiveFolder(tmp_path / "store" / "backup.example.com" / "vcenter")
        self.folder.add(*OLD)

    def create(self, *words: str) -> Run:
        return self.backupctl("create", *self.folder.words, "-o", "json", *words)


def test_create_prunes_after_it_has_verified_its_backup(tmp_path: Path) -> None:
    stored = Stored(tmp_path)
    assert stored.create("--verify").code == 0
    run = stored.create(*KEEP)
    assert (run.code, run.result["job"]["state"], run.result["verification"]["level"]) == (0, "SUCCEEDED", "present")
    assert [each["removed"] for each in run.result["remove"]] == [True] * 3
    newest = [each["archive"] for each in run.result["keep"]]
    assert stored.folder.names == sorted(newest)
    assert newest[1] == NEW
    assert {path.stem for path in stored.state.iterdir()} == {f"manifest-sn_{HOST}-{name}" for name in newest}
    assert stored.create("--prune", "--keep-last", "1").code == 0
    assert not any(NEW in path.name for path in stored.state.iterdir())  # its manifest went with it


def test_create_prunes_only_if_it_is_told_to(tmp_path: Path) -> None:
    stored = Stored(tmp_path)
    run = stored.create("--verify")
    assert (run.code, "remove" in run.result, stored.folder.names) == (0, False, [*OLD, NEW])


@pytest.mark.parametrize("faults", [("fail-at=40",), ("unfinished",)])
def test_create_prunes_nothing_after_a_backup_that_failed_or_is_damaged(
    faults: tuple[str, ...], tmp_path: Path
) -> None:
    stored = Stored(tmp_path, *faults)
    assert stored.create(*KEEP).code == 7
    assert {*OLD} <= {*stored.folder.names}


@pytest.mark.parametrize(
    "words",
    [
        ("--prune",),
        ("--prune", "--keep-last", "0"),
        ("--keep-last", "2"),
        (*KEEP, "--verify", "none"),
        (*KEEP, "--no-wait"),
    ],
)
def test_wrong_options_for_pruning_start_no_backup(words: tuple[str, ...], tmp_path: Path) -> None:
    stored = Stored(tmp_path)
    run = stored.create(*words)
    assert (run.code, run.json["error"]["slug"], stored.backupctl.appliance.jobs) == (2, "usage", [])


@pytest.mark.parametrize("fails", ["remove_file", "open_read"])
def test_backup_is_done_even_if_pruning_fails(fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal is refused, or another backup starts while the archive is verified."""
    stored, plain = Stored(tmp_path), PathTarget.open_read

    def refused(_target: PathTarget, path: TargetPath) -> None:
        raise TargetAnswerError("$1: permission denied", texts=path[-1:])

    def overtaken(target: PathTarget, path: TargetPath) -> Generator[bytes, None, None]:
        stored.backupctl.appliance.inject("busy")
        return plain(target, path)

    monkeypatch.setattr(PathTarget, fails, {"remove_file": refused, "open_read": overtaken}[fails])
    run = stored.create(*KEEP)
    error = run.result["error"]
    assert (run.code, error["slug"], run.result["job"]["state"]) == (6, "not-pruned", "SUCCEEDED")
    assert wording.PRUNING_FAILED(run.result["job"]["id"]) in error["message"]
    assert wording.DO_NOT_REPEAT_THE_BACKUP in error["hint"]
    assert stored.folder.names == [*OLD, NEW]


def test_nothing_is_removed_if_the_verified_archive_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, plain = Stored(tmp_path), Manifests.record
    assert stored.create("--verify").code == 0

    def lost(manifests: Manifests, manifest: Manifest) -> None:
        plain(manifests, manifest)
        (stored.folder.path / manifest.archive).rename(tmp_path / "elsewhere")

    monkeypatch.setattr(Manifests, "record", lost)
    assert stored.create(*KEEP).result["error"]["slug"] == "not-pruned"
    assert stored.folder.names == [*OLD, NEW]


def test_signal_while_pruning_ends_it_with_130_and_the_backup_stays_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, plain, removed = Stored(tmp_path), PathTarget.remove_file, list[str]()

    def interrupted(target: PathTarget, path: TargetPath) -> None:
        removed.append(path[-1])
        plain(target, path)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(PathTarget, "remove_file", interrupted)
    run = stored.create(*KEEP)
    error = run.result["error"]
    assert (run.code, run.result["job"]["state"], removed) == (130, "SUCCEEDED", [METADATA])
    assert (error["slug"], wording.DO_NOT_REPEAT_THE_BACKUP in error["hint"]) == ("interrupted", True)
    assert [each["removed"] for each in run.result["remove"]] == [False, False]
