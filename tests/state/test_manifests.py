"""Manifests: no link in the state directory is followed, and nothing but the manifest changes its owner."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backupctl.errors import ConfigError
from backupctl.results.target_archive import ArchiveFile
from backupctl.state.manifests import Manifest, Manifests

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
NAMES = "sn_vc01.example.com", "M_8.0.0.10000_20260301-020000_" + "M" * 200
MANIFEST = Manifest(*NAMES, NOW, "create", None, (ArchiveFile("vum.gz", 7),))


def test_links_of_the_directory_owner_are_replaced_and_not_followed(tmp_path: Path) -> None:
    state, folder, file = tmp_path / "state", tmp_path / "folder", tmp_path / "file"
    manifests = Manifests(lambda: state)
    manifests.record(MANIFEST)
    (path,) = state.iterdir()
    assert manifests.read(*NAMES) == MANIFEST
    assert manifests.read(NAMES[0], NAMES[1] + "N") is None  # the same name of a file, which was cut
    assert (path.stat().st_mode & 0o777, state.stat().st_mode & 0o777) == (0o600, 0o700)
    folder.mkdir()
    file.write_text("secret")
    path.unlink()
    path.symlink_to(file)
    (state / "manifests").symlink_to(folder)
    owner = 64250 if os.geteuid() == 0 else os.geteuid()
    os.chown(state, owner, os.getegid())
    with pytest.raises(ConfigError, match=path.name):
        manifests.read(*NAMES)
    manifests.record(MANIFEST)
    assert (path.is_symlink(), path.stat().st_uid) == (False, owner)
    assert (file.read_text(), file.stat().st_uid, folder.stat().st_uid) == ("secret", os.geteuid(), os.geteuid())
    assert list(folder.iterdir()) == []
    manifests.remove(*NAMES)
    assert [each.name for each in state.iterdir()] == ["manifests"]
