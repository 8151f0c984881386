"""From the wire to values and errors: the one place where statuses and error bodies (``vapi_error``) get their meaning.

A proxy in front of the services answers with HTML while they are down. The status decides before the type, because the
appliance's dispatcher says ``invalid_request`` for 404, 405, 415 and some 500s alike.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import msgspec

from backupctl.api.extensions import RAW_HEADERS, REDACT
from backupctl.api.vapi_error import VapiError, unredacted, vapi_error
from backupctl.errors import (
    ApplianceAnswerError,
    ApplianceUnreachableError,
    AuthenticationError,
    AuthorizationError,
    BackupctlError,
    BusyError,
    CertificateError,
    NotFoundError,
    NotSupportedError,
    OperationFailedError,
    ServerFaultError,
    ServiceMissingError,
    UnknownHostError,
)
from backupctl.models import as_utc
from backupctl.secrets.redaction import Redact


def date_of(response: httpx.Response) -> datetime | None:
    """Return when an answer was given: its ``Date``, and from a cache its ``Age`` as well (RFC 9111, 5.1)."""
    age = response.headers.get("age", "")
    seconds = int(age) if re.fullmatch("[0-9]{1,10}", age) else 0
    try:
        return as_utc(parsedate_to_datetime(response.headers["date"]) + timedelta(seconds=seconds))
    except (KeyError, ValueError, OverflowError):
        return None


def _redacted(response: httpx.Response, text: str) -> str:
    redact: Redact = response.extensions.get(REDACT, unredacted)
    return redact(text)


class OperationInfo(msgspec.Struct, frozen=True):
    """What a request was for: ``operation`` is like "start a backup".

    ``not_found_possible`` says that a 404 may mean a missing resource; ``lacking`` that the release of the appliance
    is known not to have the operation, ``available`` that it is known to have it.
    """

    operation: str
    not_found_possible: bool = False
    lacking: bool = False
    available: bool = False


def raise_for_status(response: httpx.Response, info: OperationInfo) -> None:
    """Raise the error that an answer other than 2xx means."""
    if response.is_success:
        return
    said = vapi_error(response)
    error = _error_for(response, info, said)
    raise error.with_facts(
        server=response.request.url.host,
        operation=info.operation,
        status=response.status_code,
        certain=error.certain and not (said and said.kind in _UNCERTAIN),
    )


_UNCERTAIN: Final = frozenset({"TIMED_OUT", "CANCELED", "RESOURCE_BUSY", "CONCURRENT_CHANGE"})
"""Errors that an appliance may give while it carries out the request, or another one like it, whatever the status."""


def _error_for(response: httpx.Response, info: OperationInfo, said: VapiError | None) -> BackupctlError:
    status, details = response.status_code, said.messages if said else ()
    if status == 400 and said and said.kind == "FEATURE_IN_USE":
        return BusyError(
            "another backup or restore is running",
            hint="`backupctl watch latest` follows it; --if-running wait or attach makes create do so",
            details=details,
        )
    if status == 401:
        return _unauthorized(said)
    if status == 403:
        return AuthorizationError(
            "$server does not allow this user to $operation ($status)"
            if said
            else f"$server could not $operation: {_NOT_VCENTER_STATUS}",
            hint="the user must be a member of the SSO group SystemConfiguration.Administrators"
            if said
            else _MIDDLEBOX_HINT,
            details=details,
            certain=said is not None,
        )
    if status == 404:
        return _not_found(response, info, said)
    received = response.extensions.get(RAW_HEADERS, response.headers)
    if response.is_redirect and "location" in received:
        # A query may repeat ours. What is left without it must not be the half of a secret.
        elsewhere = _redacted(response, received["location"]).partition("?")[0]
        return ApplianceAnswerError(
            "$server redirects to $cause ($status), which is never followed",
            cause=repr(elsewhere),
            hint="name the vCenter itself with --server, not a load balancer or portal",
            certain=False,
        )
    return _other_error(response, said)


_NOT_VCENTER: Final = "got HTTP {} from something other than vCenter (no vCenter error in the answer)"
_NOT_VCENTER_STATUS: Final = _NOT_VCENTER.format("$status")
_MIDDLEBOX_HINT: Final = "a proxy, firewall or login portal in between may have answered"


def _unauthorized(said: VapiError | None) -> AuthenticationError:
    """Return the error for a 401: the appliance hardly ever tells why, and then somewhere among its messages."""
    if said is None:
        return AuthenticationError(
            f"$server could not $operation: {_NOT_VCENTER_STATUS}",
            hint=f"{_MIDDLEBOX_HINT}; else the user name or password is wrong",
            certain=False,
        )
    details = said.messages
    told = " ".join((*details, *said.ids))
    trouble, hint = next(
        ((trouble, hint) for pattern, trouble, hint in _LOGIN_PROBLEMS if pattern.search(told)),
        ("wrong user name or password", None),
    )
    return AuthenticationError(
        "$server refused the login ($status): $cause",
        cause=trouble,
        hint=hint,
        details=details,
    )


_LOGIN_PROBLEMS: Final = (
    (
        re.compile(r"\b(un)?lock(ed|out)\b|accountlocked", re.IGNORECASE),
        "the account is locked",
        "an SSO administrator unlocks it in the vSphere Client; by default it unlocks itself after 5 minutes",
    ),
    (
        re.compile(r"password\W+(has\W+|is\W+)?expired|expired\W+password|passwordexpired", re.IGNORECASE),
        "the password has expired",
        "its owner sets a new one: of an SSO user in the vSphere Client, of root on the console or with ssh",
    ),
)
"""What a 401 may tell of an account: by words of the login pages, as no words of the API are documented.

Sources: https://knowledge.broadcom.com/external/article/326186 (User account is locked),
https://vswitchzero.com/2021/03/05/vcenter-vami-login-fails-due-to-expired-password/ (User password expired).
"""


def _not_found(response: httpx.Response, info: OperationInfo, said: VapiError | None) -> BackupctlError:
    """Return the error for a 404: of an operation, of its service, or of a thing that the request names."""
    if said is None:
        return NotSupportedError(
            f"$server cannot $operation: {_NOT_VCENTER_STATUS}; perhaps its $release does not have this operation",
            certain=False,
        )
    if said.service_missing and not info.lacking:
        return ServiceMissingError(
            "$server could not $operation: the service is not running: $cause",
            cause=said.first,
            hint="applmgmt may be down or still starting; see `service-control --status applmgmt` on the appliance",
            details=said.messages[1:],
            retryable=True,
        )
    if info.not_found_possible and not said.route_missing and not said.service_missing:
        return NotFoundError("not found on $server: cannot $operation", details=said.messages)
    if info.available and not said.route_missing:
        return _other_error(response, said)
    return NotSupportedError(
        "$server cannot $operation: operation not found ($status)"
        if info.available
        else "$server cannot $operation: its $release does not have this operation ($status)",
        details=said.messages,
    )


_STARTING_HINT: Final = "the appliance's services may still be starting; try again in a few minutes"

_SESSION_LIMIT_ID: Final = "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached"
_SESSION_LIMIT_HINT: Final = (
    "this account has used up its sessions: let the scripts that share it log out, or give backupctl an account of its"
    " own; idle sessions end by themselves"
)


def _other_error(response: httpx.Response, said: VapiError | None) -> ApplianceAnswerError:
    status = response.status_code
    retryable = status in {408, 429, 502, 503, 504}
    kind = ServerFaultError if status >= 500 else ApplianceAnswerError
    if said is not None:
        refused = said.kind == "ERROR" and status in {400, 500} and bool(said.messages)
        full = _SESSION_LIMIT_ID in said.ids
        return (OperationFailedError if refused else kind)(
            "$server refused to $operation: $cause"
            if refused
            else "$server could not $operation ($status $kind): $cause",
            cause=said.first,
            kind=said.kind,
            hint=_SESSION_LIMIT_HINT if full else _STARTING_HINT if status == 503 else None,
            details=said.messages[1:],
            # A gateway timeout or an internal error may come behind a request that was carried out.
            certain=refused or (400 <= status < 500 and status != 408),
            retryable=retryable and not full,
        )
    text = _first_line(response)
    came = f"{status} {response.reason_phrase}".strip()
    is_page = b"<" in response.content[:200]
    what = f"an error page came back ({came})" if is_page else _NOT_VCENTER.format(came)
    return kind(
        f"$server could not $operation ({came}): $cause" if text else "$server could not $operation: $cause",
        cause=text or what,
        hint=_STARTING_HINT if retryable and status >= 500 else None,
        certain=False,
        retryable=retryable,
    )


_MAX_TEXT_BYTES: Final = 2000
_MAX_LINE_LENGTH: Final = 200


def _first_line(response: httpx.Response) -> str:
    """Return the first line of a short plain text; empty for a page, JSON, or what cannot be read.

    The proxy in front of the services writes one while they start, such as ``no healthy upstream``.
    """
    if len(response.content) > _MAX_TEXT_BYTES or re.search(rb"^\s*[\[{\"]|<", response.content):
        return ""
    try:
        line = response.content.decode().strip().partition("\n")[0].strip()
    except UnicodeDecodeError:
        return ""
    return _redacted(response, line)[:_MAX_LINE_LENGTH] if line.isprintable() else ""


def unreadable(response: httpx.Response, operation: str, why: Exception) -> ApplianceAnswerError:
    """Return the error for a 2xx whose body cannot be used.

    JSON of another form is what the appliance says and will say again; anything else may be a proxy's, and may pass.
    """
    is_json = isinstance(why, msgspec.ValidationError)
    body = "an empty answer" if not response.content else f"an answer that cannot be read: {why}"
    return ApplianceAnswerError(
        "asked to $operation, $cause came back ($status)",
        status=response.status_code,
        server=response.request.url.host,
        operation=operation,
        cause=body,
        hint="a form of the answer that backupctl does not know; please report it with the release of the appliance"
        if is_json
        else "a proxy in between may have answered; is this host a vCenter Server appliance?",
        certain=False,
        retryable=not is_json,
    )


def unreachable(error: httpx.RequestError, host: str, operation: str) -> BackupctlError:
    """Return the error for a request that got no answer."""
    return _unanswered(error).with_facts(server=host, operation=operation)


def _unanswered(error: httpx.RequestError) -> BackupctlError:
    if isinstance(error, httpx.ConnectError):
        return _no_connection(error)
    if isinstance(error, httpx.ConnectTimeout):
        sentence = "$server does not accept connections in time"
        return ApplianceUnreachableError(sentence, hint=_FIREWALL_HINT)
    if isinstance(error, httpx.ProxyError):
        status = re.match(r"\d{3}", str(error))  # what follows are words of the proxy, which knows our password for it
        refusal = f"the proxy refuses ({status[0]})" if status else "the proxy refuses"
        return ApplianceUnreachableError(refusal, hint="check the proxy settings")
    if isinstance(error, httpx.TimeoutException):
        sentence = "$server gave no answer in time, asked to $operation"
        return ApplianceUnreachableError(sentence, certain=False)
    if isinstance(error, httpx.DecodingError):
        return ApplianceAnswerError("asked to $operation: $cause", cause=str(error), certain=False, retryable=True)
    return ApplianceUnreachableError(
        "$server dropped the connection, asked to $operation",
        details=[str(error)],
        certain=False,
        retryable=True,
    )


def _no_connection(error: httpx.ConnectError) -> BackupctlError:
    """Return the error for a connection that could not be set up, so that nothing was sent."""
    causes = list(causes_of(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        hint = "check --server and the name resolution"
        return UnknownHostError("no such host name", hint=hint)
    for cause in causes:
        if isinstance(cause, _HANDSHAKE_CUT_OFF):
            sentence = "$server dropped the connection during the TLS handshake"
            return ApplianceUnreachableError(sentence, retryable=True)
        if isinstance(cause, ssl.SSLError):
            return CertificateError(
                "TLS could not be set up: $cause",
                cause=str(getattr(cause, "reason", None) or cause),
                hint="is this an HTTPS port?",
            )
    return ApplianceUnreachableError("cannot connect: $cause", cause=_reason(error), hint=_FIREWALL_HINT)


def proxy_unreachable(error: Exception, proxy: str) -> ApplianceUnreachableError:
    """Return the error for a proxy, ``HOST:PORT``, to which no connection could be set up."""
    unknown = any(isinstance(cause, socket.gaierror) for cause in causes_of(error))
    return ApplianceUnreachableError(
        f"the proxy {proxy} cannot be reached: $cause",
        cause="no such host name" if unknown else _reason(error),
        hint="check --proxy, HTTPS_PROXY or proxy in the configuration file; `none` goes without one",
    )


def _reason(error: Exception) -> str:
    """Return what the operating system says of a connection, else what the library does."""
    said = (cause.strerror for cause in causes_of(error) if isinstance(cause, OSError) and cause.strerror)
    return next(said, str(error))


_HANDSHAKE_CUT_OFF: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""What a handshake says that ended too early, as it does while the proxy of an appliance starts or stops."""

_FIREWALL_HINT: Final = "is the host up, and does a firewall in between let this port through?"


def without_backup_api(error: NotSupportedError, *, of_api: bool) -> NotSupportedError:
    """Return the error for an operation that is missing like all others of its kind, ``of_api`` in ``/api`` only."""
    if of_api:
        sentence, hint = "$server cannot $operation: it has no backup API in /api ($status)", NOT_IN_API_HINT
    else:
        sentence = "$server cannot $operation: it has no backup API ($status)"
        hint = "only a vCenter Server Appliance has one: not vcsim, an ESXi host or a vCenter on Windows"
    return error.with_facts(message=sentence, hint=hint)


NOT_IN_API_HINT: Final = "releases before 7.0U2 have none there: leave --api out, or say --api rest"
"""What to do where a release has a login, or backups, in ``/rest`` only."""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
