"""Logging in, asking who one is, logging out: the operations of both session services."""

from collections.abc import Mapping
from typing import Any

from backupctl.simulator.api_errors import Message, RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.http_messages import API, REST, Response
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.response_envelopes import VOID, Void, success
from backupctl.simulator.simulated_runs import timestamp
from backupctl.simulator.user_sessions import SESSION_HEADER, UserSession

_ACCOUNT_TROUBLES: Mapping[str, Message] = {
    "account-locked": message(
        "com.vmware.identity.account.locked", "User account is locked. Please contact your administrator."
    ),
    "password-expired": message(
        "com.vmware.identity.password.expired", "Exception in invoking authentication handler User password expired."
    ),
}
"""What an appliance may say of an account by the fault of that name.

The texts are those of its login pages (https://knowledge.broadcom.com/external/article/326186 and
https://vswitchzero.com/2021/03/05/vcenter-vami-login-fails-due-to-expired-password/). That they reach the API is
UNCONFIRMED, as are the ids: the reference says that a 401 never tells what was wrong.
"""


def unauthenticated(*causes: Message) -> RefusedError:
    """Return the one refusal for a wrong password, a missing, an unknown and an expired session."""
    return RefusedError(
        "unauthenticated",
        message("com.vmware.vapi.endpoint.method.authentication.required", "Authentication required."),
        *causes,
    )


def account_trouble(state: ApplianceState) -> list[Message]:
    """Return why the faults of the appliance let nobody in with a password."""
    return [trouble for fault, trouble in _ACCOUNT_TROUBLES.items() if state.faults.named(fault)]


def login(state: ApplianceState, call: OperationCall) -> Response:
    """Open a session, and set the cookie of the same name unless ``vmware-use-header-authn`` is ``true``.

    So does govmomi's simulator; VMware's Ruby SDK sends the header empty, and wants the cookie.
    """
    trouble = account_trouble(state)
    session = None if trouble else state.sessions.login(call.request.headers)
    if session is None:
        raise unauthenticated(*trouble)
    answer = success(call.family, session.token, status=200 if call.family == REST else 201)
    if call.request.headers.get("vmware-use-header-authn") == "true":
        return answer
    secure = ";Secure" if state.secure_cookies else ""
    cookie = f"{SESSION_HEADER}={session.token};Path=/{call.family}{secure};HttpOnly"
    return Response(answer.status, (*answer.headers, ("Set-Cookie", cookie)), answer.body)


def show(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return whose session it is and its times; asking counts as use."""
    session = _session(state, call)
    return {
        "user": session.user,
        "created_time": timestamp(session.created_time),
        "last_accessed_time": timestamp(session.last_accessed_time),
    }


def logout(state: ApplianceState, call: OperationCall) -> Void:
    """End the session."""
    state.sessions.close(_session(state, call))
    return VOID


def _session(state: ApplianceState, call: OperationCall) -> UserSession:
    session = state.sessions.find(call.request.headers)
    if session is None:
        raise unauthenticated()
    return session


_REST_PATH = "/com/vmware/cis/session"

ROUTES: tuple[OperationRoute, ...] = (
    OperationRoute("POST", _REST_PATH, login, families=(REST,), phase="login", public=True),
    OperationRoute("POST", _REST_PATH, show, families=(REST,), action="get", public=True),
    OperationRoute("DELETE", _REST_PATH, logout, families=(REST,), phase="logout", public=True),
    OperationRoute("POST", "/session", login, families=(API,), phase="login", public=True),
    OperationRoute("GET", "/session", show, families=(API,), public=True),
    OperationRoute("DELETE", "/session", logout, families=(API,), phase="logout", public=True),
    OperationRoute("POST", "/session", login, families=(REST,), phase="login", feature="api", public=True),
    OperationRoute("GET", "/session", show, families=(REST,), feature="api", public=True),
    OperationRoute("DELETE", "/session", logout, families=(REST,), phase="logout", feature="api", public=True),
)
"""The last three are where VMware's Python SDK in its REST mode logs in (url template of its session stub, PyPI:
vmware-vcenter 9.1, ``com/vmware/cis_client.py``); that an appliance answers there is UNCONFIRMED.
"""
