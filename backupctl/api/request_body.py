"""The parameters of an operation as JSON values."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from backupctl.location import Location
from backupctl.secrets.secret import MASK, Secret


def mask_secret(_: Secret) -> str:
    """Return the mask of a secret."""
    return MASK


def encode_parameters(
    parameters: Mapping[str, object], reveal: Callable[[Secret], str], text_of: Callable[[str], str] = str
) -> dict[str, object]:
    """Return parameters as JSON values, without those that are None; fields in documented order, times in UTC.

    ``reveal`` returns the text of a secret, ``text_of`` that of any other text.
    """
    return {name: _value(value, reveal, text_of) for name, value in parameters.items() if value is not None}


def _value(value: object, reveal: Callable[[Secret], str], text_of: Callable[[str], str]) -> object:
    if isinstance(value, Secret):
        return reveal(value)
    if isinstance(value, Location):
        return text_of(value.text)
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return encode_parameters(value, reveal, text_of)
    if isinstance(value, tuple | list):
        return [_value(item, reveal, text_of) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
