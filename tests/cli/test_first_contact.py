"""Questions on a terminal, in the order of use: each answer is tried before the next question."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
import httpx
import pytest

from tests import wording
from tests.support.command_line import (
    HOST,
    LOCATION,
    NFS,
    PASSWORD,
    TO_APPLIANCE,
    USER,
    CommandLine,
    Run,
    ScriptedPrompter,
    configured,
    write_private,
)
from tests.support.intercept import ReplacedAnswer, Send, message

LOGIN = ["administrator@vsphere.local", PASSWORD]
BACKUP_PASSWORD = "Good-Pass1."
ABORT = "press Ctrl-C"
REFUSED = {"status": "FAIL", "messages": [message("Access to the remote server is denied.")]}


@dataclass
class Person(ScriptedPrompter):
    """Answers questions, and notes how many logins the appliance had seen at each."""

    line: CommandLine = field(default_factory=CommandLine)
    seen: list[tuple[str, int]] = field(default_factory=list)

    def _next(self, question: str) -> str:
        logins = sessions(self.line).count("POST")
        self.seen.append((question.partition(" (")[0], logins))
        answer = super()._next(question)
        if answer == ABORT:
            raise click.Abort
        return answer


def sessions(backupctl: CommandLine) -> list[str]:
    """Return the methods of all session requests: POST is a login, DELETE a logout."""
    return [request.method for request in backupctl.appliance.requests if "session" in request.path]


def at_terminal(
    backupctl: CommandLine, *words: str, answers: list[str], environ: Mapping[str, str] = TO_APPLIANCE
) -> tuple[Run, Person]:
    person = Person(answers, line=backupctl)
    return backupctl(*words, prompter=person, environ=environ), person


def test_each_answer_is_tried_before_the_next_question(backupctl: CommandLine) -> None:
    answers = [HOST, *LOGIN, LOCATION, "backup", "l0cation", BACKUP_PASSWORD, BACKUP_PASSWORD]
    run, person = at_terminal(backupctl, "create", answers=answers, environ={})
    assert run.code == 0
    assert person.seen == [
        ("Server", 0),
        ("User name", 0),
        (f"Password for {USER} on {HOST}", 0),
        ("Location, such as sftp://host/folder", 1),
        ("User at backup.example.com", 1),
        ("Password for backup at backup.example.com", 1),
        ("Backup password", 1),
        ("Backup password again", 1),
    ]
    assert sessions(backupctl) == ["POST", "DELETE"]


@pytest.mark.parametrize("words", [["list"], ["create", "--location", NFS, "--no-require-encryption"]])
def test_nothing_more_is_sent_on_a_terminal_when_nothing_is_missing(words: list[str]) -> None:
    alone, attended = CommandLine(), CommandLine()
    assert (alone(*words).code, attended(*words, answers=[]).code) == (0, 0)
    assert attended.line.urls == alone.line.urls
    assert attended.prompter.questions == []


def test_invalid_option_ends_the_run_before_anything_is_sent(backupctl: CommandLine) -> None:
    run = backupctl("create", "--location", "gopher://h/x", answers=[])
    assert (run.code, backupctl.line.urls) == (2, [])


@pytest.mark.parametrize("command", ["list", "parts", "schedule list", "watch latest"])
def test_rejected_password_is_asked_for_once_more(command: str) -> None:
    backupctl = CommandLine(history=True)
    run, person = at_terminal(
        backupctl, *command.split(), answers=["me", "wrong", USER, PASSWORD], environ={"BACKUPCTL_SERVER": HOST}
    )
    assert (run.code, sessions(backupctl)) == (0, ["POST", "POST", "DELETE"])
    assert wording.WRONG_LOGIN in "".join(person.questions)
    assert "me@vsphere.local" in "".join(person.questions)


def test_second_rejected_password_is_4_and_no_other_question_follows(backupctl: CommandLine) -> None:
    run, person = at_terminal(
        backupctl, "create", "-o", "json", "-u", USER, answers=["one", "two"], environ={"BACKUPCTL_SERVER": HOST}
    )
    assert (run.code, run.result["server"], run.result["error"]["slug"]) == (4, HOST, "auth")
    assert sessions(backupctl) == ["POST", "POST"]
    assert wording.LOCKOUT in "".join(person.questions)


def test_rejected_password_that_nobody_typed_is_not_asked_for(backupctl: CommandLine) -> None:
    run = backupctl("create", environ={**TO_APPLIANCE, "BACKUPCTL_PASSWORD": "wrong"}, answers=[])
    assert (run.code, sessions(backupctl)) == (4, ["POST"])


@pytest.mark.parametrize(("given", "code"), [([LOCATION, ABORT], 130), (["bad://x", LOCATION, "", ABORT], 130)])
def test_prompt_that_is_aborted_logs_out(backupctl: CommandLine, given: list[str], code: int) -> None:
    run, _ = at_terminal(backupctl, "create", answers=given)
    assert (run.code, sessions(backupctl), backupctl.states) == (code, ["POST", "DELETE"], [])


@pytest.mark.parametrize(("command", "says"), [("create", True), ("list", False)])
def test_interrupted_prompt_of_create_says_that_no_backup_was_started(
    backupctl: CommandLine, command: str, says: bool
) -> None:
    run, _ = at_terminal(backupctl, command, answers=[HOST, ABORT], environ={})
    assert (run.code, wording.NO_BACKUP_STARTED in run.err) == (130, says)


def test_location_that_the_appliance_refuses_is_asked_for_again() -> None:
    backupctl = CommandLine(intercept=ReplacedAnswer("POST", "/recovery/backup", REFUSED, times=1))
    answers = [LOCATION, "backup", "wrong", "", "", "right", BACKUP_PASSWORD, BACKUP_PASSWORD]
    run, person = at_terminal(backupctl, "create", answers=answers)
    assert (run.code, backupctl.states, sessions(backupctl)) == (0, ["SUCCEEDED"], ["POST", "DELETE"])
    body = backupctl.writes[-1][2]
    assert (body["location"], body["location_user"], body["location_password"]) == (LOCATION, "backup", "right")
    assert "Access to the remote server is denied." in "".join(person.questions)
    assert person.answers == []


def test_password_of_a_refused_location_is_kept_by_an_empty_answer() -> None:
    backupctl = CommandLine(intercept=ReplacedAnswer("POST", "/recovery/backup", REFUSED, times=1))
    answers = [f"{LOCATION}/wrong", "backup", "l0cation", LOCATION, "", "", ""]
    run, _ = at_terminal(backupctl, "create", answers=answers)
    assert run.code == 0
    body = backupctl.writes[-1][2]
    assert (body["location"], body["location_user"], body["location_password"]) == (LOCATION, "backup", "l0cation")


def test_location_that_is_refused_three_times_is_left_to_the_backup() -> None:
    backupctl = CommandLine(faults=["validate-fail"])
    run, person = at_terminal(backupctl, "create", answers=[f"{NFS}/1", f"{NFS}/2", f"{NFS}/3", ""])
    assert (run.code, person.answers) == (0, [])
    assert backupctl.appliance.jobs[0].spec.location == f"{NFS}/3"


def test_location_of_the_command_line_is_not_checked_before(backupctl: CommandLine) -> None:
    run = backupctl("create", "--location", NFS, answers=[""])
    assert (run.code, len(backupctl.writes)) == (0, 1)


def test_typed_answers_are_shown_as_such(backupctl: CommandLine) -> None:
    answers = [HOST, *LOGIN, LOCATION, "backup", "l0cation", ""]
    run, _ = at_terminal(backupctl, "create", "-v", answers=answers, environ={})
    for name, value in [("server", HOST), ("username", USER), ("password", "***"), ("location", LOCATION)]:
        assert f"{name}: {value} (prompt)" in run.err
    assert f"watch --server {HOST} --username {USER}" not in run.err


SERVERS = """
[servers.vc01]
host = "vc01.example.com"
[servers.vc02]
host = "vc02.example.com"
[servers.vc03]
host = "vc03.example.com:8443"
"""


def fleet(folder: Path, **each: Mapping[str, str]) -> CommandLine:
    others = {f"{name}.example.com": each.get(name, {}) for name in ("vc01", "vc02", "vc03")}
    return configured(folder, SERVERS, others=others)


@pytest.mark.parametrize("answer", ["2", "vc02", "vc02.example.com"])
def test_configured_server_is_chosen_by_number_or_name(tmp_path: Path, answer: str) -> None:
    backupctl = fleet(tmp_path)
    run = backupctl("list", "-o", "json", answers=["9 9", answer, *LOGIN])
    assert (run.code, run.result["server"]) == (0, "vc02")
    assert "  2  vc02  vc02.example.com" in backupctl.prompter.questions
    assert "  3  vc03  vc03.example.com:8443" in backupctl.prompter.questions


def test_password_of_several_is_tried_on_one_before_the_others(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    run = backupctl("list", "--all", "-u", USER, answers=["wrong", PASSWORD])
    assert run.code == 0
    logins = [
        [request.method for request in appliance.requests if "session" in request.path]
        for appliance in backupctl.others.values()
    ]
    assert sorted(logins) == [["POST", "DELETE"], ["POST", "DELETE"], ["POST", "POST", "DELETE"]]


def test_appliance_that_fails_at_contact_keeps_no_other_from_its_work(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path, vc02={"password": "another"})
    run = backupctl("list", "--all", "-u", USER, "-o", "json", answers=[PASSWORD, "another"])
    codes = {result["server"]: result["exit_code"] for result in run.json["results"]}
    assert codes == {"vc01": 0, "vc02": 0, "vc03": 4}


def test_login_error_of_one_appliance_is_not_lost_when_another_has_typed_credentials(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    write_private(tmp_path / "password", "wrong")
    text = SERVERS.replace(f'"{HOST}"', f'"{HOST}"\nusername = "me@vsphere.local"\npassword-file = "password"')
    write_private(tmp_path / "config.toml", text)
    run = backupctl("list", "--all", "-o", "json", answers=LOGIN)
    codes = {result["server"]: result["exit_code"] for result in run.json["results"]}
    assert codes == {"vc01": 4, "vc02": 0, "vc03": 0}
    assert wording.WRONG_LOGIN in run.json["results"][0]["error"]["message"]
    assert [appliance.failed_logins for appliance in backupctl.others.values()] == [1, 0, 0]


def test_rejected_password_that_is_typed_again_is_not_sent_again(backupctl: CommandLine) -> None:
    answers, environ = [USER, "wrong", USER, "wrong"], {"BACKUPCTL_SERVER": HOST}
    run, _ = at_terminal(backupctl, "list", "-o", "json", answers=answers, environ=environ)
    assert (run.code, sessions(backupctl)) == (4, ["POST"])
    assert wording.WRONG_LOGIN in run.result["error"]["message"]


def test_appliance_whose_settings_are_wrong_is_logged_out(tmp_path: Path) -> None:
    backupctl = fleet(tmp_path)
    path = Path(backupctl.environ["BACKUPCTL_CONFIG"])
    path.write_text(f'{SERVERS}location = "{NFS}"\nlocation-type = "SFTP"\n')
    run = backupctl("create", "--all", "-o", "json", answers=[*LOGIN, NFS, ""])
    codes = {result["server"]: result["exit_code"] for result in run.json["results"]}
    assert codes == {"vc01": 0, "vc02": 0, "vc03": 3}
    assert [request.method for request in backupctl.others["vc03.example.com"].requests] == ["POST", "DELETE"]


def test_unreachable_appliance_ends_the_questions() -> None:
    def unreachable(request: httpx.Request, _: Send) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    backupctl = CommandLine(intercept=unreachable)
    run = backupctl("create", "-o", "json", environ={"BACKUPCTL_SERVER": HOST}, answers=LOGIN)
    assert (run.code, run.result["error"]["slug"]) == (5, "connection")


def test_typed_server_that_cannot_be_resolved_is_asked_for_again() -> None:
    def resolve_no_names(request: httpx.Request, _: Send) -> httpx.Response:
        cause = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise httpx.ConnectError(str(cause), request=request) from cause

    backupctl = CommandLine(intercept=resolve_no_names, others={HOST: {}})
    run = backupctl("list", "-o", "json", environ={}, answers=["vc1.example.com", *LOGIN, HOST])
    assert (run.code, run.result["server"]) == (0, HOST)
    assert any(wording.UNKNOWN_HOST_NAME in question for question in backupctl.prompter.questions)


ARCHIVE = f"{LOCATION}/vCenter/sn_{HOST}/S_8.0.0.10000_20260301-000000_"
RESTORE = ("restore", "create", "--location", ARCHIVE, "--no-wait", "-s", HOST, "-u", "root")


def test_restore_prompts_for_the_sso_administrator_that_the_archive_needs() -> None:
    backupctl = CommandLine(fresh=True, history=True)
    run = backupctl(*RESTORE, "--yes", answers=["", "", "", PASSWORD])
    assert run.code == 0
    assert backupctl.prompter.questions[3] == wording.ASK_SSO_PASSWORD(USER)
    assert backupctl.writes[-1][2]["piece"]["sso_admin_user_name"] == USER


@pytest.mark.parametrize("answers", [["", "", ""], None], ids=["terminal", "no terminal"])
def test_archive_that_needs_no_sso_administrator_is_validated_once(answers: list[str] | None) -> None:
    backupctl = CommandLine(fresh=True, history=True)
    backupctl(*[word.replace("/S_", "/M_") for word in RESTORE], "--yes", answers=answers)
    assert [path.rpartition("/")[2] for _, path, _ in backupctl.writes] == ["validate", "job"]


def test_restore_without_a_needed_sso_administrator_is_2_and_destroys_nothing() -> None:
    backupctl = CommandLine(fresh=True, history=True)
    run = backupctl(*RESTORE, "--yes", "-o", "json")
    assert (run.code, run.result["error"]["slug"]) == (2, "usage")
    assert [path for _, path, _ in backupctl.writes] == ["/rest/appliance/recovery/restore/validate"]
