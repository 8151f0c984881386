"""Values on their way to people: without the secrets that the appliance got from us and says again."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

import msgspec

from backupctl.error_facts import ErrorFacts
from backupctl.errors import BackupctlError
from backupctl.secrets.redaction import Redact, RedactionBudget

T = TypeVar("T")

_THEIR_WORDS: Final = {"args", "comment", "default_message", "description", "details"}
"""Fields with free text of the appliance; all others hold words of ours, or names by which scripts find their way."""

_OURS: Final = {"server", "host"}
"""Fields that hold nothing of the appliance."""


_FACTS_OF_THEIRS: Final = ("job", "release", "cause", "then", "source", "hint", "details", "attach", "kind")
"""Facts of an error that may hold something of the appliance, besides its message."""


def redacted(value: T, redact: Redact) -> T:
    """Return ``value`` with every text in it masked by ``redact``, all free text within one ``RedactionBudget``.

    Ordinary words stay in all fields but those with free text.
    """
    return cast("T", _redacted(value, redact, RedactionBudget(redact), is_free=False))


def _redacted(value: object, redact: Redact, words: RedactionBudget, *, is_free: bool) -> object:
    if isinstance(value, str):
        return words.redact(value) if is_free else redact(value, skip_common_words=True)
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__ if name not in _OURS}
        return msgspec.structs.replace(value, **_redacted_fields(fields, redact, words, is_free=is_free))
    if isinstance(value, BackupctlError):
        facts = _redacted(value.facts, redact, words, is_free=is_free)
        return type(value).from_facts(cast("ErrorFacts", facts))
    if isinstance(value, ErrorFacts):
        fields = {name: each for name in _FACTS_OF_THEIRS if (each := getattr(value, name))}
        message = redact(value.message, skip_common_words=True)  # its placeholders are words that stay
        return value._replace(message=message, **_redacted_fields(fields, redact, words, is_free=is_free))
    if isinstance(value, tuple | list):
        return type(value)(_redacted(each, redact, words, is_free=is_free) for each in value)
    if isinstance(value, dict):
        return _redacted_fields(value, redact, words, is_free=is_free)
    return value


def _redacted_fields(
    fields: Mapping[str, object], redact: Redact, words: RedactionBudget, *, is_free: bool
) -> dict[str, Any]:
    return {
        name: _redacted(value, redact, words, is_free=is_free or name in _THEIR_WORDS) for name, value in fields.items()
    }
