"""Archives and restores as text."""

import shlex
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from backupctl.errors import BackupFailedError
from backupctl.results.archive_results import Archive, ArchiveResult, ArchivesResult, RestoreResult, SystemsResult
from backupctl.results.job import Job
from backupctl.results.prune_results import PrunedArchive, PruneResult
from backupctl.results.result import Envelope, Result
from backupctl.results.target_archive import DirectArchivesResult
from tests import wording
from tests.output.samples import WHERE, Screen, Terminal, a_message, a_target_archive, an_archive, some_metadata
from tests.support.clock import START

NAME = "S_8.0.3.00400-24322831_20260301-020000_"


def shown(*results: Result, **options: Any) -> Screen:
    screen = Screen(**options)
    screen.view.finish(Envelope.of("any", results))
    return screen


@pytest.mark.parametrize(("quiet", "title"), [(False, "SYSTEM\n"), (True, "")])
def test_systems_are_printed_one_per_line(quiet: bool, title: str) -> None:
    screen = shown(SystemsResult(**WHERE, systems=("vc01.example.com", "vc02.example.com")), quiet=quiet)
    assert (screen.out, screen.err) == (f"{title}vc01.example.com\nvc02.example.com\n", "")


@pytest.mark.parametrize(
    ("result", "err"),
    [
        (SystemsResult(**WHERE), f"{wording.NO_SYSTEMS('vc01')}\n"),
        (ArchivesResult(**WHERE), f"{wording.NO_ARCHIVES('vc01')}\n"),
    ],
)
def test_empty_archive_list_is_a_line_on_standard_error_unless_quiet(result: Result, err: str) -> None:
    screen = shown(result)
    assert (screen.out, screen.err) == ("", err)
    screen = shown(result, quiet=True)
    assert (screen.out, screen.err) == ("", "")


def test_archives_are_a_table() -> None:
    archives = (an_archive(2, comment="before the\nupgrade"), an_archive(1, start_time=None, version=None))
    assert shown(ArchivesResult(**WHERE, archives=archives)).out.splitlines() == [
        "ARCHIVE                                  STARTED                         VERSION      COMMENT",
        "S_8.0.3.00400-24322831_20260302-020000_  just now  2026-03-01 02:00 UTC  8.0.3.00400  before the upgrade",
        "S_8.0.3.00400-24322831_20260301-020000_  -                               -",
    ]


def test_archives_of_several_systems_name_them() -> None:
    archives = (an_archive(2), an_archive(1, system_name="vc02.example.com"))
    assert [text[86:] for text in shown(ArchivesResult(**WHERE, archives=archives)).out.splitlines()] == [
        "SYSTEM",
        "vc01.example.com",
        "vc02.example.com",
    ]


def on_terminal(width: int, *archives: Archive) -> list[str]:
    environ = {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    return shown(ArchivesResult(**WHERE, archives=archives), out=Terminal(), environ=environ).out.splitlines()


def test_archives_at_80_columns_have_one_line_each_and_only_the_comment_is_cut() -> None:
    assert on_terminal(80, an_archive(comment="before the upgrade to 8.0.3"), an_archive(2)) == [
        "ARCHIVE                                  STARTED   VERSION      COMMENT",
        f"{NAME}  just now  8.0.3.00400  before the upgr…",
        "S_8.0.3.00400-24322831_20260302-020000_  just now  8.0.3.00400",
    ]


def test_archive_whose_name_leaves_no_room_stands_alone_in_its_row() -> None:
    long = an_archive(comment="upgrade")
    long = msgspec.structs.replace(long, archive=f"{NAME}{'A' * 38}")
    assert on_terminal(80, long, an_archive(2, comment="nightly"))[1:] == [
        f"{NAME}{'A' * 38}",
        "S_8.0.3.00400-24322831_20260302-020000_  just now  8.0.3.00400  nightly",
    ]


def test_archives_on_a_tiny_terminal_keep_their_names_whole() -> None:
    assert on_terminal(10, an_archive(comment="x")) == ["ARCHIVE", NAME]


def test_archives_quiet_are_names() -> None:
    screen = shown(ArchivesResult(**WHERE, archives=(an_archive(),)), quiet=True)
    assert (screen.out, screen.err) == (f"{NAME}\n", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_archive_is_a_block_even_when_quiet(quiet: bool) -> None:
    archive = an_archive(start_time=None, end_time=START, location="sftp://b/x", parts=("common",), comment="nightly")
    screen = shown(ArchiveResult(**WHERE, archive=archive), quiet=quiet)
    assert screen.out.splitlines() == [
        f"archive {NAME}",
        "  system    vc01.example.com",
        "  ended     just now · 2026-03-01 02:00 UTC",
        "  version   8.0.3.00400",
        "  location  sftp://b/x",
        "  parts     common",
        "  comment   nightly",
    ]
    assert screen.err == ""


@pytest.mark.parametrize("width", [80, 90, 100])
def test_restore_command_on_a_terminal_is_copied_as_it_is(width: int) -> None:
    archive = a_target_archive()
    result = DirectArchivesResult(**WHERE, archives=(archive,))
    environ = {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    _system, _name, _facts, *command = shown(result, out=Terminal(), environ=environ).out.splitlines()
    assert len(command) == (1 if width == 100 else 2)
    assert max(map(len, command)) <= width
    assert shlex.split("\n".join(command).replace("\\\n", "")) == shlex.split(str(archive.restore_command))


def test_metadata_shows_whether_and_what_can_be_restored() -> None:
    screen = shown(RestoreResult(**WHERE, metadata=some_metadata()))
    assert screen.out.splitlines() == [
        f"✓ vc01: {wording.RESTORABLE}",
        "  backup of  vc07.example.com",
        "  release    8.0.3.00400",
        "  made       just now · 2026-03-01 02:00 UTC",
        "  parts      common, seat",
        "  comment    nightly",
        "  SSO login  required (--sso-username), not checked here",
    ]
    assert shown(RestoreResult(**WHERE, metadata=some_metadata()), quiet=True).out == ""


def test_metadata_of_an_unsuitable_archive_shows_the_reason_once() -> None:
    why = "the releases differ"
    metadata = some_metadata(applicable=False, sso_login_required=False, messages=(a_message(why),))
    error = BackupFailedError("refused", details=(why,))
    result = RestoreResult(**WHERE, exit_code=7, error=error, metadata=metadata)
    screen = shown(result)
    assert screen.out.startswith(f"✗ vc01: {wording.NOT_RESTORABLE}\n  the releases differ\n")
    assert screen.out.endswith("  SSO login  not required\n")
    assert screen.err == "error: refused\n"
    quiet = shown(result, quiet=True)
    assert (quiet.out, quiet.err) == ("", screen.out + screen.err)


def test_unknown_metadata_is_marked_or_omitted() -> None:
    unknown = some_metadata(applicable=None, timestamp=None, sso_login_required=None, parts=(), comment=None)
    assert shown(RestoreResult(**WHERE, simulated=True, metadata=unknown)).out.splitlines() == [
        f"! vc01: {wording.RESTORABLE_UNKNOWN} ({wording.SIMULATED})",
        "  backup of  vc07.example.com",
        "  release    8.0.3.00400",
    ]


@pytest.mark.parametrize("kind", ["restore", "reconciliation"])
@pytest.mark.parametrize(
    ("state", "headline"),
    [
        ("SUCCEEDED", "✓ vc01: {} succeeded"),
        ("FAILED", "✗ vc01: {} failed at 40 %"),
        ("INPROGRESS", "● vc01: {} is running (40 %)"),
    ],
)
def test_restore_job_has_its_own_headline(kind: str, state: str, headline: str) -> None:
    job = Job(id=kind, state=state, progress=40, parts=("common",))
    screen = shown(RestoreResult(**WHERE, exit_code=8, job=job))
    assert screen.out.splitlines() == [
        headline.format(kind),
        *(["  parts  common"] if state == "SUCCEEDED" else []),
    ]
    assert screen.err == ""


@pytest.mark.parametrize("kind", ["restore", "reconciliation"])
def test_restore_started_with_no_wait_is_silent_when_quiet(kind: str) -> None:
    screen = shown(RestoreResult(**WHERE, job=Job(id=kind, state="INPROGRESS")), quiet=True)
    assert (screen.out, screen.err) == ("", "")


def test_prune_says_what_was_removed_or_would_be() -> None:
    gone = PrunedArchive("M_1", START, "", 2_100_000_000)
    kept = PrunedArchive("M_8.0_2_MJSWM33SMU======", START, "before upgrade", 2_100_000_000, ("last", "daily"))
    done = replace(gone, removed=True)
    lines = {
        "would remove 1 archive (2.1 GB), 1 kept": PruneResult(**WHERE, keep=(kept,), remove=(gone,)),
        "removed 1 archive (2.1 GB), 1 kept": PruneResult(**WHERE, keep=(kept,), remove=(done,)),
        "removed 1 of 2 archives (4.2 GB), 0 kept": PruneResult(
            **WHERE, remove=(done, gone), error=BackupFailedError("x"), exit_code=7
        ),
        "nothing to remove, 1 kept": PruneResult(**WHERE, keep=(kept,)),
    }
    for words, result in lines.items():
        assert shown(result).out.splitlines()[0][2:] == f"vc01: {words}"
        quiet = shown(result, quiet=True)
        assert quiet.out.splitlines() == (shown(result).out.splitlines() if "would" in words else [])
    assert shown(lines["removed 1 archive (2.1 GB), 1 kept"]).out.splitlines()[1:] == [
        "           SIZE  STARTED   WHY          ARCHIVE      COMMENT",
        "keep     2.1 GB  just now  last, daily  M_8.0_2_...  before upgrade",
        "removed  2.1 GB  just now  no rule      M_1",
    ]
