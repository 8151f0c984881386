"""A location that is mounted on this host."""

import os
from pathlib import Path

import pytest

from backupctl.errors import NotFoundError
from backupctl.location import Location
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import open_target
from backupctl.targets.target import Target
from backupctl.targets.target_errors import TargetAnswerError
from tests.support.clock import FakeClock
from tests.support.target_contract import check_reading, check_removing, filled


def opened(folder: Path) -> Target:
    return open_target(TargetAccess(Location.parse("nfs://nas.example.com/export"), path=folder), FakeClock())


def test_mounted_folder_keeps_the_contract(tmp_path: Path) -> None:
    with filled(tmp_path / "mount") as folder:
        target = opened(folder)
        check_reading(target)
        check_removing(target, folder)


def test_links_are_neither_read_nor_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"secret")
    root = tmp_path / "mount"
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "file")
    os.mkfifo(root / "pipe")
    target = opened(root)
    assert {each.name: each.kind for each in target.list(())} == dict.fromkeys(("link", "file", "pipe"), "other")
    assert target.stat(("link",)).kind == "other"
    for read in (
        lambda: target.list(("link",)),
        lambda: next(target.open_read(("file",))),
        lambda: target.remove_file(("link", "file")),
    ):
        with pytest.raises(TargetAnswerError):
            read()
    assert (outside / "file").exists()


def test_missing_mount_point_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        opened(tmp_path / "nothing")
