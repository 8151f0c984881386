"""Decode JSON to typed values, and keep the valid parts of a response that is not as documented.

An invalid field is left unset, or set to None if it is required and nullable. An entry of a list or map without a valid
required field becomes ``UnreadableEntry``. So the response to another operation never becomes an empty structure.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import NoneType
from typing import Annotated, Any, Final, Generic, TypeVar, get_args, get_origin

import msgspec

from backupctl.api.typed_json import convert, decode_json
from backupctl.models import MAX_MESSAGES, UnreadableEntry

T = TypeVar("T")

DECODE_ERRORS: Final = (msgspec.MsgspecError, ValueError, RecursionError)
"""The errors of decoding.

Those of msgspec are ValueErrors from 0.21 on. Invalid UTF-8 and years out of range raise ValueErrors of their own, a
body that is nested too deeply raises RecursionError.
"""

_CONVERSION_ERRORS: Final = (msgspec.MsgspecError, ValueError)

_MAX_CONVERSION_ERRORS: Final = 100_000
"""Limit of invalid values in a response; 8 MiB of them would keep a processor busy for half a minute."""


class _Value(msgspec.Struct, Generic[T]):
    value: T


class _Pair(msgspec.Struct, Generic[T]):
    key: str
    value: T


class _TooManyErrorsError(Exception):
    """The response has more than ``_MAX_CONVERSION_ERRORS`` invalid values."""


def decode(content: bytes, expected: Any, *, wrapped: bool, max_entries: int) -> Any:  # noqa: ANN401 - as ``expected`` says
    """Return a body as a value of type ``expected``; ``wrapped`` if it is ``{"value": ...}``.

    Numbers and booleans may be strings, as the appliance itself writes some. A map is a JSON object or a list of
    ``{"key", "value"}``. Entries of ``list[X | UnreadableEntry]`` and ``dict[str, X | UnreadableEntry]`` are read one
    by one if some are invalid. A list or map has at most ``max_entries``.

    Raises ``DECODE_ERRORS``: ValidationError for JSON of another type, with the path of the invalid field.
    """
    is_map = get_origin(expected) is dict
    entry: Any = get_args(get_args(expected)[-1])[0] if _tolerates_unreadable_entries(expected) else None
    json_type: Any = expected
    if entry is not None:
        json_type = dict[str, entry] | list[_Pair[entry]] if is_map else list[entry]
    try:
        value = decode_json(content, _Value[json_type] if wrapped else json_type)
        value = value.value if wrapped else value
    except _CONVERSION_ERRORS as error:
        value = decode_json(content, Any)
        value = _unwrapped(value, error) if wrapped else value
        _check_size(value, max_entries)
        try:
            value = (
                _LenientReader().value(value, json_type)
                if entry is None
                else _entries(value, entry, error, is_map=is_map)
            )
        except _TooManyErrorsError:
            raise error from None
    _check_size(value, max_entries)
    return {pair.key: pair.value for pair in value} if is_map and isinstance(value, list) else value


def _tolerates_unreadable_entries(expected: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(expected) in {list, dict} and UnreadableEntry in get_args(get_args(expected)[-1])


def _unwrapped(value: Any, error: Exception) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict) and "value" in value:
        return value["value"]
    raise error


def _check_size(value: object, max_entries: int) -> None:
    if isinstance(value, dict | list) and len(value) > max_entries:
        raise msgspec.ValidationError(f"{len(value)} entries, more than {max_entries}")


def _entries(value: Any, entry: Any, error: Exception, *, is_map: bool) -> Any:  # noqa: ANN401 - a list or map
    """Return the entries of a list or map, with ``UnreadableEntry`` in place of invalid ones.

    Raises ``error``: if all are invalid, or the value is neither a list nor a map.
    """
    reader = _LenientReader()
    if is_map and isinstance(value, dict):
        entries = {name: reader.entry(name, item, entry) for name, item in value.items()}
    elif is_map and isinstance(value, list):
        pairs = [_pair(number, item) for number, item in enumerate(value, 1)]
        entries = {name: reader.entry(name, item, entry) for name, item in pairs}
    elif isinstance(value, list):
        entries = {f"#{number}": reader.entry(f"#{number}", item, entry) for number, item in enumerate(value, 1)}
    else:
        raise error
    if all(isinstance(item, UnreadableEntry) for item in entries.values()):
        raise error
    return entries if is_map else list(entries.values())


def _pair(number: int, item: object) -> tuple[str, Any]:
    """Return the name and value of an entry in a map that is encoded as a list."""
    if isinstance(item, dict) and isinstance(item.get("key"), str):
        return item["key"], item.get("value")
    return f"#{number}", None


class _LenientReader:
    """Reads the valid parts of one response."""

    def __init__(self) -> None:
        self._error_count = 0

    def entry(self, name: str, value: Any, expected: Any) -> Any:  # noqa: ANN401 - any JSON, any type
        """Return an entry of a list or map, ``UnreadableEntry`` if it is invalid."""
        try:
            return self.value(value, expected)
        except _CONVERSION_ERRORS as error:
            return UnreadableEntry(name=name, why=str(error))

    def value(self, value: Any, expected: Any) -> Any:  # noqa: ANN401 - any JSON, any type
        """Return a value without its invalid parts. Raises ``_CONVERSION_ERRORS``: if nothing is left."""
        try:
            return convert(value, expected)
        except _CONVERSION_ERRORS:
            self._error_count += 1
            if self._error_count > _MAX_CONVERSION_ERRORS:
                raise _TooManyErrorsError from None
            kind = _unwrap_type(expected)
            if isinstance(value, dict) and _is_struct(kind):
                return self._struct(value, kind)
            if isinstance(value, list) and _is_list_of_structs(kind) and len(value) <= MAX_MESSAGES:
                return self._structs(value, get_args(kind)[0])
            if kind is datetime and (time := _nonstandard_time(value)) is not None:
                return time
            raise

    def _struct(self, value: Mapping[str, Any], kind: type[msgspec.Struct]) -> msgspec.Struct:
        """Return a structure without its invalid optional fields."""
        read = {}
        for field in msgspec.structs.fields(kind):
            name = field.encode_name
            try:
                if name in value:
                    read[field.name] = self.value(value[name], field.type)
                elif field.required:
                    raise msgspec.ValidationError(f"Object missing required field `{name}`")
            except _CONVERSION_ERRORS as error:
                if name in value and NoneType in get_args(field.type) and field.required:
                    read[field.name] = None
                elif field.required:
                    raise _with_path(name, error) from error
        return kind(**read)

    def _structs(self, value: list[Any], kind: type[msgspec.Struct]) -> list[msgspec.Struct]:
        """Return the valid items of a list, such as messages."""
        read = []
        for item in value:
            with suppress(*_CONVERSION_ERRORS):
                read.append(self.value(item, kind))
        return read


def _with_path(name: str, error: Exception) -> msgspec.ValidationError:
    """Return the error with the path of the field in its message, as msgspec writes it."""
    has_path = "`" in str(error).partition(" - at ")[2] or f"`{name}`" in str(error)
    return msgspec.ValidationError(str(error) if has_path else f"{error} - at `$.{name}`")


def _unwrap_type(expected: Any) -> Any:  # noqa: ANN401 - any type
    """Return the X of ``X | None`` and of ``Annotated[X, ...]``."""
    types = [item for item in get_args(expected) if item is not NoneType]
    if NoneType in get_args(expected) and len(types) == 1:
        return _unwrap_type(types[0])
    return types[0] if get_origin(expected) is Annotated else expected


def _is_struct(kind: Any) -> bool:  # noqa: ANN401 - any type
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_list_of_structs(kind: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(kind) is list and _is_struct(get_args(kind)[0])


def _nonstandard_time(value: object) -> datetime | None:
    """Return a time that is not in RFC 3339 format, None for other values.

    Responses of 6.7 are quoted with ``2021-05-18T23:51:42UTC``; Java writes milliseconds since 1970.
    """
    text = str(value)
    try:
        if re.fullmatch(r"\d{13}", text, re.ASCII):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        match = re.fullmatch(r"(\d{4}-\d\d-\d\d[T ]\d.*?) ?(?:UTC|GMT)", text, re.ASCII)
        return datetime.fromisoformat(f"{match[1]}+00:00") if match else None
    except (ValueError, OverflowError, OSError):
        return None
