"""Backup locations as values: parsed once, filled in once, and then carried, compared and masked by their own methods.

A user gives a ``LocationTemplate``; filled in for one appliance it is a ``Location``, which goes to the wire as it was
written. Types and forms are those of appliance/recovery/backup/job of the vSphere Automation API, where a location is
a "path or URL": 6.5 takes ``host/path`` as well, and URLs with an empty port (``sftp://host:/path``) are common.
"""

import re
from datetime import UTC, datetime
from typing import Final, NoReturn
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from backupctl.errors import UsageError
from backupctl.rules.hostport import parse_host_port
from backupctl.rules.location_types import LOCATION_TYPES
from backupctl.rules.plain_text import check_not_an_option, check_printable
from backupctl.secrets.secret import MASK

MAX_LENGTH: Final = 4096
"""Characters; in /rest a location stands in a URL, where each character that is not a letter takes three or more."""

_WHAT: Final = "the location"
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_ARCHIVE_FOLDER: Final = re.compile(r"(/vCenter)?/sn_[^/]+/[MS]_[^/]+$")
_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_PLACEHOLDERS: Final = "known: {server} {date} {time}; a brace itself is written twice"
_DEFAULT_PORTS: Final = {
    "ftp": 21,
    "ftps": 21,
    "http": 80,
    "https": 443,
    "scp": 22,
    "sftp": 22,
    "nfs": 2049,
    "smb": 445,
}


class Location(msgspec.Struct, frozen=True):
    """A location: ``text`` is sent as it is, the rest is what was read in it.

    ``scheme`` is in lower case and empty for a bare path. ``host`` is in lower case, without the brackets of an IPv6
    address and without a dot at its end. ``path`` is what follows the port, with its slash, still percent-encoded.
    ``type`` is in upper case; it is empty where the text does not tell it.
    """

    text: str
    scheme: str
    host: str
    port: int | None
    path: str
    type: str

    @classmethod
    def parse(cls, text: str) -> "Location":
        """Return the location that a user gives.

        Raises UsageError for what no type of location can be. A user name or a password in it is refused, and no error
        shows one.
        """
        _check_text(text)
        scheme, authority, path = _split(text)
        try:
            if scheme:
                _check_url(text, path)
            else:
                _check_bare_path(authority, path)
            return cls(text, scheme, *_host_and_port(authority), path, scheme.upper())
        except UsageError:
            if "@" in text:  # The password ends what looks like the host in user:pass/word@host.
                _refuse_credentials()
            raise

    @classmethod
    def reported(cls, text: str) -> "Location":
        """Return the location that an appliance reports, which may be any text and is never refused.

        It may hold a user, doubled slashes, and slashes as Windows writes them. A host and port that cannot be read are
        kept as ``host``, in brackets, and equal only themselves.
        """
        scheme, authority, path = _split(text.replace("\\", "/"), lenient=True)
        try:
            host, port = _host_and_port(authority)
        except UsageError:
            host, port = f"[{authority.lower()}]", None
        return cls(text, scheme, host, port, path, scheme.upper())

    def of_type(self, given: str | None) -> "Location":
        """Return the location with its type: that of ``--location-type`` if given, else that of its scheme.

        Raises UsageError where neither tells it, or where they contradict each other.
        """
        written = self.text[: len(self.scheme)]
        if not self.scheme and given is None:
            raise UsageError(
                f"{_WHAT} does not say its type",
                hint="write it as a URL such as sftp://host/path, or add $--location-type",
            )
        if self.scheme and given not in {None, self.type}:
            raise UsageError(
                f"the location type is {given}, but {_WHAT} starts with {written}://",
                hint="leave $--location-type out, or change one of them",
            )
        if given is None and self.type not in LOCATION_TYPES:
            known = " ".join(known.lower() for known in LOCATION_TYPES)
            raise UsageError(
                f"{_WHAT} has the unknown scheme {written}://",
                hint=f"known schemes: {known}; for one that a newer release has learned, add $--location-type",
            )
        return replace(self, type=given or self.type)

    def is_same_as(self, other: "Location") -> bool:
        """Whether two spellings name one location.

        The appliance percent-encodes a location and may add or drop its scheme, port or user; the case of a host name,
        a dot behind it, and slashes that are doubled or written as in Windows mean nothing.
        """
        if self.scheme and other.scheme and self.scheme != other.scheme:
            return False
        usual = _DEFAULT_PORTS.get(self.scheme or other.scheme)
        return (self.host, self.port or usual, self.folder) == (other.host, other.port or usual, other.folder)

    def contains_backup_at(self, reported: str | None) -> bool:
        """Whether a backup whose location is ``reported`` went here: it is this one, or an archive's folder below it.

        Job details may name either: a public note on 7.0.3 shows ``.../backup/vCenter/sn_.../M_7.0.3.02100_...`` where
        ``.../backup`` was configured.
        """
        if reported is None:
            return False
        found = Location.reported(reported)
        parent = replace(found, path=_ARCHIVE_FOLDER.sub("", found.path.rstrip("/")))
        return self.is_same_as(found) or self.is_same_as(parent)

    @property
    def masked(self) -> str:
        """The text with a password in it masked, to be shown; rather too much is masked than too little."""
        url = _URL.fullmatch(self.text)
        scheme, rest = (f"{url['scheme']}://", url["rest"]) if url else ("", self.text)
        authority = _before(rest, "[/?#]")
        is_host = re.fullmatch(r"(?:\[[^\[\]@]*\]|[^:@]*)(?::[0-9]*)?", authority)
        before, at, after = rest.rpartition("@")
        user, colon, _ = before.partition(":")
        return f"{scheme}{user}:{MASK}@{after}" if at and colon and not is_host else self.text

    @property
    def folder(self) -> str:
        """The path in the one form in which paths are compared: decoded, without needless slashes."""
        return re.sub("/+", "/", unquote(self.path)).strip("/")

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Location({self.masked!r})"


class LocationTemplate(msgspec.Struct, frozen=True):
    """A location as a user writes it, with ``{server}``, ``{date}`` and ``{time}`` to be filled in.

    6.5 wants a new or empty folder for each backup, so a location that is used again needs something that changes.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> "LocationTemplate":
        """Return a template that makes a location; its type may come from another option.

        Raises UsageError.
        """
        template = cls(text)
        Location.parse(template._filled("server", datetime.min.replace(tzinfo=UTC)))
        return template

    def fill(self, *, server: str, moment: datetime) -> Location:
        """Return the location for ``server`` (``vc01``) at ``moment`` (2026-03-01, 02-00-00 in its own time zone).

        ``{{`` and ``}}`` stand for a brace. A character of ``server`` that not every file system takes becomes a
        hyphen: ``vc01:8443`` becomes ``vc01-8443``. Raises UsageError for an unknown placeholder, or a bad location.
        """
        return Location.parse(self._filled(server, moment))

    def _filled(self, server: str, moment: datetime) -> str:
        values = {
            "{{": "{",
            "}}": "}",
            "{server}": _as_folder(server),
            "{date}": f"{moment:%Y-%m-%d}",
            "{time}": f"{moment:%H-%M-%S}",
        }

        def value_of(match: re.Match[str]) -> str:
            found = match[0]
            if found in {"{", "}"}:
                raise UsageError(f"{_WHAT} has a single brace", hint=_PLACEHOLDERS)
            if found not in values:
                shown = "" if "@" in self.text else f" {found}"
                raise UsageError(f"{_WHAT} has an unknown placeholder{shown}", hint=_PLACEHOLDERS)
            return values[found]

        return _PLACEHOLDER.sub(value_of, self.text)

    @property
    def changes_with_time(self) -> bool:
        """Whether a date or a time is to be filled in."""
        return not {"{date}", "{time}"}.isdisjoint(_PLACEHOLDER.findall(self.text))

    def __str__(self) -> str:
        return self.text


def parse_location_type(text: str) -> str:
    """Return a location type in upper case; an unknown one is accepted, as releases add them.

    Raises UsageError.
    """
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", text):
        raise UsageError(f"{text!r} is no location type", hint=f"known types: {' '.join(LOCATION_TYPES)}")
    return text.upper()


def _as_folder(server: str) -> str:
    folder = re.sub(r"[^\w.-]", "-", server).strip("-.")
    if not folder:
        raise UsageError("the name of the server cannot stand in a location", hint="leave {server} out of the location")
    return folder


def _split(text: str, *, lenient: bool = False) -> tuple[str, str, str]:
    """Return the scheme (empty for a bare path), the host with its port, and the path; nothing is checked.

    ``lenient`` skips slashes and a user before the host.
    """
    url = _URL.fullmatch(text)
    scheme, rest = (url["scheme"].lower(), url["rest"]) if url else ("", text)
    if lenient:
        rest = rest.lstrip("/")
        rest = rest[_before(rest, "/").rfind("@") + 1 :]
    authority = _before(rest, "[/?#]")
    return scheme, authority, rest[len(authority) :]


def _before(text: str, pattern: str) -> str:
    return re.split(pattern, text, maxsplit=1)[0]


def _host_and_port(authority: str) -> tuple[str, int | None]:
    place = parse_host_port(authority, _WHAT)
    return place.host.lower().removesuffix("."), place.port


def _check_text(text: str) -> None:
    if not text.strip():
        raise UsageError(f"{_WHAT} is empty", hint="write a URL such as sftp://backup.example.com/vcenter")
    if len(text) > MAX_LENGTH:
        raise UsageError(f"{_WHAT} has {len(text)} characters, and {MAX_LENGTH} are the most that can be sent")
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
        hint="give the user with $--location-user and the password with $--location-password-file; "
        "write an '@' in a folder's name as %40",
    )


def _check_url(text: str, path: str) -> None:
    if " " in path:
        quoted = "%20 for it" if "@" in text else text.replace(" ", "%20")
        raise UsageError(f"{_WHAT} is a URL with a space in it", hint=f"write {quoted}")
    if "?" in path or "#" in path:
        raise UsageError(f"{_WHAT} is a URL with a '?' or '#' in it", hint="write %3F or %23 if it is part of a name")
    if re.search("%(?:[01][0-9A-Fa-f]|7[Ff])", path):
        raise UsageError(f"{_WHAT} holds a quoted control character")


def _check_bare_path(authority: str, path: str) -> None:
    scheme = authority.removesuffix(":").upper()
    if authority.endswith(":") and scheme in LOCATION_TYPES:
        raise UsageError(f"{_WHAT} is no URL", hint=f"two slashes follow the scheme: {authority.lower()}//host/path")
    if not authority:
        raise UsageError(f"{_WHAT} names no host", hint=f"write sftp://host{path}" if "@" not in path else None)
