"""Mask what the appliance says in words, before anything is made of it.

Its messages are filled, joined and quoted further up, and a secret that is told in one must not lose a part of itself
to that: what is left of it would not be found any more.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import msgspec

from backupctl.models import LocalizableMessage

T = TypeVar("T")

_FREE_FORM: Final = {"error"}
"""Fields of the API whose form is not documented: all texts in them are words of the appliance."""


def mask_messages(value: T, conceal: Callable[[str], str]) -> T:
    """Return a result of the API with its messages as ``conceal`` gives them back; all else stays as it is."""
    return cast("T", _masked(value, conceal, in_words=False))


def mask_texts(value: T, conceal: Callable[[str], str]) -> T:
    """Return words of the appliance with all texts in them as ``conceal`` gives them back."""
    return cast("T", _masked(value, conceal, in_words=True))


def _masked(value: Any, conceal: Callable[[str], str], *, in_words: bool) -> Any:  # noqa: ANN401 - any result
    match value:
        case str() if in_words:
            return conceal(value)
        case msgspec.Struct():
            in_words = in_words or isinstance(value, LocalizableMessage)
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            masked = {
                name: _masked(each, conceal, in_words=in_words or name in _FREE_FORM) for name, each in fields.items()
            }
            changed = {name: each for name, each in masked.items() if each is not fields[name]}
            return msgspec.structs.replace(value, **changed) if changed else value
        case list():
            return [_masked(each, conceal, in_words=in_words) for each in value]
        case dict():
            return {name: _masked(each, conceal, in_words=in_words) for name, each in value.items()}
        case _:
            return value
