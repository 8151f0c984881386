"""Table of the releases: version, API families, features, location types and parts of each.

Sources: VMware's API references of 6.5 to 9, and the vapi-client-bindings wheels, compared release by release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backupctl.errors import UsageError

ApiReach = Literal["none", "session", "all"]


@dataclass(frozen=True, slots=True)
class Release:
    """One release: ``version`` and ``build`` as in ``system/version``, and what it supports.

    ``api`` is the part of the ``/api`` family that exists: none, only sessions, or all.
    """

    version: str
    build: str
    api: ApiReach
    features: frozenset[str]
    location_types: tuple[str, ...]
    part_ids: tuple[str, ...]

    @property
    def scheme(self) -> str:
        """The scheme of locations in sample jobs: sftp, or ftp where the release lacks it."""
        return "sftp" if "SFTP" in self.location_types else "ftp"


_VERSIONS: Mapping[str, tuple[str, str]] = {
    "6.5": ("6.5.0.20000", "8307201"),
    "6.7": ("6.7.0.14000", "9451876"),
    "6.7U2": ("6.7.0.30000", "13010631"),
    "7.0": ("7.0.0.10100", "15952498"),
    "7.0U2": ("7.0.2.00500", "18455184"),
    "8.0": ("8.0.0.10000", "20519528"),
    "8.0U3": ("8.0.3.00000", "24022515"),
    "9.0": ("9.0.0.0", "24755230"),
    "9.1": ("9.1.0.0", "25100000"),
}
"""Version and build, oldest first. The exact builds are UNCONFIRMED."""

RELEASE_NAMES: tuple[str, ...] = tuple(_VERSIONS)

_FEATURES_SINCE: Mapping[str, str] = {
    "details": "6.7",
    "restore-sso": "6.7",  # restore needs the SSO administrator, and can ignore warnings
    "recovery": "6.7",
    "schedules": "6.7",
    "archives": "6.7",
    "reconciliation": "6.7",
    "vcenter-folder": "6.7",  # archives are below vCenter/sn_<name>/; before, in the folder itself
    "details-build": "6.7U2",
    "error-type": "7.0",  # errors in /rest have error_type, and a 401 a challenge
    "health-database": "7.0",  # since 7.0.0.1
    "database-check": "7.0",  # backups check the health of the database
    "api": "7.0U2",
    "fast-backup": "7.0U2",
    "details-fast-backup": "8.0U3",  # and in schedules: in the API since 8.0.1
    "standalone-parts": "8.0U3",
}

_FEATURES_UNTIL: Mapping[str, str] = {"database-check": "9.0"}
"""The first release without a feature: 9.0 removed the tool that checks the database."""

_LOCATION_TYPES_SINCE: Mapping[str, str] = {
    "FTP": "6.5",
    "HTTP": "6.5",
    "FTPS": "6.5",
    "HTTPS": "6.5",
    "SCP": "6.5",
    "NFS": "6.7U2",
    "SMB": "6.7U2",
    "SFTP": "7.0",
}

_PARTS_SINCE: Mapping[str, str] = {"common": "6.5", "seat": "6.5", "supervisors": "8.0U3"}


def _available_at(name: str, since: Mapping[str, str]) -> tuple[str, ...]:
    age = RELEASE_NAMES.index(name)
    return tuple(item for item, first in since.items() if RELEASE_NAMES.index(first) <= age)


def _release(name: str) -> Release:
    version, build = _VERSIONS[name]
    features = frozenset(_available_at(name, _FEATURES_SINCE)) - frozenset(_available_at(name, _FEATURES_UNTIL))
    return Release(
        version=version,
        build=build,
        api="all" if "api" in features else "none",
        features=features,
        location_types=_available_at(name, _LOCATION_TYPES_SINCE),
        part_ids=_available_at(name, _PARTS_SINCE),
    )


def release_named(name: str) -> Release:
    """Return the release with this name, ignoring case. Raises ``UsageError``: for an unknown name."""
    for known in RELEASE_NAMES:
        if known.casefold() == name.casefold():
            return _release(known)
    raise UsageError(f"unknown release {name!r}", hint=f"choose from {', '.join(RELEASE_NAMES)}")
