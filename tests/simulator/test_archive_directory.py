import json
from pathlib import Path

import pytest

from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.simulator.archive_names import folder_of
from tests.simulator.client import logged_in


def folders(root: Path) -> list[str]:
    return sorted(str(path.parent.relative_to(root)) for path in root.rglob("backup-metadata.json"))


def test_store_archive_has_the_layout_of_the_release(tmp_path: Path) -> None:
    client = logged_in(release="8.0", store=ArchiveDirectory(tmp_path))
    client.start(location="ftp://user@10.0.0.5:21/vc/prod/", comment="run_by_/a b")
    client.clock.sleep(19)
    client.appliance.advance()
    assert folders(tmp_path) == []
    client.clock.sleep(1)
    client.appliance.advance()
    folder = "10.0.0.5/vc/prod/vCenter/sn_vcsa.simulator.test/M_8.0.0.10000_20260301-020000_OJ2W4X3CPFPS6YJAMI======"
    assert folders(tmp_path) == [folder]
    assert json.loads((tmp_path / folder / "backup-metadata.json").read_bytes())["Parts"] == ["common", "seat"]
    assert {path.name for path in (tmp_path / folder).iterdir()} >= {"config_files.tar.gz", "vum.gz"}


def test_store_without_comment_leaves_the_trailing_underscore(tmp_path: Path) -> None:
    client = logged_in(store=ArchiveDirectory(tmp_path))
    client.start()
    client.clock.sleep(20)
    client.appliance.advance()
    assert folders(tmp_path)[0].endswith("/M_8.0.0.10000_20260301-020000_")


def test_store_65_writes_into_the_folder_itself(tmp_path: Path) -> None:
    client = logged_in(release="6.5", store=ArchiveDirectory(tmp_path))
    client.start(location="backup.example.com/vc/2026-03-01")
    client.clock.sleep(20)
    client.appliance.advance()
    assert folders(tmp_path) == ["backup.example.com/vc/2026-03-01"]


def test_store_failed_or_cancelled_backup_leaves_nothing(tmp_path: Path) -> None:
    client = logged_in(store=ArchiveDirectory(tmp_path), faults=["fail-at=90"])
    client.start()
    client.clock.sleep(60)
    client.appliance.advance()
    assert list(tmp_path.iterdir()) == []


def test_store_symlink_out_of_the_root_fails_the_job_and_writes_nothing(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "backup.example.com").mkdir(parents=True)
    outside.mkdir()
    (root / "backup.example.com" / "vc").symlink_to(outside)
    client = logged_in(store=ArchiveDirectory(root))
    job_id = client.start()
    client.clock.sleep(20)
    assert client.status(job_id)["state"] == "FAILED"
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("location", ["ftp://../x", "ftp://h/a/../../b", "ftp://h/%2e%2e/b", "ftp://h/a%2f..%2fb", "x"])
def test_store_location_with_dots_stays_below_the_root(tmp_path: Path, location: str) -> None:
    root = tmp_path / "root"
    client = logged_in(store=ArchiveDirectory(root))
    client.create(location=location)
    client.clock.sleep(20)
    client.appliance.advance()
    assert {path.name for path in tmp_path.iterdir()} <= {"root"}


def test_store_write_error_fails_the_job_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "backup.example.com").write_text("a file where a folder must be")
    client = logged_in(store=ArchiveDirectory(tmp_path))
    job_id = client.start()
    client.clock.sleep(20)
    job = client.status(job_id)
    assert (job["state"], job["messages"][0]["default_message"]) == ("FAILED", "Not a directory")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("sftp://10.0.0.250:/root/backups", ("10.0.0.250", "root", "backups")),
        ("sftp://u:p@h:2222/b/", ("h", "b")),
        ("nfs://[2001:db8::1]:2049/x//y", ("2001:db8::1", "x", "y")),
        ("//server/share$/a%20b", ("server", "share$", "a b")),
        ("10.144.99.5/vc-2016", ("10.144.99.5", "vc-2016")),
    ],
)
def test_folder_of_location_is_server_then_folders(location: str, expected: tuple[str, ...]) -> None:
    assert folder_of(location) == expected
