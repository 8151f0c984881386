"""What is sent: values of the program as JSON has them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from backupctl.location import Location
from backupctl.secrets.secret import MASK, Secret


def masked(_: Secret) -> str:
    """Return what is shown of a secret."""
    return MASK


def content_of(value: Any, show: Callable[[Secret], str], say: Callable[[str], str] = str) -> Any:  # noqa: ANN401 - whatever an operation takes
    """Return a value as JSON has it: fields that are set in the order of the API's documentation, times in UTC.

    ``show`` makes a text of a secret, ``say`` one of any other text.
    """
    if isinstance(value, Secret):
        return show(value)
    if isinstance(value, Location):
        return say(value.text)
    if isinstance(value, str):
        return say(value)
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: content_of(inner, show, say) for name, inner in value.items() if inner is not None}
    if isinstance(value, tuple | list):
        return [content_of(inner, show, say) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
