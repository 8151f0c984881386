"""From JSON to typed values: all at once where an answer is as documented, else as much of it as can be read.

A field that does not fit is left unset, or null where it must be there and may be null; an entry of a list or map that
misses a required field becomes ``Unreadable``. So the answer to another operation never becomes an empty structure.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import NoneType
from typing import Annotated, Any, Final, Generic, TypeVar, get_args, get_origin

import msgspec

from backupctl.models import MOST_MESSAGES, Unreadable

T = TypeVar("T")

DECODE_ERRORS: Final = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding raises: msgspec's errors, which are no ValueError before 0.21; ValueError is the base of those about
UTF-8 and about years that no calendar has; RecursionError is for a body that nests too deeply."""

_CONVERT_ERRORS: Final = (msgspec.MsgspecError, ValueError)

_MOST_MISFITS: Final = 100_000
"""How many values of an answer may not fit; 8 MiB of them would keep a processor busy for half a minute."""


class _Value(msgspec.Struct, Generic[T]):
    value: T


class _Pair(msgspec.Struct, Generic[T]):
    key: str
    value: T


class _TooManyMisfitsError(Exception):
    """More values do not fit than anybody has the time for."""


def decode(content: bytes, expected: Any, *, wrapped: bool, max_entries: int) -> Any:  # noqa: ANN401 - as ``expected`` says
    """Return what a body says as a value of type ``expected``; ``wrapped`` where it stands in ``{"value": ...}``.

    Numbers and truth values written as strings are taken, as the appliance itself writes some. A map is a JSON object
    or a list of ``{"key", "value"}``. Entries of ``list[X | Unreadable]`` and ``dict[str, X | Unreadable]`` are read
    one by one where not all of them fit; ``max_entries`` is how many a list or map may have.

    Raises ``DECODE_ERRORS``: ValidationError for JSON of another form, with the path of the wrong field.
    """
    is_map = get_origin(expected) is dict
    entry: Any = get_args(get_args(expected)[-1])[0] if _has_entries(expected) else None
    form: Any = expected
    if entry is not None:
        form = dict[str, entry] | list[_Pair[entry]] if is_map else list[entry]
    try:
        value = _decode(content, _Value[form] if wrapped else form)
        value = value.value if wrapped else value
    except _CONVERT_ERRORS as error:
        value = _decode(content, Any)
        value = _unwrapped(value, error) if wrapped else value
        _check_size(value, max_entries)
        try:
            value = _Reader().value(value, form) if entry is None else _entries(value, entry, error, is_map=is_map)
        except _TooManyMisfitsError:
            raise error from None
    _check_size(value, max_entries)
    return {pair.key: pair.value for pair in value} if is_map and isinstance(value, list) else value


def _decode(content: bytes, form: Any) -> Any:  # noqa: ANN401 - any type
    return msgspec.json.decode(content, type=form, strict=False)


def _has_entries(expected: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(expected) in {list, dict} and Unreadable in get_args(get_args(expected)[-1])


def _unwrapped(value: Any, error: Exception) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict) and "value" in value:
        return value["value"]
    raise error


def _check_size(value: object, max_entries: int) -> None:
    if isinstance(value, dict | list) and len(value) > max_entries:
        raise msgspec.ValidationError(f"{len(value)} entries are more than {max_entries}")


def _entries(value: Any, entry: Any, error: Exception, *, is_map: bool) -> Any:  # noqa: ANN401 - a list or map
    """Return the entries of a list or map, each that cannot be read as ``Unreadable``.

    Raises ``error`` where none can be read, or the value is neither.
    """
    reader = _Reader()
    if is_map and isinstance(value, dict):
        found = {name: reader.entry(name, each, entry) for name, each in value.items()}
    elif is_map and isinstance(value, list):
        pairs = [_pair(number, each) for number, each in enumerate(value, 1)]
        found = {name: reader.entry(name, each, entry) for name, each in pairs}
    elif isinstance(value, list):
        found = {f"#{number}": reader.entry(f"#{number}", each, entry) for number, each in enumerate(value, 1)}
    else:
        raise error
    if all(isinstance(each, Unreadable) for each in found.values()):
        raise error
    return found if is_map else list(found.values())


def _pair(number: int, each: object) -> tuple[str, Any]:
    """Return name and value of an entry in a map that is written as a list."""
    if isinstance(each, dict) and isinstance(each.get("key"), str):
        return each["key"], each.get("value")
    return f"#{number}", None


class _Reader:
    """Reads values of one answer as far as they fit."""

    def __init__(self) -> None:
        self._misfits = 0

    def entry(self, name: str, value: Any, wanted: Any) -> Any:  # noqa: ANN401 - any JSON, any type
        """Return an entry of a list or map."""
        try:
            return self.value(value, wanted)
        except _CONVERT_ERRORS as error:
            return Unreadable(name=name, why=str(error))

    def value(self, value: Any, wanted: Any) -> Any:  # noqa: ANN401 - any JSON, any type
        """Return a value, without the parts of it that do not fit; raises ``_CONVERT_ERRORS`` if nothing is left."""
        try:
            return msgspec.convert(value, wanted, strict=False)
        except _CONVERT_ERRORS:
            self._misfits += 1
            if self._misfits > _MOST_MISFITS:
                raise _TooManyMisfitsError from None
            kind = _without_none(wanted)
            if isinstance(value, dict) and _is_struct(kind):
                return self._struct(value, kind)
            if isinstance(value, list) and _is_list_of_structs(kind) and len(value) <= MOST_MESSAGES:
                return self._structs(value, get_args(kind)[0])
            if kind is datetime and (moment := _odd_moment(value)) is not None:
                return moment
            raise

    def _struct(self, value: Mapping[str, Any], kind: type[msgspec.Struct]) -> msgspec.Struct:
        """Return a structure without its optional fields that do not fit."""
        read = {}
        for field in msgspec.structs.fields(kind):
            name = field.encode_name
            try:
                if name in value:
                    read[field.name] = self.value(value[name], field.type)
                elif field.required:
                    raise msgspec.ValidationError(f"Object missing required field `{name}`")
            except _CONVERT_ERRORS as error:
                if name in value and NoneType in get_args(field.type) and field.required:
                    read[field.name] = None
                elif field.required:
                    raise _at(name, error) from error
        return kind(**read)

    def _structs(self, value: list[Any], kind: type[msgspec.Struct]) -> list[msgspec.Struct]:
        """Return those of a list, such as messages, that can be read."""
        read = []
        for each in value:
            with suppress(*_CONVERT_ERRORS):
                read.append(self.value(each, kind))
        return read


def _at(name: str, error: Exception) -> msgspec.ValidationError:
    """Return the error with its place, as msgspec writes it."""
    placed = "`" in str(error).partition(" - at ")[2] or f"`{name}`" in str(error)
    return msgspec.ValidationError(str(error) if placed else f"{error} - at `$.{name}`")


def _without_none(wanted: Any) -> Any:  # noqa: ANN401 - any type
    """Return the X of ``X | None`` and of ``Annotated[X, ...]``."""
    others = [each for each in get_args(wanted) if each is not NoneType]
    if NoneType in get_args(wanted) and len(others) == 1:
        return _without_none(others[0])
    return others[0] if get_origin(wanted) is Annotated else wanted


def _is_struct(kind: Any) -> bool:  # noqa: ANN401 - any type
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_list_of_structs(kind: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(kind) is list and _is_struct(get_args(kind)[0])


def _odd_moment(value: object) -> datetime | None:
    """Return the time in a form that is not RFC 3339 and was seen all the same.

    ``2021-05-18T23:51:42UTC`` is quoted from answers of 6.7; milliseconds since 1970 are how Java writes a time.
    """
    text = str(value)
    try:
        if re.fullmatch(r"\d{13}", text, re.ASCII):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        match = re.fullmatch(r"(\d{4}-\d\d-\d\d[T ]\d.*?) ?(?:UTC|GMT)", text, re.ASCII)
        return datetime.fromisoformat(f"{match[1]}+00:00") if match else None
    except (ValueError, OverflowError, OSError):
        return None
