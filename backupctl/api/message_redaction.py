"""Mask what the appliance says in words, before anything is made of it.

Its messages are filled, joined and quoted further up, and a secret that is told in one must not lose a part of itself
to that: what is left of it would not be found any more. All messages of one answer share one ``RedactionBudget``, so
that an answer of 8 MiB costs no more than a long one. Messages behind it are counted and dropped.
"""

from collections.abc import Sequence
from typing import Final, TypeVar, cast

import msgspec

from backupctl.models import LocalizableMessage
from backupctl.secrets.redaction import Redact, RedactionBudget

T = TypeVar("T")

_FREE_FORM: Final = {"error"}
"""Fields of the API whose form is not documented: all texts in them are words of the appliance."""


def mask_messages(value: T, redact: Redact) -> T:
    """Return a result of the API with its messages masked by ``redact``; all else stays as it is."""
    return cast("T", _masked(value, RedactionBudget(redact), in_words=False))


def mask_texts(value: T, redact: Redact) -> T:
    """Return words of the appliance with all texts in them masked by ``redact``."""
    return cast("T", _masked(value, RedactionBudget(redact), in_words=True))


def _masked(value: object, budget: RedactionBudget, *, in_words: bool) -> object:
    match value:
        case str() if in_words:
            return budget.redact(value)
        case msgspec.Struct():
            in_words = in_words or isinstance(value, LocalizableMessage)
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            masked = {
                name: _masked(each, budget, in_words=in_words or name in _FREE_FORM) for name, each in fields.items()
            }
            changed = {name: each for name, each in masked.items() if each is not fields[name]}
            return msgspec.structs.replace(value, **changed) if changed else value
        case [LocalizableMessage(), *_]:
            return _masked_words(value, budget)
        case list():
            return (
                _masked_words(value, budget) if in_words else [_masked(each, budget, in_words=False) for each in value]
            )
        case dict():
            return {name: _masked(each, budget, in_words=in_words) for name, each in value.items()}
        case _:
            return value


def _masked_words(words: Sequence[object], budget: RedactionBudget) -> list[object]:
    """Return messages or arguments up to the end of the budget, then a message about those that are left out."""
    masked: list[object] = []
    for each in words:
        if budget.spent:
            break
        budget.spend(1)
        masked.append(_masked(each, budget, in_words=True))
    left_out = len(words) - len(masked)
    if left_out and isinstance(words[0], msgspec.Struct):
        masked.append(type(words[0])(default_message=f"... ({left_out} more messages)"))
    return masked
