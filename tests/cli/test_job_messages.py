"""Messages of a job: every reason is shown, in whatever field or structure it arrives."""

from typing import Any

import pytest

from tests.support.command_line import CommandLine
from tests.support.intercept import amend_jobs, message

LEFT_OUT = "Supervisor control plane could not be included in the backup."
GENERAL = "BackupManager encountered an exception. Please check logs for details."


def failed_job(given: list[dict[str, Any]], **details: Any) -> dict[str, Any]:
    """Return the result of a backup that failed at 40 % with these messages."""
    amended = amend_jobs({"messages": given}, {"messages": given, **details})
    run = CommandLine(intercept=amended, faults=["fail-at=40"]).create("-o", "json")
    assert run.code == 7
    result: dict[str, Any] = run.result
    return result


def texts(result: dict[str, Any]) -> list[str]:
    return [each["default_message"] for each in result["job"]["messages"]]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (message("No route to %s port %s.", "192.0.2.10", "22"), "No route to 192.0.2.10 port 22."),
        (message("No route to %s port %d.", "192.0.2.10", 22), "No route to 192.0.2.10 port 22."),
        (message("No route to %2$s from %1$s.", "vc01", "192.0.2.10"), "No route to 192.0.2.10 from vc01."),
        (message("No route to {1} from {0}.", "vc01", "192.0.2.10"), "No route to 192.0.2.10 from vc01."),
        (message("No route to {}.", "192.0.2.10"), "No route to 192.0.2.10."),
        (message("{host} is down.", params={"host": {"s": "vc01"}}), "vc01 is down."),
        (message("{host} is down.", params={"host": "vc01"}), "vc01 is down."),
        (message("%(count)s files", params={"count": {"i": 3}}), "3 files"),
        (message("No route to %s port %s.", "192.0.2.10"), "No route to 192.0.2.10 port (unknown)."),
        (message("No route to {0}."), "No route to (unknown)."),
        (message("Path {0}", "{1}", "no"), "Path {1}"),
        (message("", "a", 1, id="com.vmware.applmgmt.example"), "com.vmware.applmgmt.example: a, 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_message_placeholders_are_filled(given: dict[str, Any], text: str) -> None:
    assert texts(failed_job([given])) == [text]


@pytest.mark.parametrize(
    "text",
    ["100% sent", "50%d", "ftp://host/a%20b/%dd", "{}", "{'a': 1}", "{host} is down", "%", "100%s", "%%s", "{", "{0"],
)  # fmt: skip
def test_message_without_real_placeholders_is_unchanged(text: str) -> None:
    assert texts(failed_job([message(text)])) == [text]


def test_message_without_text_is_omitted() -> None:
    assert texts(failed_job([message(None), message("Disk full")])) == ["Disk full"]


REASON = "tar: /x: No space left on device"
VALUE = {"messages": [message(GENERAL), message(REASON)]}


@pytest.mark.parametrize(
    "error",
    [
        {"error_type": "ERROR", **VALUE},
        {"type": "com.vmware.vapi.std.errors.error", "value": VALUE},
        {"com.vmware.vapi.std.errors.error": VALUE},
        {"messages": [{"defaultMessage": REASON}]},
        {"messages": [message("tar: /x: {0}", "No space left on device")]},
        {"message": REASON},
        {"data": {"cause": [REASON]}},
        [REASON],
        REASON,
    ],
)
def test_reason_found_only_in_the_details_error_is_shown_with_its_hint(error: Any) -> None:
    result = failed_job([message(GENERAL)], error=error)
    assert texts(result)[0] == GENERAL
    assert texts(result)[-1].endswith(REASON)
    assert len(texts(result)) == 2
    assert "430761" in result["error"]["hint"]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ({"error_type": "INTERNAL_SERVER_ERROR", "messages": []}, "error_type: INTERNAL_SERVER_ERROR"),
        ({"code": 5, "none": None}, "code: 5"),
        (5, "5"),
        (True, "true"),
    ],
)
def test_details_error_of_unknown_structure_is_shown(error: Any, shown: str) -> None:
    assert texts(failed_job([message(GENERAL)], error=error))[1] == shown


@pytest.mark.parametrize("error", [None, "", " ", {}, [], {"messages": []}, {"messages": [message(GENERAL)]}, GENERAL])
def test_details_error_without_new_text_adds_nothing(error: Any) -> None:
    assert texts(failed_job([message(GENERAL)], error=error)) == [GENERAL]


def test_details_error_nested_too_deeply_is_ignored() -> None:
    error: Any = REASON
    for _ in range(200):
        error = {"cause": error}
    assert texts(failed_job([message(GENERAL)], error=error))[0] == GENERAL


# With --quiet

MENTIONED = amend_jobs({"messages": [message(LEFT_OUT)]})


def test_messages_of_a_job_that_succeeded_are_a_warning_even_with_quiet() -> None:
    run = CommandLine(intercept=MENTIONED).create("-q")
    assert (run.code, run.out) == (0, "")
    assert run.err == f"warning: vc01.example.com: {LEFT_OUT}\n"


def test_messages_of_several_jobs_that_succeeded_are_warnings_even_with_quiet() -> None:
    line = CommandLine(intercept=MENTIONED, others={"vc02.example.com": {}})
    run = line.create("-s", "vc01.example.com", "-s", "vc02.example.com", "-q")
    assert (run.code, run.out) == (0, "")
    assert run.err == f"warning: vc01.example.com: {LEFT_OUT}\n"


def test_quiet_success_without_messages_says_nothing() -> None:
    run = CommandLine().create("-q")
    assert (run.code, run.out, run.err) == (0, "", "")


# The step


BACKING_UP = {"progress": {"total": 100, "completed": 40, "message": message("Dispatching {0}", "the database")}}
STEP_TEXT = "Dispatching the database"


def test_step_of_a_running_job_is_shown_by_status_and_by_watch() -> None:
    line = CommandLine(intercept=amend_jobs(details=BACKING_UP))
    assert line.create("--no-wait").code == 0
    assert f"  step        {STEP_TEXT}\n" in line("status").out
    assert line("status", "-o", "json").result["job"]["step"] == STEP_TEXT
    watched = line("watch")
    assert watched.code == 0
    assert watched.err.count(f": {STEP_TEXT}\n") == 1
    assert STEP_TEXT not in watched.out


def test_step_of_an_ended_job_is_none() -> None:
    run = CommandLine(intercept=amend_jobs(details=BACKING_UP)).create("-o", "json")
    assert run.result["job"]["step"] is None


@pytest.mark.parametrize("progress", [{"total": 100}, {"message": None}, {"message": message("")}])
def test_step_without_a_message_is_none(progress: dict[str, Any]) -> None:
    line = CommandLine(intercept=amend_jobs(details={"progress": progress}))
    assert line.create("--no-wait").code == 0
    assert line("status", "-o", "json").result["job"]["step"] is None
