"""How to reach the location of an appliance from this host, from settings."""

from pathlib import Path
from typing import Final, TypeVar

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.location_settings import ResolvedLocation, location_beside, location_login, location_of
from backupctl.config.option import Option
from backupctl.config.option_table import (
    LOCATION_CA_FILE,
    LOCATION_FINGERPRINT,
    PATH_FOR,
    SIMULATE,
    SYSTEM,
)
from backupctl.config.value import FLAG
from backupctl.errors import UsageError
from backupctl.location import Location
from backupctl.rules.archive_name import system_folder
from backupctl.rules.fingerprint import is_host_key
from backupctl.targets.access import TargetAccess
from backupctl.tls.trust_settings import TrustSettings

T = TypeVar("T")

_HOST_KEY, _CERTIFICATE, _NOTHING = "a host key (SHA256:...)", "a certificate (sha256:HEX)", ""
_IDENTITY: Final = {
    "SFTP": _HOST_KEY,
    "SCP": _HOST_KEY,
    "FTPS": _CERTIFICATE,
    "HTTPS": _CERTIFICATE,
    "FTP": _NOTHING,
    "HTTP": _NOTHING,
    "SMB": _NOTHING,
}
"""What proves the identity of a server; NFS and unknown types are not connected to."""


def direct_location(settings: ApplianceSettings, resolved: ResolvedLocation | None = None) -> ResolvedLocation:
    """Return the location of an appliance, checked for access from this host.

    Raises UsageError: for a simulated appliance, which must never touch a real location, and for ``..`` in the path.
    """
    if settings.value(SIMULATE):
        raise UsageError(f"a simulated appliance has no backup server; omit {SIMULATE.flag}")
    resolved = resolved or location_of(settings)
    if ".." in resolved.location.names:
        raise UsageError("the location contains '..'", hint="write the path without it")
    return resolved


def target_access(settings: ApplianceSettings, resolved: ResolvedLocation | None = None) -> TargetAccess:
    """Return how to reach the location of an appliance; prompts for its login on a terminal.

    Raises UsageError and ConfigError: for an invalid setting.
    """
    resolved = direct_location(settings, resolved)
    location, folder = resolved.location, _mount_point(settings, resolved.location)
    if folder is not None:
        return TargetAccess(location, path=folder)
    identity = _IDENTITY.get(location.type)
    pin = for_server(settings, location, LOCATION_FINGERPRINT)
    ca_file = for_server(settings, location, LOCATION_CA_FILE)
    with settings.attribute_errors(LOCATION_FINGERPRINT, LOCATION_CA_FILE):
        if identity == _NOTHING and (pin or ca_file):
            hint = "remove $--location-fingerprint and $--location-ca-file, or use SFTP, FTPS or HTTPS"
            raise UsageError(f"{location.type} has neither a host key nor a certificate to pin", hint=hint)
        if identity and pin and is_host_key(pin) != (identity == _HOST_KEY):
            raise UsageError(f"{location.type} needs the fingerprint of {identity}")
    user, password = location_login(settings, resolved)
    return TargetAccess(
        location,
        user,
        password,
        host_key=pin if identity == _HOST_KEY else None,
        tls=TrustSettings(ca_file, fingerprint=pin) if identity == _CERTIFICATE else TrustSettings(),
        selector=("-s", settings.name) if settings.name else (),
    )


def for_server(settings: ApplianceSettings, location: Location, option: Option[T]) -> T | None:
    """Return the pin or CA file for the server of a location.

    As the password, one of the file is for the host and protocol of the location beside it only.
    """
    setting = settings.resolve(option)
    return setting.value if _is_for(location, location_beside(settings, setting.source)) else None


def check_pin_table(settings: ApplianceSettings, location: Location) -> None:
    """Raise UsageError if the table for the pin of a server has the location of another one."""
    beside = location_beside(settings, settings.profile.layers[0].source(LOCATION_FINGERPRINT.name))
    if not _is_for(location, beside):
        hint = f"configure this location first, or give {LOCATION_FINGERPRINT.flag} with each command"
        raise UsageError(f"a pin in the configuration file is for {beside}, the location there", hint=hint)


def _is_for(location: Location, beside: Location | None) -> bool:
    """Return whether settings beside a location in the file, or beside none, are for the server of another."""
    if beside is None:
        return True
    kinds = location.type, beside.type or location.type
    return location.host == beside.host and len({_IDENTITY.get(kind) for kind in kinds}) == 1


def _mount_point(settings: ApplianceSettings, location: Location) -> Path | None:
    """Return the folder where a location is mounted on this host, None if no setting names one."""
    longest_first = sorted(settings.value(PATH_FOR), key=lambda each: len(each.location.names), reverse=True)
    return next(filter(None, (each.path_of(location) for each in longest_first)), None)


def system_of(settings: ApplianceSettings) -> str:
    """Return the name of the appliance's folder at the location: the one that is set, else that of its host."""
    return named_system(settings) or system_folder(settings.profile.address.host)


def named_system(settings: ApplianceSettings) -> str | None:
    """Return the folder that ``system`` names, None if it is not set. Raises UsageError: if several share it."""
    system = settings.resolve(SYSTEM)
    if settings.several and system.source.kind == FLAG:
        hint = f"set {SYSTEM.name} in the table of each server"
        raise UsageError(f"{SYSTEM.flag} names the folder of one appliance", hint=hint)
    return system_folder(system.value) if system.value else None
