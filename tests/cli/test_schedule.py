"""The commands schedule list, show, set, enable, disable, delete and run."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, TO_APPLIANCE, USER, CommandLine, configured
from tests.support.intercept import ReplacedAnswer, Send, amend_jobs, lose_writes, send_on

SCHEDULES = "/appliance/recovery/backup/schedules"
NEW = ("schedule", "set", "--location", LOCATION, "--at", "02:30")
GOOD = "VMw@re123"
RECURRENCE = {"hour": 2, "minute": 30, "days": []}


@pytest.fixture
def scheduled() -> CommandLine:
    """Return an appliance with a schedule: every day at 00:00, retaining 7 backups."""
    return CommandLine(history=True)


def location_of(release: str) -> str:
    return LOCATION if release >= "7" else "ftp://backup.example.com/vcenter"


# set


@pytest.mark.parametrize("release", ["6.7", "7.0U2", "8.0U3"])
def test_schedule_set_creates_the_schedule_and_sends_nothing_the_second_time(release: str) -> None:
    backupctl, location = CommandLine(release=release), location_of(release)
    words = ["schedule", "set", "--location", location, "--at", "02:30", "--day", "sun", "--retain", "5"]
    created = backupctl(*words, "-o", "json")
    spec = {
        "location": location,
        "recurrence_info": RECURRENCE | {"days": ["SUNDAY"]},
        "retention_info": {"max_count": 5},
    }
    write = ("POST", f"/api{SCHEDULES}", {"schedule": "default", "spec": spec})
    if release == "6.7":
        write = ("POST", f"/rest{SCHEDULES}/default", {"spec": spec})
    assert (created.code, backupctl.writes) == (0, [write])
    assert [change["field"] for change in created.result["changes"]] == [
        "location",
        "recurrence_info",
        "retention_info",
    ]
    assert created.result["schedule"]["days"] == ["SUNDAY"]

    again = backupctl(*words)
    assert (again.code, len(backupctl.writes)) == (0, 1)
    assert wording.SCHEDULE_UNCHANGED in again.err
    assert backupctl(*words, "-o", "json").result["changes"] == []


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (["--at", "02:30"], {"recurrence_info": RECURRENCE}),
        (["--at", "7:05"], {"recurrence_info": {"hour": 7, "minute": 5, "days": []}}),
        (
            ["--day", "sun", "--day", "MONDAY"],
            {"recurrence_info": {"hour": 0, "minute": 0, "days": ["MONDAY", "SUNDAY"]}},
        ),
        (["--retain", "3", "--enable"], {"retention_info": {"max_count": 3}}),
        (["--disable"], {"enable": False}),
        (["--part", "common"], {"parts": ["common"]}),
        (["--location-user", "other"], {"location_user": "other"}),
        (["--location", "sftp://backup.example.com/other"], {"location": "sftp://backup.example.com/other"}),
        (["--location", "ftp://backup.example.com/vcenter"], {"location": "ftp://backup.example.com/vcenter"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_schedule_set_sends_only_differences(scheduled: CommandLine, words: list[str], fields: dict[str, Any]) -> None:
    same = ["--part", "seat", "--part", "common"] if "--part" not in words else []
    run = scheduled("schedule", "set", *same, *words, "-o", "json")
    assert (run.code, scheduled.writes) == (0, [("PATCH", f"/api{SCHEDULES}/default", fields)])
    assert [change["field"] for change in run.result["changes"]] == list(fields)
    assert scheduled("schedule", "set", *same, *words).code == 0
    assert len(scheduled.writes) == 1


def test_schedule_set_in_rest_sends_only_differences(scheduled: CommandLine) -> None:
    assert scheduled("schedule", "set", "--retain", "3", "--api", "rest").code == 0
    fields = {"retention_info": {"max_count": 3}}
    assert scheduled.writes == [("PUT", f"/rest{SCHEDULES}/update/default", {"spec": fields})]


@pytest.mark.parametrize(
    "words",
    [
        *(["--at", "0:00"], ["--day", "every"], ["--enable"], ["--retain", "7"], ["--part", "seat"]),
        *(["--location", "sftp://BACKUP.example.com/vcenter/"], ["--location-user", "backup"]),
    ],
    ids=" ".join,
)
def test_schedule_set_to_the_current_values_sends_nothing(scheduled: CommandLine, words: list[str]) -> None:
    run = scheduled("schedule", "set", *words, "-o", "json")
    assert (run.code, run.result["changes"], scheduled.writes) == (0, [], [])
    assert run.result["schedule"]["max_count"] == 7


def test_schedule_set_of_a_day_keeps_the_time_and_of_a_time_the_days(scheduled: CommandLine) -> None:
    scheduled("schedule", "set", "--at", "02:30", "--day", "friday")
    scheduled("schedule", "set", "--at", "03:00")
    shown = scheduled("schedule", "set", "--day", "sat", "-o", "json").result["schedule"]
    assert (shown["hour"], shown["minute"], shown["days"]) == (3, 0, ["SATURDAY"])
    assert scheduled("schedule", "set", "--day", "every", "-o", "json").result["schedule"]["days"] == []


def test_schedule_set_always_sends_given_secrets_and_shows_none(scheduled: CommandLine) -> None:
    environ = TO_APPLIANCE | {"BACKUPCTL_LOCATION_PASSWORD": "s3cret", "BACKUPCTL_BACKUP_PASSWORD": GOOD}
    for _ in range(2):
        run = scheduled("schedule", "set", "-o", "json", environ=environ)
        assert run.code == 0
        assert {change["field"]: change["after"] for change in run.result["changes"]} == {
            "location_password": "***",
            "backup_password": "***",
        }
        assert "s3cret" not in run.out + run.err
    sent = {"location_password": "s3cret", "backup_password": GOOD}
    assert [body for _, _, body in scheduled.writes] == [sent, sent]


def test_schedule_set_fills_the_server_placeholder(backupctl: CommandLine) -> None:
    backupctl("schedule", "set", "--location", f"{LOCATION}/{{server}}", "--at", "02:30")
    assert backupctl.writes[0][2]["spec"]["location"] == f"{LOCATION}/{HOST}"


@pytest.mark.parametrize(
    "words",
    [
        *(["--at", time] for time in ("24:00", "2:60", "noon", "2", "02:30:00", "", "-1:00", "٠٢:٣٠")),
        *(["--day", day] for day in ("someday", "s", "t", "", "SUNDAYS")),
        *(["--retain", count] for count in ("0", "-1", "many")),
        *(["--location", place] for place in ("backup.example.com/x", "sftp://u:p@h/x", f"{LOCATION}/{{date}}")),
        *(
            ["--location", place]
            for place in (f"{LOCATION}/{{time}}", f"{LOCATION}/{{moon}}", "gopher://h/x", "sftp://h/a b")
        ),
        *(["--part", "a b"], ["surplus", "surplus"]),
    ],
    ids=" ".join,
)
def test_schedule_set_with_a_bad_value_is_2_and_nothing_is_sent(backupctl: CommandLine, words: list[str]) -> None:
    run = backupctl("schedule", "set", *words)
    assert (run.code, backupctl.line.urls) == (2, [])
    assert run.err.startswith("error: ")


@pytest.mark.parametrize("count", ["0", "-1"])
def test_schedule_set_cannot_remove_the_retention_limit_and_has_a_hint(scheduled: CommandLine, count: str) -> None:
    run = scheduled("schedule", "set", "--retain", count, "-o", "json")
    assert (run.code, run.json["error"]["slug"]) == (2, "usage")
    assert wording.RETAIN_AT_LEAST_ONE in run.json["error"]["message"]
    assert wording.RECREATE_WITHOUT_RETAIN in run.json["error"]["hint"]


def test_schedule_set_with_a_bad_backup_password_is_2_and_nothing_is_sent(backupctl: CommandLine) -> None:
    run = backupctl(*NEW, environ=TO_APPLIANCE | {"BACKUPCTL_BACKUP_PASSWORD": "short"})
    assert (run.code, backupctl.line.urls) == (2, [])
    assert f"BACKUPCTL_BACKUP_PASSWORD: {wording.PASSWORD_BREAKS_RULES}" in run.err


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["--at", "02:30"], ["--location"]),
        (["--location", LOCATION], ["--at"]),
        (["--retain", "3"], ["--location", "--at"]),
        (["--location", LOCATION, "--day", "sun"], ["--at"]),
    ],
)
def test_schedule_set_of_a_new_schedule_names_missing_options(
    backupctl: CommandLine, words: list[str], missing: list[str]
) -> None:
    run = backupctl("schedule", "set", *words, "-o", "json")
    assert (run.code, run.result["error"]["slug"], backupctl.writes) == (2, "usage", [])
    for flag in missing:
        assert flag in run.result["error"]["message"]


def test_schedule_set_of_a_second_schedule_has_the_message_of_the_appliance(scheduled: CommandLine) -> None:
    run = scheduled("schedule", "set", "other", "--location", LOCATION, "--at", "02:30", "-o", "json")
    assert run.code == 6
    assert "Only one schedule" in run.result["error"]["message"]


# What a schedule is created with, and what of an existing one is changed


def from_file(folder: Path, more: str = "", **options: Any) -> CommandLine:
    """Return a command line with a configuration file that describes backups."""
    text = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"
location = "{LOCATION}/{{server}}"
location-user = "backup"
location-password-env = "AT_LOCATION"
backup-password-env = "OF_BACKUP"
parts = ["common", "seat"]
fast-backup = true
{more}

[servers.vc01]
host = "{HOST}"
"""
    variables = {"AT_LOCATION": "s3cret", "OF_BACKUP": GOOD, "BACKUPCTL_SERVER": "vc01"}
    return configured(folder, text, environ=variables, **options)


def test_schedule_is_created_with_the_defaults_of_the_configuration_file(tmp_path: Path) -> None:
    backupctl = from_file(tmp_path, release="8.0U3")
    run = backupctl("schedule", "set", "--at", "02:30", "--part", "common", "-o", "json")
    assert (run.code, run.result["schedule"]["encrypted"]) == (0, True)
    assert backupctl.writes[0][2]["spec"] == {
        "location": f"{LOCATION}/vc01",
        "location_user": "backup",
        "location_password": "s3cret",
        "backup_password": GOOD,
        "parts": ["common"],
        "fast_backup": True,
        "recurrence_info": RECURRENCE,
    }


def test_existing_schedule_gets_only_what_is_given(tmp_path: Path) -> None:
    backupctl = from_file(tmp_path, history=True)
    environ = backupctl.environ | {"BACKUPCTL_LOCATION_USER": "other"}
    run = backupctl("schedule", "set", "--retain", "3", "-o", "json", environ=environ)
    assert (run.code, run.result["schedule"]["encrypted"]) == (0, None)
    assert [body for _, _, body in backupctl.writes] == [
        {"location_user": "other", "retention_info": {"max_count": 3}},
    ]


def test_existing_schedule_is_changed_whatever_the_configuration_file_has_for_new_ones(tmp_path: Path) -> None:
    backupctl = from_file(tmp_path, "require-encryption = true", history=True)
    del backupctl.environ["OF_BACKUP"]
    assert backupctl("schedule", "set", "--retain", "3").code == 0
    assert backupctl("schedule", "delete", "default", "--yes").code == 0
    run = backupctl("schedule", "set", "--at", "02:30", "-o", "json")
    assert (run.code, len(backupctl.writes)) == (3, 2)
    assert "OF_BACKUP" in run.json["error"]["message"]


def test_new_schedule_without_a_password_is_2_where_encryption_is_required(backupctl: CommandLine) -> None:
    environ = TO_APPLIANCE | {"BACKUPCTL_REQUIRE_ENCRYPTION": "yes"}
    run = backupctl(*NEW, "-o", "json", environ=environ)
    assert (run.code, backupctl.writes) == (2, [])
    assert wording.NO_BACKUP_PASSWORD in run.result["error"]["message"]


def test_new_schedule_sends_no_password_of_the_file_to_another_host(tmp_path: Path) -> None:
    backupctl = from_file(tmp_path)
    run = backupctl("schedule", "set", "--at", "02:30", "--location", "sftp://other.example.com/x", "-o", "json")
    assert (run.code, backupctl.writes) == (2, [])
    assert wording.PASSWORD_OF_ANOTHER_HOST("other.example.com", "backup.example.com") in run.json["error"]["message"]


def test_schedule_set_without_anything_to_set_is_2_and_names_what_can_be_set(tmp_path: Path) -> None:
    backupctl = from_file(tmp_path, history=True)
    run = backupctl("schedule", "set", "-o", "json")
    assert (run.code, run.result["error"]["slug"], backupctl.writes) == (2, "usage", [])
    assert wording.NOTHING_TO_SET("default") in run.result["error"]["message"]
    assert "--at, --day, --retain, --enable, --disable, --location" in run.result["error"]["hint"]


@pytest.mark.parametrize(
    ("environ", "encrypted"), [({}, False), ({"BACKUPCTL_BACKUP_PASSWORD": GOOD}, True)], ids=["plain", "encrypted"]
)
def test_new_schedule_says_whether_it_encrypts(
    backupctl: CommandLine, environ: dict[str, str], encrypted: bool
) -> None:
    run = backupctl(*NEW, "-o", "json", environ=TO_APPLIANCE | environ)
    assert run.result["schedule"]["encrypted"] is encrypted
    assert backupctl("schedule", "show", "-o", "json").result["schedule"]["encrypted"] is None


# The next run


@pytest.mark.parametrize(
    ("words", "zone", "next_run"),
    [
        ([], "Etc/UTC", "2026-03-02T02:30:00Z"),
        ([], "Europe/Berlin", "2026-03-02T02:30:00+01:00"),
        ([], "America/Los_Angeles", "2026-03-01T02:30:00-08:00"),
        (["--day", "SUNDAY"], "Etc/UTC", "2026-03-08T02:30:00Z"),
        (["--disable"], "Etc/UTC", None),
        ([], "Middle/Earth", None),
        ([], "../etc/passwd", None),
    ],
)
def test_schedule_has_its_next_run_in_the_time_zone_of_the_appliance(
    words: list[str], zone: str, next_run: str | None
) -> None:
    backupctl = CommandLine(intercept=ReplacedAnswer("GET", "/system/time/timezone", zone))
    backupctl.clock.sleep(3600)
    created = backupctl(*NEW, *words, "-o", "json").result["schedule"]
    assert (created["time_zone"], created["next_run"]) == (zone, next_run)
    assert backupctl("schedule", "list", "-o", "json").result["schedules"] == [created | {"encrypted": None}]


@pytest.mark.parametrize("answer", [{"odd": 1}, b"<html>", ""])
def test_schedule_without_a_readable_time_zone_has_no_next_run(answer: Any) -> None:
    backupctl = CommandLine(history=True, intercept=ReplacedAnswer("GET", "/system/time/timezone", answer))
    for words in (["show"], ["set", "--retain", "3"], ["disable"]):
        run = backupctl("schedule", *words, "-o", "json")
        assert (run.code, run.result["schedule"]["next_run"]) == (0, None)
    assert backupctl.clock.elapsed <= 1


# The response to a write is lost


@pytest.mark.parametrize(
    "words", [["schedule", "set", "--retain", "3"], ["schedule", "disable"], ["schedule", "delete", "default", "--yes"]]
)
def test_schedule_write_whose_response_is_lost_is_0_if_it_was_applied(scheduled: CommandLine, words: list[str]) -> None:
    scheduled.line.intercept = lose_writes("PATCH", "DELETE", arrives=True)
    run = scheduled(*words, "-o", "json")
    assert (run.code, len(run.result["changes"]), len(scheduled.writes)) == (0, 1, 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["schedule", "set", "--retain", "3"], wording.SCHEDULE_NOT_CHANGED("default")),
        (["schedule", "disable"], wording.SCHEDULE_NOT_CHANGED("default")),
        (["schedule", "delete", "default", "--yes"], wording.SCHEDULE_STILL_EXISTS("default")),
    ],
)
def test_schedule_write_whose_request_is_lost_is_5_and_reports_no_change(
    scheduled: CommandLine, words: list[str], says: str
) -> None:
    scheduled.line.intercept = lose_writes("PATCH", "DELETE")
    before = scheduled("schedule", "show", "-o", "json").result["schedule"]
    run = scheduled(*words, "-o", "json")
    assert (run.code, run.result["error"]["slug"], len(scheduled.writes)) == (5, "connection", 1)
    assert says in run.result["error"]["message"]
    assert scheduled("schedule", "show", "-o", "json").result["schedule"] == before


@pytest.mark.parametrize("arrives", [True, False])
def test_schedule_creation_whose_response_is_lost_reports_whether_it_exists(
    backupctl: CommandLine, arrives: bool
) -> None:
    backupctl.line.intercept = lose_writes("POST", arrives=arrives)
    environ = TO_APPLIANCE | {"BACKUPCTL_BACKUP_PASSWORD": GOOD}
    run = backupctl(*NEW, "-o", "json", environ=environ)
    assert (run.code, len(backupctl.writes)) == (0 if arrives else 5, 1)
    if not arrives:
        assert wording.NO_SCHEDULE_NAMED("default") in run.result["error"]["message"]


@pytest.mark.parametrize("words", [["schedule", "set", "--retain", "3"], ["schedule", "delete", "default", "--yes"]])
def test_schedule_write_is_unknown_if_the_connection_stays_lost(scheduled: CommandLine, words: list[str]) -> None:
    scheduled.line.intercept = lose_writes("PATCH", "DELETE", stays_cut=True)
    run = scheduled(*words, "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (5, "outcome-unknown")
    assert wording.SAFE_TO_REPEAT in run.result["error"]["hint"]


def test_schedule_unreadable_right_after_a_write_is_read_again() -> None:
    backupctl = CommandLine(history=True, faults=["redirect=%2@read-schedule"])
    run = backupctl("schedule", "set", "--at", "04:15", "-o", "json")
    assert (run.code, run.result["schedule"]["hour"], run.result["schedule"]["max_count"]) == (0, 4, 7)


def test_schedule_password_whose_response_is_lost_is_unknown(scheduled: CommandLine) -> None:
    scheduled.line.intercept = lose_writes("PATCH")
    run = scheduled("schedule", "set", "-o", "json", environ=TO_APPLIANCE | {"BACKUPCTL_BACKUP_PASSWORD": GOOD})
    assert (run.code, run.result["error"]["slug"]) == (5, "outcome-unknown")


# list, show, enable, disable, delete


def test_schedule_list_and_show_agree(scheduled: CommandLine) -> None:
    (listed,) = scheduled("schedule", "list", "-o", "json").result["schedules"]
    assert listed == scheduled("schedule", "show", "default", "-o", "json").result["schedule"]
    assert (listed["name"], listed["hour"], listed["minute"], listed["days"]) == ("default", 0, 0, [])
    assert scheduled("schedule", "list", "-q").out == "default\n"
    assert LOCATION in scheduled("schedule", "show").out


def test_schedule_list_without_any_is_empty_and_0(backupctl: CommandLine) -> None:
    assert backupctl("schedule", "list", "-o", "json").result["schedules"] == []


def test_schedule_disabled_and_enabled_is_written_once_each(scheduled: CommandLine) -> None:
    for word, enabled in (("disable", False), ("disable", False), ("enable", True), ("enable", True)):
        run = scheduled("schedule", word, "-o", "json")
        assert (run.code, run.result["schedule"]["enable"]) == (0, enabled)
    assert [body for _, _, body in scheduled.writes] == [{"enable": False}, {"enable": True}]


@pytest.mark.parametrize("api", ["rest", "api"])
def test_schedule_deleted_is_gone_and_10_afterwards(scheduled: CommandLine, api: str) -> None:
    run = scheduled("schedule", "delete", "default", "--yes", "--api", api, "-o", "json")
    assert (run.code, run.result["schedule"]) == (0, None)
    assert scheduled.writes == [("DELETE", f"/{api}{SCHEDULES}/default", None)]
    assert scheduled("schedule", "delete", "default", "--yes").code == 10


@pytest.mark.parametrize("word", ["show", "enable", "disable", "delete", "run"])
def test_missing_schedule_is_10_and_is_named(scheduled: CommandLine, word: str) -> None:
    confirmed = ["--yes"] if word == "delete" else []
    run = scheduled("schedule", word, "nightly/2", *confirmed, "-o", "json")
    assert (run.code, run.result["error"]["slug"], scheduled.writes) == (10, "not-found", [])
    assert "nightly/2" in run.result["error"]["message"]
    assert "schedule list" in run.result["error"]["hint"]


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["set", "--retain", "3"], "PATCH"),
        (["disable"], "PATCH"),
        (["delete", "default"], "DELETE"),
        (["run", "--comment", "now"], "POST"),
    ],
)
def test_schedule_dry_run_shows_the_request_and_sends_no_write(
    scheduled: CommandLine, words: list[str], method: str
) -> None:
    environ = TO_APPLIANCE | ({"BACKUPCTL_BACKUP_PASSWORD": GOOD} if "set" in words else {})
    run = scheduled("schedule", *words, "--dry-run", "-o", "json", environ=environ)
    (request,) = run.result["requests"]
    assert (run.code, scheduled.writes) == (0, [])
    assert (request["method"], GOOD in run.out) == (method, False)
    assert "/default" in request["url"]
    assert scheduled("schedule", *words, "--dry-run", environ=environ).code == 0


def test_schedule_dry_run_of_a_creation_sends_no_write(backupctl: CommandLine) -> None:
    run = backupctl(*NEW, "--dry-run", "-o", "json")
    assert (run.code, run.result["schedule"], backupctl.writes) == (0, None, [])
    assert run.result["requests"][0]["body"]["spec"]["recurrence_info"] == RECURRENCE


@pytest.mark.parametrize("word", ["list", "show", "set", "enable", "disable", "delete", "run"])
def test_schedule_on_a_release_without_schedules_is_6_with_operation_and_release(word: str) -> None:
    backupctl = CommandLine(release="6.5")
    words = {"set": ["--location", "ftp://backup.example.com/x", "--at", "02:30"], "delete": ["default", "--yes"]}
    run = backupctl("schedule", word, *words.get(word, []), "-o", "json")
    assert (run.code, run.result["error"]["slug"], backupctl.writes) == (6, "not-supported", [])
    message = run.result["error"]["message"]
    assert "schedule" in message
    assert wording.NOT_SUPPORTED("6.5.0.20000") in message
    assert run.result["error"]["hint"] == wording.SINCE_RELEASE("6.7")


# run


@pytest.mark.parametrize("api", ["rest", "api"])
def test_schedule_run_is_followed_to_its_end(scheduled: CommandLine, api: str) -> None:
    run = scheduled("schedule", "run", "--comment", "now", "--api", api, "-o", "json")
    job = run.result["job"]
    assert (run.code, job["state"], job["location"], job["comment"]) == (0, "SUCCEEDED", LOCATION, "now")
    assert job["encrypted"] is None
    assert scheduled.writes == [("POST", f"/{api}{SCHEDULES}/default", {"comment": "now"})]


def test_schedule_run_no_wait_returns_when_the_job_is_started(scheduled: CommandLine) -> None:
    run = scheduled("schedule", "run", "--no-wait", "-q")
    assert (run.code, run.out) == (0, f"{scheduled.appliance.jobs[-1].job_id}\n")
    assert scheduled.states[-1] == "INPROGRESS"


def test_schedule_run_that_fails_is_7() -> None:
    run = CommandLine(history=True, faults=["fail-at=40"])("schedule", "run", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (7, "FAILED")


def test_schedule_run_beyond_its_timeout_is_8() -> None:
    backupctl = CommandLine(history=True, job_duration=600)
    run = backupctl("schedule", "run", "--timeout", "30s", "--interval", "5", "-o", "json")
    assert (run.code, backupctl.states[-1]) == (8, "INPROGRESS")


@pytest.mark.parametrize(
    ("words", "fault", "code"),
    [
        ([], "busy", 9),
        (["--if-running", "wait"], "busy=60s", 0),
        (["--if-running", "attach"], "busy=60s", 9),
    ],
)
def test_schedule_run_while_another_backup_runs_follows_if_running(words: list[str], fault: str, code: int) -> None:
    assert CommandLine(history=True, faults=[fault])("schedule", "run", *words).code == code


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (["--interval", "bogus"], {}),
        (["--if-running", "attach"], {"BACKUPCTL_REQUIRE_ENCRYPTION": "yes"}),
    ],
)
def test_schedule_run_with_invalid_settings_sends_nothing(words: list[str], environ: dict[str, str]) -> None:
    backupctl = CommandLine(history=True)
    run = backupctl("schedule", "run", *words, environ=TO_APPLIANCE | environ)
    assert run.code == 2
    assert not backupctl.appliance.requests


@pytest.mark.parametrize("job_type", ["MANUAL", "SCHEDULED"])
def test_schedule_run_whose_response_is_lost_adopts_its_job(job_type: str) -> None:
    backupctl = CommandLine(
        history=True, faults=["lost-create-answer=1"], intercept=amend_jobs(details={"type": job_type})
    )
    before = len(backupctl.appliance.jobs)
    run = backupctl("schedule", "run", "-o", "json")
    assert (run.code, len(backupctl.appliance.jobs)) == (0, before + 1)
    assert run.result["job"]["id"] == backupctl.appliance.jobs[-1].job_id
    assert run.result["job"]["encrypted"] is None


def test_schedule_run_whose_request_is_lost_reports_that_nothing_started() -> None:
    backupctl = CommandLine(history=True, faults=["lost-create-request"])
    run = backupctl("schedule", "run", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (5, "not-started")


@pytest.mark.parametrize(("words", "state"), [([], "INPROGRESS"), (["--cancel-on-interrupt"], "FAILED")])
def test_schedule_run_interrupted_detaches_or_cancels(clock: FakeClock, words: list[str], state: str) -> None:
    backupctl = CommandLine(clock=clock, history=True, job_duration=600)
    clock.at(100, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = backupctl("schedule", "run", *words)
    assert (run.code, backupctl.states[-1]) == (130, state)


def test_schedule_set_killed_between_read_and_write_leaves_the_schedule_unchanged(scheduled: CommandLine) -> None:
    before = scheduled("schedule", "show", "-o", "json").result["schedule"]

    def kill(request: httpx.Request, send: Send) -> httpx.Response:
        if request.method == "PATCH":
            raise SystemExit("killed")
        return send(request)

    scheduled.line.intercept = kill
    with pytest.raises(SystemExit, match="killed"):
        scheduled("schedule", "set", "--at", "02:30", "--retain", "3")
    scheduled.line.intercept = send_on
    assert scheduled("schedule", "show", "-o", "json").result["schedule"] == before
    assert scheduled("schedule", "set", "--at", "02:30", "--retain", "3").code == 0


# Interruptions


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        (
            "slow=20s@write-schedule",
            130,
            wording.INTERRUPTED(wording.SCHEDULE_NOT_VERIFIED("default")),
        ),
        ("slow=400s@write-schedule", 130, wording.SCHEDULE_CHANGE_UNKNOWN("default")),
    ],
)
def test_schedule_set_interrupted_during_the_write_reports_what_is_known(
    clock: FakeClock, fault: str, code: int, sentence: str
) -> None:
    backupctl = CommandLine(clock=clock, faults=[fault])
    clock.at(10, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = backupctl(*NEW)
    assert (run.code, list(backupctl.appliance.schedules.entries)) == (code, ["default"])
    assert sentence in run.err
    assert backupctl.appliance.open_sessions == 0
