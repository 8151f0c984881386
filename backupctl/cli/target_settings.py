"""How to reach the location of an appliance from this host, from settings."""

from pathlib import Path

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.location_settings import ResolvedLocation, location_login, location_of
from backupctl.config.option_table import (
    LOCATION_CA_FILE,
    LOCATION_FINGERPRINT,
    PATH_FOR,
    SYSTEM,
)
from backupctl.errors import UsageError
from backupctl.rules.archive_name import system_folder
from backupctl.rules.fingerprint import is_host_key
from backupctl.targets.access import TargetAccess
from backupctl.tls.trust_settings import TrustSettings

_WITH_TLS = frozenset({"FTPS", "HTTPS"})
_WITH_HOST_KEY = frozenset({"SFTP", "SCP"})


def target_access(settings: ApplianceSettings, resolved: ResolvedLocation | None = None) -> TargetAccess:
    """Return how to reach the location of an appliance; its login is asked for at a terminal.

    Raises UsageError and ConfigError: for an invalid setting.
    """
    resolved = resolved or location_of(settings)
    location, folder = resolved.location, mount_point(settings, resolved)
    if folder is not None:
        return TargetAccess(location, path=folder)
    user, password = location_login(settings, resolved)
    pin = settings.value(LOCATION_FINGERPRINT)
    with settings.attribute_errors(LOCATION_FINGERPRINT, LOCATION_CA_FILE):
        if pin is not None and is_host_key(pin) != (location.type in _WITH_HOST_KEY):
            form = "a host key (SHA256:...)" if location.type in _WITH_HOST_KEY else "a certificate (sha256:HEX)"
            raise UsageError(f"{location.type} needs the fingerprint of {form}")
        tls = TrustSettings(settings.value(LOCATION_CA_FILE), fingerprint=pin) if location.type in _WITH_TLS else None
    return TargetAccess(
        location,
        user,
        password,
        host_key=pin if location.type in _WITH_HOST_KEY else None,
        tls=tls or TrustSettings(),
        selector=("-s", settings.name) if settings.name else (),
    )


def mount_point(settings: ApplianceSettings, resolved: ResolvedLocation) -> Path | None:
    """Return the folder where a location is mounted on this host, None if no setting names one."""
    found = (each.path_of(resolved.location) for each in settings.value(PATH_FOR))
    return next(filter(None, found), None)


def system_of(settings: ApplianceSettings) -> str:
    """Return the name of the appliance's folder at the location: that of ``--system``, else that of its host."""
    return system_folder(settings.value(SYSTEM) or settings.profile.address.host)
