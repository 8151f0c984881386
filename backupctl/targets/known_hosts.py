"""The SSH host keys in ``known_hosts`` files, as sshd(8) describes them; certificate authorities are ignored."""

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from hmac import digest
from pathlib import Path
from typing import Final, NamedTuple

_FILES: Final = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))


class KnownKeys(NamedTuple):
    """The keys of one host as base64 text, and the types of the trusted ones."""

    trusted: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()


def known_keys(host: str, port: int) -> KnownKeys:
    """Return the keys of a host; as in ssh, those of the host without a port count if the other name is unknown."""
    revoked: frozenset[str] = frozenset()
    for name in [host] if port == 22 else [f"[{host}]:{port}", host]:
        found = [words for words in _lines() if _matches(words[1], name)]
        trusted = [words for words in found if not words[0]]
        revoked |= {words[3] for words in found if words[0] == "@revoked"}
        if trusted:
            break
    keys, types = (frozenset(words[field] for words in trusted) for field in (3, 2))
    return KnownKeys(keys, revoked, types)


def _lines() -> Iterator[list[str]]:
    """Yield marker, host patterns, key type and key of each line; a file that cannot be read is skipped, as in ssh."""
    for file in _FILES:
        with suppress(OSError, RuntimeError):  # RuntimeError: this user has no home
            for line in file.expanduser().read_text("utf-8", "replace").splitlines():
                words = line.split() if line.startswith("@") else ["", *line.split()]
                if len(words) >= 4 and not line.lstrip().startswith("#"):
                    yield words


def _matches(patterns: str, name: str) -> bool:
    """Return whether the first field of a line stands for a name: patterns, or one hashed name."""
    if patterns.startswith("|1|"):
        with suppress(ValueError):
            salt, hashed = map(b64decode, patterns.split("|")[2:4])
            return digest(salt, name.encode(), "sha1") == hashed
        return False
    regexes = [re.escape(each).replace(r"\*", ".*").replace(r"\?", ".") for each in patterns.lower().split(",")]
    matching = [each for each in regexes if re.fullmatch(each.removeprefix("!"), name)]
    return bool(matching) and not any(each.startswith("!") for each in matching)
