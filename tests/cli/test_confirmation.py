"""What removes or replaces something asks on a terminal, and needs ``--yes`` elsewhere."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from backupctl.simulator.simulated_appliance import SimulatedAppliance
from tests import wording
from tests.support.command_line import HOST, PASSWORD, USER, CommandLine, Run, configured, write_private
from tests.support.command_tree import ARCHIVE
from tests.support.memory_keyring import MemoryKeyring

DELETE = ("schedule", "delete", "default")
OTHER = "vc02.example.com"
CONFIGURATION = f"""
[defaults]
username = "{USER}"
password-env = "VC_PASSWORD"

[servers.vc01]
host = "{HOST}"

[servers.vc02]
host = "{OTHER}"
"""


def two(folder: Path, **options: Any) -> CommandLine:
    """Return a command line for two configured appliances."""
    return configured(folder, CONFIGURATION, others={HOST: {}, OTHER: {}}, **options)


def writes(backupctl: CommandLine) -> int:
    return len(backupctl.writes) + sum(len(line.writes) for line in backupctl.lines.values())


def logins(backupctl: CommandLine) -> list[int]:
    """Return the number of logins of each appliance."""
    requests = [appliance.requests for appliance in backupctl.others.values()]
    return [sum(each.method == "POST" and "session" in each.path for each in some) for some in requests]


def start_job(appliance: SimulatedAppliance) -> str:
    appliance.inject("busy")
    appliance.advance()
    return appliance.jobs[-1].job_id


def assert_not_confirmed(run: Run, *servers: str) -> None:
    error = run.json["error"]
    assert (run.code, error["slug"], "--yes" in error["hint"]) == (2, "usage", True)
    assert tuple(error["details"]) == servers


# schedule delete


def test_schedule_is_deleted_when_the_question_that_lists_all_appliances_is_confirmed(tmp_path: Path) -> None:
    backupctl = two(tmp_path, history=True)
    run = backupctl(*DELETE, "--all", answers=["y"])
    assert (run.code, writes(backupctl)) == (0, 2)
    listed, question = backupctl.prompter.questions
    assert listed == "This will delete schedule default:\n  vc01\n  vc02"
    assert question == wording.CONTINUE


def test_schedule_delete_does_not_ask_where_the_schedule_does_not_exist(tmp_path: Path) -> None:
    alone = CommandLine()
    assert (alone(*DELETE, answers=[]).code, alone.prompter.questions) == (10, [])
    assert alone.appliance.open_sessions == 0
    backupctl = two(tmp_path, history=True)
    assert backupctl(*DELETE, "-s", "vc01", "--yes").code == 0
    assert (backupctl(*DELETE, "--all", answers=["y"]).code, writes(backupctl)) == (10, 2)
    assert backupctl.prompter.questions[0] == "This will delete schedule default:\n  vc02"


@pytest.mark.parametrize("answer", ["", "n", "no"])
def test_schedule_is_not_deleted_without_a_yes(tmp_path: Path, answer: str) -> None:
    backupctl = two(tmp_path, history=True)
    run = backupctl(*DELETE, "--all", answers=[answer])
    assert (run.code, writes(backupctl)) == (2, 0)
    assert [appliance.open_sessions for appliance in backupctl.others.values()] == [0, 0]
    assert wording.NOT_CONFIRMED in run.err


def test_schedule_delete_off_a_terminal_needs_yes_and_sends_nothing_without(tmp_path: Path) -> None:
    backupctl = two(tmp_path, history=True)
    assert_not_confirmed(backupctl(*DELETE, "--all", "-o", "json"), "vc01", "vc02")
    assert [line.urls for line in backupctl.lines.values()] == [[], []]
    assert (backupctl(*DELETE, "--all", "--yes").code, writes(backupctl)) == (0, 2)


@pytest.mark.parametrize(
    ("words", "missing", "example"),
    [
        (("schedule", "delete"), "missing NAME", "backupctl schedule delete default"),
        (("cancel",), "missing JOB_ID", "backupctl cancel latest"),
    ],
)
def test_missing_argument_is_2_with_an_example(
    backupctl: CommandLine, words: tuple[str, ...], missing: str, example: str
) -> None:
    run = backupctl(*words, "--yes", "-o", "json")
    assert (run.code, run.json["error"]["message"], backupctl.line.urls) == (2, missing, [])
    assert example in run.json["error"]["hint"]


@pytest.mark.parametrize("words", [DELETE, ("cancel", "latest")])
def test_dry_run_asks_nothing(words: tuple[str, ...]) -> None:
    backupctl = CommandLine(history=True)
    assert (backupctl(*words, "--dry-run", answers=[]).code, backupctl.writes) == (0, [])


# cancel


def test_cancel_latest_shows_the_job_and_cancels_that_one() -> None:
    backupctl = CommandLine(job_duration=600)
    backupctl.create("--no-wait")
    shown = backupctl.appliance.jobs[-1].job_id
    backupctl.clock.sleep(125)
    run = backupctl("cancel", "latest", "-o", "json", answers=["yes"])
    assert (run.code, run.result["job"]["id"], backupctl.states) == (0, shown, ["FAILED"])
    (listed, _) = backupctl.prompter.questions
    assert listed == f"{wording.WILL_CANCEL}\n  {HOST}: {shown}, 20 %, started 2 min ago"
    assert f"/{shown}" in backupctl.writes[-1][1]


def test_cancel_latest_of_several_is_one_question_about_those_that_run(tmp_path: Path) -> None:
    backupctl = two(tmp_path, history=True)
    job_id = start_job(backupctl.others[OTHER])
    run = backupctl("cancel", "latest", "--all", "-o", "json", answers=["y"])
    codes = {result["server"]: result["exit_code"] for result in run.json["results"]}
    assert codes == {"vc01": 6, "vc02": 0}
    listed, _ = backupctl.prompter.questions
    assert listed.count("\n") == 1
    assert f"  vc02: {job_id}, " in listed


def test_cancel_latest_asks_and_cancels_in_one_session(tmp_path: Path) -> None:
    backupctl = two(tmp_path)
    for appliance in backupctl.others.values():
        start_job(appliance)
    run = backupctl("cancel", "latest", "--all", "-o", "jsonl", answers=["y"])
    assert (run.code, logins(backupctl)) == (0, [1, 1])
    events = Counter(event["event"] for event in run.events)
    assert (events["connected"], events["cancelling"], events["ended"], events["result"]) == (2, 2, 2, 1)


def test_cancel_latest_sends_the_password_of_one_appliance_to_no_other(tmp_path: Path) -> None:
    backupctl = configured(
        tmp_path,
        CONFIGURATION.replace("password-env", "location-password-env"),
        others={HOST: {}, OTHER: {"password": "another"}},
    )
    for appliance in backupctl.others.values():
        start_job(appliance)
    run = backupctl("cancel", "latest", "--all", answers=[PASSWORD, "another", "y"])
    assert (run.code, logins(backupctl)) == (0, [1, 2])
    assert [appliance.failed_logins for appliance in backupctl.others.values()] == [0, 1]


def test_cancel_latest_without_a_yes_cancels_nothing() -> None:
    backupctl = CommandLine()
    start_job(backupctl.appliance)
    run = backupctl("cancel", "latest", answers=[""])
    assert (run.code, backupctl.writes, backupctl.appliance.open_sessions) == (2, [], 0)
    assert backupctl.states == ["INPROGRESS"]


def test_cancel_latest_asks_nothing_where_nothing_runs() -> None:
    backupctl = CommandLine(history=True)
    run = backupctl("cancel", "latest", answers=[])
    assert (run.code, backupctl.writes) == (6, [])
    assert wording.ALREADY_ENDED("SUCCEEDED") in run.err


def test_cancel_latest_off_a_terminal_needs_yes_and_sends_nothing_without(tmp_path: Path) -> None:
    backupctl = two(tmp_path)
    assert_not_confirmed(backupctl("cancel", "latest", "--all", "-o", "json"), "vc01", "vc02")
    assert [line.urls for line in backupctl.lines.values()] == [[], []]


def test_cancel_of_a_named_job_asks_nothing() -> None:
    backupctl = CommandLine()
    job_id = start_job(backupctl.appliance)
    assert backupctl("cancel", job_id, answers=[]).code == 0
    assert backupctl.states == ["FAILED"]


# restore create


RESTORE = (
    "restore",
    "create",
    "-s",
    "vc01",
    "--location",
    ARCHIVE,
    "--sso-username",
    USER,
    "--no-wait",
    "--auth",
    "basic",
)


@pytest.mark.parametrize(("typed", "code"), [("vc01", 0), (HOST, 0), ("vc02", 2), ("y", 2)])
def test_restore_is_confirmed_by_the_configured_name_or_the_host(tmp_path: Path, typed: str, code: int) -> None:
    backupctl = two(tmp_path, fresh=True, history=True)
    environ = backupctl.environ | {"BACKUPCTL_SSO_PASSWORD": PASSWORD, "BACKUPCTL_LOCATION_PASSWORD": "s3cret"}
    run = backupctl(*RESTORE, "--location-user", "backup", answers=["", *[typed] * 3], environ=environ)
    assert (run.code, writes(backupctl)) == (code, 0 if code else 1)
    asked = [wording.WILL_OVERWRITE("vc01"), "That is not vc01."] * 3
    assert backupctl.prompter.questions == [wording.ASK_PASSWORD_OF_ARCHIVE, *(asked if code else asked[:1])]


def test_name_of_an_appliance_to_overwrite_is_asked_for_again(tmp_path: Path) -> None:
    backupctl = two(tmp_path, fresh=True, history=True)
    environ = backupctl.environ | {"BACKUPCTL_SSO_PASSWORD": PASSWORD, "BACKUPCTL_LOCATION_PASSWORD": "s3cret"}
    run = backupctl(*RESTORE, "--location-user", "backup", answers=["vc10", "v01", "VC01"], environ=environ)
    assert (run.code, writes(backupctl)) == (0, 1)


def test_restore_off_a_terminal_needs_yes(tmp_path: Path) -> None:
    backupctl = two(tmp_path, fresh=True, history=True)
    run = backupctl(*RESTORE, "-o", "json", environ=backupctl.environ | {"BACKUPCTL_SSO_PASSWORD": PASSWORD})
    assert_not_confirmed(run)
    assert "vc01" in run.json["error"]["message"]


# config set-secret


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_private(tmp_path / "config.toml", CONFIGURATION.replace("password-env", "password-file", 1))


@pytest.mark.parametrize(
    ("words", "old"),
    [
        (["password"], "defaults.password-file"),
        (["password", "-s", "vc01"], "keyring entry vc01/password"),
    ],
)
def test_secret_is_replaced_only_when_that_is_confirmed(
    file: Path, memory: MemoryKeyring, words: list[str], old: str
) -> None:
    memory.entries["vc01/password"] = "old"
    backupctl = CommandLine(environ={"BACKUPCTL_CONFIG": str(file)})
    before = file.read_text()
    given = ["config", "set-secret", *words, "--password-file", "-"]
    assert backupctl(*given, answers=["n"], stdin=PASSWORD).code == 2
    assert old in backupctl.prompter.questions[0]
    assert backupctl(*given, stdin=PASSWORD).code == 2
    assert (file.read_text(), memory.entries) == (before, {"vc01/password": "old"})

    assert backupctl(*given, answers=["y"], stdin=PASSWORD).code == 0
    assert PASSWORD in memory.entries.values()
    assert backupctl(*given, "--yes", stdin=PASSWORD).code == 0


def test_secret_that_replaces_none_is_stored_without_a_question(file: Path, memory: MemoryKeyring) -> None:
    backupctl = CommandLine(environ={"BACKUPCTL_CONFIG": str(file)})
    given = ("config", "set-secret", "password", "-s", "vc02", "--password-file", "-")
    assert backupctl(*given, stdin=PASSWORD).code == 0
    assert memory.entries == {"vc02/password": PASSWORD}


def test_cancelling_a_cancelled_backup_again_shows_that_it_was_cancelled() -> None:
    backupctl = CommandLine(faults=["busy"])
    assert backupctl("cancel", "latest", "--yes").code == 0
    again = backupctl("cancel", "latest", answers=[])
    assert again.code == 6
    assert f"{wording.ALREADY_ENDED('FAILED')}\n  {CANCELLED}\nhint: {wording.NOTHING_TO_CANCEL}" in again.err


CANCELLED = "Backup job was cancelled by the user."
