"""What a structure in a request is, and the checks that VMware's dispatcher makes on one.

Order and wording of the checks are those of VMware's Python dispatcher, measured on it (PyPI: vmware-vapi-runtime 9.1,
``vmware/vapi/rest/handler.py``); the Java endpoint on port 443 may word them differently.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from backupctl.simulator.api_errors import Message, RefusedError, invalid_request, message
from backupctl.simulator.releases import Release

Kind = Literal["string", "strings", "boolean", "integer", "timestamp", "struct"]

OPERATION_INPUT = "operation-input"
"""The name of a structure that holds the parameters of an operation, where it takes more than one."""

_ENDED_BADLY = "Unexpected error. See server logs for more details."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a structure; ``feature`` names what a release must have to know it."""

    kind: Kind
    required: bool = False
    feature: str = ""
    struct: "Structure | None" = None


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure: its name in the vendor's error messages, and its fields."""

    name: str
    fields: Mapping[str, Field]

    def unexpected(self, name: str) -> str:
        """Return what is said of a field that it does not have."""
        if self.name == OPERATION_INPUT:
            return f"Unexpected parameter {name!r} in JSON body"
        return f"Unexpected field '{name}' in request"


def decode_body(body: bytes, content_type: str) -> dict[str, Any] | None:
    """Return the JSON of a request body, None for an empty one.

    Refuses another content type with 415 and what is no JSON object with 400.
    """
    if not body:
        return None
    if content_type.partition(";")[0].strip().casefold() != "application/json":
        raise invalid_request("Unsupported media type, expected application/json", status=415)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid_request(f"Invalid JSON in request body: {error}") from None
    if not isinstance(value, dict):
        raise invalid_request(_ENDED_BADLY, status=500)
    return value


def unwrap(body: dict[str, Any] | None, wrapper: str, struct: Structure, release: Release) -> dict[str, Any]:
    """Return the checked structure below ``wrapper``; without a wrapper the body itself is the structure."""
    if not wrapper:
        return check(body, struct, release)
    if body is None or wrapper not in body:
        stranger = next(iter(body or ()), None)
        if stranger is not None:
            raise invalid_request(f"Unexpected parameter {stranger!r} in JSON body")
        raise RefusedError("invalid_argument", _missing(struct=OPERATION_INPUT, field=wrapper))
    for name in body:
        if name != wrapper:
            raise invalid_request(f"Unexpected parameter {name!r} in JSON body")
    return check(body[wrapper], struct, release, parameter=wrapper)


def check(value: object, struct: Structure, release: Release, parameter: str = "") -> dict[str, Any]:
    """Return the fields that are set, of the right types; refuses unknown, missing and mistyped ones."""
    return _read_struct({} if value is None and not parameter else value, struct, release, parameter)


def _missing(struct: str, field: str) -> Message:
    text = f'Structure {struct} is missing a field "{field}"'
    return message("vapi.data.structure.field.missing", text, struct, field)


def _read_struct(value: object, struct: Structure, release: Release, parameter: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_request(_ENDED_BADLY, status=500)
    fields: dict[str, Any] = {}
    for name, item in value.items():
        field = struct.fields.get(name)
        if field is None or (field.feature and field.feature not in release.features):
            raise invalid_request(struct.unexpected(name))
        if item is None and not field.required:
            continue
        fields[name] = _read_value(name, item, field, release)
    for name, field in struct.fields.items():
        if field.required and fields.get(name) is None:
            causes = [_invalid(parameter)] if parameter else []
            raise RefusedError("invalid_argument", *causes, _missing(struct.name, name))
    return fields


def _invalid(parameter: str) -> Message:
    text = f'Field "{parameter}" of structure {OPERATION_INPUT} is invalid'
    return message("vapi.data.structure.field.invalid", text, parameter, OPERATION_INPUT)


def _read_value(name: str, item: object, field: Field, release: Release) -> object:
    if field.struct is not None:
        return _read_struct(item, field.struct, release)
    if field.kind == "strings":
        if not isinstance(item, list):
            raise invalid_request(f"Excepted list, but got {type(item).__name__}")  # the vendor's spelling
        return [_read_string(name, entry) for entry in item]
    if field.kind == "boolean":
        return _read_boolean(item)
    if field.kind == "integer":
        return _read_integer(item)
    text = _read_string(name, item)
    return _read_timestamp(text) if field.kind == "timestamp" else text


def _read_timestamp(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_request(f"Invalid datetime {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_string(name: str, item: object) -> str:
    if not isinstance(item, str):
        got = type(item).__name__
        raise invalid_request(
            f"Unable to parse property with name '{name}': Invalid Type, expected String, instead got {got}"
        )
    return item


def _read_boolean(item: object) -> bool:
    if isinstance(item, bool):
        return item
    if not isinstance(item, str):
        raise invalid_request(_ENDED_BADLY, status=500)
    if item.lower() not in {"true", "false"}:
        raise invalid_request(f"Expected boolean value, but got {item}")
    return item.lower() == "true"


def _read_integer(item: object) -> int:
    try:
        return int(item) if isinstance(item, (int, float, str)) else _no_integer()
    except (OverflowError, ValueError):
        return _no_integer()


def _no_integer() -> int:
    raise invalid_request(_ENDED_BADLY, status=500)
