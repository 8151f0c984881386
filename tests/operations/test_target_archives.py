"""Archives at a location, written by hand as public folder listings show them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backupctl.errors import NotFoundError
from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.operations.target_archives import (
    find_system,
    find_systems,
    list_archives,
    read_archive,
)
from backupctl.targets.path import PathTarget
from backupctl.targets.target import TargetEntry, TargetPath

LOCATION = Location.parse("sftp://backup.example.com/vcenter")
SYSTEM = ("vCenter", "sn_vc01.example.com")
NAME = "M_7.0.3.02100_20260301-020000_"


def write_archive(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "backup-metadata.json").write_text(json.dumps({"BackupSize": 4711}))
    (folder / "config_files.tar.gz").write_bytes(b"x" * 10)
    return folder


@pytest.mark.parametrize("parent", ["vCenter", "."])
def test_systems_are_found_with_the_level_above_them_and_without(tmp_path: Path, parent: str) -> None:
    for name in "sn_b", "sn_A.example.com", "other":
        (tmp_path / parent / name).mkdir(parents=True)
    target = PathTarget(tmp_path)
    assert [path[-1] for path in find_systems(target)] == ["sn_A.example.com", "sn_b"]
    assert find_system(target, "a.Example.com")[-1] == "sn_A.example.com"
    with pytest.raises(NotFoundError) as caught:
        find_system(target, "vc02")
    assert caught.value.details == ("sn_A.example.com", "sn_b")


def test_archives_of_a_system_are_read_newest_first(tmp_path: Path) -> None:
    system = tmp_path.joinpath(*SYSTEM)
    write_archive(system / NAME)
    write_archive(system / "S_8.0.1.00100_20260302-104120_MJSWM33SMU======")
    (system / "M_8.0.0_20261399-000000_").mkdir()
    (system / "backup-metadata.json").write_text("{}")
    (system / "M_8.0.0_20260101-000000_").write_text("a file")
    found = list_archives(PathTarget(tmp_path), LOCATION, SYSTEM[-1], ArchiveFilter())
    newest, oldest = found.archives
    assert (newest.kind, newest.comment, newest.version, newest.state) == ("S", "before", "8.0.1.00100", "complete")
    assert newest.start_time == datetime(2026, 3, 2, 10, 41, 20, tzinfo=UTC)
    assert (oldest.archive, oldest.system_name, oldest.comment, oldest.size_bytes) == (NAME, SYSTEM[-1], "", 30)
    assert oldest.location == f"sftp://backup.example.com/vcenter/vCenter/{SYSTEM[-1]}/{NAME}"
    assert found.others == 3


class RecordingTarget(PathTarget):
    """A folder that remembers which folders were listed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.listed: list[str] = []

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        self.listed.append("".join(folder[-1:]))
        return super().list(folder)


class FollowingTarget(PathTarget):
    """A server that follows links in all but the last name of a path, as those of SFTP do."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root = root

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        return PathTarget(self.root.joinpath(*folder).resolve()).list(())

    def stat(self, path: TargetPath) -> TargetEntry:
        return PathTarget(self.root.joinpath(*path[:-1]).resolve()).stat(path[-1:])


@pytest.mark.parametrize(
    ("selection", "days"),
    [
        (ArchiveFilter(max_results=2), [4, 3]),
        (ArchiveFilter(end_timestamp=datetime(2026, 3, 2, 2, tzinfo=UTC)), [2, 1]),
        (ArchiveFilter(comment_substring="before", max_results=1), [3]),
    ],
)
def test_only_selected_archives_are_looked_into(tmp_path: Path, selection: ArchiveFilter, days: list[int]) -> None:
    names = {day: f"M_8.0.0_2026030{day}-020000_{'MJSWM33SMU======' if day % 2 else ''}" for day in range(1, 5)}
    for day, name in names.items():
        write_archive(tmp_path / "vCenter" / f"sn_vc{day % 2}" / name)
    target = RecordingTarget(tmp_path)
    found = list_archives(target, LOCATION, None, selection)
    assert [archive.archive for archive in found.archives] == [names[day] for day in days]
    assert {name for name in target.listed if name in names.values()} == {names[day] for day in days}


META, DATA = "backup-metadata.json", "config_files.tar.gz"
NOT_JSON = f"{META} is not valid JSON"
TOO_LARGE = f"{META} is larger than expected"
DAMAGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no metadata": (lambda at: (at / META).unlink(), "unfinished", f"{META} is missing"),
    "metadata cut": (lambda at: (at / META).write_text('{"Back'), "damaged", NOT_JSON),
    "metadata no object": (lambda at: (at / META).write_text("[]"), "damaged", NOT_JSON),
    "metadata nested": (lambda at: (at / META).write_text("[" * 90_000), "damaged", NOT_JSON),
    "metadata huge": (lambda at: (at / META).write_bytes(b" " * 2_000_000), "damaged", TOO_LARGE),
    "nothing else": (lambda at: (at / DATA).unlink(), "damaged", f"no file beside {META}"),
    "empty file": (lambda at: (at / DATA).write_bytes(b""), "damaged", f"{DATA} is empty"),
    "link": (lambda at: (at / "link").symlink_to("/etc/passwd"), "damaged", "link is not a file"),
    "folder": (lambda at: (at / "sub").mkdir(), "damaged", "sub is not a file"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_archive_with_a_problem_is_not_complete(tmp_path: Path, name: str) -> None:
    damage, state, problem = DAMAGES[name]
    damage(write_archive(tmp_path.joinpath(*SYSTEM, NAME)))
    archive = read_archive(PathTarget(tmp_path), LOCATION, (*SYSTEM, NAME))
    assert (archive.state, archive.problems) == (state, (problem,))


def test_archive_without_metadata_is_damaged_with_a_link_or_metadata_in_another_case(tmp_path: Path) -> None:
    folder = write_archive(tmp_path.joinpath(*SYSTEM, NAME))
    (folder / META).rename(folder / META.upper())
    (folder / "link").symlink_to("/etc/passwd")
    archive = read_archive(PathTarget(tmp_path), LOCATION, (*SYSTEM, NAME))
    renamed = f"{META.upper()} is not named {META}"
    assert (archive.state, archive.problems) == ("damaged", ("link is not a file", renamed, f"{META} is missing"))


@pytest.mark.parametrize("level", range(3))
def test_links_are_not_followed_on_the_way_to_an_archive(tmp_path: Path, level: int) -> None:
    write_archive(tmp_path.joinpath(*SYSTEM, NAME))
    linked = tmp_path.joinpath(*(*SYSTEM, NAME)[: level + 1])
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    target = FollowingTarget(tmp_path)
    with pytest.raises(NotFoundError):
        read_archive(target, LOCATION, (*find_system(target, SYSTEM[-1]), NAME))


@pytest.mark.parametrize("name", ["M_8.0.0_20260301-020000_nothing", "sn_vc01", ""])
def test_missing_archive_is_not_found(tmp_path: Path, name: str) -> None:
    tmp_path.joinpath(*SYSTEM).mkdir(parents=True)
    with pytest.raises(NotFoundError):
        read_archive(PathTarget(tmp_path), LOCATION, (*SYSTEM, name))
