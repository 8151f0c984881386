"""Check texts before they are sent to the appliance."""

import unicodedata

from backupctl.errors import UsageError

_UNSENDABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories: control characters, lone surrogates (bytes of the command line that are not UTF-8), and the line
and paragraph separators."""


def check_printable(text: str, what: str) -> None:
    """Raise UsageError if ``text`` contains a control character or is not valid UTF-8; never show ``text``."""
    for position, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category == "Cs":
            raise UsageError(f"{what} is not valid UTF-8 (at character {position})")
        if category in _UNSENDABLE:
            raise UsageError(f"{what} contains a control character (at character {position})")


def check_not_an_option(text: str, what: str) -> None:
    """Raise UsageError if ``text`` starts with ``-``.

    The appliance passes some values to command-line tools, which could read it as an option.
    """
    if text.startswith("-"):
        raise UsageError(f"{what} must not start with '-'", hint="a tool on the appliance could read it as an option")
