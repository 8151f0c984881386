"""Values on their way to people: without the secrets that the appliance got from us and says again."""

from typing import Final, Protocol, TypeVar, cast

import msgspec

T = TypeVar("T")

_THEIR_WORDS: Final = {"args", "comment", "default_message", "description", "details"}
"""Fields with free text of the appliance; all others hold words of ours, or names by which scripts find their way."""

_OURS: Final = {"server", "host", "slug"}
"""Fields that hold nothing of the appliance."""


class Conceal(Protocol):
    """Takes secrets out of a text."""

    def __call__(self, text: str, *, spare_words: bool = False) -> str:
        """Return ``text`` without them; with ``spare_words`` those that are ordinary words stay."""
        ...


def concealed(value: T, conceal: Conceal, *, spare_words: bool = True) -> T:
    """Return ``value`` with every text in it as ``conceal`` gives it back."""
    new: object = value
    if isinstance(value, str):
        new = conceal(value, spare_words=spare_words)
    elif isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__ if name not in _OURS}
        new = msgspec.structs.replace(value, **_concealed_fields(fields, conceal, spare_words=spare_words))
    elif isinstance(value, tuple | list):
        new = type(value)(concealed(each, conceal, spare_words=spare_words) for each in value)
    elif isinstance(value, dict):
        new = _concealed_fields(value, conceal, spare_words=spare_words)
    return cast("T", new)


def _concealed_fields(fields: dict[str, object], conceal: Conceal, *, spare_words: bool) -> dict[str, object]:
    return {
        name: concealed(value, conceal, spare_words=spare_words and name not in _THEIR_WORDS)
        for name, value in fields.items()
    }
