"""Fill the placeholders in messages of the appliance.

Its English texts come formatted as a rule, but some arrive as templates beside their arguments: in the style of
Python (``%s``, ``%(name)s``, ``{}``) or of Java (``{0}``, ``%1$s``).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

UNKNOWN: Final = "(unknown)"

MAX_FILLED_LENGTH: Final = 4096
"""Most characters filled into one message, as a template may repeat a long argument ten thousand times."""

_PLACEHOLDER: Final = re.compile(
    r"(?<![%\d])%(?:(?P<position>[1-9])\$|\((?P<key>\w{1,64})\))?[sd]\b"
    r"|\{(?P<index>\d{1,2})\}|\{(?P<name>[A-Za-z_]\w{0,63})\}|(?P<next>\{\})",
    re.ASCII,
)


_PARAMETER_FIELDS: Final = ("s", "i", "d", "dt", "l")
"""Fields of a named parameter that may hold its value (``LocalizationParam`` of the API): text, integer, decimal, time,
nested."""


def filled(template: str | None, message_id: str | None, args: object, params: object) -> str:
    """Return a message as text: its filled template, else its id with the arguments, else an empty string.

    ``args`` and ``params`` are as the appliance sent them, of any type.
    """
    words = arguments(args)
    if template:
        return _fill(template, words, _named(params))
    return ": ".join(filter(None, (message_id, ", ".join(words))))


def arguments(args: object) -> tuple[str, ...]:
    """Return the texts and numbers among the arguments; the API has no nested ones, so they are ignored."""
    return tuple(str(arg) for arg in args if isinstance(arg, str | int | float)) if isinstance(args, list) else ()


def _named(params: object) -> dict[str, str]:
    """Return the values of named parameters: each is a text, a number, or a structure that holds one."""
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
    """Return ``text`` with its placeholders filled from ``args`` in order, and from ``named``.

    A numbered or ``%s`` placeholder without an argument becomes "(unknown)"; braces that may be plain text are kept.
    After ``MAX_FILLED_LENGTH`` characters, placeholders become empty.
    """
    rest = iter(args)
    left = MAX_FILLED_LENGTH

    def limited(match: re.Match[str]) -> str:
        nonlocal left
        shown = value(match)[:left]
        left -= len(shown)
        return shown

    def value(match: re.Match[str]) -> str:
        name = match["key"] or match["name"]
        if name is not None:
            return named.get(name, match[0])
        if match["next"] is not None:
            return next(rest, match[0])
        if match["position"] is None and match["index"] is None:
            return next(rest, UNKNOWN)
        index = int(match["position"]) - 1 if match["position"] else int(match["index"])
        return args[index] if index < len(args) else UNKNOWN

    return _PLACEHOLDER.sub(limited, text)
