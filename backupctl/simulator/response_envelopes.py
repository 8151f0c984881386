"""How each family wraps what it says: results, maps, errors, and paths that do not exist."""

import json
from typing import Any

from backupctl.simulator.http_messages import JSON_TYPE, REST, Family, RefusedError, Response, message
from backupctl.simulator.releases import Release

_CHALLENGE = (
    'Basic realm="VAPI endpoint",SIGN realm=8d1c3f5e0b7a49d26c1e8f0a3b5d7c9e1f2a4b6c,'
    'service="VAPI endpoint",sts="https://vcsa.simulator.test/sts/STSService/vsphere.local"'
)

_NOT_FOUND_ID = "com.vmware.vapi.rest.httpNotFound"


class Void:
    """The result of an operation that returns nothing."""


VOID = Void()


class KeyedMap(dict[str, Any]):
    """A result that is a map: an object in /api, a list of key and value in /rest."""


def result(family: Family, value: object, method: str = "POST", status: int = 200) -> Response:
    """Return a successful answer.

    Void results of /rest are 200 (204 for DELETE) with a JSON content type and no body, those of /api 204.
    """
    if value is VOID:
        if family == REST:
            return Response(204 if method == "DELETE" else 200, (("Content-Type", JSON_TYPE),))
        return Response(204)
    if family == REST:
        if isinstance(value, KeyedMap):
            value = [{"key": key, "value": item} for key, item in value.items()]
        value = {"value": value}
    return json_answer(status, value)


def json_answer(status: int, value: object) -> Response:
    """Return any value as JSON."""
    return Response(status, (("Content-Type", JSON_TYPE),), json.dumps(value, separators=(",", ":")).encode())


def refusal(family: Family, refused: RefusedError, release: Release) -> Response:
    """Return a standard error in the envelope of its family; older releases leave ``error_type`` out of /rest."""
    extra: dict[str, Any] = {}
    if refused.name == "unauthenticated" and family == REST and "error-type" in release.features:
        extra["challenge"] = _CHALLENGE
    named = {"error_type": refused.name.upper()}
    content = {"messages": list(refused.messages)} | extra
    if family == REST:
        value = (named if "error-type" in release.features else {}) | content
        return json_answer(refused.status, {"type": f"com.vmware.vapi.std.errors.{refused.name}", "value": value})
    return json_answer(refused.status, named | content)


def no_such_path(family: Family | None, release: Release) -> Response:
    """Return the 404 of a path or verb that nothing answers: each family has its own, and so has the proxy.

    A release without the /api family answers there as it does in /rest.
    """
    if family is None:
        return html(404, "Not Found")
    if family == REST or release.api == "none":
        found = {"defaultMessage": "Not found.", "id": _NOT_FOUND_ID}
        return json_answer(404, {"name": _NOT_FOUND_ID, "localizableMessages": [found], "majorErrorCode": 404})
    return json_answer(404, {"error_type": "NOT_FOUND", "messages": [message(_NOT_FOUND_ID, "Not found.")]})


def html(status: int, title: str) -> Response:
    """Return what the reverse proxy says by itself, in HTML and not JSON."""
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>\n"
    return Response(status, (("Content-Type", "text/html; charset=utf-8"),), page.encode())
