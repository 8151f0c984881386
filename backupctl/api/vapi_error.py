"""Error bodies of the API.

They have three shapes: ``{"type", "value": {"messages"}}`` from ``/rest``, ``{"error_type", "messages"}`` from
``/api``, and ``{"name", "localizableMessages"}`` for unknown paths on 6.x.
"""

from typing import Annotated, Any, Final

import httpx
import msgspec

from backupctl.api.decoding import DECODE_ERRORS
from backupctl.api.extensions import REDACT
from backupctl.api.message_redaction import mask_texts
from backupctl.api.typed_json import decode_json
from backupctl.models import MAX_MESSAGES
from backupctl.rules.placeholders import filled

ROUTE_MISSING_ID: Final = "com.vmware.vapi.rest.httpNotFound"
"""The message id of a 404 for a path that the release does not have, in either family."""

_VENDOR: Final = "com.vmware."


class _ErrorMessage(msgspec.Struct):
    id: str | None = None
    default_message: str | None = None
    defaultMessage: str | None = None  # noqa: N815 - the appliance's spelling in the oldest shape
    args: Any = None
    params: Any = None

    @property
    def text(self) -> str:
        return filled(self.default_message or self.defaultMessage, self.id, self.args, self.params)


_Messages = Annotated[list[_ErrorMessage], msgspec.Meta(max_length=MAX_MESSAGES)]


class _ErrorValue(msgspec.Struct):
    messages: _Messages | None = None
    error_type: str | None = None


class _ErrorBody(msgspec.Struct):
    type: str | None = None
    value: _ErrorValue | None = None
    error_type: str | None = None
    messages: _Messages | None = None
    name: str | None = None
    localizableMessages: _Messages | None = None  # noqa: N815 - the appliance's spelling

    @property
    def kind(self) -> str:
        """The type of the error, such as ``FEATURE_IN_USE``; empty for other JSON, such as a gateway's."""
        if self.type and self.type.startswith(_VENDOR):
            return (self.value and self.value.error_type) or self.type.rpartition(".")[2].upper()
        if self.error_type:
            return self.error_type
        return self.name if self.name and self.name.startswith(_VENDOR) else ""


class VapiError(msgspec.Struct, frozen=True):
    """An error of the API: ``kind`` is its type, such as ``FEATURE_IN_USE``; the first message is the general one."""

    kind: str
    messages: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def first(self) -> str:
        """The message to show, the type of the error without one."""
        return self.messages[0] if self.messages else self.kind.replace("_", " ").lower()

    @property
    def route_missing(self) -> bool:
        """Whether the path itself is unknown, rather than the resource that it names."""
        return ROUTE_MISSING_ID in {self.kind, *self.ids}

    @property
    def service_missing(self) -> bool:
        """Whether no service offers the operation: its service is down or starting, or the release does not have it."""
        return self.kind == "OPERATION_NOT_FOUND"


def vapi_error(response: httpx.Response) -> VapiError | None:
    """Return the error in a body of any of the three shapes, None for any other body."""
    try:
        body = decode_json(response.content, _ErrorBody)
        messages = body.messages or (body.value and body.value.messages) or body.localizableMessages or []
        masked = mask_texts(list(messages), response.extensions.get(REDACT, unredacted))
    except DECODE_ERRORS:
        return None
    if not body.kind:
        return None
    return VapiError(
        body.kind,
        tuple(message.text for message in masked if message.text),
        tuple(message.id or "" for message in masked),
    )


def unredacted(text: str, *, skip_common_words: bool = False) -> str:  # noqa: ARG001 - the signature of Redact
    """Return ``text`` as it is, for responses that did not come through ``BoundedTransport``."""
    return text
