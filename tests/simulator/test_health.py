from typing import Any

from tests.simulator.client import Client, logged_in

HEALTH = "/appliance/health"
MANUAL = "db_health_check_state_manual_backup"
SCHEDULED = "db_health_check_state_scheduled_backup"


def switch(client: Client, **settings: Any) -> int:
    body: Any = {"health_settings": settings} if client.family == "rest" else settings
    return client.call("PATCH", f"{HEALTH}/settings", json=body).status_code


def test_settings_change_what_is_set_and_leave_the_other(family: str) -> None:
    client = logged_in(family)
    assert client.value(client.call("GET", f"{HEALTH}/settings")) == {MANUAL: True, SCHEDULED: True}
    assert switch(client, **{SCHEDULED: False}) == (200 if family == "rest" else 204)
    assert client.value(client.call("GET", f"{HEALTH}/settings")) == {MANUAL: True, SCHEDULED: False}
    assert switch(client, **{MANUAL: "perhaps"}) == 400


def test_database_is_healthy_unless_told_otherwise(family: str) -> None:
    client = logged_in(family)
    assert client.value(client.call("GET", f"{HEALTH}/database")) == {"status": "HEALTHY", "messages": []}
