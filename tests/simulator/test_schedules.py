from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backupctl.simulator.archive_directory import ArchiveDirectory
from tests.simulator.client import JOB, Client, logged_in

SCHEDULES = "/appliance/recovery/backup/schedules"
DAY = 86400
SPEC: dict[str, Any] = {
    "parts": ["seat", "common"],
    "location": "ftp://backup.example.com/vc",
    "location_user": "backup",
    "location_password": "secret",
    "backup_password": "VMw@re123",
    "recurrence_info": {"minute": "30", "hour": 2},
    "retention_info": {"max_count": 2},
}


def create(client: Client, schedule_id: str = "default", **changes: Any) -> httpx.Response:
    spec = SPEC | changes
    if client.family == "rest":
        return client.call("POST", f"{SCHEDULES}/{schedule_id}", json={"spec": spec})
    return client.call("POST", SCHEDULES, json={"schedule": schedule_id, "spec": spec})


def update(client: Client, **changes: Any) -> httpx.Response:
    if client.family == "rest":
        return client.call("PUT", f"{SCHEDULES}/update/default", json={"spec": changes})
    return client.call("PATCH", f"{SCHEDULES}/default", json=changes)


def info(client: Client) -> Any:
    return client.value(client.call("GET", f"{SCHEDULES}/default"))


def scheduled(client: Client) -> list[str]:
    client.appliance.advance()
    return [job.status(0)["start_time"][:16] for job in client.appliance.jobs if job.job_type == "SCHEDULED"]


def test_created_schedule_is_shown_without_its_passwords(family: str) -> None:
    client = logged_in(family)
    response = create(client)
    assert (response.status_code, response.content) == (200 if family == "rest" else 204, b"")
    expected = {
        "parts": ["seat", "common"],
        "enable": True,
        "location": "ftp://backup.example.com/vc",
        "location_user": "backup",
        "recurrence_info": {"minute": 30, "hour": 2},
        "retention_info": {"max_count": 2},
    }
    assert info(client) == expected
    listed = client.call("GET", SCHEDULES).json()
    assert listed == ({"value": [{"key": "default", "value": expected}]} if family == "rest" else {"default": expected})


def test_no_schedule_is_an_empty_map(family: str) -> None:
    client = logged_in(family)
    assert client.call("GET", SCHEDULES).json() == ({"value": []} if family == "rest" else {})
    for response in (client.call("GET", f"{SCHEDULES}/default"), update(client), client.call("DELETE", SCHEDULES)):
        assert response.status_code == 404


@pytest.mark.parametrize("schedule_id", ["default", "other"])
def test_second_schedule_is_refused(family: str, schedule_id: str) -> None:
    client = logged_in(family)
    create(client)
    response = create(client, schedule_id)
    assert (response.status_code, client.value(response)["error_type"]) == (400, "ALREADY_EXISTS")


def test_schedule_without_an_id_is_refused() -> None:
    client = logged_in("api")
    assert create(client, "").status_code == 400
    assert client.call("GET", SCHEDULES).json() == {}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"colour": "red"}, "INVALID_REQUEST"),
        ({"location_type": "FTP"}, "INVALID_REQUEST"),
        ({"recurrence_info": {"minute": 0, "hour": 1, "second": 0}}, "INVALID_REQUEST"),
        ({"recurrence_info": {"minute": 0}}, "INVALID_ARGUMENT"),
        ({"recurrence_info": {"minute": 60, "hour": 1}}, "INVALID_ARGUMENT"),
        ({"recurrence_info": {"minute": 0, "hour": 24}}, "INVALID_ARGUMENT"),
        ({"recurrence_info": {"minute": 0, "hour": 1, "days": ["sunday"]}}, "INVALID_ARGUMENT"),
        ({"retention_info": {"max_count": 0}}, "INVALID_ARGUMENT"),
        ({"backup_password": "weak"}, "INVALID_ARGUMENT"),
        ({"parts": ["tapes"]}, "INVALID_ARGUMENT"),
        ({"location": "backup.example.com/vc"}, "INVALID_ARGUMENT"),
        ({"location": "tape://backup.example.com/vc"}, "INVALID_ARGUMENT"),
        ({"location": None}, "INVALID_REQUEST"),
    ],
)
def test_invalid_specification_is_400_and_changes_nothing(family: str, changes: dict[str, Any], kind: str) -> None:
    client = logged_in(family)
    response = create(client, **changes)
    assert (response.status_code, client.value(response)["error_type"]) == (400, kind)
    assert client.value(client.call("GET", SCHEDULES)) in ([], {})
    if changes != {"location": None}:
        create(client)
        before = info(client)
        assert update(client, **changes).status_code == 400
        assert info(client) == before


def test_update_changes_only_the_given_fields(family: str) -> None:
    client = logged_in(family)
    create(client)
    before = info(client)
    new = {"hour": 4, "minute": 0, "days": ["SUNDAY"]}
    assert update(client, recurrence_info=new, location=None).status_code == (200 if family == "rest" else 204)
    assert info(client) == before | {"recurrence_info": new}
    update(client, enable=False)
    assert info(client) == before | {"recurrence_info": new, "enable": False}
    assert client.appliance.schedules.entries["default"].encrypted


def test_fast_backup_is_a_field_of_schedules_since_801(family: str) -> None:
    assert create(logged_in(family, release="8.0"), fast_backup=True).status_code == 400
    client = logged_in(family, release="8.0U3")
    create(client, fast_backup=True)
    assert info(client)["fast_backup"] is True


def test_run_starts_a_job_with_its_comment_and_a_second_one_is_refused(family: str) -> None:
    client = logged_in(family)
    create(client)
    path = f"{SCHEDULES}/default?action=run"
    response = client.call("POST", path, json={"comment": "by hand"})
    job = client.appliance.jobs[0]
    assert client.value(response)["state"] == "INPROGRESS"
    assert (job.spec.comment, job.spec.location_type, job.spec.encrypted) == ("by hand", "FTP", True)
    again = client.call("POST", path)
    assert (again.status_code, client.value(again)["error_type"]) == (400, "FEATURE_IN_USE")
    assert client.call("POST", f"{SCHEDULES}/other?action=run").status_code == 404
    client.clock.sleep(20)
    assert client.call("POST", path).status_code == 200
    assert client.appliance.jobs[1].spec.comment == ""


def test_deleted_schedule_starts_no_runs(family: str) -> None:
    client = logged_in(family)
    create(client)
    assert client.call("DELETE", f"{SCHEDULES}/default").status_code == 204
    client.clock.sleep(3 * DAY)
    assert scheduled(client) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["2026-03-01T02:30", "2026-03-02T02:30", "2026-03-03T02:30"]),
        ({"recurrence_info": {"hour": 2, "minute": 0}}, ["2026-03-02T02:00", "2026-03-03T02:00", "2026-03-04T02:00"]),
        ({"recurrence_info": {"hour": 2, "minute": 30, "days": []}}, [f"2026-03-0{day}T02:30" for day in (1, 2, 3)]),
        ({"recurrence_info": {"hour": 1, "minute": 0, "days": ["SUNDAY", "TUESDAY"]}}, ["2026-03-03T01:00"]),
        ({"enable": False}, []),
        ({"recurrence_info": None}, []),
    ],
)
def test_scheduled_runs_start_when_due(changes: dict[str, Any], expected: list[str]) -> None:
    client = logged_in("api")  # it is Sunday, 02:00
    create(client, **changes)
    client.clock.sleep(3 * DAY)
    assert scheduled(client) == expected


def test_scheduled_run_is_listed_without_a_user() -> None:
    client = logged_in("api")
    create(client)
    client.clock.sleep(30 * 60 - 1)
    assert client.call("GET", JOB).json() == []
    client.clock.sleep(11)
    client.login()
    (job_id,) = client.call("GET", JOB).json()
    assert (client.status(job_id)["state"], client.status(job_id)["progress"]) == ("INPROGRESS", 50)
    details = client.call("GET", f"{JOB}/details").json()[job_id]
    assert (details["type"], details["start_time"]) == ("SCHEDULED", "2026-03-01T02:30:00.000Z")
    assert "user" not in details


def test_scheduled_run_is_skipped_while_another_backup_runs() -> None:
    client = logged_in("api", faults=["busy=40m"])
    create(client)
    client.clock.sleep(DAY)
    assert scheduled(client) == []
    client.clock.sleep(DAY)
    assert scheduled(client) == ["2026-03-02T02:30"]


def test_scheduled_run_has_the_faults_of_jobs() -> None:
    client = logged_in("api", faults=["stall-at=60"])
    create(client)
    client.clock.sleep(5 * DAY)
    assert len(scheduled(client)) == 1
    client.login()
    assert client.create().status_code == 400


def test_clock_jump_makes_up_for_100_runs() -> None:
    client = logged_in("api")
    create(client)
    client.clock.sleep(20 * 365 * DAY)
    runs = scheduled(client)
    assert len(runs) == 100
    assert client.clock.now() - datetime.fromisoformat(f"{runs[-1]}:00+00:00") < timedelta(days=1)


def test_retention_deletes_older_scheduled_backups_and_no_others(tmp_path: Path) -> None:
    client = logged_in("api", store=ArchiveDirectory(tmp_path))
    create(client)
    client.start(location=SPEC["location"])
    client.clock.sleep(4 * DAY)
    client.appliance.advance()
    names = sorted(path.name[:27] for path in tmp_path.rglob("[MS]_*"))
    assert names == ["M_8.0.0.10000_20260301-0200", "S_8.0.0.10000_20260303-0230", "S_8.0.0.10000_20260304-0230"]


def test_history_has_the_schedule_of_its_jobs() -> None:
    client = logged_in("api", history=True)
    recurrence = info(client)["recurrence_info"]
    starts = [job.start_time for job in client.appliance.jobs if job.job_type == "SCHEDULED"]
    assert {(start.hour, start.minute) for start in starts} == {(recurrence["hour"], recurrence["minute"])}
    assert starts[-1] + timedelta(days=1) > client.clock.now() > starts[-1]
    client.clock.sleep(DAY)
    client.appliance.advance()
    assert client.appliance.jobs[-1].start_time == starts[-1] + timedelta(days=1)


def test_history_before_67_has_no_schedule() -> None:
    client = logged_in(release="6.5", history=True)
    client.clock.sleep(5 * DAY)
    assert scheduled(client) == []
    assert datetime(2026, 3, 1, tzinfo=UTC) > client.appliance.jobs[0].start_time


def test_scheduled_runs_follow_the_clock_of_the_time_zone() -> None:
    client = logged_in("api")
    client.appliance.set_time_zone("Europe/Berlin")
    create(client)  # at 02:30, which does not exist on March 29
    client.clock.sleep(30 * DAY)
    assert scheduled(client)[-4:] == [f"2026-03-{time}" for time in ("28T01:30", "29T01:30", "30T00:30", "31T00:30")]
    client.appliance.set_time_zone("America/New_York")
    client.clock.sleep(DAY)
    assert scheduled(client)[-1] == "2026-03-31T06:30"
    client.login()
    assert client.call("GET", "/appliance/system/time/timezone").json() == "America/New_York"
