"""Values on their way to people: without the secrets that the appliance got from us and says again."""

from typing import Final, TypeVar, cast

import msgspec

from backupctl.secrets.redaction import Conceal, MaskBudget

T = TypeVar("T")

_THEIR_WORDS: Final = {"args", "comment", "default_message", "description", "details"}
"""Fields with free text of the appliance; all others hold words of ours, or names by which scripts find their way."""

_OURS: Final = {"server", "host", "slug"}
"""Fields that hold nothing of the appliance."""


def concealed(value: T, conceal: Conceal) -> T:
    """Return ``value`` with every text in it masked by ``conceal``, all free text within one ``MaskBudget``.

    Ordinary words stay in all fields but those with free text.
    """
    return cast("T", _concealed(value, conceal, MaskBudget(conceal), is_free=False))


def _concealed(value: object, conceal: Conceal, words: MaskBudget, *, is_free: bool) -> object:
    if isinstance(value, str):
        return words.conceal(value) if is_free else conceal(value, spare_words=True)
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__ if name not in _OURS}
        return msgspec.structs.replace(value, **_concealed_fields(fields, conceal, words, is_free=is_free))
    if isinstance(value, tuple | list):
        return type(value)(_concealed(each, conceal, words, is_free=is_free) for each in value)
    if isinstance(value, dict):
        return _concealed_fields(value, conceal, words, is_free=is_free)
    return value


def _concealed_fields(
    fields: dict[str, object], conceal: Conceal, words: MaskBudget, *, is_free: bool
) -> dict[str, object]:
    return {
        name: _concealed(value, conceal, words, is_free=is_free or name in _THEIR_WORDS)
        for name, value in fields.items()
    }
