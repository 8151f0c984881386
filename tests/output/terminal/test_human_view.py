"""Results and errors as text."""

import io
from pathlib import Path
from typing import Any, TextIO, cast

import pytest

from backupctl.errors import ApplianceUnreachableError, BackupFailedError, OutputError, UsageError
from backupctl.results.backup_results import Check, ChecksResult, JobResult, JobsResult, PartSize, PartsResult
from backupctl.results.result import Envelope, Result
from tests import wording
from tests.output.samples import ERROR, WHERE, Screen, Terminal, a_finished_job, a_job, a_message, every_result

LOCATION = "sftp://backup.example.com/vcenter/vc01"


def shown(*results: Result, **options: Any) -> Screen:
    screen = Screen(**options)
    screen.view.finish(Envelope.of("any", results))
    return screen


def test_job_block_has_what_a_restore_needs() -> None:
    screen = shown(JobResult(**WHERE, job=a_finished_job()))
    assert screen.err == ""
    assert screen.out.splitlines() == [
        "✓ vc01: backup succeeded",
        "  job            20260301-020000-21560480",
        "  state          SUCCEEDED",
        "  type           MANUAL",
        "  started        2026-03-01 02:00:00 +0000",
        "  ended          2026-03-01 02:12:10 +0000",
        "  took           12 m 10 s",
        "  size           1.2 GB",
        f"  location       {LOCATION}",
        "  location user  backup",
        "  parts          common, seat",
        "  comment        nightly",
        "  started by     svc-backup@vsphere.local",
        "  appliance      vc01.example.com (release 8.0.3.00400, /api)",
        "  build          8.0.3.00400-24322831",
        "  encrypted      yes, with the backup password",
    ]


def test_job_block_omits_unknown_facts() -> None:
    screen = shown(JobResult(server="vc01", host="10.0.0.5", exit_code=8, job=a_job(start_time=None)))
    assert screen.out.splitlines() == [
        "● vc01: backup running, 40 % done",
        "  job        20260301-020000-21560480",
        "  state      INPROGRESS",
        "  appliance  10.0.0.5",
    ]


@pytest.mark.parametrize(
    ("job", "headline"),
    [
        (a_finished_job("FAILED"), "✗ vc01: backup failed"),
        (a_finished_job("NONE"), "! vc01: backup ended in state NONE"),
        (a_job(progress=None), "● vc01: backup running"),
    ],
)
def test_job_headline_shows_the_outcome(job: Any, headline: str) -> None:
    assert shown(JobResult(**WHERE, exit_code=7, job=job)).out.splitlines()[0] == headline


def test_job_headline_marks_a_simulation() -> None:
    screen = shown(JobResult(**WHERE, simulated=True, job=a_finished_job()))
    assert screen.out.startswith(f"✓ vc01: backup succeeded ({wording.SIMULATED})\n")


def test_job_without_encryption_is_marked() -> None:
    assert "  encrypted      no: NOT ENCRYPTED\n" in shown(JobResult(**WHERE, job=a_finished_job(encrypted=False))).out


def test_job_messages_are_below_the_facts_and_not_repeated_by_the_error() -> None:
    messages = (a_message("no space\nat all"), a_message(""))
    error = BackupFailedError("the backup failed", details=("no space\nat all", "see the log"))
    screen = shown(JobResult(**WHERE, exit_code=7, error=error, job=a_finished_job("FAILED", messages=messages)))
    assert screen.out.splitlines()[-4:] == [
        "  messages",
        "    • no space",
        "      at all",
        "    • com.vmware.applmgmt.message",
    ]
    assert screen.err.splitlines() == ["error: the backup failed", "  see the log"]


def test_jobs_off_a_terminal_are_one_untruncated_line_each() -> None:
    far = f"{LOCATION}/{'x' * 500}"
    screen = shown(JobsResult(**WHERE, jobs=(a_finished_job(location=far), a_job("FAILED", None, start_time=None))))
    assert screen.out.splitlines() == [
        "JOB                       STATE      START                        SIZE       TOOK  TYPE    LOCATION",
        f"20260301-020000-21560480  SUCCEEDED  2026-03-01 02:00:00 +0000  1.2 GB  12 m 10 s  MANUAL  {far}",
        "20260301-020000-21560480  FAILED     -                               -          -  -       -",
    ]


@pytest.mark.parametrize(
    ("width", "first_two"),
    [
        (
            "80",
            [
                "20260301-020000-21560480  SUCCEEDED  2026-03-01 02:00:00 +0000  1.2 GB",
                f"  12 m 10 s, MANUAL, {LOCATION}",
            ],
        ),
        (
            "100",
            [
                "20260301-020000-21560480  SUCCEEDED  2026-03-01 02:00:00 +0000  1.2 GB  12 m 10 s  MANUAL",
                f"  {LOCATION}",
            ],
        ),
        (
            "10",
            [
                "20260301-020000-21560480  SUCCEEDED  2026-03-01 02:00:00 +0000  1.2 GB",
                f"  12 m 10 s, MANUAL, {LOCATION}",
            ],
        ),
    ],
)
def test_jobs_on_a_narrow_terminal_are_wrapped_below(width: str, first_two: list[str]) -> None:
    jobs = (a_finished_job(), a_job("FAILED", None))
    screen = shown(
        JobsResult(**WHERE, jobs=jobs), out=Terminal(), environ={"COLUMNS": width, "TERM": "xterm", "NO_COLOR": "1"}
    )
    assert screen.out.splitlines()[1:3] == first_two


def test_empty_job_list_is_a_line_on_standard_error() -> None:
    screen = shown(JobsResult(**WHERE))
    assert (screen.out, screen.err) == ("", f"{wording.NO_JOBS('vc01')}\n")


@pytest.mark.parametrize("kind", Result.__subclasses__())
def test_failure_without_a_result_is_only_the_error(kind: type[Result]) -> None:
    for quiet in (False, True):
        screen = shown(kind(**WHERE, exit_code=5, error=ApplianceUnreachableError("refused")), quiet=quiet)
        assert (screen.out, screen.err) == ("", "error: refused\n")


def a_part(part_id: str, size_mb: int | None, **fields: Any) -> PartSize:
    return PartSize(
        id=part_id, name=f"the {part_id}", description="", size_mb=size_mb,
        **{"selected_by_default": True, "optional": True, **fields},
    )  # fmt: skip


def test_parts_are_a_table_with_total_and_a_warning_about_empty_ones() -> None:
    parts = (a_part("common", 0, optional=False), a_part("seat", 12_445), a_part("x", None, selected_by_default=False))
    screen = shown(PartsResult(**WHERE, parts=parts, total_mb=12_445))
    assert screen.out.splitlines() == [
        "PART       SIZE  INCLUDED    NAME",
        "common     0 MB  always      the common",
        "seat    12.4 GB  by default  the seat",
        "x             -  if named    the x",
        "total   12.4 GB",
    ]
    assert screen.err.startswith("warning: the size of part common is estimated at 0 MB")


def test_parts_none_and_unknown_total_are_shown() -> None:
    assert shown(PartsResult(**WHERE)).err == f"{wording.NO_PARTS('vc01')}\n"
    assert shown(PartsResult(**WHERE, parts=(a_part("seat", None),))).out.splitlines()[-1] == "total     -"


CHECKS = (
    Check(name="password", status="OK", message="it fits the rules"),
    Check(name="parts", status="WARNING", message="seat is large"),
    Check(name="location", status="FAIL", message="access denied"),
)


def test_checks_are_one_line_each_with_sign_and_status() -> None:
    assert shown(ChecksResult(**WHERE, exit_code=7, checks=CHECKS)).out.splitlines() == [
        "✓ OK       password  it fits the rules",
        "! WARNING  parts     seat is large",
        "✗ FAIL     location  access denied",
        "3 checks, 1 warning, 1 failed",
    ]


def checked(*checks: tuple[str, str]) -> list[ChecksResult]:
    """Return the result of an appliance for each warning of two."""
    return [
        ChecksResult(
            server=f"vc0{number}",
            host="h",
            checks=tuple(Check(name="encryption", status="WARNING", message=word) for word in words),
        )
        for number, words in enumerate(checks, 1)
    ]


def test_warning_shared_by_three_is_shown_once_with_their_names() -> None:
    results = checked(("none", "one"), ("none", "two"), ("none", "two"), ("none", "two"))
    assert shown(*results).out.splitlines() == [
        "! vc01: 2 checks, 2 warnings, 0 failed",
        "  ! WARNING  encryption  one",
        "! vc02: 2 checks, 2 warnings, 0 failed",
        "! vc03: 2 checks, 2 warnings, 0 failed",
        "! vc04: 2 checks, 2 warnings, 0 failed",
        "! 4 appliances: all of them",
        "  ! WARNING  encryption  none",
        "! 3 appliances: vc02, vc03, vc04",
        "  ! WARNING  encryption  two",
    ]
    assert shown(*results[:2]).out.count("encryption  none") == 2


LONG_CHECKS = (
    Check(name="free space", status="OK", message="there is room enough"),
    Check(
        name="health",
        status="FAIL",
        message=f"the storage is nearly full: a backup would fail, see {'x' * 50}\nnow",
    ),
)


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            60,
            [
                "✓ OK    free space  there is room enough",
                "✗ FAIL  health      the storage is nearly full: a backup",
                "                    would fail, see",
                f"                    {'x' * 50}",
                "                    now",
            ],
        ),
        (
            40,
            [
                "✓ OK    free space",
                "        there is room enough",
                "✗ FAIL  health",
                "        the storage is nearly full: a",
                "        backup would fail, see",
                f"        {'x' * 50}",
                "        now",
            ],
        ),
    ],
)
def test_checks_on_a_narrow_terminal_are_wrapped_with_indentation(width: int, lines: list[str]) -> None:
    environ = {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    screen = shown(ChecksResult(**WHERE, exit_code=7, checks=LONG_CHECKS), out=Terminal(), environ=environ)
    assert screen.out.splitlines() == [*lines, "2 checks, 0 warnings, 1 failed"]


def test_checks_off_a_terminal_are_one_untruncated_line_each() -> None:
    first, second, _ = shown(ChecksResult(**WHERE, exit_code=7, checks=LONG_CHECKS)).out.splitlines()
    assert first == "✓ OK    free space  there is room enough"
    assert second.endswith(f"{'x' * 50} now")


def test_requests_are_shown_with_a_note_that_nothing_was_sent() -> None:
    for quiet in (False, True):
        screen = shown(every_result()[-1], quiet=quiet)
        assert screen.err == f"{wording.DRY_RUN} to vc01:\n"
        assert screen.out == 'POST https://vc01.example.com/api/x\n{\n  "location_password": "***"\n}\n'


def test_error_before_any_appliance_is_shown_with_details_and_hint() -> None:
    screen = Screen()
    error = UsageError("no location", details=["looked in a", "looked in b"], hint="use --location\nor the file")
    screen.view.finish(Envelope.of_error("create", error))
    assert screen.out == ""
    assert screen.err.splitlines() == [
        "error: no location",
        "  looked in a",
        "  looked in b",
        "hint: use --location",
        "  or the file",
    ]


def test_several_results_are_named_and_separated() -> None:
    other: dict[str, Any] = {**WHERE, "server": "vc02"}
    screen = shown(
        JobsResult(**WHERE, jobs=(a_finished_job(),)), JobsResult(**other, jobs=(a_finished_job(),), error=ERROR)
    )
    lines = screen.out.splitlines()
    assert (lines[0], lines[3], lines[4]) == ("vc01:", "", "vc02:")
    assert screen.err.startswith("error: vc02: the backup failed\n")


SILENT = JobResult(**WHERE, job=a_finished_job(messages=()))


@pytest.mark.parametrize("result", [SILENT, *every_result()[3:4]])
def test_quiet_success_prints_nothing(result: Result) -> None:
    screen = shown(result, quiet=True)
    assert (screen.out, screen.err) == ("", "")


@pytest.mark.parametrize(
    ("result", "out"),
    [
        (JobResult(**WHERE, job=a_job()), "20260301-020000-21560480\n"),
        (JobsResult(**WHERE, jobs=(a_job(), a_job())), "20260301-020000-21560480\n" * 2),
        (PartsResult(**WHERE, parts=(a_part("common", 0), a_part("seat", 5))), "common\nseat\n"),
    ],
)
def test_quiet_prints_what_the_command_is_for(result: Result, out: str) -> None:
    screen = shown(result, quiet=True)
    assert (screen.out, screen.err) == (out, "")


def test_quiet_failure_prints_nothing_on_standard_output() -> None:
    screen = shown(JobResult(**WHERE, exit_code=7, error=ERROR, job=a_finished_job("FAILED")), quiet=True)
    assert screen.out == ""
    assert screen.err.startswith("✗ vc01: backup failed\n  job ")
    assert screen.err.endswith("error: the backup failed\n  no space\nhint: look at the log\n")


def test_quiet_failed_checks_are_printed_on_standard_error() -> None:
    screen = shown(ChecksResult(**WHERE, exit_code=7, error=ERROR, checks=CHECKS), quiet=True)
    assert screen.out == ""
    assert screen.err.startswith("✗ FAIL  location  access denied\nerror: ")


@pytest.mark.parametrize(("verbose", "err"), [(True, "debug: two requests\n"), (False, "")])
def test_debug_is_for_the_verbose(verbose: bool, err: str) -> None:
    screen = Screen(verbose=verbose)
    screen.view.debug("two requests")
    assert screen.err == err


def test_disk_full_is_raised_once_after_all_other_output() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        screen = Screen(out=cast("io.StringIO", full))
        envelope = Envelope.of("status", [JobResult(**WHERE, exit_code=7, error=ERROR, job=a_finished_job("FAILED"))])
        with pytest.raises(OutputError) as caught:
            screen.view.finish(envelope)
        screen.view.finish(Envelope.of_error("status", caught.value))
    assert "error: the backup failed" in screen.err
    assert screen.err.endswith("No space left on device\n")


def test_ascii_stream_has_ascii_signs() -> None:
    raw = io.BytesIO()
    out: TextIO = io.TextIOWrapper(raw, encoding="ascii")
    shown(JobResult(**WHERE, job=a_finished_job(comment="café", messages=(a_message("x"),))), out=out)
    text = raw.getvalue().decode("ascii")
    assert text.startswith("+ vc01: backup succeeded\n")
    assert r"caf\xe9" in text
    assert "    - x\n" in text


def test_result_that_cannot_be_shown_does_not_affect_the_others() -> None:
    screen, whole = Screen(), JobsResult(**WHERE, jobs=(a_finished_job(),))
    envelope = Envelope.of("any", [Result(server="vc00", host="vc00"), whole])
    with pytest.raises(OutputError, match=f"{wording.RESULT_CANNOT_BE_SHOWN('vc00')}: NotImplementedError"):
        screen.view.finish(envelope)
    assert a_finished_job().id in screen.out
    assert "2 appliances" in screen.err


def test_job_that_cannot_be_shown_does_not_affect_other_rows() -> None:
    screen, whole = Screen(), JobResult(**WHERE, job=a_finished_job())
    odd = JobResult(server="vc00", host="vc00", job=a_finished_job(size_bytes="much"))
    with pytest.raises(OutputError, match=wording.RESULT_CANNOT_BE_SHOWN("vc00")):
        screen.view.finish(Envelope.of("any", [odd, whole]))
    assert a_finished_job().id in screen.out
