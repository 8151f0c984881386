import httpx
import pytest

from backupctl.simulator.user_sessions import ABSOLUTE_SECONDS, IDLE_SECONDS, LOCKED_SECONDS
from tests.simulator.client import JOB, PASSWORD, USER, Client, logged_in

UNAUTHENTICATED_ID = "com.vmware.vapi.endpoint.method.authentication.required"


@pytest.mark.parametrize(("family", "status"), [("rest", 200), ("api", 201)])
def test_login_right_password_returns_a_token(family: str, status: int) -> None:
    client = Client(family)
    response = client.login()
    assert response.status_code == status
    assert len(client.value(response)) == 32
    assert "set-cookie" not in response.headers
    assert client.appliance.open_sessions == 1


@pytest.mark.parametrize(
    ("user", "password"), [(USER, "wrong"), ("nobody@vsphere.local", PASSWORD), ("root", PASSWORD)]
)
def test_login_wrong_credentials_all_get_the_same_401(family: str, user: str, password: str) -> None:
    client = Client(family)
    response = client.login(user, password)
    assert response.status_code == 401
    assert client.value(response)["messages"][0]["id"] == UNAUTHENTICATED_ID
    assert (client.appliance.open_sessions, client.appliance.failed_logins) == (0, 1)


def test_login_latin1_credentials_are_500() -> None:
    response = Client().http.post("/rest/com/vmware/cis/session", headers={"Authorization": "Basic /zr/"})
    assert response.status_code == 500


def test_401_of_an_old_release_has_no_error_type() -> None:
    old, new = Client(release="6.7").login("x", "y").json(), Client(release="8.0").login("x", "y").json()
    assert set(old["value"]) == {"messages"}
    assert set(new["value"]) == {"messages", "error_type", "challenge"}


def test_login_with_a_cookie_jar_needs_no_header() -> None:
    client = Client()
    response = client.http.post("/rest/com/vmware/cis/session", auth=(USER, PASSWORD))
    assert "Path=/rest;Secure;HttpOnly" in response.headers["set-cookie"]
    assert client.http.get(f"/rest{JOB}").status_code == 200


@pytest.mark.parametrize("value", ["", "yes", "false"])
def test_login_sets_the_cookie_unless_the_header_is_true(family: str, value: str) -> None:
    path = "/rest/com/vmware/cis/session" if family == "rest" else "/api/session"
    response = Client().http.post(path, auth=(USER, PASSWORD), headers={"vmware-use-header-authn": value})
    assert response.headers["set-cookie"].startswith("vmware-api-session-id=")


def test_request_with_any_cookie_ignores_the_session_header() -> None:
    client = logged_in()
    assert client.call("GET", JOB, headers=client.headers | {"Cookie": "theme=dark"}).status_code == 401


@pytest.mark.parametrize("user", [USER, USER.upper(), "root"])
def test_basic_credentials_on_each_request_need_no_session(family: str, user: str) -> None:
    client = Client(family)
    assert client.call("GET", JOB, auth=(user, PASSWORD)).status_code == 200
    assert client.call("GET", JOB, auth=(user, "wrong")).status_code == 401
    assert client.appliance.open_sessions == 0


def test_basic_credentials_where_not_accepted_are_401() -> None:
    assert Client(basic=False).call("GET", JOB, auth=(USER, PASSWORD)).status_code == 401


def test_session_has_its_user_and_times(family: str) -> None:
    client = logged_in(family)
    client.clock.sleep(60)
    method, path = ("POST", "/com/vmware/cis/session?~action=get") if family == "rest" else ("GET", "/session")
    session = client.value(client.call(method, path))
    assert session == {
        "user": USER,
        "created_time": "2026-03-01T02:00:00.000Z",
        "last_accessed_time": "2026-03-01T02:01:00.000Z",
    }


def test_logout_ends_the_session(family: str) -> None:
    client = logged_in(family)
    response = client.call("DELETE", "/com/vmware/cis/session" if family == "rest" else "/session")
    assert (response.status_code, response.content) == (204, b"")
    assert client.appliance.open_sessions == 0
    assert client.call("GET", JOB).status_code == 401


def test_session_expires_only_when_idle() -> None:
    client = logged_in()
    for _ in range(3):
        client.clock.sleep(IDLE_SECONDS - 1)
        assert client.call("GET", JOB).status_code == 200
    client.clock.sleep(IDLE_SECONDS)
    assert client.appliance.open_sessions == 0
    assert client.call("GET", JOB).status_code == 401


def test_session_in_use_expires_after_its_lifetime() -> None:
    client = logged_in()

    def alive() -> httpx.Response:
        client.clock.sleep(IDLE_SECONDS / 2)
        return client.call("GET", JOB)

    while alive().status_code == 200:
        assert client.clock.elapsed < ABSOLUTE_SECONDS
    assert client.clock.elapsed == ABSOLUTE_SECONDS


def test_account_is_locked_for_five_minutes_by_five_wrong_passwords_in_three(family: str) -> None:
    client = Client(family)
    for _ in range(5):
        assert client.login(USER.upper(), "wrong").status_code == 401
    assert client.login().status_code == 401
    assert client.call("GET", JOB, auth=(USER, PASSWORD)).status_code == 401
    assert client.call("GET", JOB, auth=("root", PASSWORD)).status_code == 200
    client.clock.sleep(LOCKED_SECONDS - 1)
    assert client.login().status_code == 401
    client.clock.sleep(1)
    assert client.login().is_success
    assert client.appliance.failed_logins == 5


@pytest.mark.parametrize("pause", ["a good login", "three minutes"])
def test_account_is_not_locked_by_wrong_passwords_that_are_not_in_a_row(pause: str) -> None:
    client = Client()
    for number in range(8):
        assert client.login(USER, "wrong").status_code == 401
        if number % 4 == 3 and pause == "a good login":
            assert client.login().is_success
        elif number % 4 == 3:
            client.clock.sleep(180)
    assert client.login().is_success


def test_account_locked_does_not_end_sessions() -> None:
    client = logged_in()
    for _ in range(5):
        client.login(USER, "wrong")
    assert client.appliance.sessions.is_locked(USER)
    assert client.appliance.open_sessions == 1


@pytest.mark.parametrize("fault", ["account-locked", "password-expired"])
def test_account_fault_adds_a_message_to_the_401(family: str, fault: str) -> None:
    client = Client(family, faults=[fault])
    for response in (client.login(), client.call("GET", JOB, auth=(USER, PASSWORD))):
        first, second = client.value(response)["messages"]
        assert (response.status_code, first["id"]) == (401, UNAUTHENTICATED_ID)
        assert fault.split("-")[1] in second["default_message"]
    assert client.appliance.open_sessions == 0
