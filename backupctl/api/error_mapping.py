"""Map responses and failed requests to errors.

The status of a response counts before the type in its body (``vapi_error``), because the appliance's dispatcher returns
``invalid_request`` for 404, 405, 415 and some 500s alike. While the services are down, the proxy in front of them
responds with HTML.
"""

import re
import socket
import ssl
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import msgspec

from backupctl.api.extensions import RAW_HEADERS, REDACT
from backupctl.api.login_problems import login_error
from backupctl.api.vapi_error import VapiError, unredacted, vapi_error
from backupctl.error_facts import UNKNOWN_RELEASE
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
    causes_of,
)
from backupctl.models import as_utc
from backupctl.network.http_transport import reason_of
from backupctl.secrets.redaction import Redact


def date_of(response: httpx.Response) -> datetime | None:
    """Return the time of a response: its ``Date``, plus its ``Age`` in a cache (RFC 9111, 5.1)."""
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
    """The operation of a request, such as "start a backup".

    ``not_found_possible`` says that a 404 may mean a missing resource. ``in_release`` says whether the appliance's
    release has the operation, None if unknown.
    """

    operation: str
    not_found_possible: bool = False
    in_release: bool | None = None


def raise_for_status(response: httpx.Response, info: OperationInfo) -> None:
    """Raise the error for a response other than 2xx."""
    if response.is_success:
        return
    api_error = vapi_error(response)
    error = _error_for(response, info, api_error)
    raise error.with_facts(
        server=response.request.url.host,
        operation=info.operation,
        status=response.status_code,
        certain=error.certain and not (api_error and api_error.kind in _UNCERTAIN),
    )


_UNCERTAIN: Final = frozenset({"TIMED_OUT", "CANCELED", "RESOURCE_BUSY", "CONCURRENT_CHANGE"})
"""Types of errors that an appliance may return while it executes the request, or another one like it."""


def _error_for(response: httpx.Response, info: OperationInfo, api_error: VapiError | None) -> BackupctlError:
    status, details = response.status_code, api_error.messages if api_error else ()
    if status == 400 and api_error and api_error.kind == "FEATURE_IN_USE":
        return BusyError(
            "another backup or restore is running",
            hint="follow it with `backupctl watch latest`, or use `backupctl create --if-running wait`",
            details=details,
        )
    if status == 401:
        return _unauthorized(api_error)
    if status == 403:
        return AuthorizationError(
            "$server does not allow this user to $operation ($status)"
            if api_error
            else f"$server could not $operation: {_NOT_VCENTER_STATUS}",
            hint="add the user to the SSO group SystemConfiguration.Administrators" if api_error else _MIDDLEBOX_HINT,
            details=details,
            certain=api_error is not None,
        )
    if status == 404:
        return _not_found(response, info, api_error)
    headers = response.extensions.get(RAW_HEADERS, response.headers)
    if response.is_redirect and "location" in headers:
        # The query may repeat secrets of ours. It is cut off after redaction, which needs each secret as a whole.
        target = _redacted(response, headers["location"]).partition("?")[0]
        return ApplianceAnswerError(
            "$server redirects to $cause ($status); backupctl does not follow redirects",
            cause=repr(target),
            hint="use the vCenter itself for --server, not a load balancer or portal",
            certain=False,
        )
    return _other_error(response, api_error)


_NOT_VCENTER: Final = "got HTTP {} from something other than vCenter (no vCenter error in the response)"
_NOT_VCENTER_STATUS: Final = _NOT_VCENTER.format("$status")
_MIDDLEBOX_HINT: Final = "check whether a proxy, firewall or login portal answered instead"


def _unauthorized(api_error: VapiError | None) -> AuthenticationError:
    """Return the error for a 401 from the appliance, or from something else."""
    if api_error is None:
        return AuthenticationError(
            f"$server could not $operation: {_NOT_VCENTER_STATUS}",
            hint=f"check the user name and password; {_MIDDLEBOX_HINT}",
            certain=False,
        )
    return login_error(api_error)


def _not_found(response: httpx.Response, info: OperationInfo, api_error: VapiError | None) -> BackupctlError:
    """Return the error for a 404: the operation, its service, or a resource is missing."""
    if api_error is None:
        return NotSupportedError(
            f"$server cannot $operation: {_NOT_VCENTER_STATUS}; its $release may not support it",
            release=UNKNOWN_RELEASE,
            certain=False,
        )
    if api_error.service_missing and info.in_release is not False:
        return ServiceMissingError(
            "$server could not $operation: the service is not running: $cause",
            cause=api_error.first,
            hint="run `service-control --status applmgmt` on the appliance; the service may still be starting",
            details=api_error.messages[1:],
            retryable=True,
        )
    if info.not_found_possible and not api_error.route_missing and not api_error.service_missing:
        return NotFoundError("$server cannot $operation: not found", details=api_error.messages)
    if info.in_release and not api_error.route_missing:
        return _other_error(response, api_error)
    return NotSupportedError(
        "$server cannot $operation: operation not found ($status)"
        if info.in_release
        else "$server cannot $operation: its $release does not support it ($status)",
        release=UNKNOWN_RELEASE,
        details=api_error.messages,
    )


_STARTING_HINT: Final = "try again in a few minutes: services may still be starting, or it is a passive vCenter HA node"

_SESSION_LIMIT_ID: Final = "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached"
_SESSION_LIMIT_HINT: Final = (
    "this account has too many sessions: log out in the scripts that share it, or use a separate account for backupctl"
)


def _other_error(response: httpx.Response, api_error: VapiError | None) -> ApplianceAnswerError:
    status = response.status_code
    retryable = status in {408, 429, 502, 503, 504}
    kind = ServerFaultError if status >= 500 else ApplianceAnswerError
    if api_error is not None:
        is_refusal = api_error.kind == "ERROR" and status in {400, 500} and bool(api_error.messages)
        session_limit = _SESSION_LIMIT_ID in api_error.ids
        return (OperationFailedError if is_refusal else kind)(
            "$server refused to $operation: $cause"
            if is_refusal
            else "$server could not $operation ($status $kind): $cause",
            cause=api_error.first,
            kind=api_error.kind,
            hint=_SESSION_LIMIT_HINT if session_limit else _STARTING_HINT if status == 503 else None,
            details=api_error.messages[1:],
            # After a gateway timeout or an internal error, the request may have taken effect.
            certain=is_refusal or (400 <= status < 500 and status != 408),
            retryable=retryable and not session_limit,
        )
    text = _first_line(response)
    status_text = f"{status} {response.reason_phrase}".strip()
    is_page = b"<" in response.content[:200]
    described = f"got an error page ({status_text})" if is_page else _NOT_VCENTER.format(status_text)
    return kind(
        "$server could not $operation ($1): $cause" if text else "$server could not $operation: $cause",
        cause=text or described,
        texts=(status_text,),
        hint=_STARTING_HINT if retryable and status >= 500 else None,
        certain=False,
        retryable=retryable,
    )


_MAX_TEXT_BYTES: Final = 2000
_MAX_LINE_LENGTH: Final = 200


def _first_line(response: httpx.Response) -> str:
    """Return the first line of a short plain text; empty for HTML, JSON and binary content.

    The proxy in front of the services sends such a text while they start, such as ``no healthy upstream``.
    """
    if len(response.content) > _MAX_TEXT_BYTES or re.search(rb"^\s*[\[{\"]|<", response.content):
        return ""
    try:
        line = response.content.decode().strip().partition("\n")[0].strip()
    except UnicodeDecodeError:
        return ""
    return _redacted(response, line)[:_MAX_LINE_LENGTH] if line.isprintable() else ""


def unreadable(response: httpx.Response, operation: str, why: Exception) -> ApplianceAnswerError:
    """Return the error for a 2xx response whose body is unusable.

    Unexpected JSON comes from the appliance, so a retry would get it again; other content may be a proxy's, so it may
    help.
    """
    is_json = isinstance(why, msgspec.ValidationError)
    body = "empty response" if not response.content else f"unreadable response: {why}"
    return ApplianceAnswerError(
        "could not $operation ($status): $cause",
        status=response.status_code,
        server=response.request.url.host,
        operation=operation,
        cause=body,
        hint="backupctl does not know this form of response; please report it with the vCenter release"
        if is_json
        else "check that this host is a vCenter Server appliance, and that no proxy answered instead",
        certain=False,
        retryable=not is_json,
    )


def unreachable(error: httpx.RequestError, host: str, operation: str) -> BackupctlError:
    """Return the error for a request without a response."""
    return _request_failure(error, host).with_facts(server=host, operation=operation)


def _request_failure(error: httpx.RequestError, host: str) -> BackupctlError:
    if isinstance(error, httpx.ConnectError):
        return _no_connection(error, host)
    if isinstance(error, httpx.ConnectTimeout):
        return ApplianceUnreachableError("connection timed out", hint=_FIREWALL_HINT)
    if isinstance(error, httpx.ProxyError):
        status = re.match(r"\d{3}", str(error))  # the proxy's text may hold our password for it
        refusal = f"the proxy refused the connection ({status[0]})" if status else "the proxy refused the connection"
        return ApplianceUnreachableError(refusal, hint="check the proxy settings")
    if isinstance(error, httpx.TimeoutException):
        return ApplianceUnreachableError("the request to $operation timed out", certain=False)
    if isinstance(error, httpx.DecodingError):
        return ApplianceAnswerError(
            "invalid response to the request to $operation: $cause", cause=str(error), certain=False, retryable=True
        )
    return ApplianceUnreachableError(
        "connection lost during the request to $operation", details=[str(error)], certain=False, retryable=True
    )


def _no_connection(error: httpx.ConnectError, host: str) -> BackupctlError:
    """Return the error for a connection that failed before anything was sent."""
    causes = list(causes_of(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return UnknownHostError("cannot resolve the host name $1", texts=(host,), hint="check the host name and DNS")
    for cause in causes:
        if isinstance(cause, _HANDSHAKE_CUT_OFF):
            return ApplianceUnreachableError("connection lost during the TLS handshake", retryable=True)
        if isinstance(cause, ssl.SSLError):
            return CertificateError(
                "TLS handshake failed: $cause",
                cause=str(getattr(cause, "reason", None) or cause),
                hint="check that this is an HTTPS port",
            )
    return ApplianceUnreachableError("connection failed: $cause", cause=reason_of(error), hint=_FIREWALL_HINT)


_HANDSHAKE_CUT_OFF: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""Errors of a handshake that ended early, as while the proxy of an appliance starts or stops."""

_FIREWALL_HINT: Final = "check that the host is up and that no firewall blocks the port"


def without_backup_api(error: NotSupportedError, *, of_api: bool) -> NotSupportedError:
    """Return the error for an appliance without any backup operation; with ``of_api``, only ``/api`` has none."""
    if of_api:
        sentence, hint = "$server cannot $operation: it has no backup API in /api ($status)", NOT_IN_API_HINT
    else:
        sentence = "$server cannot $operation: it has no backup API ($status)"
        hint = "check that this is a vCenter Server appliance, not vcsim, an ESXi host or a vCenter on Windows"
    return error.with_facts(message=sentence, hint=hint)


NOT_IN_API_HINT: Final = "omit --api, or use --api rest: releases before 7.0U2 need /rest"
"""The hint for a release that has logins, or backups, in ``/rest`` only."""
