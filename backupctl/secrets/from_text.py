"""Turn the content of a file or the output of a command into a secret; no error shows any of it."""

from typing import Final

from backupctl.errors import ConfigError
from backupctl.secrets.secret import Secret

MAX_SECRET_BYTES: Final = 64 * 1024
_BYTE_ORDER_MARK: Final = "\ufeff"


def secret_from_bytes(content: bytes, where: str, *, lines: bool = False) -> Secret:
    """Return the line in ``content``, or with ``lines`` all of them, without one trailing newline.

    Raises ConfigError, about ``where``: if it is too long or not one line of UTF-8.
    """
    if len(content) > MAX_SECRET_BYTES:
        raise ConfigError(f"{where} is larger than {MAX_SECRET_BYTES // 1024} KiB", hint="save it as one line of text")
    text = content.decode(errors="surrogateescape")  # the UnicodeDecodeError of a strict decoder would hold the secret
    return secret_from_text(
        text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text, where, lines=lines
    )


def secret_from_text(text: str, where: str, *, lines: bool = False) -> Secret:
    """Return ``text`` as a secret, of several lines only with ``lines``.

    Raises ConfigError, about ``where``: if it is empty, not UTF-8 or not one line.
    """
    if not text:
        raise ConfigError(f"{where} is empty", hint="put the secret there, or omit the option")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ConfigError(f"{where} is not UTF-8 text", hint="save the secret as UTF-8")
    if text.startswith(_BYTE_ORDER_MARK):
        raise ConfigError(f"{where} starts with a byte order mark", hint="save it as UTF-8 without one")
    if any(character in text for character in ("\0" if lines else "\0\n\r")):
        raise ConfigError(f"{where} contains more than one line or a NUL byte", hint="save it as one line of text")
    return Secret(text)
