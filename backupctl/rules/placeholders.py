"""Fill the places that the appliance leaves open in its messages.

Its English texts come formatted as a rule, but some arrive as templates beside their arguments: in the style of
Python (``%s``, ``%(name)s``, ``{}``) or of Java (``{0}``, ``%1$s``).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

UNKNOWN: Final = "(unknown)"

MOST_FILLED: Final = 4096
"""The most characters that are filled into one message: a template may name its longest argument ten thousand times."""

_PLACE: Final = re.compile(
    r"(?<![%\d])%(?:(?P<position>[1-9])\$|\((?P<key>\w{1,64})\))?[sd]\b"
    r"|\{(?P<index>\d{1,2})\}|\{(?P<name>[A-Za-z_]\w{0,63})\}|(?P<next>\{\})",
    re.ASCII,
)


_PARAMETER_FIELDS: Final = ("s", "i", "d", "dt", "l")
"""Where a named parameter holds its value: text, integer, decimal, time, nested (``LocalizationParam`` of the API)."""


def filled(template: str | None, message_id: str | None, args: object, params: object) -> str:
    """Return a message as text: its template filled, else its id with the arguments; empty if there is nothing.

    ``args`` and ``params`` are as the appliance sent them, whatever they are.
    """
    words = arguments(args)
    if template:
        return _fill(template, words, _named(params))
    return ": ".join(filter(None, (message_id, ", ".join(words))))


def arguments(args: object) -> tuple[str, ...]:
    """Return the texts and numbers among the arguments; nested ones, which the API does not know, are left out."""
    return tuple(str(arg) for arg in args if isinstance(arg, str | int | float)) if isinstance(args, list) else ()


def _named(params: object) -> dict[str, str]:
    """Return the values of named parameters: each a text or number, or a structure that holds one."""
    if not isinstance(params, dict):
        return {}
    values = {
        name: next((value[field] for field in _PARAMETER_FIELDS if field in value), None)
        if isinstance(value, dict)
        else value
        for name, value in params.items()
    }
    return {name: str(value) for name, value in values.items() if isinstance(value, str | int | float)}


def _fill(text: str, args: Sequence[str], named: Mapping[str, str]) -> str:
    """Return ``text`` with its places filled from ``args`` in their order, and from ``named``.

    A numbered or ``%s`` place without an argument becomes "(unknown)"; braces that may be plain text stay. Behind
    ``MOST_FILLED`` characters places stay empty.
    """
    rest = iter(args)
    left = MOST_FILLED

    def bounded(place: re.Match[str]) -> str:
        nonlocal left
        shown = value(place)[:left]
        left -= len(shown)
        return shown

    def value(place: re.Match[str]) -> str:
        name = place["key"] or place["name"]
        if name is not None:
            return named.get(name, place[0])
        if place["next"] is not None:
            return next(rest, place[0])
        if place["position"] is None and place["index"] is None:
            return next(rest, UNKNOWN)
        index = int(place["position"]) - 1 if place["position"] else int(place["index"])
        return args[index] if index < len(args) else UNKNOWN

    return _PLACE.sub(bounded, text)
