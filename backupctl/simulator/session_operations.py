"""Logging in, asking who one is, logging out: the operations of both session services."""

from typing import TYPE_CHECKING, Any

from backupctl.simulator.envelopes import VOID, Void, result
from backupctl.simulator.jobs import timestamp
from backupctl.simulator.routes import Call, Route
from backupctl.simulator.sessions import SESSION_HEADER, Session
from backupctl.simulator.wire import API, REST, Answer, RefusedError, message

if TYPE_CHECKING:
    from backupctl.simulator.appliance import Appliance


def unauthenticated() -> RefusedError:
    """Return the one refusal for a wrong password, a missing, an unknown and an expired session."""
    return RefusedError(
        "unauthenticated",
        message("com.vmware.vapi.endpoint.method.authentication.required", "Authentication required."),
    )


def login(appliance: "Appliance", call: Call) -> Answer:
    """Open a session, and set the cookie of the same name unless ``vmware-use-header-authn`` asks for the header."""
    session = appliance.sessions.login(call.request.headers)
    if session is None:
        raise unauthenticated()
    answer = result(call.family, session.token, status=200 if call.family == REST else 201)
    if "vmware-use-header-authn" in call.request.headers:
        return answer
    secure = ";Secure" if appliance.secure_cookies else ""
    cookie = f"{SESSION_HEADER}={session.token};Path=/{call.family}{secure};HttpOnly"
    return Answer(answer.status, (*answer.headers, ("Set-Cookie", cookie)), answer.body)


def show(appliance: "Appliance", call: Call) -> dict[str, Any]:
    """Return whose session it is and its times; asking counts as use."""
    session = _session(appliance, call)
    return {
        "user": session.user,
        "created_time": timestamp(session.created_time),
        "last_accessed_time": timestamp(session.last_accessed_time),
    }


def logout(appliance: "Appliance", call: Call) -> Void:
    """End the session."""
    appliance.sessions.close(_session(appliance, call))
    return VOID


def _session(appliance: "Appliance", call: Call) -> Session:
    session = appliance.sessions.find(call.request.headers)
    if session is None:
        raise unauthenticated()
    return session


_REST_PATH = "/com/vmware/cis/session"

ROUTES: tuple[Route, ...] = (
    Route("POST", _REST_PATH, login, families=(REST,), phase="login", public=True),
    Route("POST", _REST_PATH, show, families=(REST,), action="get", public=True),
    Route("DELETE", _REST_PATH, logout, families=(REST,), phase="logout", public=True),
    Route("POST", "/session", login, families=(API,), phase="login", public=True),
    Route("GET", "/session", show, families=(API,), public=True),
    Route("DELETE", "/session", logout, families=(API,), phase="logout", public=True),
    Route("POST", "/session", login, families=(REST,), phase="login", feature="api", public=True),
    Route("GET", "/session", show, families=(REST,), feature="api", public=True),
    Route("DELETE", "/session", logout, families=(REST,), phase="logout", feature="api", public=True),
)
"""The last three are where VMware's Python SDK in its REST mode logs in (url template of its session stub, PyPI:
vmware-vcenter 9.1, ``com/vmware/cis_client.py``); that an appliance answers there is UNCONFIRMED.
"""
