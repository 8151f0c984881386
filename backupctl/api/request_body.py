"""What is sent: values of the program as JSON has them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from backupctl.location import Location
from backupctl.secrets.secret import MASK, Secret


def mask_secret(_: Secret) -> str:
    """Return what is shown of a secret."""
    return MASK


def encode_parameters(
    parameters: Mapping[str, object], show: Callable[[Secret], str], say: Callable[[str], str] = str
) -> dict[str, object]:
    """Return parameters as JSON has them: those that are set in the order of the API's documentation, times in UTC.

    ``show`` makes a text of a secret, ``say`` one of any other text.
    """
    return {name: _value(value, show, say) for name, value in parameters.items() if value is not None}


def _value(value: object, show: Callable[[Secret], str], say: Callable[[str], str]) -> object:
    if isinstance(value, Secret):
        return show(value)
    if isinstance(value, Location):
        return say(value.text)
    if isinstance(value, str):
        return say(value)
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return encode_parameters(value, show, say)
    if isinstance(value, tuple | list):
        return [_value(inner, show, say) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
