"""The commands watch, status, list, cancel, parts and validate."""

import gc
import os
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, CommandLine
from tests.support.intercept import ReplacedAnswer, amend_jobs


@pytest.mark.parametrize("release", ["6.5", "6.7", "6.7U2", "7.0", "7.0U2", "8.0", "8.0U3", "9.0", "9.1"])
def test_list_shows_every_job_newest_first_on_every_release(release: str) -> None:
    backupctl = CommandLine(release=release, history=True)
    run = backupctl("list", "-o", "json")
    starts = [job["start_time"] for job in run.result["jobs"]]
    assert run.code == 0
    assert starts == sorted(starts, reverse=True)
    assert {job["id"] for job in run.result["jobs"]} == {job.job_id for job in backupctl.appliance.jobs}
    assert {job["type"] for job in run.result["jobs"]} == ({None} if release == "6.5" else {"MANUAL", "SCHEDULED"})


def test_list_costs_one_request_more_than_login_version_and_logout(backupctl: CommandLine) -> None:
    assert backupctl("list").code == 0
    assert [request.path.rpartition("/")[2] for request in backupctl.appliance.requests] == [
        *("session", "version", "details", "session")
    ]


def test_list_quiet_prints_ids_only() -> None:
    backupctl = CommandLine(history=True)
    run = backupctl("list", "-q")
    assert run.out.split() == [job.job_id for job in reversed(backupctl.appliance.jobs)]


def test_list_of_an_appliance_without_jobs_is_empty_and_0(backupctl: CommandLine) -> None:
    run = backupctl("list")
    assert (run.code, run.out) == (0, "")
    assert wording.NO_JOBS(HOST) in run.err


def test_list_without_matches_reports_it_and_warns_about_unknown_values() -> None:
    backupctl = CommandLine(history=True)
    number = len(backupctl.appliance.jobs)
    early = backupctl("list", "--state", "FAILED", "--since", "1h")
    assert (early.code, early.out, early.err) == (0, "", f"{HOST}: {wording.NO_JOB_MATCHES(number)}\n")
    unknown = backupctl("list", "--state", "foo", "--type", "bar", "-o", "json")
    assert (unknown.code, unknown.result["jobs"], unknown.result["remembers"]) == (0, [], number)
    assert f"warning: {wording.UNKNOWN_VALUE('--state', 'FOO')}" in unknown.err
    assert f"warning: {wording.UNKNOWN_VALUE('--type', 'BAR')}" in unknown.err
    assert wording.UNKNOWN_VALUE("--state", "FAILD") in backupctl("list", "--state", "FAILD", "-q").err


@pytest.mark.parametrize("command", ["watch", "status", "cancel"])
def test_unknown_job_and_missing_job_are_10(backupctl: CommandLine, command: str) -> None:
    unknown = backupctl(command, "20200101-000000-1", "-o", "json")
    assert (unknown.code, unknown.result["error"]["slug"]) == (10, "not-found")
    assert "20200101-000000-1" in unknown.result["error"]["message"]
    confirmed = ["--yes"] if command == "cancel" else []
    assert backupctl(command, "latest", *confirmed).code == 10


@pytest.mark.parametrize(
    ("command", "job_id"),
    [
        ("watch", "../session"),
        ("cancel", "../session"),
        *(("status", bad) for bad in ("../session", "a/b", "-x", "a?b", "")),
    ],
)
def test_invalid_job_id_is_2_and_nothing_is_sent(backupctl: CommandLine, command: str, job_id: str) -> None:
    assert backupctl(command, "--", job_id).code == 2
    assert not backupctl.appliance.requests


def test_status_is_8_while_the_job_runs_and_0_when_it_is_done(backupctl: CommandLine) -> None:
    backupctl.create("--no-wait")
    running = backupctl("status", "-o", "json")
    assert (running.code, running.result["error"]["slug"], running.result["job"]["state"]) == (
        8,
        "running",
        "INPROGRESS",
    )
    backupctl.clock.sleep(60)
    done = backupctl("status", "latest", "-o", "json")
    assert (done.code, done.result["error"], done.result["job"]["progress"]) == (0, None, 100)


def test_status_of_a_failed_job_is_7() -> None:
    backupctl = CommandLine(faults=["fail-at=10"])
    backupctl.create("--no-wait")
    backupctl.clock.sleep(60)
    run = backupctl("status", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (7, "FAILED")
    assert run.result["job"]["messages"]


def test_watch_with_timeout_0_equals_status(backupctl: CommandLine) -> None:
    backupctl.create("--no-wait")
    assert backupctl("watch", "--timeout", "0").code == backupctl("status").code == 8


def test_watch_follows_the_latest_job_to_its_end(backupctl: CommandLine) -> None:
    backupctl.create("--no-wait")
    run = backupctl("watch", "-o", "jsonl")
    assert (run.code, run.events[1]["event"]) == (0, "attached")
    assert run.events[-1]["results"][0]["job"]["state"] == "SUCCEEDED"


def test_watch_of_an_ended_job_returns_at_once() -> None:
    backupctl = CommandLine(history=True)
    failed = next(job.job_id for job in backupctl.appliance.jobs if job.status(0)["state"] == "FAILED")
    assert backupctl("watch", failed).code == 7
    assert backupctl("watch", "latest").code == 0
    assert backupctl.clock.elapsed < 1


def test_watch_at_a_fixed_interval_polls_at_that_interval() -> None:
    backupctl = CommandLine(job_duration=600)
    backupctl.create("--no-wait")
    backupctl.appliance.requests.clear()
    assert backupctl("watch", "--interval", "60").code == 0
    polls = [request for request in backupctl.appliance.requests if request.phase.endswith("poll")]
    assert 10 <= len([request for request in polls if "details" not in request.path]) <= 12


def test_watch_interrupted_detaches(clock: FakeClock) -> None:
    backupctl = CommandLine(clock=clock, job_duration=600)
    backupctl.create("--no-wait")
    clock.at(100, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = backupctl("watch", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (130, "interrupted")
    assert backupctl.states == ["INPROGRESS"]


def test_cancel_ends_a_running_job_and_exits_0() -> None:
    backupctl = CommandLine(job_duration=600)
    backupctl.create("--no-wait")
    run = backupctl("cancel", "latest", "--yes", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (0, "FAILED")
    assert backupctl.states == ["FAILED"]


def test_cancelled_job_is_shown_as_cancelled_and_later_as_failed() -> None:
    backupctl = CommandLine(job_duration=600.0)
    backupctl.create("--no-wait")
    assert re.search(f"✓ {HOST}: backup [0-9-]+ was cancelled", backupctl("cancel", "latest", "--yes").out)
    assert re.search(f"✗ {HOST}: backup [0-9-]+ failed", backupctl("status", "latest").out)


def test_cancel_of_an_ended_job_is_6() -> None:
    backupctl = CommandLine(history=True)
    run = backupctl("cancel", "latest", "--yes", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (6, "not-cancelled")
    assert wording.ALREADY_ENDED("SUCCEEDED") in run.result["error"]["message"]
    assert not [request for request in backupctl.appliance.requests if "cancel" in request.path + request.query]


def test_cancel_dry_run_prints_the_request_and_sends_nothing(backupctl: CommandLine) -> None:
    run = backupctl("cancel", "20260301-020000-1", "--dry-run", "-o", "json")
    assert run.result["requests"][0]["url"].endswith("/backup/job/20260301-020000-1?action=cancel")
    assert run.code == 0
    assert not backupctl.appliance.requests


def test_parts_shows_sizes_and_their_total(backupctl: CommandLine) -> None:
    run = backupctl("parts", "-o", "json")
    assert run.code == 0
    assert run.result["total_mb"] == sum(part["size_mb"] for part in run.result["parts"]) > 0
    assert {part["id"] for part in run.result["parts"]} >= {"common", "seat"}


def test_validate_of_a_good_request_is_0_and_starts_nothing(backupctl: CommandLine) -> None:
    environ = backupctl.environ | {"BACKUPCTL_BACKUP_PASSWORD": "VMw@re123"}
    run = backupctl("validate", "--location", LOCATION, "-o", "json", environ=environ)
    assert (run.code, {check["status"] for check in run.result["checks"]}) == (0, {"OK"})
    assert backupctl.appliance.jobs == []


@pytest.mark.parametrize(("faults", "words"), [(["validate-fail"], []), (["busy"], []), ([], ["--part", "nope"])])
def test_validate_that_fails_is_7_and_names_the_check(faults: list[str], words: list[str]) -> None:
    backupctl = CommandLine(faults=faults)
    run = backupctl("validate", "--location", LOCATION, *words, "-o", "json")
    failed = [check for check in run.result["checks"] if check["status"] == "FAIL"]
    assert run.code == 7
    assert failed
    assert failed[0]["message"]
    assert failed[0]["name"] in run.result["error"]["message"]


def test_every_command_logs_its_session_out() -> None:
    backupctl = CommandLine(history=True)
    for words in (
        ["list"],
        ["parts"],
        ["status"],
        ["watch"],
        ["cancel", "latest", "--yes"],
        ["validate", "--location", LOCATION],
    ):
        backupctl(*words)
        assert backupctl.appliance.open_sessions == 0, words


def test_connection_options_work_before_or_after_the_command(backupctl: CommandLine) -> None:
    environ = {"BACKUPCTL_PASSWORD": "VMware1!"}
    before = backupctl("-s", HOST, "-u", "administrator@vsphere.local", "-o", "json", "list", environ=environ)
    after = backupctl("list", "-s", HOST, "-u", "administrator@vsphere.local", "-o", "json", environ=environ)
    assert before == after
    assert before.code == 0
    both = backupctl("-o", "text", "-s", HOST, "list", "-s", HOST, "-u", "administrator@vsphere.local", environ=environ)
    assert both.code == 0


def test_verbose_shows_requests_and_sources_and_no_secret(backupctl: CommandLine) -> None:
    run = backupctl("list", "-v")
    assert "GET /api/appliance/recovery/backup/job/details: 200" in run.err
    assert "environment BACKUPCTL_USERNAME" in run.err
    assert "VMware1!" not in run.out + run.err


# list filters


def test_list_of_local_backups_of_9_0_does_not_warn() -> None:
    local = CommandLine(intercept=amend_jobs(details={"type": "LOCAL_BACKUP"}), release="9.0", history=True)
    run = local("list", "--type", "local_backup", "-o", "json")
    assert {job["type"] for job in run.result["jobs"]} == {"LOCAL_BACKUP"}
    assert (run.code, run.err) == (0, "")
    assert "LOCAL_BACKUP" in local("list", "--help").out


@pytest.mark.parametrize(
    ("release", "words", "wanted"),
    [
        ("8.0", ["--state", "failed"], lambda job: job["state"] == "FAILED"),
        ("6.5", ["--state", "failed"], lambda job: job["state"] == "FAILED"),
        ("8.0", ["--state", "SUCCEEDED", "--limit", "2"], lambda job: job["state"] == "SUCCEEDED"),
        ("8.0", ["--type", "scheduled"], lambda job: job["type"] == "SCHEDULED"),
        ("6.5", ["--type", "scheduled"], lambda job: job["type"] == "SCHEDULED"),
        ("8.0", ["--type", "LOCAL_BACKUP"], lambda _: False),
        ("8.0", ["--since", "2026-02-27T12:00Z"], lambda job: job["start_time"] >= "2026-02-27T12:00"),
        ("6.5", ["--since", "2026-02-27T12:00Z"], lambda job: job["start_time"] >= "2026-02-27T12:00"),
        ("8.0", ["--until", "2026-02-27T12:00Z"], lambda job: job["start_time"] <= "2026-02-27T12:00"),
        ("8.0", ["--since", "26h", "--limit", "1"], lambda job: job["start_time"] >= "2026-02-28T00:00"),
        ("8.0", ["--since", "0001-01-01T00:00Z", "--until", "9999-12-31T23:59Z"], lambda _: True),
        ("8.0", ["--limit", "1"], lambda _: True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_list_filters_by_state_type_time_and_number(
    release: str, words: list[str], wanted: Callable[[dict[str, Any]], bool]
) -> None:
    backupctl = CommandLine(release=release, history=True)
    every = backupctl("list", "-o", "json").result["jobs"]
    limit = int(words[-1]) if "--limit" in words else len(every)
    run = backupctl("list", *words, "-o", "json")
    assert (run.code, run.result["jobs"]) == (0, [job for job in every if wanted(job)][:limit])


@pytest.mark.parametrize(
    "words",
    [
        *(["--since", when] for when in ("yesterday", "", "2026-02-30", "-1d", "0000-01-01", "99999999999d")),
        *(["--until", "noon"], ["--limit", "0"], ["--limit", "many"]),
    ],
    ids=" ".join,
)
def test_list_with_a_bad_filter_is_2_and_nothing_is_sent(backupctl: CommandLine, words: list[str]) -> None:
    run = backupctl("list", *words)
    assert (run.code, backupctl.line.urls) == (2, [])
    assert "Traceback" not in run.err


NEWER = {
    "status": "QUEUED_FOR_REPLICATION",
    "type": "CLOUD_BACKUP",
    "location": "s3://bucket/vc",
    "location_user": "",
    "messages": [],
    "a_field_of_a_later_release": {"is": ["ignored"]},
}


def test_list_shows_values_of_a_newer_release_as_they_are() -> None:
    backupctl = CommandLine(intercept=ReplacedAnswer("GET", "/job/details", {"20290101-000000-1": NEWER}))
    (job,) = backupctl("list", "-o", "json").result["jobs"]
    assert (job["state"], job["type"], job["location"]) == ("QUEUED_FOR_REPLICATION", "CLOUD_BACKUP", "s3://bucket/vc")
    assert "QUEUED_FOR_REPLICATION" in backupctl("list").out


@pytest.mark.parametrize("command", [["status"], ["watch", "--timeout", "1m"]], ids=" ".join)
def test_job_in_a_state_of_a_newer_release_is_shown_and_followed(command: list[str]) -> None:
    body = {"id": "20290101-000000-1", "state": "REPLICATING", "progress": 50, "messages": [], "new": 1}
    backupctl = CommandLine(intercept=ReplacedAnswer("GET", "/backup/job/2", body))
    run = backupctl(command[0], "20290101-000000-1", *command[1:], "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (8, "REPLICATING")


def test_garbage_is_collected_while_a_command_works(backupctl: CommandLine) -> None:
    gc.disable()
    try:
        assert backupctl("list").code == 0
        assert gc.isenabled()
    finally:
        gc.enable()
