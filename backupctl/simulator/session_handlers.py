"""Handlers of both session services: log in, show the session, log out."""

from collections.abc import Mapping
from typing import Any

from backupctl.simulator.api_errors import Message, RefusedError, message
from backupctl.simulator.appliance_state import ApplianceState
from backupctl.simulator.http_messages import API, REST, Response
from backupctl.simulator.operation_routes import OperationCall, OperationRoute
from backupctl.simulator.response_envelopes import success
from backupctl.simulator.simulated_runs import timestamp
from backupctl.simulator.user_sessions import SESSION_HEADER, UserSession

_ACCOUNT_PROBLEMS: Mapping[str, Message] = {
    "account-locked": message(
        "com.vmware.identity.account.locked", "User account is locked. Please contact your administrator."
    ),
    "password-expired": message(
        "com.vmware.identity.password.expired", "Exception in invoking authentication handler User password expired."
    ),
}
"""The message about an account, for each fault.

The texts are those of the login pages (https://knowledge.broadcom.com/external/article/326186 and
https://vswitchzero.com/2021/03/05/vcenter-vami-login-fails-due-to-expired-password/). The ids are UNCONFIRMED, as is
that the API sends these texts: the reference says that a 401 never gives the reason.
"""


def unauthenticated(*causes: Message) -> RefusedError:
    """Return the error for a wrong password and for a missing, unknown or expired session: always the same."""
    return RefusedError(
        "unauthenticated",
        message("com.vmware.vapi.endpoint.method.authentication.required", "Authentication required."),
        *causes,
    )


def account_problems(state: ApplianceState) -> list[Message]:
    """Return the messages of the faults that reject every password."""
    return [problem for fault, problem in _ACCOUNT_PROBLEMS.items() if state.faults.find(fault)]


def login(state: ApplianceState, call: OperationCall) -> Response:
    """Open a session, and set the session cookie unless ``vmware-use-header-authn`` is ``true``.

    govmomi's simulator does the same. VMware's Ruby SDK sends the header empty and expects the cookie.
    """
    problems = account_problems(state)
    session = None if problems else state.sessions.login(call.request.headers)
    if session is None:
        raise unauthenticated(*problems)
    response = success(call.family, session.token, status=200 if call.family == REST else 201)
    if call.request.headers.get("vmware-use-header-authn") == "true":
        return response
    secure = ";Secure" if state.secure_cookies else ""
    cookie = f"{SESSION_HEADER}={session.token};Path=/{call.family}{secure};HttpOnly"
    return Response(response.status, (*response.headers, ("Set-Cookie", cookie)), response.body)


def show_session(state: ApplianceState, call: OperationCall) -> dict[str, Any]:
    """Return the user and the times of the session; this request counts as use."""
    session = _session(state, call)
    return {
        "user": session.user,
        "created_time": timestamp(session.created_time),
        "last_accessed_time": timestamp(session.last_accessed_time),
    }


def logout(state: ApplianceState, call: OperationCall) -> None:
    """End the session."""
    state.sessions.close(_session(state, call))


def _session(state: ApplianceState, call: OperationCall) -> UserSession:
    session = state.sessions.find(call.request.headers)
    if session is None:
        raise unauthenticated()
    return session


_REST_PATH = "/com/vmware/cis/session"

ROUTES: tuple[OperationRoute, ...] = (
    OperationRoute("POST", _REST_PATH, login, families=(REST,), phase="login", public=True),
    OperationRoute("POST", _REST_PATH, show_session, families=(REST,), action="get", public=True),
    OperationRoute("DELETE", _REST_PATH, logout, families=(REST,), phase="logout", public=True),
    OperationRoute("POST", "/session", login, families=(API,), phase="login", public=True),
    OperationRoute("GET", "/session", show_session, families=(API,), public=True),
    OperationRoute("DELETE", "/session", logout, families=(API,), phase="logout", public=True),
    OperationRoute("POST", "/session", login, families=(REST,), phase="login", feature="api", public=True),
    OperationRoute("GET", "/session", show_session, families=(REST,), feature="api", public=True),
    OperationRoute("DELETE", "/session", logout, families=(REST,), phase="logout", feature="api", public=True),
)
"""The last three are for VMware's Python SDK in its REST mode (url template of its session stub, PyPI: vmware-vcenter
9.1, ``com/vmware/cis_client.py``). That an appliance has them is UNCONFIRMED.
"""
