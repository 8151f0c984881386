"""Envelopes of both API families: how each wraps results, maps, errors and unknown paths."""

import json
from typing import Any

from backupctl.simulator.api_errors import RefusedError, message
from backupctl.simulator.http_messages import JSON_TYPE, REST, Family, Response
from backupctl.simulator.releases import Release

_CHALLENGE = (
    'Basic realm="VAPI endpoint",SIGN realm=8d1c3f5e0b7a49d26c1e8f0a3b5d7c9e1f2a4b6c,'
    'service="VAPI endpoint",sts="https://vcsa.simulator.test/sts/STSService/vsphere.local"'
)

_NOT_FOUND_ID = "com.vmware.vapi.rest.httpNotFound"


class KeyedMap(dict[str, Any]):
    """A result that is a map: a JSON object in /api, a list of ``key`` and ``value`` in /rest."""


def success(family: Family, value: object, method: str = "POST", status: int = 200) -> Response:
    """Return a successful response.

    None has no body: in /rest it is 200 (204 for DELETE) with a JSON content type, in /api 204.
    """
    if value is None:
        if family == REST:
            return Response(204 if method == "DELETE" else 200, (("Content-Type", JSON_TYPE),))
        return Response(204)
    if family == REST:
        if isinstance(value, KeyedMap):
            value = [{"key": key, "value": item} for key, item in value.items()]
        value = {"value": value}
    return json_response(status, value)


def json_response(status: int, value: object) -> Response:
    """Return a response with any JSON value."""
    return Response(status, (("Content-Type", JSON_TYPE),), json.dumps(value, separators=(",", ":")).encode())


def failure(family: Family, error: RefusedError, release: Release) -> Response:
    """Return a standard error as a response; releases before 7.0 omit ``error_type`` in /rest."""
    has_type = family != REST or "error-type" in release.features
    content: dict[str, Any] = {"error_type": error.name.upper()} if has_type else {}
    content["messages"] = list(error.messages)
    if error.name == "unauthenticated" and family == REST and has_type:
        content["challenge"] = _CHALLENGE
    if family == REST:
        content = {"type": f"com.vmware.vapi.std.errors.{error.name}", "value": content}
    return json_response(error.status, content)


def unknown_path(family: Family | None, release: Release) -> Response:
    """Return the 404 for an unknown path or method: /rest, /api and the proxy each have their own.

    On a release without /api, a path there gets the 404 of /rest.
    """
    if family is None:
        return proxy_page(404, "Not Found")
    if family == REST or release.api == "none":
        found = {"defaultMessage": "Not found.", "id": _NOT_FOUND_ID}
        return json_response(404, {"name": _NOT_FOUND_ID, "localizableMessages": [found], "majorErrorCode": 404})
    return json_response(404, {"error_type": "NOT_FOUND", "messages": [message(_NOT_FOUND_ID, "Not found.")]})


def proxy_page(status: int, title: str) -> Response:
    """Return an HTML page of the reverse proxy in front of the API."""
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>\n"
    return Response(status, (("Content-Type", "text/html; charset=utf-8"),), page.encode())
