"""The settings of an appliance with their sources; no secret is read and no command is run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.config.configuration import Profile
from backupctl.config.notify_keys import NOTIFY_KEYS
from backupctl.config.option import Option, OptionGroup, SecretName
from backupctl.config.option_table import ALL, CONFIG, GROUP, OPTIONS, PARALLEL, PROXY, SECRETS, SERVER
from backupctl.config.proxy import Proxy
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.server_address import ServerAddress
from backupctl.config.value import DEFAULT, Source, Value
from backupctl.location import LocationTemplate
from backupctl.results.config_results import DEFAULTS, Setting, SettingsResult

_NO_ADDRESS: Final = ServerAddress("", "", 443, "https")
_RUN_OPTIONS: Final[tuple[Option[object], ...]] = (SERVER, GROUP, ALL, PARALLEL)
_APPLIANCE_OPTIONS: Final[tuple[Option[object], ...]] = tuple(
    option
    for option in OPTIONS
    if option.group is not OptionGroup.OUTPUT
    if option not in {*_RUN_OPTIONS, CONFIG}
    if option.environment or option.file_key
)


def default_settings(context: Context) -> ApplianceSettings:
    """Return the settings of an appliance that is not configured."""
    configuration = context.configuration
    return ApplianceSettings(context, Profile(_NO_ADDRESS, (configuration.defaults,), notify=configuration.notify))


def settings_result(settings: ApplianceSettings) -> SettingsResult:
    """Return every setting of an appliance, or of the defaults. Raises UsageError and ConfigError: as a run would."""
    configuration = settings.context.configuration
    groups = tuple(group for group, members in configuration.groups.items() if settings.name in members)
    return SettingsResult(
        server=settings.name or DEFAULTS,
        host=settings.profile.address.host,
        file=str(configuration.path) if configuration.path else None,
        groups=groups,
        settings=tuple(_settings(settings)),
    )


def _settings(settings: ApplianceSettings) -> Iterator[Setting]:
    if settings.profile.address == _NO_ADDRESS:
        yield from (_setting(option.name, settings.resolve(option)) for option in _RUN_OPTIONS)
    elif settings.profile.configured:
        yield _setting("host", Value(str(settings.profile.address), settings.profile.layers[0].source("host")))
    yield _setting("read-only", settings.profile.read_only)
    for option in _APPLIANCE_OPTIONS:
        yield _setting(
            option.file_key or option.name, _proxy(settings) if option == PROXY else settings.resolve(option)
        )
    yield from (_secret(settings, name) for name in SECRETS)
    yield from _notify_settings(settings)


def _notify_settings(settings: ApplianceSettings) -> Iterator[Setting]:
    """Yield the settings of the notify tables, as far as there are any; hooks show only their program."""
    for secret in NOTIFY_KEYS.secrets.values():
        place = settings.context.secrets.in_file(secret, settings.profile.notify)
        if place is not None:
            yield _with_source(place.source, f"notify {secret.name}", place=place.description)
    for option in NOTIFY_KEYS.options.values():
        setting = settings.notify(option)
        if setting.source != DEFAULT:
            program = setting.value[0] if isinstance(setting.value, tuple) else None
            yield _with_source(setting.source, f"notify {option.name}", value=program or setting.value)


def _proxy(settings: ApplianceSettings) -> Value[Proxy | None]:
    return find_proxy(settings.profile.address, (), settings.context.environ, settings.profile.layers)


def _setting(name: str, setting: Value[object]) -> Setting:
    value = setting.value
    if isinstance(value, Proxy):
        value = value.shown
    if isinstance(value, Path | LocationTemplate):
        value = str(value)
    if isinstance(value, tuple):
        value = tuple(map(str, value))
    return _with_source(setting.source, name, value=value)


def _secret(settings: ApplianceSettings, name: SecretName) -> Setting:
    place = settings.context.locate_secret(name, settings.profile.layers)
    if place is None:
        return _with_source(DEFAULT, name.name)
    return _with_source(place.source, name.name, place=place.description)


def _with_source(source: Source, name: str, *, value: object = None, place: str | None = None) -> Setting:
    return Setting(name=name, value=value, place=place, source=source.kind, source_name=source.key or None)
