"""Responses that are readable in part: what can be read is shown, the rest is counted.

The odd forms are those of public reports: times that are not RFC 3339, numbers as text, fields that are null.
"""

from typing import Any

import pytest

from tests import wording
from tests.support.command_line import LOCATION, CommandLine, Run
from tests.support.intercept import ReplacedAnswer

ODD, GOOD = "20260101-020000-22617221", "20260102-020000-22617221"
TEXT = {"id": "x", "default_message": "x", "args": []}
DETAILS: dict[str, Any] = {
    "location": "sftp://backup.example.com/vcenter",
    "location_user": "backup",
    "type": "MANUAL",
    "messages": [],
    "status": "SUCCEEDED",
    "start_time": "2026-01-01T02:00:00.000Z",
    "end_time": "2026-01-01T02:10:00.000Z",
    "duration": 600,
    "size": 1000000000,
    "user": "administrator@vsphere.local",
}
PARTS = [
    {"id": "common", "name": TEXT, "description": TEXT, "selected_by_default": True, "optional": False},
    {"id": "seat", "name": TEXT, "description": TEXT, "selected_by_default": True, "optional": True},
]
SCHEDULE: dict[str, Any] = {
    "parts": ["common", "seat"],
    "location": "sftp://backup.example.com/vcenter",
    "location_user": "backup",
    "enable": True,
    "recurrence_info": {"hour": 23, "minute": 0},
    "retention_info": {"max_count": 3},
}


def given(path: str, body: object, *words: str, method: str = "GET", **options: Any) -> Run:
    """Run a command on an appliance that responds to ``path`` with ``body``."""
    return CommandLine(intercept=ReplacedAnswer(method, path, body, **options))(*words)


def listed(**odd: Any) -> Run:
    """List two jobs, one of them with invalid details."""
    details = {ODD: {**DETAILS, **odd}, GOOD: {**DETAILS, "start_time": "2026-01-02T02:00:00.000Z"}}
    return given("/job/details", details, "list", "-o", "json")


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("start_time", "", None),
        ("start_time", "2026-01-01T02:00:00UTC", "2026-01-01T02:00:00Z"),
        ("start_time", "2026-01-01 02:00:00 GMT", "2026-01-01T02:00:00Z"),
        ("start_time", "2026-01-01T02:00:00.5UTC", "2026-01-01T02:00:00.500000Z"),
        ("start_time", "2026-01-01T02:00:00+0000", "2026-01-01T02:00:00Z"),
        ("start_time", "2026-01-01T02:00:00", "2026-01-01T02:00:00Z"),
        ("start_time", "Thu Jan  1 02:00:00 UTC 2026", None),
        ("start_time", "2026-13-01T02:00:00UTC", None),
        ("start_time", 1767232800000, "2026-01-01T02:00:00Z"),
        ("start_time", "1767232800000", "2026-01-01T02:00:00Z"),
        ("start_time", 10**13, None),
        ("start_time", 10**300, None),
        ("start_time", {}, None),
        ("end_time", 253402300800, None),
        ("size_bytes", "1.5 GB", None),
        ("duration_seconds", [], None),
        ("type", 5, None),
        ("user", {"name": "x"}, None),
        ("location", None, None),
        ("location_user", ["x"], None),
        ("build", "8.0.2", None),
        ("build", {"version": 8, "build_number": "22617221"}, "22617221"),
        ("progress", "most", None),
        ("progress", {"total": "all", "completed": 1}, None),
    ],
    ids=repr,
)
def test_job_with_an_invalid_field_is_listed_without_the_field(field: str, value: Any, shown: Any) -> None:
    sent = {"size_bytes": "size", "duration_seconds": "duration"}.get(field, field)
    run = listed(**{sent: value})
    good, odd = run.result["jobs"]
    assert (run.code, good["id"], odd["id"], odd["state"]) == (0, GOOD, ODD, "SUCCEEDED")
    assert odd[field] == shown
    assert run.result["unreadable"] == 0
    assert run.err == ""


def test_messages_of_a_job_are_read_one_by_one() -> None:
    run = listed(messages=["broken", TEXT, None, {"id": "y", "default_message": 5, "args": "z"}])
    assert [message["default_message"] for message in run.result["jobs"][1]["messages"]] == ["x", "y"]


def test_job_with_unreadable_details_is_read_by_its_id() -> None:
    answer = ReplacedAnswer("GET", "/job/details", {})
    backupctl = CommandLine(intercept=answer)
    assert backupctl.create().code == 0
    (job,) = backupctl.appliance.jobs
    answer.body = {job.job_id: {"type": "MANUAL"}, GOOD: DETAILS}
    run = backupctl("list", "-o", "json")
    assert [(each["id"], each["state"]) for each in run.result["jobs"]] == [
        (job.job_id, "SUCCEEDED"),
        (GOOD, "SUCCEEDED"),
    ]
    assert run.result["unreadable"] == 0
    assert f"{wording.UNREADABLE_JOB_DETAILS(1, 2, job.job_id)} (" in run.err
    assert "missing required field `status`" in run.err


@pytest.mark.parametrize("body", [["x"], {GOOD: {}}, {"a": 1}, [[[[]]]]], ids=range(4))
def test_list_works_with_unreadable_details(body: Any) -> None:
    answer = ReplacedAnswer("GET", "/job/details", body)
    backupctl = CommandLine(intercept=answer)
    backupctl.create()
    answer.count = 0
    run = backupctl("list", "-o", "json")
    (job,) = run.result["jobs"]
    assert (run.code, job["state"], job["type"], run.result["unreadable"]) == (0, "SUCCEEDED", None, 0)
    assert wording.NO_JOB_DETAILS in run.err
    assert answer.count == 1
    assert "proxy" not in run.err


def test_list_works_without_details() -> None:
    refusal = {"error_type": "ERROR", "messages": [TEXT]}
    run = given("/job/details", refusal, "list", "-o", "json", status=500)
    assert (run.code, run.result["jobs"]) == (0, [])


def test_unreadable_job_is_counted() -> None:
    run = given("/backup/job/", {ODD: {}, GOOD: DETAILS}, "list", "-o", "json")
    assert [job["id"] for job in run.result["jobs"]] == [GOOD]
    assert (run.code, run.result["unreadable"], run.result["remembers"]) == (0, 1, 2)
    assert wording.UNREADABLE_ENTRIES(1, 1, "backup jobs", ODD) in run.err


def test_size_of_a_backup_is_shown_despite_another_invalid_detail() -> None:
    answer = ReplacedAnswer("GET", "/job/details", {})
    backupctl = CommandLine(intercept=answer)
    backupctl.create()
    (job,) = backupctl.appliance.jobs
    answer.body = {job.job_id: {**DETAILS, "end_time": "2021-05-18T23:51:42UTC"}}
    assert backupctl("status", "latest", "-o", "json").result["job"]["size_bytes"] == 1000000000


@pytest.mark.parametrize("odd", [{"name": "Inventory"}, {"description": 5}, {"optional": "perhaps"}], ids=repr)
def test_part_with_an_invalid_text_does_not_prevent_a_backup(odd: dict[str, Any]) -> None:
    run = given("/parts", [{**PARTS[0], **odd}, PARTS[1]], "create", "--location", LOCATION, "-o", "json")
    assert (run.code, run.result["job"]["parts"]) == (0, ["common", "seat"])


def test_unreadable_part_is_reported_and_counted() -> None:
    run = given("/backup/parts", [*PARTS, {"id": "new"}, 5], "parts", "-o", "json", times=1)
    assert [part["id"] for part in run.result["parts"]] == ["common", "seat"]
    assert (run.code, run.result["unreadable"]) == (0, 2)
    assert (
        f"{wording.UNREADABLE_ENTRIES(2, 4, 'parts', '#3')} (Object missing required field `selected_by_default`), #4 ("
        in run.err
    )


@pytest.mark.parametrize(
    ("odd", "kept", "as_list"),
    [
        (None, False, True),
        ({"enable": "maybe"}, True, True),
        (None, False, False),
        ({"location": "sftp://h/d", "enable": True}, False, False),
        ({"recurrence_info": {"hour": None, "minute": 0}}, True, False),
        ({"retention_info": {"max_count": "many"}}, True, False),
        ({"enable": "maybe"}, True, False),
        ({"location": None}, True, False),
        ({"parts": None}, True, False),
        ({"parts": ["common", 5]}, True, False),
    ],
    ids=repr,
)
def test_schedule_with_an_invalid_field_does_not_hide_another(
    odd: dict[str, Any] | None, *, kept: bool, as_list: bool
) -> None:
    found = {"default": SCHEDULE, "old": {**SCHEDULE, **(odd or {})} if kept else odd}
    body = [{"key": key, "value": value} for key, value in found.items()] if as_list else found
    run = given("/schedules", body, "schedule", "list", "-o", "json")
    names = [schedule["name"] for schedule in run.result["schedules"]]
    assert (run.code, names, run.result["unreadable"]) == (0, ["default", "old"][: 1 + kept], not kept)
    assert run.result["schedules"][0]["hour"] == 23
    assert (f"{wording.UNREADABLE_ENTRIES(1, 2, 'schedules', 'old')} (" in run.err) is not kept


@pytest.mark.parametrize("body", [["default"], {"default": {}}, {"version": "8.0.2", "build": "1"}, 5], ids=repr)
def test_list_of_unreadable_schedules_is_6_at_once(body: Any) -> None:
    answer = ReplacedAnswer("GET", "/schedules", body)
    run = CommandLine(intercept=answer)("schedule", "list", "-o", "json")
    assert (run.code, run.result["error"]["slug"], answer.count) == (6, "api", 1)
    assert "proxy" not in run.result["error"]["hint"]


def test_response_to_another_request_is_no_schedule() -> None:
    version = {"version": "8.0.2.00100", "build": "22617221", "product": "VMware vCenter Server"}
    run = given("/schedules/default", version, "schedule", "show", "-o", "json")
    assert (run.code, run.result["schedule"]) == (6, None)
    assert "`parts`" in run.result["error"]["message"]


def test_archive_with_an_invalid_time_does_not_hide_another() -> None:
    found = [
        {"archive": "M_8.0.2.00100_20260101-020000_", "timestamp": "2026-01-01T02:00:00.000Z"},
        {"archive": "M_old", "timestamp": ""},
        {"timestamp": "2026-01-01T02:00:00.000Z"},
    ]
    options = ("archive", "list", "--location", LOCATION, "--system", "sn_vc01.example.com", "-o", "json")
    run = given("/archives", found, *options, method="POST")
    assert [archive["archive"] for archive in run.result["archives"]] == ["M_8.0.2.00100_20260101-020000_", "M_old"]
    assert (run.code, run.result["unreadable"]) == (0, 1)
    assert f"{wording.UNREADABLE_ENTRIES(1, 3, 'archives of sn_vc01.example.com', '#3')} (" in run.err


def test_list_of_job_ids_with_an_invalid_one_is_rejected() -> None:
    """Reject the list, because an omitted id may be that of the job just started."""
    run = given("/backup/job", [GOOD, 5], "status", "latest", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (6, "api")


def test_body_that_is_not_json_is_retried_and_may_come_from_a_proxy() -> None:
    answer = ReplacedAnswer("GET", "/schedules", b"<html>", times=2)
    run = CommandLine(intercept=answer)("schedule", "list", "-o", "json")
    assert (run.code, answer.count) == (0, 3)
