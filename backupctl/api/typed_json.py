"""Decode JSON to a type, on any thread.

msgspec prepares a type at its first use, and crashes the process if another thread uses the type before it is done (a
null pointer, seen with 0.22 in runs over several appliances). So types are prepared one at a time.
"""

import threading
from functools import cache
from typing import Any, Final

import msgspec

_PREPARATION: Final = threading.Lock()


def decode_json(content: bytes, expected: Any) -> Any:  # noqa: ANN401 - as ``expected`` says
    """Return JSON as a value of type ``expected``; numbers and booleans may be strings.

    Raises msgspec.ValidationError and msgspec.DecodeError: for other content.
    """
    return _prepare(expected).decode(content)


def convert(value: Any, expected: Any) -> Any:  # noqa: ANN401 - as ``expected`` says
    """Return JSON types as a value of type ``expected``, as ``decode_json`` does."""
    _prepare(expected)
    return msgspec.convert(value, expected, strict=False)


def _prepare(expected: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401 - any type
    with _PREPARATION:
        return _decoder(expected)


@cache
def _decoder(expected: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401 - any type
    return msgspec.json.Decoder(expected, strict=False)
