import httpx
import pytest

from backupctl.errors import UsageError
from backupctl.simulator.faults import parse_fault
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from tests.simulator.client import CREATED, JOB, REQUEST, Client, logged_in
from tests.support.clock import FakeClock


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("explode", "explode"),
        ("drop=0", "drop"),
        ("drop=x", "drop=N"),
        ("drop=1@lunch", "login, version, list, create, poll, first-poll"),
        ("slow", "slow=DURATION"),
        ("slow=fast", "slow=DURATION"),
        ("fail-at=101", "PERCENT"),
        ("fail-at", "PERCENT"),
        ("fail-at=40@poll", "fail-at"),
        ("reboot-at=50", "PERCENT:DURATION"),
        ("forbidden=1", "forbidden"),
        ("db-health", "DEGRADED"),
        ("db-health=HEALTHY", "UNHEALTHY"),
        ("db-health=DEGRADED@poll", "db-health"),
        ("http-504=1@poll", "http-504"),
        ("odd-user", "=dn"),
        ("odd-user=nobody", "=dn"),
        ("", "drop"),
    ],
)
def test_fault_that_is_invalid_is_a_usage_error_with_a_hint(spec: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_fault(spec)
    assert expected in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(("spec", "seconds"), [("slow=90", 90), ("slow=30s", 30), ("slow=5m", 300), ("slow=2h", 7200)])
def test_fault_duration_is_converted_to_seconds(spec: str, seconds: float) -> None:
    assert parse_fault(spec).seconds == seconds


def statuses(client: Client, count: int) -> list[int]:
    seen = []
    for _ in range(count):
        try:
            seen.append(client.call("GET", JOB).status_code)
        except httpx.TransportError:
            seen.append(0)
    return seen


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (["http-503=2@list"], [503, 503, 200, 200]),
        (["html-503=1@list", "drop=1@list"], [503, 0, 200, 200]),
        (["drop=%2@list"], [200, 0, 200, 0]),
        (["redirect=1@list"], [302, 200, 200, 200]),
        (["drop@list"], [0, 0, 0, 0]),
        (["drop=1@poll"], [200, 200, 200, 200]),
        (["forbidden"], [403, 403, 403, 403]),
    ],
)
def test_fault_affects_the_counted_requests_of_its_phase(faults: list[str], expected: list[int]) -> None:
    assert statuses(logged_in(faults=faults), 4) == expected


def test_fault_503_has_the_body_of_the_api_or_of_the_proxy(family: str) -> None:
    client = logged_in(family, faults=["http-503=1@list", "html-503=1@list"])
    assert client.value(client.call("GET", JOB))["error_type"] == "SERVICE_UNAVAILABLE"
    assert client.call("GET", JOB).text.startswith("<html>")


def test_fault_corrupt_response_comes_after_the_job_started() -> None:
    for fault, body in (("empty=1@create", b""), ("bad-json=1@create", b'{"value": {"state": "INPRO')):
        client = logged_in(faults=[fault])
        response = client.create()
        assert (response.status_code, response.content) == (200, body)
        assert len(client.appliance.jobs) == 1


@pytest.mark.parametrize(("fault", "jobs"), [("lost-create-answer", 1), ("lost-create-request", 0)])
def test_fault_lost_create_loses_the_response_or_the_request(fault: str, jobs: int) -> None:
    client = logged_in(faults=[fault])
    with pytest.raises(httpx.RemoteProtocolError):
        client.create()
    assert len(client.appliance.jobs) == jobs
    assert client.appliance.requests[-1][:2] == ("POST", f"/rest{JOB}")


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("html-401", 401, ""),
        ("http-500", 500, "error"),
        ("http-504", 504, "timed_out"),
        ("late-http-401", 401, "unauthenticated"),
        ("late-html-401", 401, ""),
        ("late-http-500", 500, "error"),
        ("late-http-504", 504, "timed_out"),
        ("late-html-504", 504, ""),
    ],
)
def test_fault_fails_a_create_before_or_after_the_job_starts(family: str, fault: str, status: int, kind: str) -> None:
    client = logged_in(family, faults=[f"{fault}=1@create"])
    response = client.create()
    assert response.status_code == status
    assert kind in response.text.lower() if kind else response.text.startswith("<html>")
    started = fault.startswith("late-")
    assert len(client.appliance.jobs) == len(client.value(client.call("GET", JOB))) == started
    assert client.create().status_code == (400 if started else CREATED[family])


def test_fault_stale_list_omits_new_jobs() -> None:
    client = logged_in("api", faults=["stale-list=90s"], job_duration=3)
    older = client.start()
    client.clock.sleep(50)
    job_id = client.start()
    seen = []
    for seconds in (39, 1, 49, 1):
        client.clock.sleep(seconds)
        seen.append(client.call("GET", JOB).json())
    assert seen == [[], [older], [older], [job_id, older]]
    assert client.status(job_id)["state"] == "SUCCEEDED"


def test_fault_oldest_only_lists_only_the_oldest_job() -> None:
    client = logged_in("api", faults=["oldest-only"], job_duration=3)
    assert client.call("GET", JOB).json() == []
    oldest = client.start()
    client.clock.sleep(5)
    client.start()
    assert client.call("GET", JOB).json() == [oldest]


def test_fault_archive_location_is_the_folder_of_the_archive(family: str) -> None:
    client = logged_in(family, faults=["archive-location"], host="vc01.example.com", job_duration=3)
    client.start(location="ftp://backup.example.com/a folder/", comment="a")
    client.clock.sleep(5)
    (shown,) = client.details().values()
    folder = "vCenter/sn_vc01.example.com/M_8.0.0.10000_20260301-020000_ME======"
    assert shown["location"] == f"ftp://backup.example.com/a%20folder/{folder}"
    assert client.appliance.archives.get(("backup.example.com", "a folder", *folder.split("/")))


@pytest.mark.parametrize(
    ("form", "user"),
    [("root", "root"), ("dn", "CN=Administrator,CN=Users,DC=vsphere,DC=local"), ("sid", "S-1-5-21-"), ("empty", "")],
)
def test_fault_odd_user_changes_the_user_of_a_job(form: str, user: str) -> None:
    client = logged_in("api", faults=[f"odd-user={form}"])
    job_id = client.start()
    shown = client.details()[job_id]["user"]
    assert shown.startswith(user)
    assert bool(shown) == bool(user)


def test_fault_lost_login_answer_keeps_the_effect_of_the_login() -> None:
    for password, sessions, failed in (("VMware1!", 1, 0), ("wrong", 0, 1)):
        client = Client(faults=["lost-login-answer"])
        with pytest.raises(httpx.RemoteProtocolError):
            client.login(password=password)
        assert (client.appliance.open_sessions, client.appliance.failed_logins) == (sessions, failed)


def test_fault_slow_takes_at_most_the_read_timeout() -> None:
    client = logged_in(faults=["slow=20s@list"])
    client.call("GET", JOB, timeout=30)
    assert client.clock.elapsed == 20
    with pytest.raises(httpx.ReadTimeout):
        client.call("GET", JOB, timeout=5)
    assert client.clock.elapsed == 25


def test_fault_trickle_takes_a_second_per_byte() -> None:
    client = logged_in("api", faults=["trickle@list"])
    assert client.call("GET", JOB).content == b"[]"
    assert client.clock.elapsed == 2


def test_fault_no_date_removes_the_date_from_all_responses() -> None:
    client = Client(faults=["no-date"])
    assert "Date" not in client.login().headers
    assert "Date" not in client.call("GET", "/nowhere").headers


def test_fault_fail_at_fails_the_job_at_that_percent() -> None:
    client = logged_in(faults=["fail-at=40"])
    job_id = client.start()
    client.clock.sleep(7.9)
    assert client.status(job_id)["state"] == "INPROGRESS"
    client.clock.sleep(5)
    job = client.status(job_id)
    assert (job["state"], job["progress"], job["end_time"]) == ("FAILED", 40, "2026-03-01T02:00:08.000Z")
    assert job["messages"][0]["default_message"].startswith("BackupManager encountered an exception")


def test_fault_fail_at_zero_first_returns_a_running_job() -> None:
    client = logged_in(faults=["fail-at=0"])
    assert client.value(client.create())["state"] == "INPROGRESS"


def test_fault_stall_at_stops_progress_until_cancelled() -> None:
    client = logged_in("api", faults=["stall-at=60"])
    job_id = client.start()
    client.clock.sleep(900)
    assert (client.status(job_id)["state"], client.status(job_id)["progress"]) == ("INPROGRESS", 60)
    client.call("POST", f"{JOB}/{job_id}?action=cancel")
    client.clock.sleep(3)
    assert client.status(job_id)["state"] == "FAILED"


def test_fault_reboot_ends_sessions_but_not_the_job() -> None:
    client = logged_in("api", faults=["reboot-at=50:20s"], job_duration=100)
    job_id = client.start()
    client.clock.sleep(50)
    with pytest.raises(httpx.ConnectError):
        client.call("GET", JOB)
    client.clock.sleep(10)
    assert client.call("GET", JOB).status_code == 503
    client.clock.sleep(10)
    assert client.call("GET", JOB).status_code == 401
    client.login()
    client.clock.sleep(30)
    assert client.status(job_id)["state"] == "SUCCEEDED"


def test_fault_session_expires_after_its_time() -> None:
    client = logged_in(faults=["session-expires-after=30s"])
    client.clock.sleep(29)
    assert client.call("GET", JOB).status_code == 200
    client.clock.sleep(1)
    assert client.call("GET", JOB).status_code == 401


def test_fault_busy_runs_a_job_of_another_user() -> None:
    client = logged_in("api", faults=["busy=60s"])
    assert client.create().status_code == 400
    assert client.status(client.call("GET", JOB).json()[0])["progress"] > 0
    client.clock.sleep(60)
    assert client.create().status_code == CREATED["api"]


def test_fault_validate_fail_answers_200_with_fail() -> None:
    client = logged_in("api", faults=["validate-fail"])
    response = client.call("POST", "/appliance/recovery/backup?action=validate", json=REQUEST)
    assert (response.status_code, response.json()["status"]) == (200, "FAIL")
    assert client.create().status_code == CREATED["api"]


def test_inject_adds_a_fault_to_a_running_appliance() -> None:
    client = logged_in()
    client.appliance.inject("http-503=1")
    assert statuses(client, 2) == [503, 200]


@pytest.mark.parametrize("options", [{"progress": "sideways"}, {"faults": ["nope"]}, {"job_duration": 0.0}])
def test_appliance_unknown_option_is_a_usage_error(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        SimulatedAppliance(FakeClock(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("http-503=2@first-poll", [503, 503, 200, 200, 200]),
        ("http-503=1@mid-poll", [200, 503, 200, 200, 200]),
        ("http-503@mid-poll", [200, 503, 503, 200, 200]),
        ("http-503@last-poll", [200, 200, 200, 503, 503]),
        ("http-503@poll", [503] * 5),
        ("http-503@list", [200] * 5),
    ],
)
def test_fault_of_a_poll_phase_affects_only_those_polls(family: str, fault: str, expected: list[int]) -> None:
    client = logged_in(family, faults=[fault], job_duration=20)
    job_id = client.start()
    seen = []
    for seconds in (1, 1, 1, 20, 1):
        client.clock.sleep(seconds)
        seen.append(client.call("GET", f"{JOB}/{job_id}").status_code)
    assert seen == expected
