"""What is set for an appliance, and where each value came from; no secret is read, and nothing is run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from backupctl.cli.appliance_settings import Scope
from backupctl.cli.context import App
from backupctl.config.configuration import Profile
from backupctl.config.option import Option, OptionGroup, SecretName
from backupctl.config.option_table import ALL, CONFIG, GROUP, OPTIONS, PARALLEL, PROXY, SECRETS, SERVER
from backupctl.config.proxy import Proxy
from backupctl.config.proxy_selection import find_proxy
from backupctl.config.server_address import ServerAddress
from backupctl.config.value import DEFAULT, Source, Value
from backupctl.results.config_results import DEFAULTS, Setting, SettingsResult

_NO_APPLIANCE: Final = ServerAddress("", "", 443, "https")
_OF_THE_RUN: Final[tuple[Option[Any], ...]] = (SERVER, GROUP, ALL, PARALLEL)
_OF_EACH: Final[tuple[Option[Any], ...]] = tuple(
    option
    for option in OPTIONS
    if option.group is not OptionGroup.OUTPUT
    if option not in {*_OF_THE_RUN, CONFIG}
    if option.environment or option.file_key
)


def scope_of_defaults(app: App) -> Scope:
    """Return the scope of an appliance of which the configuration file says nothing."""
    return Scope(app, Profile(_NO_APPLIANCE, (app.configuration.defaults,)))


def settings_result(scope: Scope) -> SettingsResult:
    """Return every setting of an appliance, or of the defaults; raises what a run would."""
    configuration = scope.app.configuration
    groups = tuple(group for group, members in configuration.groups.items() if scope.name in members)
    return SettingsResult(
        server=scope.name or DEFAULTS,
        host=scope.profile.address.host,
        file=str(configuration.path) if configuration.path else None,
        groups=groups,
        settings=tuple(_settings(scope)),
    )


def _settings(scope: Scope) -> Iterator[Setting]:
    if scope.profile.address == _NO_APPLIANCE:
        yield from (_setting(option.name, scope.sourced(option)) for option in _OF_THE_RUN)
    elif scope.profile.configured:
        yield _setting("host", Value(str(scope.profile.address), scope.profile.layers[0].source("host")))
    yield _setting("read-only", scope.profile.read_only)
    for option in _OF_EACH:
        yield _setting(option.name, _proxy(scope) if option == PROXY else scope.sourced(option))
    yield from (_secret(scope, name) for name in SECRETS)


def _proxy(scope: Scope) -> Value[Proxy | None]:
    return find_proxy(scope.profile.address, None, scope.app.environ, scope.profile.layers)


def _setting(name: str, found: Value[Any]) -> Setting:
    value = found.value
    if isinstance(value, Proxy):
        value = value.shown
    if isinstance(value, Path):
        value = str(value)
    return _sourced(found.source, name=name, value=value)


def _secret(scope: Scope, name: SecretName) -> Setting:
    found = scope.app.locate_secret(name, scope.profile.layers)
    if found is None:
        return _sourced(DEFAULT, name=name.name)
    return _sourced(found.source, name=name.name, place=found.where)


def _sourced(source: Source, **fields: Any) -> Setting:  # noqa: ANN401 - those of Setting
    return Setting(source=source.kind, source_name=source.key or None, **fields)
