from typing import Any

import pytest

from tests.simulator.client import Client, logged_in

HEALTH = "/appliance/health"
MANUAL = "db_health_check_state_manual_backup"
SCHEDULED = "db_health_check_state_scheduled_backup"


def switch(client: Client, **settings: Any) -> int:
    body: Any = {"health_settings": settings} if client.family == "rest" else settings
    return client.call("PATCH", f"{HEALTH}/settings", json=body).status_code


def test_health_settings_update_changes_only_given_fields(family: str) -> None:
    client = logged_in(family)
    assert client.value(client.call("GET", f"{HEALTH}/settings")) == {MANUAL: True, SCHEDULED: True}
    assert switch(client, **{SCHEDULED: False}) == (200 if family == "rest" else 204)
    assert client.value(client.call("GET", f"{HEALTH}/settings")) == {MANUAL: True, SCHEDULED: False}
    assert switch(client, **{MANUAL: "perhaps"}) == 400


def test_time_is_that_of_the_clock(family: str) -> None:
    client = logged_in(family)
    client.clock.sleep(13 * 3600 + 90)
    client.login()
    assert client.value(client.call("GET", "/appliance/system/time")) == {
        "seconds_since_epoch": 1772377290.0,
        "date": "Sun 03-01-2026",
        "time": "03:01:30 PM",
        "timezone": "Etc/UTC",
    }
    assert client.value(client.call("GET", f"{HEALTH}/system/lastcheck")) == "2026-03-01T15:01:00.000Z"


def test_database_is_healthy_by_default(family: str) -> None:
    client = logged_in(family)
    assert client.value(client.call("GET", f"{HEALTH}/database")) == {"status": "HEALTHY", "messages": []}


@pytest.mark.parametrize("status", ["DEGRADED", "UNHEALTHY"])
def test_unhealthy_database_fails_a_backup_at_ten_percent(family: str, status: str) -> None:
    client = logged_in(family, faults=[f"db-health={status}"])
    assert client.value(client.call("GET", f"{HEALTH}/database"))["status"] == status
    job_id = client.start()
    client.clock.sleep(20)
    job = client.status(job_id)
    assert (job["state"], job["progress"]) == ("FAILED", 10)
    assert f"Db health is {status}, Backup Failed." in job["messages"][0]["default_message"]


@pytest.mark.parametrize(("release", "state"), [("6.7U2", "SUCCEEDED"), ("7.0", "FAILED"), ("9.0", "SUCCEEDED")])
def test_database_is_checked_from_70_until_90(release: str, state: str) -> None:
    client = logged_in(release=release, faults=["db-health=DEGRADED"])
    job_id = client.start()
    client.clock.sleep(20)
    assert client.status(job_id)["state"] == state


@pytest.mark.parametrize(
    ("setting", "states"), [(MANUAL, ["SUCCEEDED", "FAILED"]), (SCHEDULED, ["FAILED", "SUCCEEDED"])]
)
def test_database_is_not_checked_when_the_setting_is_off(setting: str, states: list[str]) -> None:
    client = logged_in("api", faults=["db-health=UNHEALTHY"])
    switch(client, **{setting: False})
    spec = {"location": "ftp://backup.example.com/vc", "recurrence_info": {"hour": 3, "minute": 0}}
    client.call("POST", "/appliance/recovery/backup/schedules", json={"schedule": "default", "spec": spec})
    client.start()
    client.clock.sleep(7200)
    client.login()
    ids = client.call("GET", "/appliance/recovery/backup/job").json()
    assert [client.status(job_id)["state"] for job_id in reversed(ids)] == states
