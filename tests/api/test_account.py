"""One wrong password is one failed login, whatever the number of appliances."""

from typing import Any

import pytest

from backupctl.api.account import FRESH_SECONDS, Account, Accounts
from backupctl.errors import AuthenticationError, SessionExpiredError
from backupctl.secrets.secret import Secret
from tests.support.clock import FakeClock
from tests.support.scripted_transport import API_LOGIN, TOKEN, UNAUTHENTICATED, Reply, ScriptedTransport, api_over

LOGIN = "POST /api/session"
JOBS = "GET /api/appliance/recovery/backup/job"
OTHER_JOBS = "GET /rest/appliance/recovery/backup/job"


def test_account_that_was_refused_is_shown_to_no_other_appliance(clock: FakeClock) -> None:
    account = Account()
    first, second = ScriptedTransport({LOGIN: UNAUTHENTICATED}), ScriptedTransport(API_LOGIN)
    with pytest.raises(AuthenticationError):
        api_over(first, clock, account=account, host="vc1").jobs()
    assert account.refused
    with pytest.raises(AuthenticationError) as caught:
        api_over(second, clock, account=account, host="vc2:8443").jobs()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc2:8443", "vc1")
    assert (first.asked, second.asked) == ([LOGIN], [])


def test_account_that_was_let_in_is_proven(clock: FakeClock) -> None:
    account = Account()
    api_over(ScriptedTransport({**API_LOGIN, JOBS: Reply(200, [])}), clock, account=account).jobs()
    assert (account.proven, account.refused) == (True, False)


def test_account_that_was_refused_ends_a_session_only_when_it_must_log_in_again(clock: FakeClock) -> None:
    account = Account()
    wire = ScriptedTransport({**API_LOGIN, JOBS: [Reply(200, []), Reply(200, []), UNAUTHENTICATED]})
    api = api_over(wire, clock, account=account, host="vc1")
    api.jobs()
    account.refuse("vc2")
    assert api.jobs() == []
    with pytest.raises(SessionExpiredError):
        api.jobs()
    with pytest.raises(AuthenticationError) as caught:
        api.log_in()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc1", "vc2")
    assert wire.asked.count(LOGIN) == 1


def test_account_refused_with_each_request_is_shown_to_no_other_appliance(clock: FakeClock) -> None:
    account = Account()
    first, second = ScriptedTransport({OTHER_JOBS: UNAUTHENTICATED}), ScriptedTransport({})
    with pytest.raises(AuthenticationError):
        api_over(first, clock, account=account, host="vc1", basic=True).jobs()
    with pytest.raises(AuthenticationError) as caught:
        api_over(second, clock, account=account, host="vc2", basic=True).jobs()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc2", "vc1")
    assert second.asked == []


@pytest.mark.parametrize("seconds", [FRESH_SECONDS, FRESH_SECONDS + 1])
def test_account_whose_session_expired_is_doubtful_if_it_was_not_let_in_just_now(
    seconds: float, clock: FakeClock
) -> None:
    account = Account()
    replies: dict[str, Any] = {
        LOGIN: Reply(201, TOKEN),
        JOBS: [Reply(200, []), UNAUTHENTICATED],
        "DELETE /api/session": Reply(204),
    }
    api = api_over(ScriptedTransport(replies), clock, account=account)
    api.jobs()
    clock.sleep(seconds)
    with pytest.raises(SessionExpiredError):
        api.jobs()
    assert (account.proven, account.refused) == (seconds <= FRESH_SECONDS, False)
    api.log_in()
    assert (account.proven, account.refused) == (True, False)


def test_accounts_of_the_same_user_and_password_are_one() -> None:
    accounts = Accounts()
    one = accounts.of("Administrator@vsphere.local", Secret("a"))
    assert accounts.of("administrator@VSPHERE.LOCAL", Secret("a")) is one
    assert accounts.of("administrator@vsphere.local", Secret("b")) is not one
    assert accounts.of("root", Secret("a")) is not one


def test_account_keeps_who_refused_it_first_and_says_why_no_other_is_asked() -> None:
    account = Account()
    account.refuse("vc1")
    account.refuse("vc2")
    with pytest.raises(AuthenticationError) as caught:
        account.check("vc3")
    assert caught.value.message == "vc3: not logged in, as vc1 refused this user and password"
    assert caught.value.hint == "vCenter locks an account after a few wrong passwords, across linked appliances"


def test_account_that_nobody_refused_may_log_in() -> None:
    account = Account()
    account.check("vc1")
    assert (account.proven, account.refused) == (False, False)


@pytest.mark.parametrize(("now", "proven"), [(105.0, True), (105.001, False), (100.0, True)])
def test_account_is_doubted_from_five_seconds_behind_its_last_login_on(now: float, proven: bool) -> None:
    account = Account()
    account.prove(3.0)
    account.prove(100.0)
    account.doubt(now)
    assert account.proven is proven


def test_account_that_was_never_let_in_stays_unproven_when_it_is_doubted() -> None:
    account = Account()
    account.doubt(1.0)
    assert account.proven is False
