"""Reasons of a failed job, from the ``error`` of its details.

The form of ``error`` is not documented. It may be a vAPI error, a text or another structure; every text in it is taken
as a reason.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from backupctl.results.job import Message
from backupctl.rules.placeholders import arguments, filled

_TEXT_FIELDS: Final = ("default_message", "defaultMessage", "localized", "message")
_MAX_DEPTH: Final = 8
_MAX_REASONS: Final = 20


def with_reasons(messages: tuple[Message, ...], error: object) -> tuple[Message, ...]:
    """Return the messages of a job followed by the reasons in ``error`` that are not among them."""
    known = {message.default_message for message in messages}
    reasons = {reason.default_message: reason for reason in _reasons(error, _MAX_DEPTH)}
    new = [reason for text, reason in reasons.items() if text.strip() and text not in known]
    return messages + tuple(new[:_MAX_REASONS])


def _reasons(value: object, depth: int) -> Iterator[Message]:
    if isinstance(value, Mapping) and depth:
        yield from _reasons_of_structure(value, depth)
    elif isinstance(value, list) and depth:
        for each in value:
            yield from _reasons(each, depth - 1)
    elif isinstance(value, str):
        yield Message(id="", default_message=value)
    elif value is not None:
        yield Message(id="", default_message=msgspec.json.encode(value).decode())


def _reasons_of_structure(value: Mapping[str, Any], depth: int) -> Iterator[Message]:
    """Yield the structure's own message, else the reasons in its members, else its plain fields as one message."""
    template = next((value[name] for name in _TEXT_FIELDS if isinstance(value.get(name), str)), None)
    text = filled(template, None, value.get("args"), value.get("params")) if template else ""
    if text:
        message_id = value.get("id")
        yield Message(
            id=message_id if isinstance(message_id, str) else "",
            default_message=text,
            args=arguments(value.get("args")),
        )
        return
    nested = [
        reason for each in value.values() if isinstance(each, Mapping | list) for reason in _reasons(each, depth - 1)
    ]
    if nested:
        yield from nested
        return
    plain = [f"{name}: {each}" for name, each in value.items() if isinstance(each, str | int | float)]
    if plain:
        yield Message(id="", default_message=", ".join(plain))
