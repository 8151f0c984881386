"""archive prune: what it keeps, what it refuses, and its question."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backupctl.targets.path import PathTarget
from backupctl.targets.target import TargetPath
from tests.support.archive_folder import ArchiveFolder
from tests.support.archive_folders import METADATA, archive_files, archive_name
from tests.support.command_line import HOST, TO_APPLIANCE, USER, CommandLine, Run, ScriptedPrompter, configured
from tests.support.intercept import ReplacedAnswer

DAYS = ("20260220", "20260221", "20260226", "20260227", "20260228")
OTHER = "vc02.example.com"
NEWEST = archive_name("20260301-000000", kind="S")
"""The archive of the newest job of an appliance with a history."""


def manual(day: str, comment: str = "") -> str:
    return archive_name(f"{day}-020000", comment=comment)


def scheduled(day: str) -> str:
    return archive_name(f"{day}-020000", kind="S")


@pytest.fixture
def folder(tmp_path: Path) -> ArchiveFolder:
    """Return five archives, an unfinished, a damaged and two scheduled ones."""
    folder = ArchiveFolder(tmp_path / "mounted")
    folder.add(*map(manual, DAYS), scheduled("20260210"), NEWEST)
    folder.add(manual("20260101"), files={METADATA: None})
    folder.add(manual("20260102"), files={"vum.gz": b""})
    return folder


@pytest.fixture
def stocked() -> CommandLine:
    return CommandLine(history=True, environ=TO_APPLIANCE)


def prune(backupctl: CommandLine, folder: ArchiveFolder, *words: str, **options: Any) -> Run:
    return backupctl("archive", "prune", *folder.words, "-o", "json", *words, **options)


def test_prune_removes_what_no_rule_keeps_and_unfinished_ones_but_no_damaged_one(
    stocked: CommandLine, folder: ArchiveFolder
) -> None:
    words = ("--keep-last", "1", "--keep-weekly", "2", "--yes")
    preview = prune(stocked, folder, *words, "--dry-run")
    before = folder.names
    assert (preview.code, {each["removed"] for each in preview.result["remove"]}) == (0, {False})
    assert folder.names == before
    run = prune(stocked, folder, *words)
    assert run.code == 0
    assert {each["archive"]: each["reasons"] for each in run.result["keep"]} == {
        manual("20260228"): ["last", "weekly"],
        manual("20260221"): ["weekly"],
        manual("20260102"): ["damaged"],
    }
    whole = sum(map(len, archive_files().values()))
    removed = {each["archive"]: (each["reasons"], each["size_bytes"], each["removed"]) for each in run.result["remove"]}
    assert removed == {
        **{manual(day): ([], whole, True) for day in ("20260227", "20260226", "20260220")},
        manual("20260101"): (["unfinished"], whole - len(archive_files()[METADATA]), True),
    }
    assert folder.names == sorted({*before} - removed.keys())
    assert preview.result["keep"] == run.result["keep"]


def test_prune_of_the_schedule_never_goes_below_what_it_retains(stocked: CommandLine, folder: ArchiveFolder) -> None:
    days = [f"202602{day:02}" for day in range(11, 21)]
    folder.add(*map(scheduled, days))
    manuals = [name for name in folder.names if name.startswith("M_")]
    run = prune(stocked, folder, "--keep-last", "1", "--scheduled", "--yes")
    kept = {each["archive"]: each["reasons"] for each in run.result["keep"]}
    assert (run.code, len(kept)) == (0, stocked.appliance.schedules.entries["default"].max_count)
    assert list(kept) == [NEWEST, *(scheduled(day) for day in reversed(days))][: len(kept)]
    assert list(kept.values()) == [["last", "schedule"], *[["schedule"]] * (len(kept) - 1)]
    assert folder.names == sorted([*manuals, *kept])


def test_only_archives_with_the_comment_are_judged(stocked: CommandLine, folder: ArchiveFolder) -> None:
    folder.add(manual("20260210", "upg"), manual("20260211", "upg"), manual("20260212", "upg"))
    before = folder.names
    assert prune(stocked, folder, "--keep-last", "1", "--comment-contains", "up", "--yes").code == 0
    assert {*before} - {*folder.names} == {manual("20260210", "upg"), manual("20260211", "upg")}


# refusals


def fail_newest(backupctl: CommandLine) -> None:
    backupctl.create("--no-wait")
    backupctl.appliance.jobs[-1].fail_at = 10
    backupctl.clock.sleep(3600)


def of_another(_: CommandLine, folder: ArchiveFolder) -> None:
    """The newest job's archive is not there; the others may be of any appliance."""
    shutil.rmtree(folder.path / NEWEST)


def linked(_: CommandLine, folder: ArchiveFolder) -> None:
    """The level above the systems is a link to another folder."""
    folder.path.parent.rename(folder.root / "elsewhere")
    (folder.root / "vCenter").symlink_to("elsewhere")


ALL_BUT_ONE = ("--keep-last", "1", "--yes")
REFUSALS: dict[str, tuple[tuple[str, ...], Callable[[CommandLine, ArchiveFolder], object], tuple[int, str]]] = {
    "no rule": (("--yes",), lambda *_: None, (2, "usage")),
    "only rules that keep nothing": (
        ("--keep-last", "0", "--keep-within", "0s", "--yes"),
        lambda *_: None,
        (2, "usage"),
    ),
    "no terminal": (("--keep-last", "1"), lambda *_: None, (2, "usage")),
    "other folder": ((*ALL_BUT_ONE, "--system", OTHER), lambda *_: None, (10, "not-found")),
    "link": (ALL_BUT_ONE, linked, (10, "not-found")),
    "busy": (ALL_BUT_ONE, lambda each, _: each.appliance.inject("busy"), (9, "busy")),
    "newest failed": (ALL_BUT_ONE, lambda each, _: fail_newest(each), (6, "not-pruned")),
    "no backup": (ALL_BUT_ONE, lambda each, _: each.appliance.jobs.clear(), (6, "not-pruned")),
    "future": (ALL_BUT_ONE, lambda _, folder: folder.add(manual("20360101")), (6, "not-pruned")),
    "backups of another appliance": (ALL_BUT_ONE, of_another, (6, "not-pruned")),
    "newest damaged": (
        ALL_BUT_ONE,
        lambda _, folder: folder.add(manual("20260301"), files={"vum.gz": b""}),
        (6, "not-pruned"),
    ),
    "metadata of the newest only": (
        ALL_BUT_ONE,
        lambda _, folder: only_metadata(folder.path / NEWEST),
        (6, "not-pruned"),
    ),
    "newest lacks a file": (
        ALL_BUT_ONE,
        lambda _, folder: folder.add(manual("20260301"), files={"vum.gz": None}),
        (6, "not-pruned"),
    ),
    "not allowed": (ALL_BUT_ONE, lambda each, _: each.appliance.inject("forbidden"), (4, "forbidden")),
    "no jobs": (ALL_BUT_ONE, lambda each, _: each.appliance.inject("bad-json@list"), (6, "api")),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_nothing_is_removed_unless_it_is_safe(name: str, stocked: CommandLine, folder: ArchiveFolder) -> None:
    words, prepare, expected = REFUSALS[name]
    prepare(stocked, folder)
    before = folder.files()
    run = prune(stocked, folder, *words)
    assert (run.code, run.json["error"]["slug"]) == expected
    assert folder.files() == before
    if name == "other folder":
        assert run.json["error"]["details"] == [folder.path.name]


def only_metadata(archive: Path) -> None:
    for path in archive.iterdir():
        if path.name != METADATA:
            path.unlink()


def rename_metadata(archive: Path) -> None:
    (archive / METADATA).rename(archive / METADATA.upper())


OLD = manual("20260220")
DOUBTFUL: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "nothing but metadata": (OLD, only_metadata, "damaged"),
    "metadata in another case": (OLD, rename_metadata, "damaged"),
    "file gone since the manifest": (OLD, lambda at: (at / "vum.gz").unlink(), "damaged"),
    "metadata gone since the manifest": (OLD, lambda at: (at / METADATA).unlink(), "damaged"),
    "copy": (f"{manual('20260228')}KEEP", lambda _: None, "not named by vCenter"),
    "copy in base32": (f"{OLD}KEEPSAFE", lambda _: None, "not named by vCenter"),
    "unprintable comment": (manual("20260220", "\a"), lambda _: None, "not named by vCenter"),
    "unfinished for less than a day": (manual("20260228"), lambda at: (at / METADATA).unlink(), "unfinished"),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_archive_in_doubt_is_kept_and_does_not_count(
    name: str, stocked: CommandLine, folder: ArchiveFolder, tmp_path: Path
) -> None:
    archive, change, reason = DOUBTFUL[name]
    if archive not in folder.names:
        folder.add(archive)
    state = ("--state-dir", str(tmp_path / "state"))
    if "manifest" in name:
        assert stocked("archive", "verify", archive, *folder.words, *state).code == 0
    change(folder.path / archive)
    before = folder.files()
    run = prune(stocked, folder, "--keep-last", "1", "--yes", *state)
    kept = {each["archive"]: each["reasons"] for each in run.result["keep"]}
    newest = manual("20260227" if archive == manual("20260228") else "20260228")
    assert (run.code, kept) == (0, {newest: ["last"], manual("20260102"): ["damaged"], archive: [reason]})
    assert {path: content for path, content in before.items() if archive in path.split("/")}.items() <= (
        folder.files().items()
    )


def test_nothing_is_removed_while_the_newest_archive_has_failed_its_verification(
    stocked: CommandLine, folder: ArchiveFolder, tmp_path: Path
) -> None:
    state = ("--state-dir", str(tmp_path / "state"))
    newest, words = manual("20260301"), ("--keep-last", "1", "--yes", *state)
    folder.add(newest)
    rotten = (folder.path / newest / "vum.gz").read_bytes()[:-9] + b"too short"
    (folder.path / newest / "vum.gz").write_bytes(rotten)
    assert stocked("archive", "verify", newest, "--level", "readable", *folder.words, *state).code == 7
    before = folder.files()
    run = prune(stocked, folder, *words)
    assert (run.code, run.json["error"]["slug"], folder.files()) == (6, "not-pruned", before)
    (folder.path / newest).rename(tmp_path / "elsewhere")
    assert prune(stocked, folder, *words).code == 0


def test_archive_that_is_gone_meanwhile_counts_as_removed(
    stocked: CommandLine, folder: ArchiveFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else removes the next archive, and a file of the one in hand."""
    plain, removed = PathTarget.remove_file, list[str]()

    def raced(target: PathTarget, path: TargetPath) -> None:
        if not removed:
            shutil.rmtree(folder.path / manual("20260226"))
            (folder.path / path[-2] / "vum.gz").unlink()
        removed.append(path[-1])
        plain(target, path)

    monkeypatch.setattr(PathTarget, "remove_file", raced)
    run = prune(stocked, folder, "--keep-last", "1", "--yes")
    assert (run.code, {each["removed"] for each in run.result["remove"]}) == (0, {True})
    assert folder.looking_complete() == {manual(DAYS[-1]), scheduled("20260210"), NEWEST}


def test_newest_known_backup_is_kept_and_what_is_newer(stocked: CommandLine, folder: ArchiveFolder) -> None:
    """The appliance remembers none of the two newest archives."""
    shutil.rmtree(folder.path / NEWEST)
    known = archive_name("20260227-053000")
    folder.add(known, manual("20260301"))
    run = prune(stocked, folder, "--keep-last", "1", "--yes")
    kept = {each["archive"]: each["reasons"] for each in run.result["keep"] if "damaged" not in each["reasons"]}
    protected = {each: ["newest backup"] for each in (manual("20260228"), known)}
    assert (run.code, kept) == (0, {manual("20260301"): ["last"], **protected})


def test_newest_verified_archive_is_kept_as_newer_ones_may_have_failed_it(
    stocked: CommandLine, folder: ArchiveFolder, tmp_path: Path
) -> None:
    state = ("--state-dir", str(tmp_path / "state"))
    for day in "20260220", "20260221":
        assert stocked("archive", "verify", manual(day), *folder.words, *state).code == 0
    run = prune(stocked, folder, "--keep-last", "1", "--yes", *state)
    kept = {each["archive"]: each["reasons"] for each in run.result["keep"]}
    damaged = {manual("20260102"): ["damaged"]}
    assert kept == {manual("20260228"): ["last"], manual("20260221"): ["newest verified"], **damaged}


def test_job_that_starts_while_archives_are_removed_ends_it(
    stocked: CommandLine, folder: ArchiveFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = PathTarget.remove_empty_dir

    def overtaken(target: PathTarget, path: TargetPath) -> None:
        plain(target, path)
        stocked.create("--no-wait")

    monkeypatch.setattr(PathTarget, "remove_empty_dir", overtaken)
    run = prune(stocked, folder, "--keep-last", "1", "--yes")
    assert (run.code, run.json["error"]["slug"]) == (9, "busy")
    assert [each["removed"] for each in run.result["remove"]] == [False, False, False, False, True]


def test_schedule_that_cannot_be_read_keeps_all_of_its_archives(folder: ArchiveFolder) -> None:
    backupctl = CommandLine(
        history=True, intercept=ReplacedAnswer("GET", "/schedules", {"default": {"parts": []}, "odd": 7})
    )
    before = folder.files()
    run = prune(backupctl, folder, "--keep-last", "1", "--scheduled", "--yes")
    assert (run.code, run.json["error"]["slug"]) == (6, "not-pruned")
    assert folder.files() == before


CONFIGURATION = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"
keep-last = 1

[servers.vc01]
host = "{HOST}"

[servers.vc02]
host = "{OTHER}"
"""


def test_rules_of_the_file_prune_each_appliance_in_its_own_folder(tmp_path: Path) -> None:
    backupctl = configured(tmp_path, CONFIGURATION, others={HOST: {"history": True}, OTHER: {"history": True}})
    folder, other = ArchiveFolder(tmp_path / "mounted"), ArchiveFolder(tmp_path / "mounted", OTHER)
    for each in folder, other:
        each.add(*map(manual, DAYS), NEWEST)
    shared = prune(backupctl, folder, "--all", "--yes", "--system", HOST)
    assert (shared.code, shared.json["error"]["slug"], len(folder.names)) == (2, "usage", len(DAYS) + 1)
    others = prune(backupctl, folder, "-s", "vc02", "--yes", "--system", HOST)  # its backups have the same times
    assert (others.code, others.json["error"]["slug"], len(folder.names)) == (2, "usage", len(DAYS) + 1)
    run = prune(backupctl, folder, "--all", "--yes")
    assert [len(each["remove"]) for each in run.json["results"]] == [4, 4]
    assert folder.names == other.names == [manual(DAYS[-1]), NEWEST]


def test_read_only_appliance_is_not_pruned(tmp_path: Path) -> None:
    backupctl = configured(
        tmp_path, f"{CONFIGURATION}read-only = true\n", others={HOST: {"history": True}, OTHER: {"history": True}}
    )
    folder = ArchiveFolder(tmp_path / "mounted", OTHER)
    folder.add(*map(manual, DAYS), NEWEST)
    run = prune(backupctl, folder, "-s", "vc02", "--yes")
    assert (run.code, run.json["error"]["slug"], len(folder.names)) == (3, "read-only", len(DAYS) + 1)
    assert len(prune(backupctl, folder, "-s", "vc02", "--dry-run").result["remove"]) == 4


# the question


class Meanwhile(ScriptedPrompter):
    """A person who says yes, after something has changed."""

    change: Callable[[], object]

    def _next(self, question: str) -> str:
        self.change()
        return "y"


def test_plan_is_shown_and_asked_for(stocked: CommandLine, folder: ArchiveFolder) -> None:
    before = folder.files()
    run = prune(stocked, folder, "--keep-last", "4", answers=["n"])
    assert (run.code, run.json["error"]["slug"], folder.files()) == (2, "usage", before)
    (shown, asked) = stocked.prompter.questions[-2:]
    assert "remove 2 archives (49 kB)" in shown
    assert f"\n  remove  24 kB  9 days ago   no rule     {manual('20260220')}" in shown
    assert f"\n  keep    24 kB  8 days ago   last        {manual('20260221')}" in shown
    assert asked.startswith(f"Remove 2 archives (49 kB) of {HOST}?")
    assert prune(stocked, folder, "--keep-last", "4", answers=["y"]).code == 0
    assert manual("20260220") not in folder.names
    assert prune(stocked, folder, "--keep-last", "4", answers=[]).code == 0  # nothing to remove, so no question


@pytest.mark.parametrize("changed", ["job", "archive"])
def test_plan_that_has_changed_since_the_question_is_not_carried_out(
    changed: str, stocked: CommandLine, folder: ArchiveFolder
) -> None:
    def change() -> None:
        if changed == "job":
            stocked.create("--no-wait")
            stocked.clock.sleep(3600)
        else:
            folder.add(manual("20260301"))

    person = Meanwhile([])
    person.change = change
    before = folder.files()
    run = prune(stocked, folder, "--keep-last", "1", prompter=person)
    assert (run.code, run.json["error"]["slug"]) == (6, "not-pruned")
    assert before.items() <= folder.files().items()


def test_signal_ends_it_between_two_files_with_what_was_removed(
    stocked: CommandLine, folder: ArchiveFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, removed = PathTarget.remove_file, list[str]()

    def slow(target: PathTarget, path: TargetPath) -> None:
        removed.append(path[-1])
        stocked.clock.sleep(1)
        plain(target, path)

    monkeypatch.setattr(PathTarget, "remove_file", slow)
    stocked.clock.at(stocked.clock.elapsed + 9, lambda: os.kill(os.getpid(), signal.SIGTERM))
    run = prune(stocked, folder, "--keep-last", "1", "--yes")
    assert (run.code, run.json["error"]["slug"]) == (130, "interrupted")
    assert [each["removed"] for each in run.result["remove"]] == [False, False, False, False, True]
    assert 8 <= len(removed) <= 10
    assert not folder.looking_complete() - {manual(day) for day in DAYS} - {scheduled("20260210"), NEWEST}
    monkeypatch.undo()
    assert prune(stocked, folder, "--keep-last", "1", "--yes").code == 0
    assert folder.looking_complete() == {manual(DAYS[-1]), scheduled("20260210"), NEWEST}
