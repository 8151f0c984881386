"""From the bytes of a file or a command's output to a secret; no error shows any of them."""

from typing import Final

from backupctl.errors import ConfigError
from backupctl.secrets.secret import Secret

LARGEST_BYTES: Final = 64 * 1024
_BYTE_ORDER_MARK: Final = "\ufeff"


def secret_from_bytes(content: bytes, where: str) -> Secret:
    """Return the one line that ``content`` holds, without one newline at its end; raise ConfigError about ``where``."""
    if len(content) > LARGEST_BYTES:
        raise ConfigError(f"{where} holds more than {LARGEST_BYTES // 1024} KiB", hint="a secret is one line of text")
    text = content.decode(errors="surrogateescape")  # the error of a strict one would hold the secret
    return secret_from_text(text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text, where)


def secret_from_text(text: str, where: str) -> Secret:
    """Return ``text`` as a secret if it is one line; raise ConfigError about ``where``."""
    if not text:
        raise ConfigError(f"{where} is empty", hint="put the secret there, or leave the option out")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ConfigError(f"{where} is not UTF-8 text", hint="save the secret as UTF-8")
    if text.startswith(_BYTE_ORDER_MARK):
        raise ConfigError(f"{where} starts with a byte order mark", hint="save it as UTF-8 without one")
    if any(character in text for character in "\0\n\r"):
        raise ConfigError(f"{where} holds more than one line, or a NUL", hint="a secret is one line of text")
    return Secret(text)
