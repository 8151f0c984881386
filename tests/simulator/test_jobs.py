import itertools
import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.simulator.client import JOB, logged_in


def test_create_returns_a_running_job_without_end_time(family: str) -> None:
    client = logged_in(family)
    job = client.value(client.create())
    assert re.fullmatch(r"20260301-020000-\d+", job["id"])
    assert (job["state"], job["progress"], job["messages"]) == ("INPROGRESS", 0, [])
    assert job["start_time"] == "2026-03-01T02:00:00.000Z"
    assert "end_time" not in job


@pytest.mark.parametrize("delay", [0, 5])
def test_create_job_starts_between_the_date_before_and_the_date_of_its_response(family: str, delay: int) -> None:
    client = logged_in(family, faults=[f"slow={delay}s"])
    client.clock.sleep(0.75)
    dates = [parsedate_to_datetime(response.headers["Date"]) for response in (client.call("GET", JOB), client.create())]
    job_id = client.appliance.jobs[0].job_id
    started = datetime.fromisoformat(client.status(job_id)["start_time"])
    assert dates[0] <= started < dates[1] + timedelta(seconds=1)
    assert (started - dates[0]).total_seconds() == 0.75
    assert job_id.startswith(f"{started:%Y%m%d-%H%M%S}-")


def test_create_second_job_is_refused_as_feature_in_use(family: str) -> None:
    client = logged_in(family)
    client.start()
    response = client.create()
    assert response.status_code == 400
    assert "feature_in_use" in response.text.lower()
    assert len(client.appliance.jobs) == 1


@pytest.mark.parametrize("progress", ["linear", "stepped", "stalling"])
def test_job_progress_never_decreases_and_ends_at_100(progress: str) -> None:
    client = logged_in("api", progress=progress)
    job_id = client.start()
    seen = []
    while (job := client.status(job_id))["state"] == "INPROGRESS":
        seen.append(job["progress"])
        client.clock.sleep(0.5)
    assert seen == sorted(seen)
    assert max(seen) < 100
    assert (job["state"], job["progress"], job["end_time"]) == ("SUCCEEDED", 100, "2026-03-01T02:00:20.000Z")
    assert client.clock.elapsed == pytest.approx(20.0)


def test_jobs_in_the_same_second_get_different_ids() -> None:
    client = logged_in("api", job_duration=0.2)
    ids = []
    for _ in range(3):
        ids.append(client.start())
        client.clock.sleep(0.3)
    assert len(set(ids)) == 3
    assert client.call("GET", JOB).json() == ids[::-1]


def test_details_of_running_job_have_status_running(family: str) -> None:
    client = logged_in(family)
    job_id = client.start(location="ftp://backup.example.com/a folder")
    client.clock.sleep(10)
    info = client.details()[job_id]
    assert (info["status"], info["type"], info["location_user"]) == ("RUNNING", "MANUAL", "backup")
    assert info["location"] == "ftp://backup.example.com/a%20folder"
    assert 0 < info["size"] < 3 * 1024**3
    assert "end_time" not in info


def test_details_have_the_step_of_a_job(family: str) -> None:
    client = logged_in(family, job_duration=100)
    job_id = client.start()
    steps = []
    for _ in range(21):
        steps.append(client.details()[job_id]["progress"]["message"]["default_message"])
        client.clock.sleep(5)
    assert [(step, len(list(same))) for step, same in itertools.groupby(steps)] == [
        ("Preparing the backup.", 2),
        ("Backing up configuration files.", 4),
        ("Backing up the database.", 12),
        ("Writing the metadata of the backup.", 2),
        ("Backup job finished.", 1),
    ]


def test_details_are_sorted_neither_way(family: str) -> None:
    client = logged_in(family, history=True)
    response = client.call("GET", f"{JOB}/details")
    ids = [entry["key"] for entry in response.json()["value"]] if family == "rest" else list(response.json())
    assert len(ids) == 7
    assert ids != sorted(ids)
    assert ids != sorted(ids, reverse=True)
    assert client.call("GET", f"{JOB}/details").content == response.content


@pytest.mark.parametrize(
    ("family", "query", "expected"),
    [
        ("rest", "filter.jobs.1={a}", 1),
        ("rest", "filter.jobs.1={a}&filter.jobs.2={b}", 2),
        ("rest", "filter.jobs={a}", 1),
        ("rest", "filter.jobs={a}&filter.jobs={b}", 2),
        ("rest", "filter.jobs=x", 0),
        ("rest", "filter.jobs.1=20200101-000000-1", 0),
        ("api", "jobs={a}", 1),
        ("api", "jobs={a}&jobs={b}", 2),
    ],
)
def test_details_filter_selects_jobs(family: str, query: str, expected: int) -> None:
    client = logged_in(family, history=True)
    a, b = (job.job_id for job in client.appliance.jobs[:2])
    response = client.call("GET", f"{JOB}/details?{query.format(a=a, b=b)}")
    assert response.status_code == 200
    assert len(client.value(response)) == expected


@pytest.mark.parametrize(("family", "suffix"), [("rest", "/cancel"), ("api", "?action=cancel")])
def test_cancel_running_job_ends_it_failed(family: str, suffix: str) -> None:
    client = logged_in(family)
    job_id = client.start()
    client.clock.sleep(5)
    assert client.value(client.call("POST", f"{JOB}/{job_id}{suffix}")) == {"status": "OK", "messages": []}
    assert client.status(job_id)["state"] == "INPROGRESS"
    client.clock.sleep(3)
    job = client.status(job_id)
    assert (job["state"], len(job["messages"])) == ("FAILED", 1)
    assert client.value(client.call("POST", f"{JOB}/{job_id}{suffix}"))["status"] == "FAIL"


def test_get_unknown_job_is_not_found(family: str) -> None:
    response = logged_in(family).call("GET", f"{JOB}/20200101-000000-1")
    assert response.status_code == 404
    assert "httpNotFound" not in response.text


def test_parts_are_listed_with_their_sizes(family: str) -> None:
    client = logged_in(family, release="8.0U3")
    listed = client.value(client.call("GET", "/appliance/recovery/backup/parts"))
    assert [(part["id"], part["optional"]) for part in listed] == [
        ("common", False),
        ("seat", True),
        ("supervisors", True),
    ]
    assert isinstance(client.value(client.call("GET", "/appliance/recovery/backup/parts/seat")), int)
    assert client.call("GET", "/appliance/recovery/backup/parts/nope").status_code == 500


def test_history_is_newest_first_with_one_failure_and_real_text() -> None:
    client = logged_in("api", history=True)
    ids = client.call("GET", JOB).json()
    states = [client.status(job_id) for job_id in ids]
    assert ids == sorted(ids, reverse=True)
    failed = [job for job in states if job["state"] == "FAILED"]
    assert len(failed) == 1
    assert "Full backup not allowed during VM snapshot" in failed[0]["messages"][0]["default_message"]


def test_65_location_with_a_backup_fails_the_next_one() -> None:
    client = logged_in("rest", release="6.5")
    client.start()
    client.clock.sleep(21)
    job_id = client.start()
    client.clock.sleep(21)
    assert client.status(job_id)["state"] == "FAILED"
