"""Backup locations: parsing, placeholders, comparison and masking.

A user gives a ``LocationTemplate``. Filled for one appliance, it becomes a ``Location``, which is sent as written.
Types and syntax are those of appliance/recovery/backup/job of the vSphere Automation API, where a location is a "path
or URL": 6.5 also accepts ``host/path``, and URLs with an empty port (``sftp://host:/path``) are common.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
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
"""In characters. In /rest a location is part of a URL, where a character may be encoded as three or more."""

_SUBJECT: Final = "the location"
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_ARCHIVE_FOLDER: Final = re.compile(r"(/vCenter)?/sn_[^/]+/[MS]_[^/]+$")
_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_PLACEHOLDERS: Final = "use {server}, {date} or {time}; write a brace twice"
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
    """A location: ``text`` is sent as it is, the other fields are parsed from it.

    ``scheme`` is lower case, and empty for a bare path. ``host`` is lower case, without the brackets of an IPv6 address
    and without a trailing dot. ``path`` is what follows the port, with its leading slash and percent-encoding. ``type``
    is upper case, and empty if unknown.
    """

    text: str
    scheme: str
    host: str
    port: int | None
    path: str
    type: str

    @classmethod
    def parse(cls, text: str) -> "Location":
        """Parse a location from a user.

        Raises UsageError: if it is invalid for every location type, or contains a user name or password, which the
        message never shows.
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
            if "@" in text:  # In user:pass/word@host, the password makes the host look invalid.
                _raise_for_credentials()
            raise

    @classmethod
    def reported(cls, text: str) -> "Location":
        """Parse a location from an appliance, without errors for any text.

        It may contain a user, doubled slashes and backslashes. An invalid host and port are kept as ``host`` in
        brackets, which no valid host equals.
        """
        scheme, authority, path = _split(text.replace("\\", "/"), lenient=True)
        try:
            host, port = _host_and_port(authority)
        except UsageError:
            host, port = f"[{authority.lower()}]", None
        return cls(text, scheme, host, port, path, scheme.upper())

    def of_type(self, given: str | None) -> "Location":
        """Return the location with the ``given`` type (``--location-type``), else with that of its scheme.

        Raises UsageError: if both are missing, if they contradict each other, or if the scheme alone is unknown.
        """
        written = self.text[: len(self.scheme)]
        if not self.scheme and given is None:
            raise UsageError(
                f"cannot tell the protocol from {_SUBJECT}",
                hint="use a URL such as sftp://host/path, or add $--location-type",
            )
        if self.scheme and given not in {None, self.type}:
            raise UsageError(
                f"the location type is {given}, but {_SUBJECT} starts with {written}://",
                hint="omit $--location-type, or change one of them",
            )
        if given is None and self.type not in LOCATION_TYPES:
            known = " ".join(known.lower() for known in LOCATION_TYPES)
            raise UsageError(
                f"{_SUBJECT} has the unknown scheme {written}://",
                hint=f"use one of {known}; for a scheme of a newer release, add $--location-type",
            )
        return replace(self, type=given or self.type)

    def is_same_as(self, other: "Location") -> bool:
        """Return whether both spellings mean the same location.

        The appliance percent-encodes a location and may add or remove its scheme, port or user. The case of the host,
        its trailing dot, doubled slashes and backslashes make no difference.
        """
        if self.scheme and other.scheme and self.scheme != other.scheme:
            return False
        default = _DEFAULT_PORTS.get(self.scheme or other.scheme)
        return (self.host, self.port or default, self.folder) == (other.host, other.port or default, other.folder)

    def contains_backup_at(self, reported: str | None) -> bool:
        """Return whether ``reported`` is this location or the folder of an archive in it.

        Job details may contain either: a public note on 7.0.3 shows ``.../backup/vCenter/sn_.../M_7.0.3.02100_...`` for
        the configured location ``.../backup``.
        """
        if reported is None:
            return False
        found = Location.reported(reported)
        parent = replace(found, path=_ARCHIVE_FOLDER.sub("", found.path.rstrip("/")))
        return self.is_same_as(found) or self.is_same_as(parent)

    @property
    def masked(self) -> str:
        """The text to show: a password in it is masked, and in doubt the text around it too."""
        url = _URL.fullmatch(self.text)
        scheme, rest = (f"{url['scheme']}://", url["rest"]) if url else ("", self.text)
        authority = _text_before(rest, "[/?#]")
        is_host = re.fullmatch(r"(?:\[[^\[\]@]*\]|[^:@]*)(?::[0-9]*)?", authority)
        before, at, after = rest.rpartition("@")
        user, colon, _ = before.partition(":")
        return f"{scheme}{user}:{MASK}@{after}" if at and colon and not is_host else self.text

    @property
    def server_port(self) -> int:
        """The port to connect to. The type must be known."""
        return self.port or _DEFAULT_PORTS[self.type.lower()]

    @property
    def folder(self) -> str:
        """The normalized path: decoded, without doubled, leading and trailing slashes."""
        return re.sub("/+", "/", unquote(self.path)).strip("/")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the folders of the path, decoded."""
        return tuple(name for name in self.folder.split("/") if name not in {"", "."})

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"Location({self.masked!r})"


class LocationTemplate(msgspec.Struct, frozen=True):
    """A location with the placeholders ``{server}``, ``{date}`` and ``{time}``.

    6.5 requires a new or empty folder for each backup, so a location that is used repeatedly needs a placeholder.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> "LocationTemplate":
        """Parse a template, and check that it gives a location; the location type may come from another option.

        Raises UsageError: if the template or its location is invalid.
        """
        template = cls(text)
        Location.parse(template._filled("server", datetime.min.replace(tzinfo=UTC)))
        return template

    def fill(self, *, server: str, moment: datetime) -> Location:
        """Return the location for ``server`` at ``moment``, as ``2026-03-01`` and ``02-00-00`` in its own time zone.

        ``{{`` and ``}}`` become a brace. Characters of ``server`` that a file system may not accept become hyphens:
        ``vc01:8443`` becomes ``vc01-8443``.

        Raises UsageError: for an unknown placeholder or an invalid location.
        """
        return Location.parse(self._filled(server, moment))

    def _filled(self, server: str, moment: datetime) -> str:
        values = {
            "{{": "{",
            "}}": "}",
            "{server}": _folder_name(server),
            "{date}": f"{moment:%Y-%m-%d}",
            "{time}": f"{moment:%H-%M-%S}",
        }

        def value_of(match: re.Match[str]) -> str:
            found = match[0]
            if found in {"{", "}"}:
                raise UsageError(f"{_SUBJECT} has a single brace", hint=_PLACEHOLDERS)
            if found not in values:
                shown = "" if "@" in self.text else f" {found}"
                raise UsageError(f"{_SUBJECT} has an unknown placeholder{shown}", hint=_PLACEHOLDERS)
            return values[found]

        return _PLACEHOLDER.sub(value_of, self.text)

    @property
    def changes_with_time(self) -> bool:
        """Whether the template contains ``{date}`` or ``{time}``."""
        return not {"{date}", "{time}"}.isdisjoint(_PLACEHOLDER.findall(self.text))

    @property
    def depends_on_server(self) -> bool:
        """Whether the template contains ``{server}``."""
        return "{server}" in _PLACEHOLDER.findall(self.text)

    def __str__(self) -> str:
        return self.text


class MountPoint(msgspec.Struct, frozen=True):
    """A folder of this host where a location is mounted, written ``nfs://nas/export=/mnt/export``."""

    location: Location
    path: Path

    @classmethod
    def parse(cls, text: str) -> "MountPoint":
        """Parse a mount point. Raises UsageError: if the location is invalid, or the folder no absolute path."""
        url, _, folder = text.rpartition("=/")
        if not url:
            raise UsageError(f"invalid mount point {text!r}", hint="use nfs://nas.example.com/export=/mnt/export")
        check_printable(folder, "the folder")
        return cls(Location.parse(url), Path(f"/{folder}"))

    def path_of(self, location: Location) -> Path | None:
        """Return the folder of a location that is mounted here, or lies below what is; None for any other."""
        names, mounted = location.names, self.location.names
        if names[: len(mounted)] != mounted or not self.location.is_same_as(replace(location, path=self.location.path)):
            return None
        return self.path.joinpath(*names[len(mounted) :])

    def __str__(self) -> str:
        return f"{self.location}={self.path}"


def parse_location_type(text: str) -> str:
    """Return a location type in upper case; unknown types are accepted, because newer releases add some.

    Raises UsageError: if it is no identifier.
    """
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", text):
        raise UsageError(f"invalid location type {text!r}", hint=f"use one of {' '.join(LOCATION_TYPES)}")
    return text.upper()


def _folder_name(server: str) -> str:
    folder = re.sub(r"[^\w.-]", "-", server).strip("-.")
    if not folder:
        raise UsageError("the server name cannot be used in a location", hint="remove {server} from the location")
    return folder


def _split(text: str, *, lenient: bool = False) -> tuple[str, str, str]:
    """Return scheme (empty for a bare path), host with port, and path, all unchecked.

    ``lenient`` skips slashes and a user before the host.
    """
    url = _URL.fullmatch(text)
    scheme, rest = (url["scheme"].lower(), url["rest"]) if url else ("", text)
    if lenient:
        rest = rest.lstrip("/")
        rest = rest[_text_before(rest, "[/?#]").rfind("@") + 1 :]
    authority = _text_before(rest, "[/?#]")
    return scheme, authority, rest[len(authority) :]


def _text_before(text: str, pattern: str) -> str:
    return re.split(pattern, text, maxsplit=1)[0]


def _host_and_port(authority: str) -> tuple[str, int | None]:
    place = parse_host_port(authority, _SUBJECT)
    return place.host.lower().removesuffix("."), place.port


def _check_text(text: str) -> None:
    if not text.strip():
        raise UsageError(f"{_SUBJECT} is empty", hint="use a URL such as sftp://backup.example.com/vcenter")
    if len(text) > MAX_LENGTH:
        raise UsageError(f"{_SUBJECT} has {len(text)} characters, more than {MAX_LENGTH}")
    check_printable(text, _SUBJECT)
    check_not_an_option(text, _SUBJECT)
    if text != text.strip():
        raise UsageError(f"{_SUBJECT} starts or ends with a space")
    if "\\" in text:
        _raise_for_backslash(text)


def _raise_for_backslash(text: str) -> NoReturn:
    host_and_path = text.replace("\\", "/").lstrip("/")
    is_share = text.startswith("\\\\") and "@" not in text and " " not in text
    hint = f"use smb://{host_and_path}" if is_share else "use smb://server/share/folder for a Windows share"
    raise UsageError(f"{_SUBJECT} contains a backslash", hint=hint)


def _raise_for_credentials() -> NoReturn:
    raise UsageError(
        f"{_SUBJECT} contains a user name or password before an '@'",
        hint="give the user with $--location-user and the password with $--location-password-file; "
        "write an '@' in a folder's name as %40",
    )


def _check_url(text: str, path: str) -> None:
    if " " in path:
        quoted = "%20 for it" if "@" in text else text.replace(" ", "%20")
        raise UsageError(f"{_SUBJECT} contains a space", hint=f"use {quoted}")
    if "?" in path or "#" in path:
        raise UsageError(f"{_SUBJECT} contains a '?' or '#'", hint="write %3F or %23 if it is part of a name")
    if re.search("%(?:[01][0-9A-Fa-f]|7[Ff])", path):
        raise UsageError(f"{_SUBJECT} contains an encoded control character")


def _check_bare_path(authority: str, path: str) -> None:
    scheme = authority.removesuffix(":").upper()
    if authority.endswith(":") and scheme in LOCATION_TYPES:
        raise UsageError(f"{_SUBJECT} is not a valid URL", hint=f"use {authority.lower()}//host/path")
    if not authority:
        raise UsageError(f"{_SUBJECT} has no host", hint=f"use sftp://host{path}" if "@" not in path else None)
