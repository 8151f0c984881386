"""Request bodies: the structures they carry, and the checks that VMware's dispatcher makes on them.

Order and wording of the checks are those of VMware's Python dispatcher, as measured (PyPI: vmware-vapi-runtime 9.1,
``vmware/vapi/rest/handler.py``). The Java endpoint on port 443 may word them differently.
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from backupctl.simulator.api_errors import Message, RefusedError, invalid_request, message
from backupctl.simulator.http_messages import JSON_TYPE
from backupctl.simulator.releases import Release

FieldKind = Literal["string", "strings", "boolean", "integer", "timestamp"]

OPERATION_INPUT = "operation-input"
"""The vendor's name for the structure that holds the parameters of an operation with several."""

_UNEXPECTED_ERROR = "Unexpected error. See server logs for more details."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a structure; ``feature`` names the feature of a release that introduced it."""

    kind: "FieldKind | Structure"
    required: bool = False
    feature: str = ""


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure: its name in the vendor's error messages, and its fields."""

    name: str
    fields: Mapping[str, Field]


def decode_body(body: bytes, content_type: str) -> dict[str, Any] | None:
    """Return the JSON object in a request body, None for an empty body.

    Raises ``RefusedError``: 415 for another content type, 400 for invalid JSON, 500 for JSON that is not an object.
    """
    if not body:
        return None
    if content_type.partition(";")[0].strip().casefold() != JSON_TYPE:
        raise invalid_request("Unsupported media type, expected application/json", status=415)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid_request(f"Invalid JSON in request body: {error}") from None
    if not isinstance(value, dict):
        raise invalid_request(_UNEXPECTED_ERROR, status=500)
    return value


def read_body(body: dict[str, Any] | None, wrapper: str, structure: Structure, release: Release) -> dict[str, Any]:
    """Return the fields that are set, converted to their types.

    With a ``wrapper``, the structure is the value of that parameter; without, it is the body itself.
    Raises ``RefusedError``: for an unknown, missing or mistyped field.
    """
    body = {} if body is None else body
    if not wrapper:
        return _read_structure(body, structure, release)
    unexpected = next((name for name in body if name != wrapper), None)
    if unexpected is not None:
        raise _unexpected(OPERATION_INPUT, unexpected)
    if wrapper not in body:
        raise RefusedError("invalid_argument", _missing(OPERATION_INPUT, wrapper))
    return _read_structure(body[wrapper], structure, release, wrapper)


def _read_structure(value: object, structure: Structure, release: Release, parameter: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_request(_UNEXPECTED_ERROR, status=500)
    fields: dict[str, Any] = {}
    for name, item in value.items():
        field = structure.fields.get(name)
        if field is None or (field.feature and field.feature not in release.features):
            raise _unexpected(structure.name, name)
        if item is None and not field.required:
            continue
        fields[name] = _read_value(name, item, field, release)
    for name, field in structure.fields.items():
        if field.required and fields.get(name) is None:
            causes = [_invalid(parameter)] if parameter else []
            raise RefusedError("invalid_argument", *causes, _missing(structure.name, name))
    return fields


def _unexpected(structure: str, name: str) -> RefusedError:
    if structure == OPERATION_INPUT:
        return invalid_request(f"Unexpected parameter {name!r} in JSON body")
    return invalid_request(f"Unexpected field '{name}' in request")


def _missing(structure: str, name: str) -> Message:
    text = f'Structure {structure} is missing a field "{name}"'
    return message("vapi.data.structure.field.missing", text, structure, name)


def _invalid(parameter: str) -> Message:
    text = f'Field "{parameter}" of structure {OPERATION_INPUT} is invalid'
    return message("vapi.data.structure.field.invalid", text, parameter, OPERATION_INPUT)


def _read_value(name: str, item: object, field: Field, release: Release) -> object:
    if isinstance(field.kind, Structure):
        return _read_structure(item, field.kind, release)
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
        raise invalid_request(_UNEXPECTED_ERROR, status=500)
    if item.lower() not in {"true", "false"}:
        raise invalid_request(f"Expected boolean value, but got {item}")
    return item.lower() == "true"


def _read_integer(item: object) -> int:
    if isinstance(item, (int, float, str)):
        with contextlib.suppress(OverflowError, ValueError):
            return int(item)
    raise invalid_request(_UNEXPECTED_ERROR, status=500)
