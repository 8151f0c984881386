import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backupctl.errors import OutputError
from backupctl.simulator.archive_contents import DAMAGES, METADATA_FILE
from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.simulator.archive_names import folder_of
from tests.simulator.client import JOB, Client, logged_in

SYSTEMS = "/appliance/recovery/backup/system-name"
SYSTEM = "sn_vcsa.simulator.test"
AT = {"loc_spec": {"location": "ftp://backup.example.com/vc"}, "filter_spec": {}}


def folders(root: Path) -> list[str]:
    return sorted(str(path.parent.relative_to(root)) for path in root.rglob(METADATA_FILE))


def files(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def backed_up(root: Path, faults: Sequence[str] = (), **request: Any) -> Client:
    client = logged_in(store=ArchiveDirectory(root), faults=faults)
    client.start(**request)
    client.clock.sleep(20)
    client.appliance.advance()
    return client


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


def test_store_archive_grows_while_the_job_runs_and_gets_its_metadata_last(tmp_path: Path) -> None:
    client = logged_in(store=ArchiveDirectory(tmp_path), job_duration=100)
    client.start()
    grown = []
    for _ in range(5):
        client.clock.sleep(24.75)
        client.appliance.advance()
        grown.append(len(files(tmp_path)))
    assert grown == [2, 3, 5, 6, 7]
    assert METADATA_FILE in files(tmp_path)


@pytest.mark.parametrize("end", ["fail-at=40", "cancel", "running"])
def test_store_job_that_does_not_succeed_leaves_what_it_wrote(tmp_path: Path, end: str) -> None:
    client = logged_in("api", store=ArchiveDirectory(tmp_path), faults=[end] if "=" in end else [])
    job_id = client.start()
    client.clock.sleep(8)
    if end == "cancel":
        client.call("POST", f"{JOB}/{job_id}?action=cancel")
    client.clock.sleep(0 if end == "running" else 60)
    client.appliance.advance()
    assert set(files(tmp_path)) == {"config_files.tar.gz", "lotus_backup.tar.gz", "vum.gz"}
    assert client.value(client.call("POST", f"{SYSTEMS}/{SYSTEM}/archives?action=list", json=AT)) == []


def test_store_files_differ_in_size_and_decompress(tmp_path: Path) -> None:
    client = backed_up(tmp_path)
    found = files(tmp_path)
    del found[METADATA_FILE]
    sizes = sorted(map(len, found.values()))
    assert 500 < sizes[0] < 5_000
    assert 100_000 < sizes[-1] < 500_000
    for name, content in found.items():
        data = gzip.decompress(content)
        if name.endswith(".tar.gz"):
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                assert len(tar.getnames()) == 3
    client.start(comment="another")
    client.clock.sleep(20)
    client.appliance.advance()
    assert len({path.read_bytes() for path in tmp_path.rglob("vum.gz")}) == 2


def test_store_encrypted_files_are_no_gzip(tmp_path: Path) -> None:
    backed_up(tmp_path, backup_password="VMware1!pass")
    data = [content for name, content in files(tmp_path).items() if name != METADATA_FILE]
    assert len(data) == 6
    assert not any(content.startswith(b"\x1f\x8b") for content in data)


@pytest.mark.parametrize("fault", DAMAGES)
def test_store_fault_damages_one_file_of_a_job_that_succeeds(tmp_path: Path, fault: str) -> None:
    backed_up(tmp_path / "whole")
    client = backed_up(tmp_path / "damaged", faults=[fault])
    whole, damaged = files(tmp_path / "whole"), files(tmp_path / "damaged")
    name = DAMAGES[fault][0]
    content = damaged.pop(name, None)
    was = whole.pop(name)
    assert client.appliance.jobs[0].status(client.appliance.moment)["state"] == "SUCCEEDED"
    assert damaged == whole
    match fault:
        case "truncated-archive":
            assert content
            assert len(content) < len(was)
            assert was.startswith(content)
        case "rotten-file":
            assert content
            assert sum(ours != theirs for ours, theirs in zip(content, was, strict=True)) == 1
            with pytest.raises((OSError, zlib.error)):
                gzip.decompress(content)
        case _:
            assert content is None


def test_store_has_the_history_with_its_failed_job_and_no_second_time(tmp_path: Path) -> None:
    for _ in range(2):
        logged_in(store=ArchiveDirectory(tmp_path), history=True, faults=["unfinished"])
    found = list(tmp_path.rglob("[MS]_*"))
    assert (len(found), len(folders(tmp_path))) == (7, 6)


def test_store_that_cannot_be_written_is_an_error_when_it_gets_the_history(tmp_path: Path) -> None:
    (tmp_path / "backup.example.com").write_text("a file where a folder must be")
    with pytest.raises(OutputError, match="Not a directory"):
        logged_in(store=ArchiveDirectory(tmp_path), history=True)


def test_store_65_folder_with_other_files_fails_the_job_and_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "backup.example.com" / "vc").mkdir(parents=True)
    (tmp_path / "backup.example.com" / "vc" / "notes").write_text("mine")
    client = logged_in(release="6.5", store=ArchiveDirectory(tmp_path))
    job_id = client.start()
    client.clock.sleep(20)
    job = client.status(job_id)
    assert (job["state"], job["messages"][0]["default_message"]) == ("FAILED", "Directory not empty")
    assert files(tmp_path) == {"notes": b"mine"}


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
