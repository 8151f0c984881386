"""Errors of the vSphere Automation API: localizable messages and the standard errors that carry them."""

from collections.abc import Mapping, Sequence
from typing import Any

Message = dict[str, Any]
"""A LocalizableMessage: ``id`` in a message bundle, ``default_message`` in English, ``args``."""


def message(message_id: str, text: str, *args: str) -> Message:
    """Return a LocalizableMessage."""
    return {"id": message_id, "default_message": text, "args": list(args)}


STATUS_OF: Mapping[str, int] = {
    "already_exists": 400,
    "feature_in_use": 400,
    "invalid_argument": 400,
    "invalid_request": 400,
    "not_allowed_in_current_state": 400,
    "resource_inaccessible": 400,
    "unsupported": 400,
    "unauthenticated": 401,
    "unauthorized": 403,
    "not_found": 404,
    "operation_not_found": 404,
    "concurrent_change": 409,
    "error": 500,
    "internal_server_error": 500,
    "service_unavailable": 503,
    "timed_out": 504,
}
"""HTTP status of each standard error, in both families.

Source: the error table of VMware's vAPI runtime (PyPI: vmware-vapi-runtime, ``vmware/vapi/rest/lib.py``).
"""


class RefusedError(Exception):
    """A standard error with its messages, most general first.

    ``status`` overrides ``STATUS_OF``: VMware's dispatcher sends some ``invalid_request`` errors with 415 or 500.
    """

    def __init__(self, name: str, *messages: Message, status: int | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.messages: Sequence[Message] = messages
        self.status = STATUS_OF[name] if status is None else status


def invalid_request(text: str, status: int = 400) -> RefusedError:
    """Return the error for a malformed request, worded as in VMware's Python dispatcher."""
    cause = message("vapi.method.invoke.exception", f"Error in method invocation {text}", text)
    return RefusedError("invalid_request", cause, status=status)
