"""How to reach a location from this host."""

from pathlib import Path
from urllib.parse import unquote

import msgspec

from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets.target import TargetPath
from backupctl.tls.trust_settings import TrustSettings


class TargetAccess(msgspec.Struct, frozen=True):
    """A location, the login there, and what proves that its server is the right one.

    ``host_key`` is the pinned fingerprint of an SSH host key, as ``SHA256:`` and base64; without one, the key must
    stand in a ``known_hosts`` file. ``tls`` is for FTPS and HTTPS. ``path`` is where the location is mounted on this
    host. ``selector`` are the words that select the appliance in a command line, for hints.
    """

    location: Location
    user: str | None = None
    password: Secret | None = None
    host_key: str | None = None
    tls: TrustSettings = TrustSettings()
    path: Path | None = None
    selector: tuple[str, ...] = ()

    @property
    def pin_selector(self) -> tuple[str, ...]:
        """The words with which ``trust pin`` reads this very server."""
        return ("--location", self.location.masked, *self.selector)

    @property
    def kind(self) -> str:
        """The adapter to use: a type of location, or ``path``."""
        return "path" if self.path is not None else self.location.type.lower()

    @property
    def folder(self) -> TargetPath:
        """The folder of the location, from the root of the target.

        A path that FTP takes from the root of the server, as in ``ftp://host//path``, begins with an empty name.
        """
        if self.path is not None:
            return ()
        is_absolute = self.kind in {"ftp", "ftps"} and unquote(self.location.path).startswith("//")
        return ("", *self.location.names) if is_absolute else self.location.names

    @property
    def server(self) -> tuple[object, ...]:
        """What locations must have in common to share connections."""
        if self.path is not None:
            return self.kind, self.path
        place = self.location
        return self.kind, place.host, place.port, self.user, self.password, self.host_key, self.tls
