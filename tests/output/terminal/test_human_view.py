"""Results and errors as text."""

import io
from pathlib import Path
from typing import Any, TextIO, cast

import pytest

from backupctl.errors import (
    ApplianceUnreachableError,
    AuthorizationError,
    BackupFailedError,
    InterruptedRunError,
    OutputError,
    StillRunningError,
    TimedOutError,
    UsageError,
)
from backupctl.results.backup_results import Check, ChecksResult, JobResult, JobsResult, PartSize, PartsResult
from backupctl.results.events import Cancelling, Warned
from backupctl.results.result import Envelope, Result
from tests import wording
from tests.output.samples import (
    ERROR,
    JOB_ID,
    WHERE,
    Screen,
    Terminal,
    a_finished_job,
    a_job,
    a_message,
    every_result,
)
from tests.support.clock import START

LOCATION = "sftp://backup.example.com/vcenter/vc01"


def shown(*results: Result, **options: Any) -> Screen:
    screen = Screen(**options)
    screen.view.finish(Envelope.of("any", results))
    return screen


def test_job_block_has_what_a_restore_needs() -> None:
    screen = shown(JobResult(**WHERE, job=a_finished_job()))
    assert screen.err == ""
    assert screen.out.splitlines() == [
        "✓ vc01: backup 20260301-020000-21560480 succeeded in 12m (1.2 GB, encrypted)",
        f"  {LOCATION}",
        "  release        8.0.3.00400-24322831",
        "  parts          common, seat",
        "  started        just now · 2026-03-01 02:00 UTC",
        "  started by     svc-backup@vsphere.local (manual)",
        "  location user  backup",
        "  comment        nightly",
    ]


def test_job_block_omits_unknown_facts() -> None:
    screen = shown(JobResult(server="vc01", host="10.0.0.5", exit_code=8, job=a_job(start_time=None)))
    assert screen.out.splitlines() == ["● vc01: backup 20260301-020000-21560480 is running (40 %)"]


@pytest.mark.parametrize(
    ("job", "headline"),
    [
        (a_finished_job("FAILED", progress=10), "✗ vc01: backup {} failed at 10 % after 12m"),
        (a_finished_job("NONE"), "! vc01: backup {} ended as NONE at 100 % after 12m"),
        (a_job(progress=None), "● vc01: backup {} is running (0s so far)"),
        (
            a_job(size_bytes=5_000_000, encrypted=True),
            "● vc01: backup {} is running (40 %, 0s so far, 5 MB, encrypted)",
        ),
    ],
)
def test_job_headline_shows_the_outcome(job: Any, headline: str) -> None:
    assert shown(JobResult(**WHERE, exit_code=7, job=job)).out.splitlines()[0] == headline.format(JOB_ID)


@pytest.mark.parametrize(("exit_code", "symbol"), [(0, "✓"), (130, "!")])
def test_job_that_this_run_has_cancelled_is_cancelled_in_words(exit_code: int, symbol: str) -> None:
    screen = Screen()
    screen.view.event(Cancelling(time=START, server="vc01", job=a_job()))
    error = InterruptedRunError("interrupted") if exit_code else None
    job = a_finished_job("FAILED", progress=40)
    screen.view.finish(Envelope.of("any", [JobResult(**WHERE, exit_code=exit_code, error=error, job=job)]))
    assert screen.out.splitlines()[0] == f"{symbol} vc01: backup {JOB_ID} was cancelled at 40 % after 12m"
    assert "error" not in screen.err


def test_success_that_is_contradicted_has_no_tick() -> None:
    screen = shown(JobResult(**WHERE, exit_code=6, error=ERROR, job=a_finished_job()))
    assert screen.out.startswith(f"! vc01: backup {JOB_ID} succeeded")
    assert screen.err.startswith("error: the backup failed\n")


def test_job_headline_marks_a_simulation() -> None:
    screen = shown(JobResult(**WHERE, simulated=True, job=a_finished_job()))
    assert f"(1.2 GB, encrypted, {wording.SIMULATED})\n" in screen.out


def test_job_without_encryption_is_marked() -> None:
    assert "(1.2 GB, NOT ENCRYPTED)\n" in shown(JobResult(**WHERE, job=a_finished_job(encrypted=False))).out


def test_job_messages_are_below_the_headline_and_not_repeated_by_the_error() -> None:
    messages = (a_message("no space\nat all"), a_message(""))
    error = BackupFailedError(
        "the backup failed", details=("no space\nat all", "see the log"), reason="the disk is full", hint="free some"
    )
    screen = shown(JobResult(**WHERE, exit_code=7, error=error, job=a_finished_job("FAILED", messages=messages)))
    assert screen.out.splitlines()[1:4] == ["  no space", "  at all", "  com.vmware.applmgmt.message"]
    assert screen.err.splitlines() == ["  see the log", "  Cause  the disk is full", "  Try    free some"]


def test_interrupt_that_leaves_a_job_running_is_no_error() -> None:
    error = InterruptedRunError(wording.DETACHED(1, "$server"), server="vc01", attach="backupctl watch")
    screen = shown(JobResult(**WHERE, exit_code=130, error=error, job=a_job()))
    assert (screen.out, screen.err) == ("", f"{wording.DETACHED(1, 'vc01')}\n{wording.TO_FOLLOW_IT}backupctl watch\n")


def test_status_of_a_running_job_is_no_error() -> None:
    error = StillRunningError("$job is still running", job=JOB_ID, attach="backupctl watch")
    screen = shown(JobResult(**WHERE, exit_code=8, error=error, job=a_job()))
    assert screen.out.startswith(f"● vc01: backup {JOB_ID} is running (40 %")
    assert screen.err == f"{wording.TO_FOLLOW_IT}backupctl watch\n"


def test_job_that_still_runs_at_the_deadline_says_so_once() -> None:
    error = TimedOutError("$job is still running", job=JOB_ID, attach="backupctl watch")
    screen = shown(JobResult(**WHERE, exit_code=8, error=error, job=a_job(duration_seconds=7200)))
    assert screen.out.startswith(f"✗ vc01: backup {JOB_ID} is still running after 2h 00m (40 %)\n")
    assert screen.err == f"{wording.TO_FOLLOW_IT}backupctl watch\n"


def test_jobs_off_a_terminal_are_one_untruncated_line_each() -> None:
    far = f"{LOCATION}/{'x' * 500}"
    failed = a_job("FAILED", None, start_time=None)
    assert shown(JobsResult(**WHERE, jobs=(a_finished_job(location=far, comment=None), failed))).out.splitlines() == [
        "JOB                       STATE      STARTED                         TOOK    SIZE  TYPE    LOCATION",
        f"20260301-020000-21560480  succeeded  just now  2026-03-01 02:00 UTC   12m  1.2 GB  manual  {far}",
        "20260301-020000-21560480  failed     -                                  -       -  -       -",
    ]


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (160, f"succeeded  just now  2026-03-01 02:00 UTC   12m  1.2 GB  manual  {LOCATION}  nightly"),
        (100, "succeeded  just now  2026-03-01 02:00 UTC   12m  1.2 GB  manual  nightly"),
        (80, "succeeded  just now   12m  1.2 GB  manual  nightly"),
        (10, "succeeded"),
    ],
)
def test_jobs_on_a_terminal_have_one_line_each_and_drop_columns_by_rank(width: int, row: str) -> None:
    environ = {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    screen = shown(JobsResult(**WHERE, jobs=(a_finished_job(),)), out=Terminal(), environ=environ)
    assert screen.out.splitlines()[1:] == [f"20260301-020000-21560480  {row}"]


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
    assert shown(PartsResult(**WHERE, parts=(a_part("seat", None),))).out.splitlines()[-1] == "total"


CHECKS = (
    Check(name="password", status="OK", message="it fits the rules"),
    Check(name="parts", status="WARNING", message="seat is large"),
    Check(name="location", status="FAIL", message="access denied"),
)


def test_checks_are_one_line_each_with_a_symbol() -> None:
    assert shown(ChecksResult(**WHERE, exit_code=7, checks=CHECKS)).out.splitlines() == [
        "✓ password  it fits the rules",
        "! parts     seat is large",
        "✗ location  access denied",
        "1 passed, 1 warning, 1 failed",
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
        "! vc01: 0 passed, 2 warnings",
        "  ! encryption  one",
        "! vc02: 0 passed, 2 warnings",
        "! vc03: 0 passed, 2 warnings",
        "! vc04: 0 passed, 2 warnings",
        "! 4 appliances: all of them",
        "  ! encryption  none",
        "! 3 appliances: vc02, vc03, vc04",
        "  ! encryption  two",
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
                "✓ free space  there is room enough",
                "✗ health      the storage is nearly full: a backup would",
                "              fail, see",
                f"              {'x' * 50}",
                "              now",
            ],
        ),
        (
            40,
            [
                "✓ free space",
                "   there is room enough",
                "✗ health",
                "   the storage is nearly full: a backup",
                "   would fail, see",
                f"   {'x' * 50}",
                "   now",
            ],
        ),
    ],
)
def test_checks_on_a_narrow_terminal_are_wrapped_with_indentation(width: int, lines: list[str]) -> None:
    environ = {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    screen = shown(ChecksResult(**WHERE, exit_code=7, checks=LONG_CHECKS), out=Terminal(), environ=environ)
    assert screen.out.splitlines() == [*lines, "1 passed, 1 failed"]


def test_checks_off_a_terminal_are_one_untruncated_line_each() -> None:
    first, second, _ = shown(ChecksResult(**WHERE, exit_code=7, checks=LONG_CHECKS)).out.splitlines()
    assert first == "✓ free space  there is room enough"
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


def test_several_results_are_one_table_with_a_column_for_the_server() -> None:
    other: dict[str, Any] = {**WHERE, "server": "vc02"}
    screen = shown(
        JobsResult(**WHERE, jobs=(a_finished_job(),)), JobsResult(**other, jobs=(a_finished_job(),), error=ERROR)
    )
    assert [text.split()[0] for text in screen.out.splitlines()] == ["SERVER", "vc01", "vc02"]
    assert screen.err.startswith("✗ vc02: the backup failed\n  no space\n  Try    look at the log\n")


def test_several_jobs_are_a_line_each_and_a_verdict_in_words() -> None:
    def of(number: int, code: int = 0, error: Any = None, job: Any = None) -> JobResult:
        return JobResult(server=f"vc0{number}", host="h", exit_code=code, error=error, job=job)

    failed = a_finished_job("FAILED", progress=10, messages=(a_message("No space left on device."),))
    refused = AuthorizationError("$server does not allow this", server="vc03")
    screen = shown(of(1, job=a_finished_job()), of(2, 7, ERROR, failed), of(3, 4, refused), of(4, job=a_finished_job()))
    assert screen.out.splitlines() == [
        f"✓ vc01: backup {JOB_ID} succeeded in 12m (1.2 GB, encrypted)",
        f"  {LOCATION}",
        f"✗ vc02: backup {JOB_ID} failed at 10 % after 12m",
        "  No space left on device.",
        f"  {LOCATION}",
        f"✓ vc04: backup {JOB_ID} succeeded in 12m (1.2 GB, encrypted)",
        f"  {LOCATION}",
    ]
    assert screen.err.splitlines() == [
        "  no space",
        "  Try    look at the log",
        "✗ vc03 does not allow this",
        "2 done, 1 failed, 1 refused",
    ]


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
    assert screen.err.startswith(f"✗ vc01: backup {JOB_ID} failed at 100 % after 12m\n")
    assert screen.err.endswith("  no space\n  Try    look at the log\n")


def test_quiet_failure_prints_what_the_plain_run_prints_on_standard_error() -> None:
    result = ChecksResult(**WHERE, exit_code=7, error=ERROR, checks=CHECKS)
    plain, quiet = shown(result), shown(result, quiet=True)
    assert (quiet.out, quiet.err) == ("", plain.out + plain.err)


def test_quiet_failure_prints_the_warnings_that_were_held_back() -> None:
    for code, err in ((0, ""), (5, "warning: one\nwarning: vc01: two\nhint: see\nerror: refused\n")):
        screen = Screen(quiet=True)
        screen.view.warn("one")
        screen.view.event(Warned(time=START, server="vc01", message="two", hint="see"))
        error = ApplianceUnreachableError("refused") if code else None
        screen.view.finish(Envelope.of("any", [JobResult(**WHERE, exit_code=code, error=error)]))
        assert screen.err == err


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
    assert "  Try    look at the log\n" in screen.err
    assert screen.err.endswith("No space left on device\n")


def test_ascii_stream_has_ascii_signs() -> None:
    raw = io.BytesIO()
    out: TextIO = io.TextIOWrapper(raw, encoding="ascii")
    shown(JobResult(**WHERE, job=a_finished_job(comment="café", messages=(a_message("x"),))), out=out)
    text = raw.getvalue().decode("ascii")
    assert text.startswith(f"+ vc01: backup {JOB_ID} succeeded")
    assert r"caf\xe9" in text
    assert "just now - 2026-03-01 02:00 UTC" in text


def test_result_that_cannot_be_shown_does_not_affect_the_others() -> None:
    screen, whole = Screen(), JobsResult(**WHERE, jobs=(a_finished_job(),))
    envelope = Envelope.of("any", [Result(server="vc00", host="vc00"), whole])
    with pytest.raises(OutputError, match=f"{wording.RESULT_CANNOT_BE_SHOWN('vc00')}: NotImplementedError"):
        screen.view.finish(envelope)
    assert a_finished_job().id in screen.out


def test_job_that_cannot_be_shown_does_not_affect_other_rows() -> None:
    screen, whole = Screen(), JobResult(**WHERE, job=a_finished_job())
    odd = JobResult(server="vc00", host="vc00", job=a_finished_job(size_bytes="much"))
    with pytest.raises(OutputError, match=wording.RESULT_CANNOT_BE_SHOWN("vc00")):
        screen.view.finish(Envelope.of("any", [odd, whole]))
    assert a_finished_job().id in screen.out
