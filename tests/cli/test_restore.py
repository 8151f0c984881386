"""The commands restore validate, create, status, watch, cancel and reconcile."""

import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from backupctl.cli.appliance_settings import appliance_settings
from backupctl.cli.connection import connect
from backupctl.cli.context import Context
from backupctl.simulator.archive_directory import ArchiveDirectory
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, PASSWORD, USER, CommandLine
from tests.support.intercept import lose_writes

TO_ROOT = {"BACKUPCTL_SERVER": HOST, "BACKUPCTL_USERNAME": "root", "BACKUPCTL_PASSWORD": PASSWORD}
SSO = {"BACKUPCTL_SSO_PASSWORD": PASSWORD}
ARCHIVE = f"{LOCATION}/vCenter/sn_{HOST}/S_8.0.0.10000_20260301-000000_"
FROM = ("--location", ARCHIVE)
CREATE = ("restore", "create", *FROM, "--sso-username", USER)
RESTORE = "/rest/appliance/recovery/restore"


def fresh_appliance(clock: FakeClock | None = None, **options: Any) -> CommandLine:
    """Return a freshly deployed appliance, ready for a restore of 20 minutes."""
    options = {"fresh": True, "history": True, "job_duration": 600, **options}
    return CommandLine(clock=clock, environ=TO_ROOT | SSO, **options)


# Port and authentication


@pytest.mark.parametrize(
    ("words", "port"),
    [
        ([], 5480),
        (["-s", f"{HOST}:8443"], 8443),
        (["-s", f"https://{HOST}"], 5480),
        (["--api", "api"], 5480),
    ],
)
def test_restore_uses_the_management_port_with_basic_authentication(words: list[str], port: int) -> None:
    backupctl = fresh_appliance()
    assert backupctl("restore", "validate", *FROM, *words).code == 0
    assert [server.port for server in backupctl.reached] == [port]
    assert not [request for request in backupctl.appliance.requests if "session" in request.path]


def test_restore_with_a_session_opens_one_and_logs_it_out() -> None:
    backupctl = CommandLine(history=True)
    assert backupctl("restore", "validate", *FROM, "--auth", "session").code == 7
    assert [request.method for request in backupctl.appliance.requests if "session" in request.path] == [
        "POST",
        "DELETE",
    ]


@pytest.mark.parametrize(("fresh", "url"), [(True, f"https://{HOST}:5480"), (False, f"https://{HOST}")])
def test_connect_chooses_the_port_for_an_appliance_that_waits_for_a_restore(
    backupctl: CommandLine, fresh: bool, url: str
) -> None:
    app = Context(
        argv=[],
        stdin=None,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        environ=TO_ROOT,
        clock=backupctl.clock,
        prompter=backupctl.prompter,
        transport_for=backupctl._transport_for,
    )
    (scope,) = appliance_settings(app)
    appliance = connect(scope, fresh=fresh)
    assert (backupctl.reached[0].base_url, appliance.api.family) == (url, "rest" if fresh else None)
    assert backupctl.line.urls == []


def test_restore_verbose_shows_the_authentication() -> None:
    assert "auth: basic" in fresh_appliance()("restore", "status", "-v").err
    given = CommandLine(history=True)("restore", "status", "-v", "--auth", "session").err
    assert "auth: session" in given


# validate


@pytest.mark.parametrize("api", ["rest", "api"])
def test_restore_validate_shows_what_the_archive_is(api: str) -> None:
    run = fresh_appliance()("restore", "validate", *FROM, "--api", api, "-o", "json")
    metadata = run.result["metadata"]
    assert (run.code, metadata["applicable"], metadata["messages"]) == (0, True, [])
    assert (metadata["boxname"], metadata["version"], metadata["parts"]) == (HOST, "8.0.0.10000", ["common", "seat"])
    assert metadata["sso_login_required"] is True
    assert HOST in fresh_appliance()("restore", "validate", *FROM).out


def test_restore_validate_on_an_appliance_in_service_is_7_with_the_reason() -> None:
    run = CommandLine(history=True)("restore", "validate", *FROM, "--auth", "session", "-o", "json")
    assert (run.code, run.result["error"]["slug"], run.result["metadata"]["applicable"]) == (7, "backup-failed", False)
    assert "before firstboot" in run.result["metadata"]["messages"][0]["default_message"]


def test_restore_validate_of_a_location_without_a_backup_is_6() -> None:
    run = fresh_appliance()("restore", "validate", "--location", LOCATION, "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (6, "api")
    assert "no backup at" in run.result["error"]["message"]


# create


def test_restore_create_is_followed_to_its_end_while_the_api_is_down() -> None:
    backupctl = fresh_appliance()
    run = backupctl(*CREATE, "--yes", "-o", "jsonl")
    job = run.events[-1]["results"][0]["job"]
    assert (run.code, job["id"], job["state"], job["progress"]) == (0, "restore", "SUCCEEDED", 100)
    kinds = [event["event"] for event in run.events]
    assert [kind for kind in kinds if kind not in {"progress", "result"}] == [
        *("connected", "started", "trouble", "recovered")
    ]
    assert 1200 <= backupctl.clock.elapsed <= 1230
    method, path, body = backupctl.writes[0]
    assert (method, path, len(backupctl.writes)) == ("POST", f"{RESTORE}/job", 1)
    assert body == {
        "piece": {
            "location_type": "SFTP",
            "location": ARCHIVE,
            "sso_admin_user_name": USER,
            "sso_admin_user_password": PASSWORD,
        }
    }


def test_restore_create_sends_its_options() -> None:
    backupctl = fresh_appliance(release="8.0U3")
    words = ["--location-user", "backup", "--part", "supervisors", "--ignore-warnings", "--dry-run", "-o", "json"]
    environ = TO_ROOT | SSO | {"BACKUPCTL_LOCATION_PASSWORD": "l0c", "BACKUPCTL_BACKUP_PASSWORD": "b4ck"}
    run = backupctl(*CREATE, *words, environ=environ)
    (request,) = run.result["requests"]
    assert (run.code, backupctl.line.urls) == (0, [])
    assert request["url"] == f"https://{HOST}:5480{RESTORE}/job"
    assert request["body"]["piece"] == {
        "location_type": "SFTP",
        "location": ARCHIVE,
        "location_user": "backup",
        "location_password": "***",
        "backup_password": "***",
        "sso_admin_user_name": USER,
        "sso_admin_user_password": "***",
        "ignore_warnings": True,
        "parts": ["supervisors"],
    }


@pytest.mark.parametrize("typed", [HOST, HOST.upper(), f" {HOST} "])
def test_restore_create_starts_when_the_name_of_the_host_is_typed(typed: str) -> None:
    run = fresh_appliance()(*CREATE, "--no-wait", answers=["", "", typed])
    assert run.code == 0


@pytest.mark.parametrize("typed", ["", "yes", "y", "vc01", "vc02.example.com"])
def test_restore_create_with_another_name_is_2_and_nothing_is_changed(typed: str) -> None:
    backupctl = fresh_appliance()
    run = backupctl(*CREATE, answers=["", "", *[typed] * 3])
    assert (run.code, backupctl.writes) == (2, [])
    assert wording.RESTORE_NOT_STARTED in run.err
    assert backupctl.prompter.questions[-2] == wording.WILL_OVERWRITE(HOST)


def test_restore_create_off_a_terminal_is_2_and_nothing_is_sent() -> None:
    backupctl = fresh_appliance()
    run = backupctl(*CREATE)
    assert (run.code, backupctl.line.urls) == (2, [])
    assert "--yes" in run.err


@pytest.mark.parametrize("words", [[], ["--location", "backup.example.com"], [*FROM, "--part", "a b"]], ids=len)
def test_restore_create_with_a_bad_value_is_2_and_nothing_is_sent(words: list[str]) -> None:
    backupctl = fresh_appliance()
    assert backupctl("restore", "create", "--yes", *words).code == 2
    assert backupctl.line.urls == []


def test_restore_create_on_an_appliance_in_service_is_rejected() -> None:
    backupctl = CommandLine(history=True)
    run = backupctl(*CREATE, "--yes", "--auth", "session", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (6, "api")
    assert "before firstboot" in run.result["error"]["message"]


def test_restore_create_that_fails_is_7_with_the_messages() -> None:
    older = ARCHIVE.replace("8.0.0.10000", "8.0.3.00000")
    backupctl = fresh_appliance(release="8.0U3", faults=["fail-at=30"])
    run = backupctl("restore", "create", "--location", older, "--sso-username", USER, "--yes", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (7, "FAILED")
    assert run.result["job"]["messages"]
    assert run.result["error"]["hint"]


@pytest.mark.parametrize("arrives", [True, False])
def test_restore_create_whose_response_is_lost_is_unknown_and_not_repeated(arrives: bool) -> None:
    backupctl = fresh_appliance()
    backupctl.line.intercept = lose_writes("POST", arrives=arrives)
    run = backupctl(*CREATE, "--yes", "-o", "json")
    assert (run.code, run.result["error"]["slug"], len(backupctl.writes)) == (5, "outcome-unknown", 1)
    assert "restore watch" in run.result["error"]["hint"]
    assert backupctl("restore", "status").code == (8 if arrives else 10)


def test_restore_create_while_one_runs_is_9() -> None:
    backupctl = fresh_appliance()
    assert backupctl(*CREATE, "--yes", "--no-wait").code == 0
    assert backupctl(*CREATE, "--yes").code == 9


def test_restore_interrupted_keeps_running_and_prints_the_watch_command(clock: FakeClock) -> None:
    backupctl = fresh_appliance(clock)
    clock.at(60, lambda: os.kill(os.getpid(), signal.SIGINT))
    run = backupctl(*CREATE, "--yes", "-s", HOST, "-u", "root")
    assert run.code == 130
    assert "restore watch -s vc01.example.com -u root" in run.err
    assert backupctl("restore", "watch").code == 0


@pytest.mark.parametrize(
    "words", [CREATE, ("restore", "reconcile", "--sso-username", USER)], ids=lambda words: words[1]
)
def test_restore_prompts_for_the_password_of_the_sso_administrator(words: tuple[str, ...]) -> None:
    backupctl = fresh_appliance()
    answers = ["typed", HOST] if words[1] == "reconcile" else ["", "", "typed", HOST]
    backupctl(*words, "--no-wait", answers=answers, environ=TO_ROOT)
    assert wording.ASK_SSO_PASSWORD(USER) in backupctl.prompter.questions
    assert "typed" in str(backupctl.writes[0])
    assert wording.NO_SSO_PASSWORD(USER) in backupctl(*words, "--dry-run", environ=TO_ROOT).err


@pytest.mark.parametrize("command", ["validate", "create"])
def test_password_of_an_encrypted_archive_is_asked_for(command: str) -> None:
    backupctl = fresh_appliance()
    words = ["restore", command, *CREATE[2:], *(["--no-wait"] if command == "create" else [])]
    backupctl(*words, answers=["", "Of-the-arch1ve", HOST])
    assert wording.ASK_PASSWORD_OF_ARCHIVE in backupctl.prompter.questions
    assert "Of-the-arch1ve" in str(backupctl.writes[-1])


def test_encrypted_archive_without_its_password_gets_a_hint(tmp_path: Path) -> None:
    store = ArchiveDirectory(tmp_path)
    backupctl = CommandLine(store=store)
    backupctl.create(environ=backupctl.environ | {"BACKUPCTL_BACKUP_PASSWORD": "Of-the-arch1ve"})
    (archive,) = tmp_path.rglob("M_*")
    location = "/".join((LOCATION, *archive.parts[-3:]))
    run = fresh_appliance(store=store)("restore", "validate", "--location", location, "-o", "json")
    assert (run.code, "--backup-password-file" in run.result["error"]["hint"]) == (6, True)


def test_restore_sends_no_sso_password_without_a_name() -> None:
    backupctl = fresh_appliance(release="6.5")
    backupctl("restore", "validate", "--location", "ftp://backup.example.com/x")
    backupctl("restore", "create", "--location", "ftp://backup.example.com/x", "--yes")
    assert [set(body["piece"]) for _, _, body in backupctl.writes] == [{"location", "location_type"}] * 3


# status, watch, cancel


def test_restore_status_is_10_before_8_during_and_0_after() -> None:
    backupctl = fresh_appliance()
    before = backupctl("restore", "status", "-o", "json")
    assert (before.code, before.result["error"]["slug"]) == (10, "not-found")
    backupctl(*CREATE, "--yes", "--no-wait")
    during = backupctl("restore", "status", "-o", "json")
    assert (during.code, during.result["job"]["state"]) == (8, "INPROGRESS")
    backupctl.clock.sleep(1300)
    assert backupctl("restore", "status", "-o", "json").result["job"]["state"] == "SUCCEEDED"
    assert backupctl("restore", "status").code == 0


@pytest.mark.parametrize("word", ["status", "watch", "cancel"])
def test_missing_restore_on_an_appliance_in_service_is_10(word: str) -> None:
    run = CommandLine(history=True)("restore", word, "--auth", "session", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (10, "not-found")
    assert wording.NEVER_RESTORED in run.result["error"]["hint"]


def test_restore_watch_follows_while_the_api_is_down() -> None:
    backupctl = fresh_appliance()
    backupctl(*CREATE, "--yes", "--no-wait")
    backupctl.clock.sleep(100)
    run = backupctl("restore", "watch", "-o", "jsonl")
    kinds = [event["event"] for event in run.events]
    assert (run.code, kinds[1], kinds.count("trouble"), kinds.count("recovered")) == (0, "attached", 1, 1)


def test_restore_watch_started_while_the_api_is_down_waits_for_it() -> None:
    backupctl = fresh_appliance()
    backupctl(*CREATE, "--yes", "--no-wait")
    backupctl.clock.sleep(500)
    assert backupctl("restore", "status").code == 5
    run = backupctl("restore", "watch", "-o", "jsonl")
    assert run.code == 0
    assert [event["event"] for event in run.events[:4]] == ["trouble", "recovered", "connected", "attached"]


def test_restore_watch_beyond_its_timeout_is_8_and_5_while_the_api_is_down() -> None:
    backupctl = fresh_appliance()
    backupctl(*CREATE, "--yes", "--no-wait")
    assert backupctl("restore", "watch", "--timeout", "60s").code == 8
    assert backupctl("restore", "watch", "--timeout", "500s").code == 5
    assert backupctl("restore", "watch").code == 0


def test_restore_watch_of_an_unreachable_appliance_ends_at_the_timeout_of_its_server(tmp_path: Path) -> None:
    backupctl, config = fresh_appliance(), tmp_path / "config.toml"
    config.write_text(f'[servers.fresh]\nhost = "{HOST}"\ntimeout = "60s"\n')
    backupctl(*CREATE, "--yes", "--no-wait")
    backupctl.clock.sleep(500)
    began = backupctl.clock.elapsed
    run = backupctl("restore", "watch", "-s", "fresh", "--config", str(config))
    assert (run.code, run.err.count("fresh: ")) == (5, 2)
    assert 30 < backupctl.clock.elapsed - began <= 60


def test_restore_watch_of_an_unreachable_appliance_ends_at_its_timeout() -> None:
    backupctl = fresh_appliance()
    backupctl(*CREATE, "--yes", "--no-wait")
    backupctl.appliance.inject("drop@poll")
    assert backupctl("restore", "watch", "--timeout", "10m").code == 5
    assert backupctl.clock.elapsed <= 600


def test_restore_cancel_ends_the_restore_and_is_0() -> None:
    backupctl = fresh_appliance()
    backupctl(*CREATE, "--yes", "--no-wait")
    run = backupctl("restore", "cancel", "-o", "json")
    assert (run.code, run.result["job"]["state"]) == (0, "FAILED")
    again = backupctl("restore", "cancel", "-o", "json")
    assert (again.code, again.result["error"]["slug"]) == (6, "not-cancelled")


# reconcile


def test_restore_reconcile_after_a_restore_is_followed_to_its_end() -> None:
    backupctl = fresh_appliance(job_duration=60)
    assert backupctl(*CREATE, "--yes").code == 0
    run = backupctl("restore", "reconcile", "--sso-username", USER, "-o", "json")
    assert (run.code, run.result["job"]["id"], run.result["job"]["state"]) == (0, "reconciliation", "SUCCEEDED")
    assert backupctl.writes[-1] == (
        "POST",
        "/rest/appliance/recovery/reconciliation/job",
        {"spec": {"sso_admin_user_name": USER, "sso_admin_user_password": PASSWORD}},
    )


def test_restore_reconcile_without_a_restore_is_6() -> None:
    run = fresh_appliance()("restore", "reconcile", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (6, "api")
    assert "only after restore" in run.result["error"]["message"]


def test_restore_reconcile_whose_response_is_lost_is_unknown() -> None:
    backupctl = fresh_appliance()
    backupctl.line.intercept = lose_writes("POST")
    run = backupctl("restore", "reconcile", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (5, "outcome-unknown")
    assert "the reconciliation was started" in run.result["error"]["message"]


def test_restore_reconcile_dry_run_sends_nothing() -> None:
    backupctl = fresh_appliance()
    run = backupctl("restore", "reconcile", "--ignore-warnings", "--dry-run", "-o", "json")
    assert (run.code, backupctl.line.urls) == (0, [])
    assert run.result["requests"][0]["body"]["spec"]["ignore_warnings"] is True


def test_restore_reconcile_on_a_release_without_it_is_6_with_operation_and_release() -> None:
    run = fresh_appliance(release="6.5")("restore", "reconcile", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (6, "not-supported")
    message = run.result["error"]["message"]
    assert f"start a reconciliation: {wording.NOT_SUPPORTED('6.5.0.20000')}" in message


def test_restore_is_simulated_on_an_appliance_that_awaits_one() -> None:
    run = fresh_appliance()("restore", "status", "--simulate", "-o", "json", environ={})
    assert (run.code, run.result["simulated"]) == (10, True)
