"""Refused requests: the order of the checks, the status and the body."""

from typing import Any

import pytest

from tests.simulator.client import JOB, REQUEST, Client, logged_in

VALIDATE = {"rest": "/appliance/recovery/backup/validate", "api": "/appliance/recovery/backup?action=validate"}


@pytest.mark.parametrize(
    ("family", "body", "status", "kind"),
    [
        ("rest", REQUEST, 400, "INVALID_REQUEST"),
        ("rest", {"spec": REQUEST}, 400, "INVALID_REQUEST"),
        ("rest", {"piece": REQUEST | {"colour": "red"}}, 400, "INVALID_REQUEST"),
        ("rest", {"piece": REQUEST | {"location": 7}}, 400, "INVALID_REQUEST"),
        ("rest", {"piece": REQUEST | {"parts": "seat"}}, 400, "INVALID_REQUEST"),
        ("rest", {"piece": None}, 500, "INVALID_REQUEST"),
        ("rest", {"piece": {"parts": []}}, 400, "INVALID_ARGUMENT"),
        ("rest", {}, 400, "INVALID_ARGUMENT"),
        ("api", {"piece": REQUEST}, 400, "INVALID_REQUEST"),
        ("api", {}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"location_type": "TAPE"}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"location_type": "SCP"}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"location": "ftp://h/../../etc"}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"location": "ftp://h/%2e%2e/etc"}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"location": "ftp:///nowhere"}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"parts": ["tapes"]}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"backup_password": "weak"}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"backup_password": ""}, 400, "INVALID_ARGUMENT"),
        ("api", REQUEST | {"backup_password": "Correct Horse1!"}, 400, "INVALID_ARGUMENT"),
    ],
)
def test_create_invalid_body_is_refused_and_starts_nothing(family: str, body: Any, status: int, kind: str) -> None:
    client = logged_in(family)
    response = client.call("POST", JOB, json=body)
    assert response.status_code == status
    assert client.value(response)["error_type"] == kind
    assert client.appliance.jobs == []


@pytest.mark.parametrize(
    "changes",
    [
        {"backup_password": "VMw@re123"},
        {"backup_password": None, "comment": None, "location_user": None},
        {"parts": []},
        {"fast_backup": True},
        {"location": "backup.example.com/vc-2026"},
        {"location_type": "SFTP", "location": "sftp://10.0.0.250:/root/backups"},
    ],
)
def test_create_valid_body_starts_a_job(changes: dict[str, Any]) -> None:
    client = logged_in("api")
    client.start(**changes)
    assert len(client.appliance.jobs) == 1


def test_validate_is_200_with_ok_or_fail_and_starts_nothing(family: str) -> None:
    client = logged_in(family)
    for changes, status in (({}, "OK"), ({"backup_password": "weak"}, "FAIL")):
        body: Any = REQUEST | changes
        response = client.call("POST", VALIDATE[family], json={"piece": body} if family == "rest" else body)
        assert (response.status_code, client.value(response)["status"]) == (200, status)
    assert client.appliance.jobs == []


def test_validate_is_feature_in_use_while_a_job_runs(family: str) -> None:
    client = logged_in(family, job_duration=20)
    client.start()
    body: Any = {"piece": REQUEST} if family == "rest" else REQUEST
    busy = client.call("POST", VALIDATE[family], json=body)
    assert (busy.status_code, client.value(busy)["error_type"]) == (400, "FEATURE_IN_USE")
    client.clock.sleep(20)
    assert client.value(client.call("POST", VALIDATE[family], json=body))["status"] == "OK"


def test_missing_session_is_401_and_missing_path_404_before_it(family: str) -> None:
    client = Client(family)
    assert client.call("GET", JOB).status_code == 401
    assert client.call("GET", "/appliance/nothing/here").status_code == 404
    assert client.call("GET", f"{JOB}/").status_code == 404
    assert client.call("DELETE", JOB).status_code == 404


def test_invalid_json_body_is_400_even_without_a_session(family: str) -> None:
    client = Client(family)
    headers = {"Content-Type": "application/json"}
    assert client.call("POST", JOB, content=b'{"piece"', headers=headers).status_code == 400
    assert client.call("POST", JOB, content=b"{}", headers=headers).status_code == 401


def test_body_of_another_content_type_is_415(family: str) -> None:
    client = logged_in(family)
    assert client.call("POST", JOB, data={"piece": "x"}).status_code == 415


def test_body_on_a_get_is_ignored(family: str) -> None:
    client = logged_in(family)
    assert client.call("GET", f"{JOB}/details", content=b'{"filter":{"jobs":["x"]}}').status_code == 200


def test_unknown_paths_have_the_shapes_of_their_families() -> None:
    client = logged_in("rest")
    assert client.call("GET", "/nope").json() == {
        "name": "com.vmware.vapi.rest.httpNotFound",
        "localizableMessages": [{"defaultMessage": "Not found.", "id": "com.vmware.vapi.rest.httpNotFound"}],
        "majorErrorCode": 404,
    }
    assert client.http.get("/api/nope").json() == {
        "error_type": "NOT_FOUND",
        "messages": [{"id": "com.vmware.vapi.rest.httpNotFound", "default_message": "Not found.", "args": []}],
    }
    assert client.http.get("/nope").headers["content-type"].startswith("text/html")


def test_unknown_action_is_404() -> None:
    client = logged_in("api")
    job_id = client.start()
    assert client.call("POST", f"{JOB}/{job_id}?action=explode").status_code == 404
    assert client.call("GET", f"{JOB}/{job_id}?action=get").status_code == 404
