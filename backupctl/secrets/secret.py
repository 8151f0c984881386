"""A secret string that hides its value."""

from typing import Final

MASK: Final = "***"


class Secret:
    """A secret string, shown as ``***`` everywhere but by ``reveal``.

    It cannot be pickled, written as JSON or formatted by accident. Equality compares the hidden strings.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret string; call this only to send or check it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled")
