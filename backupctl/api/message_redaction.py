"""Mask secrets in the messages of a response, before they are used.

Later code fills placeholders in messages, joins and cuts them. A secret that is changed by that would no longer be
found. All messages of a response share one ``RedactionBudget``, as a response has up to 8 MiB; further messages are
dropped and counted.
"""

from collections.abc import Sequence
from typing import Final, TypeVar, cast

import msgspec

from backupctl.models import LocalizableMessage
from backupctl.secrets.redaction import Redact, RedactionBudget

T = TypeVar("T")

_UNDOCUMENTED: Final = {"error"}
"""Fields of undocumented structure, whose texts are all treated as messages."""


def mask_messages(value: T, redact: Redact) -> T:
    """Return a result of the API with its messages masked by ``redact``; other texts are unchanged."""
    return cast("T", _mask(value, RedactionBudget(redact), in_message=False))


def mask_texts(value: T, redact: Redact) -> T:
    """Return a value with all texts in it masked by ``redact``."""
    return cast("T", _mask(value, RedactionBudget(redact), in_message=True))


def _mask(value: object, budget: RedactionBudget, *, in_message: bool) -> object:
    match value:
        case str() if in_message:
            return budget.redact(value)
        case msgspec.Struct():
            in_message = in_message or isinstance(value, LocalizableMessage)
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            masked = {
                name: _mask(item, budget, in_message=in_message or name in _UNDOCUMENTED)
                for name, item in fields.items()
            }
            changed = {name: item for name, item in masked.items() if item is not fields[name]}
            return msgspec.structs.replace(value, **changed) if changed else value
        case [LocalizableMessage(), *_]:
            return _mask_list(value, budget)
        case list():
            return (
                _mask_list(value, budget) if in_message else [_mask(item, budget, in_message=False) for item in value]
            )
        case dict():
            return {name: _mask(item, budget, in_message=in_message) for name, item in value.items()}
        case _:
            return value


def _mask_list(items: Sequence[object], budget: RedactionBudget) -> list[object]:
    """Return messages or arguments up to the end of the budget, then a message with the number of dropped ones."""
    masked: list[object] = []
    for item in items:
        if budget.spent:
            break
        budget.spend(1)
        masked.append(_mask(item, budget, in_message=True))
    dropped = len(items) - len(masked)
    if dropped and isinstance(items[0], msgspec.Struct):
        masked.append(type(items[0])(default_message=f"... ({dropped} more messages)"))
    return masked
