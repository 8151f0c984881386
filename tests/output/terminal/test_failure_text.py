"""Failures of several appliances as text: shared ones are shown once, with all names and watch commands."""

from typing import Any

import msgspec
import pytest

from backupctl.error_facts import error_on
from backupctl.errors import (
    ApplianceUnreachableError,
    AuthenticationError,
    BackupctlError,
    BackupFailedError,
    CertificateError,
    InterruptedRunError,
    NotTogetherError,
)
from backupctl.output.terminal.failure_text import failures
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import UNICODE_SYMBOLS
from backupctl.results.backup_results import JobResult
from backupctl.results.result import Envelope
from tests import wording
from tests.output.samples import JOB_ID, Screen, a_job
from tests.support.clock import START

PAGE = RenderOptions(width=None, symbols=UNICODE_SYMBOLS, zone=None, now=START, number=9)


def failed(number: int, error: BackupctlError, **fields: Any) -> JobResult:
    where: dict[str, Any] = {"server": f"vc{number}", "host": f"vc{number}.example.com"}
    return JobResult(**where, exit_code=error.exit_code, error=error, **fields)


def unreachable(number: int, **fields: Any) -> JobResult:
    known: dict[str, Any] = {"server": f"vc{number}.example.com", "hint": "is it running?", **fields}
    return failed(number, ApplianceUnreachableError("no answer: connection refused", **known))


def detached(number: int) -> JobResult:
    interrupted = InterruptedRunError(
        wording.DETACHED(JOB_ID, "$server"),
        server=f"vc{number}",
        attach=f"backupctl watch {JOB_ID} -s vc{number} -u admin",
    )
    return failed(number, interrupted, job=a_job())


def shown_lines(*results: JobResult, options: RenderOptions = PAGE) -> list[str]:
    own, shared = failures(results, options)
    return [text.plain for lines in (*own.values(), shared) for text in lines]


def test_failure_shared_by_three_is_shown_once_with_their_names() -> None:
    assert shown_lines(*map(unreachable, range(1, 5))) == [
        "✗ 4 appliances: no answer: connection refused",
        "  vc1, vc2, vc3, vc4",
        "  Try    is it running?",
    ]


def test_failure_shared_by_two_is_shown_for_each_with_one_hint() -> None:
    assert shown_lines(unreachable(1), unreachable(2)) == [
        "✗ vc1: vc1.example.com: no answer: connection refused",
        "  Try    is it running?",
        "✗ vc2: vc2.example.com: no answer: connection refused",
    ]


def test_failures_with_different_details_are_not_grouped() -> None:
    lines = shown_lines(unreachable(1), unreachable(2), unreachable(3, details=["no route"]))
    assert [line[2:5] for line in lines if line.startswith("✗")] == ["vc1", "vc2", "vc3"]


def test_name_within_another_name_is_not_replaced() -> None:
    behind = [failed(number, ApplianceUnreachableError(f"proxy-vc{number} is down")) for number in (1, 2, 3)]
    assert len([line for line in shown_lines(*behind) if line.startswith("✗")]) == 3


def login_rejected(number: int, **where: Any) -> JobResult:
    sentence = "no login at 127.0.0.1:8443"
    error = AuthenticationError(sentence, server=f"vc{number}")
    return msgspec.structs.replace(failed(number, error), **where)


def test_failure_that_names_the_common_host_with_another_port_is_shown_once() -> None:
    for where in ({"host": "127.0.0.1"}, {}):
        assert shown_lines(*(login_rejected(number, **where) for number in (1, 2, 3))) == [
            "✗ 3 appliances: no login at 127.0.0.1:8443",
            "  vc1, vc2, vc3",
        ]


def test_reason_not_to_retry_a_rejected_login_is_a_note() -> None:
    rejected = (
        failed(number, AuthenticationError("login rejected", server=f"vc{number}", hint="Not retrying."))
        for number in (1, 2, 3)
    )
    assert shown_lines(*rejected)[-1] == "  Note   Not retrying."


def untrusted(number: int, why: str) -> JobResult:
    selector = ("-s", f"vc{number}", "--config", "q.toml")
    hint = "`backupctl trust fetch $selector --to FILE`"
    return failed(number, CertificateError(why, server=f"vc{number}", hint=hint, selector=selector))


def test_shared_hint_has_a_placeholder_in_its_commands_and_is_shown_once() -> None:
    hint = "  Try    `backupctl trust fetch -s NAME --config q.toml --to FILE`"
    assert shown_lines(*(untrusted(number, "expired") for number in (1, 2, 3)))[-1] == hint
    own_authorities = [untrusted(number, f"signed by CA {number}") for number in (1, 2, 3)]
    assert shown_lines(*own_authorities) == [
        "✗ vc1: signed by CA 1",
        hint,
        "✗ vc2: signed by CA 2",
        "✗ vc3: signed by CA 3",
    ]
    assert "-s vc1 --config" in shown_lines(untrusted(1, "expired"), unreachable(2))[1]


def test_interrupted_run_says_what_is_still_running_in_one_line() -> None:
    assert shown_lines(*map(detached, (1, 2, 3))) == [wording.DETACHED_SEVERAL("3 backups", "vc1, vc2, vc3")]
    assert shown_lines(detached(1)) == [wording.DETACHED(JOB_ID, "vc1")]


@pytest.mark.parametrize(
    ("numbers", "selection", "command"),
    [
        ((1, 2, 3), ("-g", "lab"), "backupctl watch latest -g lab -u admin"),
        ((1, 2), (), "backupctl watch latest -s vc1 -s vc2 -u admin"),
        ((1,), ("-g", "lab"), f"backupctl watch {JOB_ID} -s vc1 -u admin"),
    ],
)
def test_one_command_follows_all_that_still_run(
    numbers: tuple[int, ...], selection: tuple[str, ...], command: str
) -> None:
    screen = Screen()
    screen.view.expect(["vc1", "vc2", "vc3"], selection)
    screen.view.finish(Envelope.of("create", [*map(detached, numbers)]))
    assert [line.partition(": ")[2] for line in screen.err.splitlines() if line.startswith("Follow")] == [command]


def test_original_failure_comes_first_and_is_not_repeated_by_skipped_appliances() -> None:
    error = BackupFailedError("a backup would fail: parts")
    kept_back = NotTogetherError("not started: vc5", details=[error_on("vc5", error.facts)])
    assert kept_back.details == ("vc5: a backup would fail: parts",)
    assert shown_lines(*(failed(number, kept_back) for number in (1, 2, 3, 4)), failed(5, error)) == [
        "✗ vc5: a backup would fail: parts",
        "✗ 4 appliances: not started: vc5",
        "  vc1, vc2, vc3, vc4",
    ]


def test_names_are_wrapped_at_the_terminal_width() -> None:
    lines = shown_lines(*map(unreachable, range(10, 40)), options=PAGE._replace(width=40))
    names = lines[2:-1]
    assert all(len(line) <= 40 for line in names)
    assert [name for line in names for name in line.strip().rstrip(",").split(", ")] == [
        f"vc{number}" for number in range(10, 40)
    ]
