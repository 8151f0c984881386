"""One wrong password is one failed login, whatever the number of appliances."""

from typing import Any

import pytest

from backupctl.api.credential_state import LOGIN_GRACE_SECONDS, CredentialState, CredentialStates
from backupctl.errors import AuthenticationError, SessionExpiredError
from backupctl.secrets.secret import Secret
from tests.support.clock import FakeClock
from tests.support.scripted_transport import API_LOGIN, TOKEN, UNAUTHENTICATED, Reply, ScriptedTransport, api_over

LOGIN = "POST /api/session"
JOBS = "GET /api/appliance/recovery/backup/job"
OTHER_JOBS = "GET /rest/appliance/recovery/backup/job"


def test_account_that_was_refused_is_shown_to_no_other_appliance(clock: FakeClock) -> None:
    state = CredentialState()
    first, second = ScriptedTransport({LOGIN: UNAUTHENTICATED}), ScriptedTransport(API_LOGIN)
    with pytest.raises(AuthenticationError):
        api_over(first, clock, credential_state=state, host="vc1").jobs()
    assert state.rejected
    with pytest.raises(AuthenticationError) as caught:
        api_over(second, clock, credential_state=state, host="vc2:8443").jobs()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc2:8443", "vc1")
    assert (first.asked, second.asked) == ([LOGIN], [])


def test_account_that_was_let_in_is_proven(clock: FakeClock) -> None:
    state = CredentialState()
    api_over(ScriptedTransport({**API_LOGIN, JOBS: Reply(200, [])}), clock, credential_state=state).jobs()
    assert (state.accepted, state.rejected) == (True, False)


def test_account_that_was_refused_ends_a_session_only_when_it_must_log_in_again(clock: FakeClock) -> None:
    state = CredentialState()
    wire = ScriptedTransport({**API_LOGIN, JOBS: [Reply(200, []), Reply(200, []), UNAUTHENTICATED]})
    api = api_over(wire, clock, credential_state=state, host="vc1")
    api.jobs()
    state.mark_rejected("vc2")
    assert api.jobs() == []
    with pytest.raises(SessionExpiredError):
        api.jobs()
    with pytest.raises(AuthenticationError) as caught:
        api.log_in()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc1", "vc2")
    assert wire.asked.count(LOGIN) == 1


def test_account_refused_with_each_request_is_shown_to_no_other_appliance(clock: FakeClock) -> None:
    state = CredentialState()
    first, second = ScriptedTransport({OTHER_JOBS: UNAUTHENTICATED}), ScriptedTransport({})
    with pytest.raises(AuthenticationError):
        api_over(first, clock, credential_state=state, host="vc1", basic=True).jobs()
    with pytest.raises(AuthenticationError) as caught:
        api_over(second, clock, credential_state=state, host="vc2", basic=True).jobs()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc2", "vc1")
    assert second.asked == []


@pytest.mark.parametrize("seconds", [LOGIN_GRACE_SECONDS, LOGIN_GRACE_SECONDS + 1])
def test_account_whose_session_expired_is_doubtful_if_it_was_not_let_in_just_now(
    seconds: float, clock: FakeClock
) -> None:
    state = CredentialState()
    replies: dict[str, Any] = {
        LOGIN: Reply(201, TOKEN),
        JOBS: [Reply(200, []), UNAUTHENTICATED],
        "DELETE /api/session": Reply(204),
    }
    api = api_over(ScriptedTransport(replies), clock, credential_state=state)
    api.jobs()
    clock.sleep(seconds)
    with pytest.raises(SessionExpiredError):
        api.jobs()
    assert (state.accepted, state.rejected) == (seconds <= LOGIN_GRACE_SECONDS, False)
    api.log_in()
    assert (state.accepted, state.rejected) == (True, False)


def test_accounts_of_the_same_user_and_password_are_one() -> None:
    accounts = CredentialStates()
    one = accounts.of("Administrator@vsphere.local", Secret("a"))
    assert accounts.of("administrator@VSPHERE.LOCAL", Secret("a")) is one
    assert accounts.of("administrator@vsphere.local", Secret("b")) is not one
    assert accounts.of("root", Secret("a")) is not one


def test_account_keeps_who_refused_it_first_and_says_why_no_other_is_asked() -> None:
    state = CredentialState()
    state.mark_rejected("vc1")
    state.mark_rejected("vc2")
    with pytest.raises(AuthenticationError) as caught:
        state.check_not_rejected("vc3")
    assert caught.value.message == "vc3: not logged in, as vc1 refused this user and password"
    assert caught.value.hint == "vCenter locks an account after a few wrong passwords, across linked appliances"


def test_account_that_nobody_refused_may_log_in() -> None:
    state = CredentialState()
    state.check_not_rejected("vc1")
    assert (state.accepted, state.rejected) == (False, False)


@pytest.mark.parametrize(("now", "proven"), [(105.0, True), (105.001, False), (100.0, True)])
def test_account_is_doubted_from_five_seconds_behind_its_last_login_on(now: float, proven: bool) -> None:
    state = CredentialState()
    state.mark_accepted(3.0)
    state.mark_accepted(100.0)
    state.mark_session_expired(now)
    assert state.accepted is proven


def test_account_that_was_never_let_in_stays_unproven_when_it_is_doubted() -> None:
    state = CredentialState()
    state.mark_session_expired(1.0)
    assert state.accepted is False
