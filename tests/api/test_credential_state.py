"""A wrong password is one failed login, however many appliances use it."""

from typing import Any

import pytest

from backupctl.api.credential_state import LOGIN_GRACE_SECONDS, CredentialState, CredentialStates
from backupctl.errors import AuthenticationError, SessionExpiredError
from backupctl.secrets.secret import Secret
from tests import wording
from tests.support.clock import FakeClock
from tests.support.scripted_transport import API_LOGIN, TOKEN, UNAUTHENTICATED, Reply, ScriptedTransport, api_over

LOGIN = "POST /api/session"
JOBS = "GET /api/appliance/recovery/backup/job"
REST_JOBS = "GET /rest/appliance/recovery/backup/job"


def test_rejected_credentials_are_not_sent_to_other_appliances(clock: FakeClock) -> None:
    state = CredentialState()
    first, second = ScriptedTransport({LOGIN: UNAUTHENTICATED}), ScriptedTransport(API_LOGIN)
    with pytest.raises(AuthenticationError):
        api_over(first, clock, credential_state=state, host="vc1").jobs()
    assert state.rejected
    with pytest.raises(AuthenticationError) as caught:
        api_over(second, clock, credential_state=state, host="vc2:8443").jobs()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc2:8443", "vc1")
    assert (first.asked, second.asked) == ([LOGIN], [])


def test_credentials_are_accepted_after_a_login(clock: FakeClock) -> None:
    state = CredentialState()
    api_over(ScriptedTransport({**API_LOGIN, JOBS: Reply(200, [])}), clock, credential_state=state).jobs()
    assert (state.accepted, state.rejected) == (True, False)


def test_rejected_credentials_end_an_open_session_only_when_it_expires(clock: FakeClock) -> None:
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


def test_credentials_rejected_with_basic_authentication_are_not_sent_to_other_appliances(clock: FakeClock) -> None:
    state = CredentialState()
    first, second = ScriptedTransport({REST_JOBS: UNAUTHENTICATED}), ScriptedTransport({})
    with pytest.raises(AuthenticationError):
        api_over(first, clock, credential_state=state, host="vc1", basic=True).jobs()
    with pytest.raises(AuthenticationError) as caught:
        api_over(second, clock, credential_state=state, host="vc2", basic=True).jobs()
    assert (caught.value.facts.server, caught.value.facts.cause) == ("vc2", "vc1")
    assert second.asked == []


@pytest.mark.parametrize("seconds", [LOGIN_GRACE_SECONDS, LOGIN_GRACE_SECONDS + 1])
def test_expired_session_leaves_credentials_accepted_only_in_the_grace_period(seconds: float, clock: FakeClock) -> None:
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


def test_same_user_and_password_share_one_state() -> None:
    states = CredentialStates()
    state = states.of("Administrator@vsphere.local", Secret("a"))
    assert states.of("administrator@VSPHERE.LOCAL", Secret("a")) is state
    assert states.of("administrator@vsphere.local", Secret("b")) is not state
    assert states.of("root", Secret("a")) is not state


def test_error_names_the_first_appliance_that_rejected_the_credentials() -> None:
    state = CredentialState()
    state.mark_rejected("vc1")
    state.mark_rejected("vc2")
    with pytest.raises(AuthenticationError) as caught:
        state.check_not_rejected("vc3")
    assert caught.value.message == f"vc3: {wording.LOGIN_SKIPPED('vc1')}"
    assert "vCenter locks an account" in str(caught.value.hint)


def test_new_credentials_are_neither_accepted_nor_rejected() -> None:
    state = CredentialState()
    state.check_not_rejected("vc1")
    assert (state.accepted, state.rejected) == (False, False)


@pytest.mark.parametrize(("now", "accepted"), [(105.0, True), (105.001, False), (100.0, True)])
def test_grace_period_is_five_seconds_from_the_last_login(now: float, accepted: bool) -> None:
    state = CredentialState()
    state.mark_accepted(3.0)
    state.mark_accepted(100.0)
    state.mark_session_expired(now)
    assert state.accepted is accepted


def test_expired_session_does_not_make_credentials_accepted() -> None:
    state = CredentialState()
    state.mark_session_expired(1.0)
    assert state.accepted is False
