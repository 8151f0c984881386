"""Mask secrets in events and results, as an appliance may send back those that it received."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

import msgspec

from backupctl.error_facts import ErrorFacts, map_text
from backupctl.errors import BackupctlError
from backupctl.secrets.redaction import Redact, RedactionBudget

T = TypeVar("T")

_FREE_TEXT_FIELDS: Final = {"args", "comment", "default_message", "description", "details"}
"""Fields with free text of the appliance; the others hold texts of this program, or names that scripts depend on."""

_LOCAL_FIELDS: Final = {"server", "host"}
"""Fields without data of the appliance."""

_REMOTE_FACTS: Final = (
    "job",
    "release",
    "cause",
    "then",
    "texts",
    "source",
    "reason",
    "hint",
    "details",
    "attach",
    "kind",
)
"""Facts of an error that may contain data of the appliance, besides its message."""


def redacted(value: T, redact: Redact) -> T:
    """Return ``value`` with secrets in all its texts masked by ``redact``.

    Free text is masked within one ``RedactionBudget``. In other fields, common words are not masked.
    """
    return cast("T", _redacted(value, redact, RedactionBudget(redact), is_free=False))


def _redacted(value: object, redact: Redact, budget: RedactionBudget, *, is_free: bool) -> object:
    if isinstance(value, str):
        return budget.redact(value) if is_free else redact(value, skip_common_words=True)
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__ if name not in _LOCAL_FIELDS}
        return msgspec.structs.replace(value, **_redacted_fields(fields, redact, budget, is_free=is_free))
    if isinstance(value, BackupctlError):
        facts = _redacted(value.facts, redact, budget, is_free=is_free)
        return type(value).from_facts(cast("ErrorFacts", facts))
    if isinstance(value, ErrorFacts):
        fields = {name: each for name in _REMOTE_FACTS if (each := getattr(value, name))}
        message = map_text(value.message, lambda text: redact(text, skip_common_words=True))
        return value._replace(message=message, **_redacted_fields(fields, redact, budget, is_free=is_free))
    if isinstance(value, tuple | list):
        return type(value)(_redacted(each, redact, budget, is_free=is_free) for each in value)
    if isinstance(value, dict):
        return _redacted_fields(value, redact, budget, is_free=is_free)
    return value


def _redacted_fields(
    fields: Mapping[str, object], redact: Redact, budget: RedactionBudget, *, is_free: bool
) -> dict[str, Any]:
    return {
        name: _redacted(value, redact, budget, is_free=is_free or name in _FREE_TEXT_FIELDS)
        for name, value in fields.items()
    }
