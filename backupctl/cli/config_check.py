"""What can be judged of a configuration without any appliance; commands are run and keyrings asked only if told so.

FAIL is what a run that began now, here, would end with. What a run at a terminal would ask for is a WARNING, and so is
what only a unit of systemd has.
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
from backupctl.config.secret_ladder import SecretPlace
from backupctl.config.value import DEFAULT, FILE, Source, attribute_errors
from backupctl.errors import BackupctlError, ConfigError
from backupctl.output.formatting import plural
from backupctl.results.backup_results import Check, ChecksResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.result import complete_result
from backupctl.rules.password import check_backup_password

OK: Final = "OK"
WARNING: Final = "WARNING"
FAIL: Final = "FAIL"

Verdict = tuple[str, str]
"""Status and message of a check."""

_ASKED_FOR: Final = "not set: asked for at a terminal, an error elsewhere"
_MISSING: Final[Verdict] = (WARNING, _ASKED_FOR)

_LOGIN: Final = "location login"

_OTHERS: Final[tuple[Option[object], ...]] = tuple(
    option
    for option in OPTIONS
    if option.group is not OptionGroup.OUTPUT
    if option not in {SERVER, GROUP, USERNAME, LOCATION, LOCATION_TYPE, LOCATION_USER, CA_FILE, FINGERPRINT, CONFIG}
)
"""Options of which nothing is to be said but that their variable holds something else than they can be."""


def check_configuration(context: Context, servers: Sequence[str], *, run_commands: bool) -> list[ChecksResult]:
    """Return what is to be said of the file, and of the settings of ``servers``, or of all that are configured.

    Where none is, those of an appliance of which the file says nothing stand with the file. ``run_commands`` lets
    secrets be fetched from wherever they are.
    """
    checks, configuration = _checks_of_file(context, servers)
    if configuration is None:
        return [_result(DEFAULTS, "", checks)]
    appliance_settings = [
        ApplianceSettings(context, configuration.profile(server)) for server in servers or configuration.servers
    ]
    if not appliance_settings:
        checks += _checks_of_server(default_settings(context), run_commands)
    each = [
        _result(settings.name, settings.profile.address.host, _checks_of_server(settings, run_commands))
        for settings in appliance_settings
    ]
    return [_result(DEFAULTS, "", checks), *each]


def _checks_of_file(context: Context, servers: Sequence[str]) -> tuple[list[Check], Configuration | None]:
    """Return what is to be said of the file and the environment, and what the file says, None if it says nothing."""
    configuration = None
    try:
        checks = [Check(name="file", status=OK, message=_which_file(context))]
        configuration = context.configuration
    except BackupctlError as error:
        checks = [Check(name="file", status=FAIL, message=_told(error))]
    checks += [
        Check(name="environment", status=WARNING, message=line) for line in unread_variable_warnings(context.environ)
    ]
    if configuration is not None:
        if configuration.path is None:
            checks[0] = Check(name="file", status=WARNING, message=f"there is none; looked for {_places(context)}")
        checks += _judged("server", lambda: _strangers(context, servers))
        checks += _checks_of_groups(context, configuration)
        appliance_settings = [ApplianceSettings(context, profile) for profile in configuration.servers.values()]
        checks += _judged(_LOGIN, lambda: _scattered_password(appliance_settings))
    return checks, configuration


def _checks_of_server(settings: ApplianceSettings, run_commands: bool) -> list[Check]:
    checks = []
    judges: dict[str, Callable[[], Verdict | None]] = {
        "read-only": lambda: (OK, "nothing is changed on this appliance") if settings.profile.read_only.value else None,
        "username": lambda: _value(settings, USERNAME),
        "password": lambda: _secret(settings, PASSWORD, run_commands) or _MISSING,
        "location": lambda: _location(settings),
        _LOGIN: lambda: _location_login(settings, run_commands),
        "encryption": lambda: _encryption(settings, run_commands),
        "certificate": lambda: _certificate(settings),
        "proxy": lambda: _proxy(settings),
    }
    for name, judge in judges.items():
        checks += _judged(name, judge)
    for option in _OTHERS:
        checks += _judged(option.name, partial(_unremarkable, settings, option))
    return checks


def _unremarkable(settings: ApplianceSettings, option: Option[object]) -> None:
    """Raise for a value that is none."""
    settings.resolve(option)


def _judged(name: str, judge: Callable[[], Verdict | None]) -> list[Check]:
    try:
        verdict = judge()
    except BackupctlError as error:
        verdict = FAIL, _told(error)
    return [Check(name=name, status=verdict[0], message=verdict[1])] if verdict else []


def _result(server: str, host: str, checks: list[Check]) -> ChecksResult:
    names = dict.fromkeys(check.name for check in checks if check.status == FAIL)
    error = ConfigError(f"a run would fail: {', '.join(names)}") if names else None
    return complete_result(ChecksResult(checks=tuple(checks)), server=server, host=host, error=error)


def _which_file(context: Context) -> str:
    named = context.resolve(CONFIG)
    path, configuration = find_configuration(named.value, context.environ), context.configuration
    which = str(named.source) if named.value else "that of the system" if path == SYSTEM_PATH else "that of the user"
    number = f"{plural(len(configuration.servers), 'server')}, {plural(len(configuration.groups), 'group')}"
    return f"{path} ({which}): {number}"


def _places(context: Context) -> str:
    return " and ".join(str(path) for path in (user_path(context.environ), SYSTEM_PATH) if path)


def _checks_of_groups(context: Context, configuration: Configuration) -> Iterator[Check]:
    for name, members in configuration.groups.items():
        yield Check(name="group", status=OK, message=f"{name}: {', '.join(members)}")
    grouped = {member for members in configuration.groups.values() for member in members}
    alone = [name for name in configuration.servers if name not in grouped]
    if configuration.groups and alone:
        yield Check(name="group", status=OK, message=f"in none: {', '.join(alone)}")
    yield from _judged("group", lambda: _named_groups(context, configuration))


def _strangers(context: Context, names: Sequence[str]) -> Verdict | None:
    """Return a warning for names that the file does not have and that do not look like those of hosts."""
    profiles = [context.configuration.profile(name) for name in (*names, *context.value(SERVER))]
    short = [each for each in profiles if re.fullmatch("[^.:]*", each.address.host)]
    warnings = dict.fromkeys(context.configuration.name_warning(each) for each in short)
    text = "; ".join(warning for warning in warnings if warning)
    return (WARNING, f"{text}; it is taken for a host") if text else None


def _named_groups(context: Context, configuration: Configuration) -> None:
    """Raise for a group that a variable names and the file does not have."""
    groups = context.resolve(GROUP)
    with attribute_errors(groups.source):
        for group in groups.value:
            configuration.group(group)


def _value(settings: ApplianceSettings, option: Option[object]) -> Verdict:
    found = settings.resolve(option)
    return (OK, f"{found.value} ({_short(found.source)})") if found.value else _MISSING


def _secret(settings: ApplianceSettings, name: SecretName, run_commands: bool) -> Verdict | None:
    """Judge a secret where it can be read without starting or unlocking anything, else only its place."""
    found = settings.context.locate_secret(name, settings.profile.layers)
    if found is None:
        return None
    where = f"{found.description} ({_short(found.source)})"
    hidden = None if run_commands else _PLACES_LEFT_ALONE.get(found.kind)
    if found.kind == "stdin":
        return OK, f"{where}, read when it is needed"
    if found.kind == "credential" and not settings.context.environ.get("CREDENTIALS_DIRECTORY"):
        return WARNING, f"{where}: there are credentials only within a unit of systemd"
    if hidden is not None:
        return OK, f"{where}, {hidden(settings, found)}"
    secret = settings.context.secret(name, settings.profile.layers)
    if secret is not None and name is BACKUP_PASSWORD:
        with attribute_errors(secret.source):
            check_backup_password(secret.value)
    return OK, where


def _program(settings: ApplianceSettings, found: SecretPlace) -> str:
    from backupctl.secrets.from_command import find_program

    words = found.key[1:]
    if find_program(words, settings.context.environ) is None:
        raise ConfigError(f"{found.source.name}: {words[0]!r} is not found", hint="check its name and PATH")
    return "not run"


def _keyring(_scope: ApplianceSettings, found: SecretPlace) -> str:
    from backupctl.secrets.from_keyring import Keyring

    Keyring().check_installed(found.source.name)
    return "not asked"


_PLACES_LEFT_ALONE: Final[dict[str, Callable[[ApplianceSettings, SecretPlace], str]]] = {
    "command": _program,
    "keyring": _keyring,
}


def _location(settings: ApplianceSettings) -> Verdict:
    if settings.value(LOCATION) is None:
        return _MISSING
    resolved = location_of(settings)
    check_password_host(settings, resolved)
    return OK, f"{resolved.location} ({_short(resolved.source)})"


def _location_login(settings: ApplianceSettings, run_commands: bool) -> Verdict | None:
    user = settings.value(LOCATION_USER)
    password = _secret(settings, LOCATION_PASSWORD, run_commands)
    if password is None:
        return (WARNING, f"{user}; the password is {_ASKED_FOR}") if user else None
    if user is None:
        return WARNING, "a password without a location user is of no use"
    return password[0], f"{user}; {password[1]}"


def _scattered_password(appliance_settings: Sequence[ApplianceSettings]) -> Verdict | None:
    """Return a warning for a password of the file that has no location beside it, and goes to several hosts."""
    hosts: dict[Source, dict[str, None]] = {}
    for settings in appliance_settings:
        password, location = location_for_password(settings), settings.resolve(LOCATION)
        if password.source.kind == FILE and password.value is None and location.value is not None:
            hosts.setdefault(password.source, {})[fill(settings, location.value, location.source).host] = None
    found = [f"{source.key} is shown to {' and '.join(names)}" for source, names in hosts.items() if len(names) > 1]
    return (WARNING, f"{'; '.join(found)}: a password beside each location would not be") if found else None


def _encryption(settings: ApplianceSettings, run_commands: bool) -> Verdict:
    check_encryption_options(settings)
    found, required = _secret(settings, BACKUP_PASSWORD, run_commands), settings.resolve(REQUIRE_ENCRYPTION)
    if found is not None:
        return found
    if required.value:
        return _MISSING
    status = WARNING if required.source == DEFAULT else OK
    return status, "no backup password: backups are not encrypted"


def _certificate(settings: ApplianceSettings) -> Verdict:
    trust, pin = tls_settings_of(settings), settings.resolve(FINGERPRINT)
    pinned = [f"pinned to {pin.value} ({_short(pin.source)})"] if pin.value else []
    return OK, "; ".join([*([f"vouched for by {trust.store}"] if trust.verifies else []), *pinned])


def _proxy(settings: ApplianceSettings) -> Verdict | None:
    found = proxy_of(settings)
    return (OK, f"{found.value.shown} ({_short(found.source)})") if found.value else None


def _short(source: Source) -> str:
    """Return a source without the path of the file, which stands above."""
    return source.key if source.kind == FILE else str(source)


def _told(error: BackupctlError) -> str:
    return "; ".join(text for text in (error.message, *error.details, error.hint) if text)
