"""Text from elsewhere made safe for a terminal: what is shown is what it says, and nothing that it does."""


def printable(text: str) -> str:
    r"""Return ``text`` on one line, with everything that is not a visible character spelled out.

    White space of any kind becomes a space. Control characters, escape sequences, bidirectional and zero-width
    characters and lone surrogates become backslash notation, such as ``\x1b``: they cannot move the cursor, hide
    or reverse other text, and can still be read by the one who looks for the cause.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def printable_lines(text: str) -> list[str]:
    """Return the lines of ``text``, each safe to show; blank ones are left out."""
    return [line for line in (printable(raw).rstrip() for raw in text.splitlines()) if line.strip()]


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode("ascii")
