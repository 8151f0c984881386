"""One wrong password never becomes five failed logins: each command sends it once."""

import pytest

from backupctl.simulator.user_sessions import FAILURES_UNTIL_LOCKED, LOCKED_SECONDS
from tests import wording
from tests.faults.commands import COMMANDS, Command, ways
from tests.faults.oracle import LOST_LOGINS
from tests.faults.play import Case, run_case
from tests.support.clock import FakeClock
from tests.support.command_line import CommandLine

EVERY_COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@pytest.mark.exhaustive
@EVERY_COMMAND
def test_command_with_a_wrong_password_makes_one_failed_login_and_nothing_else(command: Command) -> None:
    for way in ways(command):
        record = run_case(Case(command, way), password="other")
        assert (record.code, record.slug) == (command.code_for(4), "auth")
        assert record.appliance.failed_logins == 1
        assert [request.status for request in record.requests] == [401]
        assert record.new_jobs == []


REFUSALS_LOST = {
    "lost-login-answer": 5,
    "lost-login-answer=1": 4,
    "lost-login-answer=3": 5,
    "slow=400s@login": 5,
    "trickle": 5,
}
"""The exit code of a login whose refusal is lost; without a login (basic) only ``trickle`` has an effect."""


@pytest.mark.exhaustive
@EVERY_COMMAND
def test_command_whose_login_refusals_are_lost_sends_at_most_three_logins_in_five_minutes(
    command: Command,
) -> None:
    for way in ways(command):
        basic = command.basic or way == "basic"
        for fault, code in REFUSALS_LOST.items():
            record = run_case(Case(command, way, (fault,)), password="other")
            most = LOST_LOGINS * (1 + record.seconds // 300)
            assert LOST_LOGINS < FAILURES_UNTIL_LOCKED
            assert record.appliance.failed_logins <= most
            assert record.code == command.code_for(4 if basic and fault != "trickle" else code)
            assert record.new_jobs == []


@pytest.mark.exhaustive
@EVERY_COMMAND
@pytest.mark.parametrize("seconds", [1.0, 60.0, 119.0])
def test_password_changed_during_a_run_causes_one_failed_login(command: Command, seconds: float) -> None:
    for way in ways(command):
        record = run_case(Case(command, way, (f"session-expires-after={seconds:.0f}s",)), change_password_after=seconds)
        assert record.appliance.failed_logins <= 1
        assert record.code == command.code_for(4 if record.appliance.failed_logins else command.outcome)


@pytest.mark.parametrize(
    ("fault", "sentence", "hint"),
    [
        ("account-locked", "the account is locked", "unlock it"),
        ("password-expired", "the password has expired", "set a new password"),
    ],
)
@pytest.mark.parametrize("auth", ["session", "basic"])
def test_login_of_a_locked_or_expired_account_reports_the_reason(
    fault: str, sentence: str, hint: str, auth: str
) -> None:
    backupctl = CommandLine(faults=[fault])
    run = backupctl("list", "--auth", auth)
    assert run.code == 4
    assert f"{sentence}" in run.err
    assert hint in run.err
    assert len(backupctl.appliance.requests) == 1


@pytest.mark.parametrize("auth", ["session", "basic"])
def test_login_refused_without_a_reason_names_all_possible_reasons(auth: str) -> None:
    run = CommandLine(password="other")("list", "--auth", auth)
    assert run.code == 4
    assert wording.WRONG_LOGIN in run.err
    assert "The account may also be locked, or its password expired." in run.err
    assert ("federated users" in run.err, "316619" in run.err) == ((auth == "session"),) * 2
    assert "Not retrying" in run.err


def test_account_locked_by_wrong_passwords_can_log_in_five_minutes_later(clock: FakeClock) -> None:
    backupctl = CommandLine(clock=clock)
    wrong = backupctl.environ | {"BACKUPCTL_PASSWORD": "wrong"}
    codes = [backupctl("list", environ=wrong).code for _ in range(FAILURES_UNTIL_LOCKED)]
    assert {*codes, backupctl("list").code} == {4}
    clock.sleep(LOCKED_SECONDS)
    assert backupctl("list").code == 0
