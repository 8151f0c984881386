"""Where a backup goes: a location as the appliance takes it, checked, and sent as it was written.

Types and forms are those of appliance/recovery/backup/job of the vSphere Automation API, where a location is a "path
or URL": 6.5 takes ``host/path`` as well, and URLs with an empty port (``sftp://host:/path``) are common.
"""

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from backupctl.errors import UsageError
from backupctl.rules.hostport import HostPort, parse_host_port
from backupctl.rules.location_types import LOCATION_TYPES
from backupctl.rules.plain_text import check_not_an_option, check_printable
from backupctl.secrets.secret import MASK

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_WHAT: Final = "the location"

LONGEST: Final = 4096
"""Characters; in /rest it stands in a URL, with every sign that is not a letter written as three or more."""


@dataclass(frozen=True, slots=True)
class Location:
    """A checked location; ``location`` is the text to send, the rest is what was read from it.

    ``path`` is what follows the host and port, with its slash, still percent-quoted; ``host`` is in lower case.
    """

    location_type: str
    location: str
    host: str
    port: int | None
    path: str


def parse_location(text: str, location_type: str | None = None) -> Location:
    """Check ``text`` and find its type in its scheme, unless ``location_type`` says it; raise UsageError.

    A user name or a password in it is refused, and no error shows one.
    """
    given_type = None if location_type is None else parse_location_type(location_type)
    scheme, place, path = _read(text)
    return Location(_decide_type(scheme, given_type), text, place.host.lower(), place.port, path)


def check_location(text: str) -> None:
    """Raise UsageError for what no type of location can be."""
    _read(text)


def _read(text: str) -> tuple[str | None, HostPort, str]:
    """Return scheme (None: a bare path), host with port, and path."""
    _check_text(text)
    url = _URL.fullmatch(text)
    authority, path = _split(url["rest"] if url else text)
    try:
        if url:
            _check_url(text, path)
        else:
            _check_bare_form(authority, path)
        return url["scheme"] if url else None, parse_host_port(authority, _WHAT), path
    except UsageError:
        if "@" in text:  # the password ends what looks like the host in user:pass/word@host
            _refuse_credentials()
        raise


def host_of(text: str) -> str:
    """Return the host of a location in the one form in which hosts are compared; raise UsageError."""
    return _read(text)[1].host.lower().removesuffix(".")


def scheme_of(text: str) -> str:
    """Return the scheme of a location in lower case, empty for a bare path; raise UsageError."""
    return (_read(text)[0] or "").lower()


def parse_location_type(text: str) -> str:
    """Return the type in upper case; an unknown one is let through, as releases add them. Raise UsageError."""
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", text):
        raise UsageError(f"{text!r} is no location type", hint=f"known types: {' '.join(LOCATION_TYPES)}")
    return text.upper()


def mask_location(text: str) -> str:
    """Return any location for people to see, a password in it masked; rather too much of it than too little."""
    url = _URL.fullmatch(text)
    scheme, rest = (f"{url['scheme']}://", url["rest"]) if url else ("", text)
    authority, _ = _split(rest)
    is_host = re.fullmatch(r"(?:\[[^\[\]@]*\]|[^:@]*)(?::[0-9]*)?", authority)
    before, at, after = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    return f"{scheme}{user}:{MASK}@{after}" if at and colon and not is_host else text


def _check_text(text: str) -> None:
    if not text.strip():
        raise UsageError(f"{_WHAT} is empty", hint="write a URL such as sftp://backup.example.com/vcenter")
    if len(text) > LONGEST:
        raise UsageError(f"{_WHAT} has {len(text)} characters, and {LONGEST} are the most that can be sent")
    check_printable(text, _WHAT)
    check_not_an_option(text, _WHAT)
    if text != text.strip():
        raise UsageError(f"{_WHAT} has blanks around it")
    if "\\" in text:
        _refuse_backslashes(text)


def _refuse_backslashes(text: str) -> NoReturn:
    host_and_path = text.replace("\\", "/").lstrip("/")
    is_share = text.startswith("\\\\") and "@" not in text and " " not in text
    hint = f"write smb://{host_and_path}" if is_share else "write a Windows share as smb://server/share/folder"
    raise UsageError(f"{_WHAT} holds a backslash", hint=hint)


def _refuse_credentials() -> NoReturn:
    raise UsageError(
        f"{_WHAT} holds a user name or password before an '@'",
        hint="give the user with --location-user and the password with --location-password-file; "
        "write an '@' in a folder's name as %40",
    )


def _split(text: str) -> tuple[str, str]:
    end = re.search("[/?#]", text)
    return (text[: end.start()], text[end.start() :]) if end else (text, "")


def _check_url(text: str, path: str) -> None:
    if " " in path:
        quoted = "%20 for it" if "@" in text else text.replace(" ", "%20")
        raise UsageError(f"{_WHAT} is a URL with a space in it", hint=f"write {quoted}")
    if "?" in path or "#" in path:
        raise UsageError(f"{_WHAT} is a URL with a '?' or '#' in it", hint="write %3F or %23 if it is part of a name")
    if re.search("%(?:[01][0-9A-Fa-f]|7[Ff])", path):
        raise UsageError(f"{_WHAT} holds a quoted control character")


def _check_bare_form(authority: str, path: str) -> None:
    scheme = authority.removesuffix(":").upper()
    if authority.endswith(":") and scheme in LOCATION_TYPES:
        raise UsageError(f"{_WHAT} is no URL", hint=f"two slashes follow the scheme: {authority.lower()}//host/path")
    if not authority:
        raise UsageError(f"{_WHAT} names no host", hint=f"write sftp://host{path}" if "@" not in path else None)


def _decide_type(scheme: str | None, given: str | None) -> str:
    if scheme is None:
        if given is None:
            raise UsageError(
                f"{_WHAT} does not say its type",
                hint="write it as a URL such as sftp://host/path, or add --location-type",
            )
        return given
    if given is not None and given != scheme.upper():
        raise UsageError(
            f"the location type is {given}, but {_WHAT} starts with {scheme}://",
            hint="leave --location-type out, or change one of them",
        )
    if given is None and scheme.upper() not in LOCATION_TYPES:
        known = " ".join(known.lower() for known in LOCATION_TYPES)
        raise UsageError(
            f"{_WHAT} has the unknown scheme {scheme}://",
            hint=f"known schemes: {known}; for one that a newer release has learned, add --location-type",
        )
    return scheme.upper()
