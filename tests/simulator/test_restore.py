from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from backupctl.simulator.archive_directory import ArchiveDirectory
from backupctl.simulator.releases import release_named
from backupctl.simulator.server_options import ServerOptions
from backupctl.simulator.simulator_server import SimulatorServer
from tests.simulator.client import CREATED, JOB, PASSWORD, USER, Client, logged_in
from tests.support.clock import FakeClock

RESTORE = "/appliance/recovery/restore"
RECONCILIATION = "/appliance/recovery/reconciliation/job"
NAME = "S_8.0.0.10000_20260301-000000_"
REQUEST: dict[str, Any] = {
    "location_type": "SFTP",
    "location": f"sftp://backup.example.com/vcenter/vCenter/sn_vcsa.simulator.test/{NAME}",
    "location_user": "backup",
    "location_password": "secret",
}
SSO = {"sso_admin_user_name": USER, "sso_admin_user_password": PASSWORD}


def fresh(family: str, **options: Any) -> Client:
    client = Client(family, **{"fresh": True, "history": True, **options})
    client.http.auth = httpx.BasicAuth("root", PASSWORD)
    return client


def piece(client: Client, request: dict[str, Any], wrapper: str = "piece") -> dict[str, Any]:
    return {"json": {wrapper: request} if client.family == "rest" else request}


def validate(client: Client, **changes: Any) -> httpx.Response:
    path = f"{RESTORE}/validate" if client.family == "rest" else f"{RESTORE}?action=validate"
    return client.call("POST", path, **piece(client, REQUEST | changes))


def create(client: Client, **changes: Any) -> httpx.Response:
    return client.call("POST", f"{RESTORE}/job", **piece(client, REQUEST | SSO | changes))


def cancel(client: Client) -> httpx.Response:
    return client.call("POST", f"{RESTORE}/job" + ("/cancel" if client.family == "rest" else "?action=cancel"))


def kind(client: Client, response: httpx.Response) -> tuple[int, str]:
    return response.status_code, client.value(response)["error_type"]


def job(client: Client) -> Any:
    return client.value(client.call("GET", f"{RESTORE}/job"))


def test_validate_returns_the_metadata_of_the_archive(family: str) -> None:
    client = fresh(family)
    assert client.value(validate(client)) == {
        "timestamp": "2026-03-01T00:00:20.600Z",
        "parts": ["common", "seat"],
        "version": "8.0.0.10000",
        "boxname": "vcsa.simulator.test",
        "comment": "",
        "applicable": True,
        "messages": [],
        "sso_login_required": True,
    }


def test_validate_on_an_appliance_in_service_is_not_applicable(family: str) -> None:
    client = logged_in(family, history=True)
    metadata = client.value(validate(client))
    assert (metadata["applicable"], len(metadata["messages"])) == (False, 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"location": "sftp://backup.example.com/vcenter"}, (500, "ERROR")),
        ({"location": "ftp://backup.example.com/vcenter"}, (500, "ERROR")),
        ({"location_type": "TAPE"}, (400, "INVALID_ARGUMENT")),
        ({"ignore_warning": True}, (400, "INVALID_REQUEST")),
        ({"parts": ["seat"]}, (400, "INVALID_ARGUMENT")),
        ({"parts": ["supervisors"]}, (404, "NOT_FOUND")),
    ],
)
def test_invalid_restore_request_is_refused(family: str, changes: dict[str, Any], expected: tuple[int, str]) -> None:
    client = fresh(family, release="8.0U3")
    request = {"location": REQUEST["location"].replace("8.0.0.10000", "8.0.3.00000")} | changes
    assert kind(client, validate(client, **request)) == expected
    assert kind(client, create(client, **request)) == expected
    assert job(client) == {"state": "NONE", "messages": [], "progress": 0}


def test_restore_refuses_connections_for_a_while_then_puts_the_appliance_in_service(family: str) -> None:
    client = fresh(family)
    assert client.value(create(client)) == {"state": "INPROGRESS", "messages": [], "progress": 0}
    assert kind(client, create(client)) == (400, "FEATURE_IN_USE")
    assert kind(client, client.create()) == (400, "FEATURE_IN_USE")
    seen: list[str] = []
    while not seen or seen[-1] != "SUCCEEDED":
        client.clock.sleep(2)
        try:
            seen.append(job(client)["state"])
        except httpx.ConnectError:
            seen.append("refused")
    assert seen == ["INPROGRESS"] * 7 + ["refused"] * 4 + ["INPROGRESS"] * 8 + ["SUCCEEDED"]
    assert client.login().is_success
    assert kind(client, create(client)) == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
    assert client.create().status_code == CREATED[family]


def test_appliance_in_service_refuses_a_restore_and_has_no_status(family: str) -> None:
    client = logged_in(family, history=True)
    assert kind(client, create(client)) == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
    assert kind(client, client.call("GET", f"{RESTORE}/job")) == (500, "ERROR")
    assert kind(client, cancel(client)) == (500, "ERROR")
    client.start()
    assert kind(client, create(client)) == (400, "FEATURE_IN_USE")


def test_fresh_appliance_has_no_sessions_and_no_backups(family: str) -> None:
    client = fresh(family)
    assert client.login().status_code == 401
    assert client.appliance.failed_logins == 0
    assert client.call("GET", JOB, auth=(USER, PASSWORD)).json() == ({"value": []} if family == "rest" else [])
    assert kind(client, client.create()) == (500, "ERROR")
    assert client.value(client.call("GET", "/appliance/recovery")) == {"supported": True}


@pytest.mark.parametrize("sso", [{}, {"sso_admin_user_password": "wrong"}, {"sso_admin_user_name": "nobody"}])
def test_restore_needs_the_sso_administrator(family: str, sso: dict[str, str]) -> None:
    client = fresh(family)
    request = (SSO if sso else dict.fromkeys(SSO)) | sso
    assert kind(client, create(client, **request)) == (500, "ERROR")


def test_restore_cancelled_fails_and_can_be_retried(family: str) -> None:
    client = fresh(family)
    create(client)
    client.clock.sleep(5)
    assert client.value(cancel(client)) == {"status": "OK", "messages": []}
    client.clock.sleep(2)
    assert (job(client)["state"], job(client)["progress"]) == ("FAILED", 17)
    assert client.value(cancel(client))["status"] == "FAIL"
    assert create(client).status_code == CREATED[family]


def test_restore_has_the_faults_of_jobs(family: str) -> None:
    client = fresh(family, faults=["fail-at=30"])
    create(client)
    client.clock.sleep(40)
    assert (job(client)["state"], job(client)["progress"]) == ("FAILED", 30)
    assert client.login().status_code == 401


def patched(version: str) -> Any:
    return replace(release_named("8.0"), version=version)


def test_backup_of_an_earlier_patch_fails_unless_warnings_are_ignored(family: str, tmp_path: Path) -> None:
    source = logged_in(store=ArchiveDirectory(tmp_path))
    source.start()
    source.clock.sleep(20)
    source.appliance.advance()
    folder = "vCenter/sn_vcsa.simulator.test/M_8.0.0.10000_20260301-020000_"
    request = {"location_type": "FTP", "location": f"ftp://backup.example.com/vc/{folder}"}
    client = fresh(family, release=patched("8.0.0.10200"), store=ArchiveDirectory(tmp_path))
    metadata = client.value(validate(client, **request))
    assert (metadata["applicable"], len(metadata["messages"])) == (True, 1)
    create(client, **request)
    client.clock.sleep(1)
    assert (job(client)["state"], job(client)["messages"]) == ("FAILED", metadata["messages"])
    create(client, **request, ignore_warnings=True)
    client.clock.sleep(40)
    assert job(client)["state"] == "SUCCEEDED"
    for version in ("8.0.1.10000", "8.0.0.00100"):
        other = fresh(family, release=patched(version), store=ArchiveDirectory(tmp_path))
        assert other.value(validate(other, **request))["applicable"] is False
        assert kind(other, create(other, **request, ignore_warnings=True)) == (500, "ERROR")


def test_encrypted_backup_needs_its_password(family: str, tmp_path: Path) -> None:
    source = logged_in(store=ArchiveDirectory(tmp_path), release="8.0U3")
    source.start(backup_password="VMw@re123", parts=["supervisors"])
    source.clock.sleep(20)
    source.appliance.advance()
    folder = "vCenter/sn_vcsa.simulator.test/M_8.0.3.00000_20260301-020000_"
    request: dict[str, Any] = {"location_type": "FTP", "location": f"ftp://backup.example.com/vc/{folder}"}
    client = fresh(family, release="8.0U3", store=ArchiveDirectory(tmp_path))
    assert kind(client, validate(client, **request)) == (500, "ERROR")
    request |= {"backup_password": "VMw@re123", "parts": ["supervisors"]}
    assert client.value(create(client, **request))["parts"] == ["supervisors"]


@pytest.mark.parametrize(("release", "field"), [("6.5", SSO), ("6.7", {"parts": ["x"]}), ("8.0", {"parts": ["x"]})])
def test_field_of_a_later_release_is_refused(release: str, field: dict[str, Any]) -> None:
    client = fresh("rest", release=release)
    response = validate(client, **field)
    assert response.status_code == 400
    assert "Unexpected field" in response.text


def test_65_restores_from_the_folder_itself_without_sso() -> None:
    client = fresh("rest", release="6.5")
    request = {"location_type": "FTP", "location": "ftp://backup.example.com/vcenter/2026-03-01-00-00-00"}
    metadata = client.value(validate(client, **request))
    assert metadata["applicable"]
    assert "sso_login_required" not in metadata
    response = client.call("POST", f"{RESTORE}/job", **piece(client, request))
    assert client.value(response)["state"] == "INPROGRESS"


def test_served_appliance_is_fresh_on_request() -> None:
    (state,) = SimulatorServer(ServerOptions(fresh=True), FakeClock()).simulated
    assert state.stage == "fresh"


def test_reconciliation_is_allowed_only_after_a_restore(family: str) -> None:
    client = fresh(family)
    request = piece(client, SSO, "spec")
    assert kind(client, client.call("POST", RECONCILIATION, **request)) == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
    create(client)
    client.clock.sleep(40)
    assert kind(client, client.call("GET", RECONCILIATION)) == (404, "NOT_FOUND")
    response = client.call("POST", RECONCILIATION, **piece(client, {}, "spec"))
    assert kind(client, response) == (400, "INVALID_ARGUMENT")
    response = client.call("POST", RECONCILIATION, **request)
    assert response.status_code == CREATED[family]
    info = client.value(response)
    assert (info["status"], info["progress"], "end_time" in info) == ("RUNNING", 0, False)
    assert kind(client, client.create()) == (400, "FEATURE_IN_USE")
    client.clock.sleep(10)
    info = client.value(client.call("GET", RECONCILIATION))
    assert (info["status"], info["end_time"]) == ("SUCCEEDED", "2026-03-01T02:00:50.000Z")
