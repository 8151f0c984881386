"""Check the configuration without any appliance; secret commands and keyrings are used only on request.

FAIL: a run would end with this error. WARNING: a run at a terminal would prompt for the value, or only a systemd unit
has it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.backup_settings import check_encryption_options
from backupctl.cli.config_show import default_settings
from backupctl.cli.context import Context
from backupctl.cli.location_settings import check_password_host, fill, location_for_password, location_of
from backupctl.cli.tls_settings import proxy_of, tls_settings_of
from backupctl.config.config_file import SYSTEM_PATH, find_configuration, user_path
from backupctl.config.configuration import Configuration
from backupctl.config.environment import unread_variable_warnings
from backupctl.config.notify_keys import HOOKS, NOTIFY_KEYS, PING, URLS
from backupctl.config.option import Option, OptionGroup, SecretName
from backupctl.config.option_table import (
    BACKUP_PASSWORD,
    CA_FILE,
    CONFIG,
    FINGERPRINT,
    GROUP,
    LOCATION,
    LOCATION_PASSWORD,
    LOCATION_TYPE,
    LOCATION_USER,
    OPTIONS,
    PASSWORD,
    REQUIRE_ENCRYPTION,
    SERVER,
    USERNAME,
)
from backupctl.config.ping_url import parse_ping_url
from backupctl.config.secret_resolver import SecretPlace
from backupctl.config.value import DEFAULT, FILE, Source, attribute_errors
from backupctl.errors import BackupctlError, ConfigError
from backupctl.formatting import plural
from backupctl.results.backup_results import FAIL, OK, WARNING, Check, ChecksResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import complete_result
from backupctl.rules.password import check_backup_password
from backupctl.secrets.secret import Secret

StatusMessage = tuple[str, str]
"""Status and message of a check."""

_PROMPTED: Final = "not set: backupctl prompts for it on a terminal and fails elsewhere"
_MISSING: Final[StatusMessage] = (WARNING, _PROMPTED)

_LOGIN: Final = "location login"

_OTHER_OPTIONS: Final[tuple[Option[object], ...]] = tuple(
    option
    for option in OPTIONS
    if option.group is not OptionGroup.OUTPUT
    if option not in {SERVER, GROUP, USERNAME, LOCATION, LOCATION_TYPE, LOCATION_USER, CA_FILE, FINGERPRINT, CONFIG}
)
"""Options without a check of their own, of which only an invalid value is reported."""


def check_configuration(context: Context, servers: Sequence[str], *, run_commands: bool) -> list[ChecksResult]:
    """Return the checks of the file, and those of ``servers`` or else of all configured servers.

    Without any server, the checks of the default settings are added to those of the file. ``run_commands`` reads
    secrets from commands and keyrings too.
    """
    checks, configuration = _file_checks(context, servers)
    if configuration is None:
        return [_result(DEFAULTS, "", checks)]
    appliance_settings = [
        ApplianceSettings(context, configuration.profile(server)) for server in servers or configuration.servers
    ]
    if not appliance_settings:
        checks += _server_checks(default_settings(context), run_commands)
    each = [
        _result(settings.name, settings.profile.address.host, _server_checks(settings, run_commands))
        for settings in appliance_settings
    ]
    return [_result(DEFAULTS, "", checks), *each]


def _file_checks(context: Context, servers: Sequence[str]) -> tuple[list[Check], Configuration | None]:
    """Return the checks of file and environment, and the configuration, None if the file is invalid."""
    configuration = None
    try:
        checks = [Check(name="file", status=OK, message=_describe_file(context))]
        configuration = context.configuration
    except BackupctlError as error:
        checks = [Check(name="file", status=FAIL, message=error_text(error))]
    checks += [
        Check(name="environment", status=WARNING, message=line) for line in unread_variable_warnings(context.environ)
    ]
    if configuration is not None:
        if configuration.path is None:
            checks[0] = Check(name="file", status=WARNING, message=f"not found; looked for {_searched_paths(context)}")
        checks += _run_check("server", lambda: _check_names(context, servers))
        checks += _group_checks(context, configuration)
        appliance_settings = [ApplianceSettings(context, profile) for profile in configuration.servers.values()]
        checks += _run_check(_LOGIN, lambda: _check_location_passwords(appliance_settings))
    return checks, configuration


def _server_checks(settings: ApplianceSettings, run_commands: bool) -> list[Check]:
    checks = []
    functions: dict[str, Callable[[], StatusMessage | None]] = {
        "read-only": lambda: (
            (OK, "backupctl does not change this appliance") if settings.profile.read_only.value else None
        ),
        "username": lambda: _check_option(settings, USERNAME),
        "password": lambda: _check_secret(settings, PASSWORD, run_commands) or _MISSING,
        "location": lambda: _check_location(settings),
        _LOGIN: lambda: _check_location_login(settings, run_commands),
        "encryption": lambda: _check_encryption(settings, run_commands),
        "certificate": lambda: _check_certificate(settings),
        "proxy": lambda: _check_proxy(settings),
        "ping": lambda: _check_secret(settings, PING, run_commands),
        "urls": lambda: _check_secret(settings, URLS, run_commands),
        **{hook.name: partial(_check_hook, settings, hook) for hook in HOOKS},
    }
    for name, function in functions.items():
        checks += _run_check(name, function)
    for option in _OTHER_OPTIONS:
        checks += _run_check(option.name, partial(_check_value, settings, option))
    return checks


def _check_value(settings: ApplianceSettings, option: Option[object]) -> None:
    """Raise the error of an invalid value."""
    settings.resolve(option)


def _run_check(name: str, function: Callable[[], StatusMessage | None]) -> list[Check]:
    try:
        found = function()
    except BackupctlError as error:
        found = FAIL, error_text(error)
    return [Check(name=name, status=found[0], message=found[1])] if found else []


def _result(server: str, host: str, checks: list[Check]) -> ChecksResult:
    names = dict.fromkeys(check.name for check in checks if check.status == FAIL)
    error = ConfigError(f"a run would fail: {', '.join(names)}") if names else None
    return complete_result(ChecksResult(checks=tuple(checks)), server=server, host=host, error=error)


def _describe_file(context: Context) -> str:
    config = context.resolve(CONFIG)
    path, configuration = find_configuration(config.value, context.environ), context.configuration
    which = str(config.source) if config.value else "system file" if path == SYSTEM_PATH else "user file"
    content = f"{plural(len(configuration.servers), 'server')}, {plural(len(configuration.groups), 'group')}"
    return f"{path} ({which}): {content}"


def _searched_paths(context: Context) -> str:
    return " and ".join(str(path) for path in (user_path(context.environ), SYSTEM_PATH) if path)


def _group_checks(context: Context, configuration: Configuration) -> Iterator[Check]:
    for name, members in configuration.groups.items():
        yield Check(name="group", status=OK, message=f"{name}: {', '.join(members)}")
    grouped = {member for members in configuration.groups.values() for member in members}
    ungrouped = [name for name in configuration.servers if name not in grouped]
    if configuration.groups and ungrouped:
        yield Check(name="group", status=OK, message=f"in no group: {', '.join(ungrouped)}")
    yield from _run_check("group", lambda: _check_groups(context, configuration))


def _check_names(context: Context, names: Sequence[str]) -> StatusMessage | None:
    """Return a warning for names that are not configured and have no dot, as host names do."""
    profiles = [context.configuration.profile(name) for name in (*names, *context.value(SERVER))]
    without_dot = [profile for profile in profiles if re.fullmatch("[^.:]*", profile.address.host)]
    warnings = dict.fromkeys(context.configuration.name_warning(profile) for profile in without_dot)
    text = "; ".join(warning for warning in warnings if warning)
    return (WARNING, f"{text}; using it as a host name") if text else None


def _check_groups(context: Context, configuration: Configuration) -> None:
    """Raise ConfigError for a group that a variable names and the file does not have."""
    groups = context.resolve(GROUP)
    with attribute_errors(groups.source):
        for group in groups.value:
            configuration.group(group)


def _check_option(settings: ApplianceSettings, option: Option[object]) -> StatusMessage:
    setting = settings.resolve(option)
    return (OK, f"{setting.value} ({_short_source(setting.source)})") if setting.value else _MISSING


def _check_secret(settings: ApplianceSettings, name: SecretName, run_commands: bool) -> StatusMessage | None:
    """Read and check a secret; without ``run_commands``, check only the place of one in a command or keyring."""
    if name.name in NOTIFY_KEYS.secrets:
        place = settings.context.secrets.in_file(name, settings.profile.notify)
    else:
        place = settings.context.locate_secret(name, settings.profile.layers)
    if place is None:
        return None
    description = f"{place.description} ({_short_source(place.source)})"
    check_without_reading = None if run_commands else _CHECKS_WITHOUT_READING.get(place.kind)
    if place.kind == "stdin":
        return OK, f"{description}, not read"
    if place.kind == "credential" and not settings.context.environ.get("CREDENTIALS_DIRECTORY"):
        return WARNING, f"{description}: only a systemd unit has credentials"
    if check_without_reading is not None:
        return OK, f"{description}, {check_without_reading(settings, place)}"
    secret = settings.context.secrets.read(place)
    if name in _CONTENT_CHECKS:
        with attribute_errors(place.source):
            _CONTENT_CHECKS[name](secret)
    return OK, description


_CONTENT_CHECKS: Final[dict[SecretName, Callable[[Secret], object]]] = {
    BACKUP_PASSWORD: check_backup_password,
    PING: parse_ping_url,
}


def _check_command(settings: ApplianceSettings, place: SecretPlace) -> str:
    return _check_program(settings, place.key[1:], place.source)


def _check_hook(settings: ApplianceSettings, hook: Option[tuple[str, ...]]) -> StatusMessage | None:
    found = settings.notify(hook)
    if not found.value:
        return None
    not_run = _check_program(settings, found.value, found.source)
    return OK, f"{found.value[0]} ({_short_source(found.source)}), {not_run}"


def _check_program(settings: ApplianceSettings, words: Sequence[str], source: Source) -> str:
    from backupctl.secrets.from_command import find_program

    if find_program(words, settings.context.environ) is None:
        raise ConfigError(
            f"{source.name}: {words[0]!r} not found, or not executable", hint="check the name, PATH and `chmod +x`"
        )
    return "not run"


def _check_keyring(_settings: ApplianceSettings, place: SecretPlace) -> str:
    from backupctl.secrets.from_keyring import Keyring

    Keyring().check_installed(place.source.name)
    return "not read"


_CHECKS_WITHOUT_READING: Final[dict[str, Callable[[ApplianceSettings, SecretPlace], str]]] = {
    "command": _check_command,
    "keyring": _check_keyring,
}


def _check_location(settings: ApplianceSettings) -> StatusMessage:
    if settings.value(LOCATION) is None:
        return _MISSING
    resolved = location_of(settings)
    check_password_host(settings, resolved)
    shown = resolved.location if settings.name else resolved.template  # Without a server, {server} has no value.
    return OK, f"{shown} ({_short_source(resolved.source)})"


def _check_location_login(settings: ApplianceSettings, run_commands: bool) -> StatusMessage | None:
    user = settings.value(LOCATION_USER)
    password = _check_secret(settings, LOCATION_PASSWORD, run_commands)
    if password is None:
        return (WARNING, f"{user}; password {_PROMPTED}") if user else None
    if user is None:
        return WARNING, "a location password needs a location user"
    return password[0], f"{user}; {password[1]}"


def _check_location_passwords(appliance_settings: Sequence[ApplianceSettings]) -> StatusMessage | None:
    """Return a warning for a password of the file that has no location in its table, and goes to several hosts."""
    hosts: dict[Source, dict[str, None]] = {}
    for settings in appliance_settings:
        password, location = location_for_password(settings), settings.resolve(LOCATION)
        if password.source.kind == FILE and password.value is None and location.value is not None:
            hosts.setdefault(password.source, {})[fill(settings, location.value, location.source).host] = None
    found = [f"{source.key} is sent to {' and '.join(names)}" for source, names in hosts.items() if len(names) > 1]
    return (WARNING, f"{'; '.join(found)}; set a password next to each location instead") if found else None


def _check_encryption(settings: ApplianceSettings, run_commands: bool) -> StatusMessage:
    check_encryption_options(settings)
    secret, required = _check_secret(settings, BACKUP_PASSWORD, run_commands), settings.resolve(REQUIRE_ENCRYPTION)
    if secret is not None:
        return secret
    if required.value:
        return _MISSING
    status = WARNING if required.source == DEFAULT else OK
    return status, "no backup password: backups are not encrypted"


def _check_certificate(settings: ApplianceSettings) -> StatusMessage:
    trust, pin = tls_settings_of(settings), settings.resolve(FINGERPRINT)
    pinned = [f"pinned to {pin.value} ({_short_source(pin.source)})"] if pin.value else []
    return OK, "; ".join([*([f"must be signed by a CA in {trust.store}"] if trust.verifies else []), *pinned])


def _check_proxy(settings: ApplianceSettings) -> StatusMessage | None:
    proxy = proxy_of(settings)
    return (OK, f"{proxy.value.shown} ({_short_source(proxy.source)})") if proxy.value else None


def _short_source(source: Source) -> str:
    """Return a source without the path of the file, which the first check shows."""
    return source.key if source.kind == FILE else str(source)


def error_text(error: BackupctlError) -> str:
    """Return an error on one line, with its details and hint."""
    return "; ".join(text for text in (error.message, *error.details, error.hint) if text)
