"""The command create: what an admin types, and the exit code."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from backupctl.config import resolve
from backupctl.config.option_table import LOCATION as LOCATION_OPTION
from backupctl.location import Location, LocationTemplate
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, NFS, PASSWORD, TO_APPLIANCE, USER, CommandLine
from tests.support.intercept import ReplacedAnswer

GOOD = "VMw@re123"


def test_create_that_succeeds_is_0_and_shows_what_a_restore_needs(backupctl: CommandLine) -> None:
    run = backupctl.create("--comment", "before the upgrade")
    assert run.code == 0
    for fact in ("succeeded in 20s", LOCATION, "common, seat", "8.0.0.10000", "NOT ENCRYPTED", "before the upgrade"):
        assert fact in run.out
    assert backupctl.states == ["SUCCEEDED"]
    assert backupctl.appliance.open_sessions == 0


@pytest.mark.parametrize(
    ("release", "api"),
    [("6.5", "rest"), ("6.7", "rest"), ("7.0", "rest"), ("7.0U2", "api"), ("8.0", "api"), ("9.1", "api")],
)
def test_create_uses_the_api_of_each_release(release: str, api: str) -> None:
    backupctl = CommandLine(release=release)
    location = LOCATION if release >= "7" else "scp://backup.example.com/vcenter"
    run = backupctl("create", "--location", location, "-o", "json")
    assert (run.code, run.result["api"], run.result["job"]["state"]) == (0, api, "SUCCEEDED")
    assert run.result["job"]["size_bytes"] is not None or release == "6.5"
    assert backupctl.appliance.open_sessions == 0


@pytest.mark.parametrize("api", ["rest", "api"])
def test_create_with_a_forced_api_sends_nothing_to_the_other(backupctl: CommandLine, api: str) -> None:
    assert backupctl.create("--api", api).code == 0
    assert {request.path.split("/")[1] for request in backupctl.appliance.requests} == {api}


def test_create_with_basic_authentication_opens_no_session(backupctl: CommandLine) -> None:
    assert backupctl.create("--auth", "basic").code == 0
    assert not [request for request in backupctl.appliance.requests if "session" in request.path]


def test_create_of_two_hours_is_followed_in_under_a_second() -> None:
    backupctl = CommandLine(job_duration=7200)
    began = time.process_time()
    run = backupctl.create("-o", "json")
    took = time.process_time() - began
    assert (run.code, run.result["job"]["duration_seconds"]) == (0, 7200)
    assert backupctl.clock.elapsed >= 7200
    assert took < 1.0
    polls = [request for request in backupctl.appliance.requests if request.phase.endswith("poll")]
    assert len(polls) <= 12 + 7200 / 10 + 2


def test_create_that_fails_is_7_with_the_messages_of_the_appliance() -> None:
    backupctl = CommandLine(faults=["fail-at=40"])
    run = backupctl.create("-o", "json")
    assert (run.code, run.result["exit_code"], run.result["error"]["slug"]) == (7, 7, "backup-failed")
    assert run.result["job"]["state"] == "FAILED"
    assert run.result["job"]["messages"][0]["default_message"]


@pytest.mark.parametrize(
    ("fault", "code", "slug"),
    [
        ("stall-at=60", 8, "stalled"),
        ("busy", 9, "busy"),
        ("forbidden", 4, "forbidden"),
        ("lost-create-request", 5, "not-started"),
        ("html-503=99@list", 6, "api"),
        ("redirect=99@list", 6, "api"),
    ],
)
def test_create_with_a_permanent_fault_has_its_exit_code(fault: str, code: int, slug: str) -> None:
    backupctl = CommandLine(faults=[fault])
    run = backupctl.create("--stall-timeout", "10m", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (code, slug)
    assert backupctl.appliance.open_sessions == 0


@pytest.mark.parametrize(
    "fault",
    [
        *("drop=2@poll", "http-503=2", "html-503=1", "empty=1@poll", "bad-json=1@poll", "redirect=1@poll", "slow=2s"),
        *("reboot-at=50:20s", "session-expires-after=30s", "lost-create-answer"),
    ],
)
def test_create_with_a_transient_fault_reports_the_real_result(fault: str) -> None:
    backupctl = CommandLine(faults=[fault], job_duration=120)
    run = backupctl.create("-o", "json")
    assert (run.code, run.result["job"]["state"]) == (0, "SUCCEEDED")
    assert len(backupctl.appliance.jobs) == 1
    assert backupctl.appliance.open_sessions == 0


def test_create_whose_response_is_lost_adopts_the_only_job() -> None:
    backupctl = CommandLine(faults=["lost-create-answer"])
    run = backupctl.create("-o", "jsonl")
    assert run.code == 0
    (adopted,) = [event for event in run.events if event["event"] == "adopted"]
    assert wording.OTHER_LOCATION in adopted["reason"]
    assert [job.job_id for job in backupctl.appliance.jobs] == [adopted["job"]["id"]]


def test_create_whose_request_is_lost_reports_that_nothing_started() -> None:
    backupctl = CommandLine(faults=["lost-create-request"])
    run = backupctl.create()
    assert run.code == 5
    assert wording.NO_BACKUP_STARTED in run.err
    assert backupctl.appliance.jobs == []


def test_create_with_a_wrong_password_is_4_after_one_login(backupctl: CommandLine) -> None:
    run = backupctl.create(environ=TO_APPLIANCE | {"BACKUPCTL_PASSWORD": "wrong"})
    assert run.code == 4
    assert backupctl.appliance.failed_logins == 1
    assert wording.WRONG_LOGIN in run.err


def test_create_refused_for_a_user_without_domain_has_a_hint(backupctl: CommandLine) -> None:
    run = backupctl.create("-u", "administrator")
    assert run.code == 4
    assert "administrator@vsphere.local" in run.err


def test_create_no_wait_returns_when_the_job_is_started(backupctl: CommandLine) -> None:
    run = backupctl.create("--no-wait", "-q")
    (job,) = backupctl.appliance.jobs
    assert (run.code, run.out, run.err) == (0, f"{job.job_id}\n", "")
    assert backupctl.states == ["INPROGRESS"]


@pytest.mark.parametrize(("state", "code"), [("INPROGRESS", 0), ("SUCCEEDED", 0), ("FAILED", 7)])
@pytest.mark.parametrize("hosts", [[HOST], [HOST, "vc02.example.com"]], ids=["one", "two"])
def test_create_no_wait_quiet_prints_the_id_of_a_job_that_has_ended_already(
    state: str, code: int, hosts: list[str]
) -> None:
    job_id = "20260301-020000-20519528"
    ended = ReplacedAnswer("POST", "/backup/job", {"id": job_id, "state": state, "progress": 100, "messages": []})
    words = [word for host in hosts for word in ("-s", host)]
    run = CommandLine(intercept=ended).create("--no-wait", "-q", *words)
    expected = [f"{host} {job_id}" for host in hosts] if len(hosts) > 1 else [job_id]
    assert (run.code, run.out.splitlines()) == (code, expected)


def test_create_quiet_is_silent_on_success_and_not_on_failure(backupctl: CommandLine) -> None:
    assert (backupctl.create("-q").out, backupctl.create("-q").err) == ("", "")
    backupctl.appliance.inject("fail-at=10")
    failed = backupctl.create("-q")
    assert failed.code == 7
    assert "backup.log" in failed.err


def test_create_json_lines_end_with_the_result(backupctl: CommandLine) -> None:
    events = backupctl.create("-o", "jsonl").events
    assert [event["event"] for event in events[:3]] == ["connected", "parts-selected", "started"]
    assert events[-1]["event"] == "result"
    assert events[-1]["results"][0]["job"]["state"] == "SUCCEEDED"
    assert all(event["schema"] == 1 and event["time"].endswith("Z") for event in events)


def test_create_sends_its_options(backupctl: CommandLine) -> None:
    words = ["--part", "seat", "--part", "common", "--comment", "weekly", "--location-user", "backup", "--fast-backup"]
    environ = TO_APPLIANCE | {"BACKUPCTL_BACKUP_PASSWORD": GOOD, "BACKUPCTL_LOCATION_PASSWORD": "l0cation"}
    run = backupctl.create(*words, "-o", "json", environ=environ)
    (job,) = backupctl.appliance.jobs
    assert run.code == 0
    assert (job.spec.parts, job.spec.comment, job.spec.location_user) == (("seat", "common"), "weekly", "backup")
    assert run.result["job"]["encrypted"] is True
    assert run.result["job"]["parts"] == ["seat", "common"]


def test_create_resolves_and_fills_its_location_once(backupctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patch functions to count their calls, which no output shows."""
    calls: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **kwargs: Any) -> Any:
            calls[name] += name != "resolve" or args[0] is LOCATION_OPTION
            return function(*args, **kwargs)

        return count

    monkeypatch.setattr(resolve, "resolve", counted("resolve", resolve.resolve))
    monkeypatch.setattr(Location, "parse", counted("parse", Location.parse))
    monkeypatch.setattr(LocationTemplate, "fill", counted("fill", LocationTemplate.fill))
    monkeypatch.setattr(Location, "reported", counted("reported", Location.reported))
    run = backupctl.create("--location", f"{LOCATION}/{{server}}", "-o", "json")
    assert (run.code, run.result["job"]["location"]) == (0, f"{LOCATION}/{HOST}")
    as_given_and_filled_in = 2
    assert calls == {"resolve": 1, "parse": as_given_and_filled_in, "fill": 1, "reported": 1}


def test_create_fills_server_and_time_in_the_location(backupctl: CommandLine) -> None:
    run = backupctl("create", "--location", "sftp://b.example.com/{server}/{date}_{time}", "-o", "json")
    assert run.result["job"]["location"] == f"sftp://b.example.com/{HOST}/2026-03-01_02-00-00"


BAD_INPUT = [
    (["--location", "sftp://h/x", "--location-type", "FTP"], {}, "FTP"),
    (["--location", "h/x"], {}, "--location-type"),
    (["--location", "sftp://u:pw@h/x"], {}, "--location-user"),
    (["--location", "-oProxyCommand=x"], {}, wording.STARTS_WITH_DASH("location")),
    (["--location", "sftp://h/x", "--location-user", "-x"], {}, "location user"),
    (["--location", "sftp://h/{serve}"], {}, "{server}"),
    (["--location", "sftp://h/x", "--part", "a b"], {}, "part"),
    (["--location", "sftp://h/x", "--comment", "a\nb"], {}, "comment"),
    (["--location", "sftp://h/x", "--timeout", "soon"], {}, "--timeout"),
    (["--location", "sftp://h/x", "--if-running", "shrug"], {}, "--if-running"),
    (["--location", "sftp://h/x", "--require-encryption"], {}, "backup password"),
    (["--location", "sftp://h/x"], {"BACKUPCTL_SERVER": ""}, "--server"),
    (["--location", "sftp://h/x"], {"BACKUPCTL_USERNAME": ""}, "--username"),
    (["--location", "sftp://h/x", "--proxy", "ftp://p"], {}, "--proxy"),
    (["--location", "sftp://h/x", "--proxy", "http://u:pw@p"], {}, "BACKUPCTL_PROXY"),
    (["--location", "sftp://h/x", "--interval", "0.01"], {}, "--interval"),
    (["--location", "sftp://h/x", "--stall-timeout", "0"], {}, "--stall-timeout"),
    (
        ["--location", "sftp://h/x", "--require-encryption", "--if-running", "attach"],
        {},
        f"--if-running: {wording.ENCRYPTION_OF_RUNNING_BACKUP_UNKNOWN}",
    ),
    (["--location", "sftp://h/x", "-s", "http://vc01"], {}, wording.CLEAR_TEXT),
    (["--location", "sftp://h/x", "-s", "a b"], {}, "--server"),
    (["--location", "sftp://h/x", "--simulate", "--all"], {}, "--simulate"),
    (["--location", "sftp://h/x", "--parallel", "some"], {}, "--parallel"),
    (["--location", "sftp://h/x", "--simulate", "-s", "a"], {}, "--simulate"),
    (
        ["--location", "sftp://h/x", "--password-file", "a", "--password-command", "b"],
        {},
        wording.CANNOT_BOTH_BE_GIVEN("--password-file", "--password-command"),
    ),
    ([], {}, "--location"),
]


@pytest.mark.parametrize(
    ("argv", "environ", "named"), BAD_INPUT, ids=[" ".join(row[0]) + str(row[1]) for row in BAD_INPUT]
)
def test_create_with_bad_input_names_it_and_sends_nothing(
    backupctl: CommandLine, argv: list[str], environ: dict[str, str], named: str
) -> None:
    run = backupctl("create", *argv, environ=TO_APPLIANCE | environ)
    assert run.code == 2
    assert named in run.err
    assert not backupctl.appliance.requests


def test_create_without_a_password_names_the_options_for_it(backupctl: CommandLine) -> None:
    environ = {name: value for name, value in TO_APPLIANCE.items() if name != "BACKUPCTL_PASSWORD"}
    run = backupctl.create(environ=environ)
    assert run.code == 2
    assert "--password-file" in run.err
    assert not backupctl.appliance.requests


def test_create_whose_response_has_no_job_id_searches_for_the_job() -> None:
    nameless = {"state": "INPROGRESS", "progress": 0, "messages": []}
    backupctl = CommandLine(intercept=ReplacedAnswer("POST", "/backup/job", nameless))
    run = backupctl.create("--no-wait", "-q")
    assert (run.code, run.out) == (0, f"{backupctl.appliance.jobs[0].job_id}\n")


def test_create_ignores_the_success_of_another_job() -> None:
    other = {"id": "20260101-000000-1", "state": "SUCCEEDED"}
    backupctl = CommandLine(intercept=ReplacedAnswer("GET", "/backup/job/2", other))
    run = backupctl.create("--timeout", "5m", "-o", "json")
    assert run.code == 5
    assert run.result["job"]["id"] == backupctl.appliance.jobs[0].job_id


def test_create_if_running_attach_to_a_restore_is_9_at_once() -> None:
    backupctl = CommandLine(faults=["busy"])
    assert backupctl.create("--if-running", "attach", "--location", "nfs://other/x").code == 9


@pytest.mark.parametrize(
    "odd", [{"messages": ["text"]}, {"messages": [None]}, {"start_time": ""}, {"progress": "much"}], ids=str
)
def test_watch_reads_the_final_state_despite_an_invalid_field(odd: dict[str, object]) -> None:
    body = {"id": "20260301-020000-1", "state": "SUCCEEDED", **odd}
    backupctl = CommandLine(intercept=ReplacedAnswer("GET", "/backup/job/2", body))
    assert backupctl("watch", "20260301-020000-1").code == 0


@pytest.mark.parametrize("word", ["JSON", "Json"])
def test_create_output_option_ignores_case(backupctl: CommandLine, word: str) -> None:
    assert backupctl.create("-o", word).result["job"]["state"] == "SUCCEEDED"


def test_create_with_a_bad_variable_is_a_config_error_that_names_it(backupctl: CommandLine) -> None:
    run = backupctl.create("-o", "json", environ=TO_APPLIANCE | {"BACKUPCTL_TIMEOUT": "soon"})
    assert (run.code, run.json["error"]["slug"]) == (3, "config")
    assert "BACKUPCTL_TIMEOUT" in run.json["error"]["message"]
    assert not backupctl.appliance.requests


def test_create_dry_run_prints_the_masked_request_and_sends_nothing(backupctl: CommandLine) -> None:
    environ = TO_APPLIANCE | {"BACKUPCTL_BACKUP_PASSWORD": GOOD, "BACKUPCTL_LOCATION_PASSWORD": "l0cation"}
    run = backupctl.create("--dry-run", "--part", "seat", "--location-user", "u", "-o", "json", environ=environ)
    newer, older = run.result["requests"]
    assert newer["url"] == f"https://{HOST}/api/appliance/recovery/backup/job"
    assert older["body"] == {"piece": newer["body"]}
    assert newer["body"] == {
        "parts": ["seat"],
        "location_type": "SFTP",
        "location": LOCATION,
        "location_user": "u",
        "location_password": "***",
        "backup_password": "***",
    }
    assert run.code == 0
    assert not backupctl.appliance.requests
    text = backupctl.create("--dry-run", environ=environ)
    assert wording.NOTHING_SENT in text.err
    assert GOOD not in text.out + text.err


def test_create_at_a_terminal_prompts_for_missing_settings(backupctl: CommandLine) -> None:
    answers = [HOST, USER, PASSWORD, LOCATION, "backup", "l0cation", GOOD, GOOD]
    run = backupctl("create", "-o", "json", answers=answers, environ={})
    assert (run.code, run.result["job"]["encrypted"]) == (0, True)
    assert [question.split(" ")[0] for question in backupctl.prompter.questions] == [
        *("Server", "User", "Password", "Location,", "User", "Password", f"{HOST}:", "The", "Backup", "Backup")
    ]


def test_create_at_a_terminal_prompts_again_after_an_invalid_backup_password(backupctl: CommandLine) -> None:
    answers = ["", "short", GOOD, "other", GOOD, GOOD]
    run = backupctl.create("-o", "json", answers=answers)
    assert (run.code, run.result["job"]["encrypted"]) == (0, True)
    said = "\n".join(backupctl.prompter.questions)
    assert "upper-case" in said
    assert wording.PASSWORDS_DIFFER in said
    assert "short\n" not in said


def test_create_with_an_empty_backup_password_at_the_prompt_is_not_encrypted(backupctl: CommandLine) -> None:
    run = backupctl.create("-o", "json", answers=["", ""])
    assert (run.code, run.result["job"]["encrypted"]) == (0, False)


def test_create_with_no_require_encryption_does_not_prompt(backupctl: CommandLine) -> None:
    run = backupctl("create", "--location", NFS, "--no-require-encryption", "-o", "json", answers=[])
    assert (run.code, run.result["job"]["encrypted"], backupctl.prompter.questions) == (0, False, [])


@pytest.mark.parametrize("given", ["user", "password"])
def test_create_with_half_a_location_login_prompts_or_warns(backupctl: CommandLine, given: str) -> None:
    words = ["--location-user", "backup"] if given == "user" else []
    environ = TO_APPLIANCE | ({} if given == "user" else {"BACKUPCTL_LOCATION_PASSWORD": "l0cation"})
    warned = backupctl.create(*words, environ=environ)
    assert warned.code == 0
    assert "warning: " in warned.err
    asked = backupctl.create(*words, environ=environ, answers=["l0cation" if given == "user" else "backup", ""])
    assert asked.code == 0
    host = "backup.example.com"
    question = wording.ASK_LOCATION_PASSWORD("backup", host) if given == "user" else wording.ASK_LOCATION_USER(host)
    assert backupctl.prompter.questions[0] == question
    assert backupctl.appliance.jobs[-1].spec.location_user == "backup"


def interrupt(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_create_interrupted_detaches_and_prints_the_watch_command(clock: FakeClock, number: signal.Signals) -> None:
    backupctl = CommandLine(clock=clock, job_duration=600)
    clock.at(100, lambda: interrupt(number))
    run = backupctl.create("-s", HOST)
    (job,) = backupctl.appliance.jobs
    assert run.code == 130
    assert f"backupctl watch {job.job_id} -s {HOST}" in run.err
    assert backupctl.states == ["INPROGRESS"]
    assert clock.elapsed < 106
    assert backupctl.appliance.open_sessions == 0
    watched = backupctl("watch", job.job_id, "-o", "json")
    assert (watched.code, watched.result["job"]["state"]) == (0, "SUCCEEDED")


@pytest.mark.parametrize("words", [[], ["-q"]])
def test_create_whose_password_changes_meanwhile_reports_that_the_backup_is_running(
    clock: FakeClock, words: list[str]
) -> None:
    backupctl = CommandLine(clock=clock, job_duration=600, faults=["session-expires-after=60s"])
    clock.at(100, lambda: setattr(backupctl.appliance.sessions, "password", "an0ther!"))
    run = backupctl.create(*words)
    (job,) = backupctl.appliance.jobs
    assert (run.code, backupctl.states) == (4, ["INPROGRESS"])
    assert wording.STILL_RUNNING(job.job_id, HOST) in run.err
    assert f"{wording.TO_FOLLOW_IT}backupctl watch {job.job_id} " in run.err
    assert run.err.count("backupctl watch") == 1


@pytest.mark.parametrize(
    ("words", "nothing"),
    [(["create"], wording.NO_BACKUP_STARTED), (["list"], wording.NOTHING_CHANGED)],
)
def test_interruption_at_the_login_reports_that_nothing_happened(
    clock: FakeClock, words: list[str], nothing: str
) -> None:
    backupctl = CommandLine(clock=clock, faults=["slow=20s@login"])
    clock.at(5, lambda: interrupt(signal.SIGINT))
    run = backupctl.create("-o", "json") if words == ["create"] else backupctl(*words, "-o", "json")
    (result,) = run.json["results"]
    assert (run.code, result["error"]["message"]) == (130, wording.INTERRUPTED(nothing))
    assert backupctl.appliance.jobs == []


def test_create_interrupted_leaves_no_pending_alarm(clock: FakeClock) -> None:
    clock.at(100, lambda: interrupt(signal.SIGINT))
    assert CommandLine(clock=clock, job_duration=600).create().code == 130
    assert signal.alarm(0) == 0


def test_create_interrupted_with_cancel_on_interrupt_cancels_the_job(clock: FakeClock) -> None:
    backupctl = CommandLine(clock=clock, job_duration=600)
    clock.at(100, lambda: interrupt(signal.SIGINT))
    run = backupctl.create("--cancel-on-interrupt", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (130, "FAILED")
    assert "cancelled" in run.result["error"]["message"]


def test_create_interrupted_during_a_slow_post_waits_for_its_outcome(clock: FakeClock) -> None:
    backupctl = CommandLine(clock=clock, faults=["slow=8s@create"], job_duration=600)
    clock.at(3, lambda: interrupt(signal.SIGINT))
    run = backupctl.create("-o", "json")
    (job,) = backupctl.appliance.jobs
    assert (run.code, run.result["job"]["id"]) == (130, job.job_id)


def test_create_logs_in_again_each_time_the_session_expires() -> None:
    backupctl = CommandLine(faults=["session-expires-after=30s"], job_duration=120)
    assert backupctl.create().code == 0
    assert [request.phase for request in backupctl.appliance.requests].count("login") >= 4


def test_create_if_running_wait_starts_after_the_other_backup() -> None:
    backupctl = CommandLine(faults=["busy"])
    run = backupctl.create("--if-running", "wait", "-o", "jsonl")
    assert run.code == 0
    assert "waiting" in [event["event"] for event in run.events]
    assert backupctl.states == ["SUCCEEDED", "SUCCEEDED"]


def test_create_if_running_attach_is_9_for_a_backup_to_another_location() -> None:
    backupctl = CommandLine(faults=["busy"])
    run = backupctl.create("--if-running", "attach", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (9, "SUCCEEDED")
    assert len(backupctl.appliance.jobs) == 1


def test_create_if_running_attach_is_0_for_a_backup_to_the_same_location(backupctl: CommandLine) -> None:
    assert backupctl.create("--no-wait").code == 0
    run = backupctl.create("--if-running", "attach", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (0, "SUCCEEDED")
    assert len(backupctl.appliance.jobs) == 1


def test_create_timeout_is_8_and_the_backup_keeps_running() -> None:
    backupctl = CommandLine(job_duration=600)
    run = backupctl.create("--timeout", "1m", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (8, "timed-out")
    assert run.result["error"]["hint"].startswith(f"{wording.TO_FOLLOW}backupctl watch ")
    assert backupctl.clock.elapsed == pytest.approx(60, abs=1)
    assert backupctl.states == ["INPROGRESS"]


def test_create_simulated_is_marked_in_both_outputs(backupctl: CommandLine) -> None:
    run = backupctl.create("--simulate", "-o", "json", environ={})
    assert (run.code, run.result["simulated"]) == (0, True)
    assert "--simulate" in run.err
    assert json.loads(run.out)["results"][0]["job"]["state"] == "SUCCEEDED"
    assert 5 <= backupctl.clock.elapsed <= 15


def test_create_no_wait_prints_the_watch_command(backupctl: CommandLine) -> None:
    run = backupctl.create("--no-wait", "--api", "rest")
    (job,) = backupctl.appliance.jobs
    line = f"{wording.TO_FOLLOW_IT}backupctl watch {job.job_id} -s {HOST} -u {USER} --api rest"
    assert run.err.splitlines()[-1] == line
    backupctl.clock.sleep(60)
    assert backupctl(*line.partition("backupctl ")[2].split()).code == 0


@pytest.mark.parametrize(("if_running", "hint"), [("fail", "--if-running wait"), ("wait", wording.LONGER_TIMEOUT)])
def test_busy_appliance_hint_does_not_repeat_the_option_used(if_running: str, hint: str) -> None:
    run = CommandLine(faults=["busy"]).create("--if-running", if_running, "--timeout", "1", "-o", "json")
    assert run.code == 9
    assert hint in run.result["error"]["hint"]
    assert if_running == "fail" or "--if-running wait" not in run.result["error"]["hint"]


def test_create_that_cannot_read_the_running_backup_does_not_attach() -> None:
    backupctl = CommandLine(faults=["busy", "drop@poll"])
    run = backupctl.create("--if-running", "attach")
    assert (run.code, len(backupctl.appliance.jobs)) == (9, 1)
    assert f"{wording.RUNNING_BACKUP_UNREADABLE}{HOST}: {wording.CONNECTION_DROPPED}" in run.err


@pytest.mark.parametrize(
    ("api", "notice"),
    [
        ("auto", f"{wording.DRY_RUN_OF_EITHER} to {HOST}{wording.EITHER}:"),
        ("rest", f"{wording.DRY_RUN} to {HOST}:"),
    ],
)
def test_dry_run_says_that_one_request_of_either_api_would_be_sent(
    backupctl: CommandLine, api: str, notice: str
) -> None:
    run = backupctl.create("--dry-run", "--api", api)
    assert run.err == f"{notice}\n"
