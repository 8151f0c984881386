"""The questions of ``setup`` about an appliance, in the order of use, each answer tried at once."""

from collections.abc import Collection, Sequence
from functools import partial
from math import inf

import msgspec
from msgspec.structs import replace

from backupctl.cli.appliance_settings import SIMULATED, ApplianceSettings, choose_server
from backupctl.cli.backup_settings import backup_request
from backupctl.cli.connection import USER_KEY, password_key
from backupctl.cli.contact import Contact
from backupctl.cli.context import Context
from backupctl.cli.location_settings import ResolvedLocation
from backupctl.cli.prompts import confirm, lines_of
from backupctl.cli.tls_settings import proxy_of
from backupctl.config.configuration import SERVER_NAME, Layer, Profile
from backupctl.config.option import Option, SecretName
from backupctl.config.option_table import (
    BACKUP_PASSWORD,
    LOCATION,
    LOCATION_PASSWORD,
    LOCATION_TYPE,
    LOCATION_USER,
    PASSWORD,
    PROXY,
    SERVER,
    SIMULATE,
    USERNAME,
)
from backupctl.config.proxy import NO_PROXY_WORD
from backupctl.config.server_address import ServerAddress
from backupctl.config.value import ENVIRONMENT
from backupctl.errors import BackupctlError, UsageError
from backupctl.exit_codes import ExitCode
from backupctl.models import BackupRequest
from backupctl.operations.parts import read_parts
from backupctl.operations.validate import refusals
from backupctl.output.printable import printable
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import Task
from backupctl.secrets.secret import Secret


class KnownSecret(msgspec.Struct, frozen=True):
    """A secret; ``place`` is the key and value of its place if the configuration file has one."""

    secret: Secret
    place: tuple[str, object] | None


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered about an appliance, or found in the configuration file, and tried."""

    address: ServerAddress
    username: str
    location: str
    location_user: str | None
    proxy: str | None
    """The proxy from a variable of the shell, which the nightly run does not have; None without one."""
    secrets: dict[SecretName, KnownSecret]

    @property
    def name(self) -> str:
        """The name of the appliance in the configuration file."""
        return self.address.name


def ask_appliances(context: Context) -> list[Answers]:
    """Prompt for one appliance after the other."""
    answers = [_ask_appliance(context, [])]
    while not context.value(SIMULATE) and confirm(context.prompter, "Set up another appliance?"):
        last = password_key(answers[-1].username)
        if PASSWORD in answers[-1].secrets:
            context.offered[last] = answers[-1].secrets[PASSWORD].secret
        context.forget(USER_KEY, last, (LOCATION.name,))  # They become the defaults.
        answers.append(_ask_appliance(context, answers))
    return answers


def _ask_appliance(context: Context, others: Sequence[Answers]) -> Answers:
    """Prompt until everything about an appliance works."""
    settings = _choose(context, others)
    while True:
        try:
            return _answers(settings)
        except BackupctlError as error:
            if error.exit_code not in {ExitCode.AUTH, ExitCode.CONNECTION, ExitCode.API, ExitCode.NOT_FOUND}:
                raise
            context.prompter.say(lines_of(error))
            if error.exit_code == ExitCode.AUTH:
                _forget_credentials(settings)
            else:
                settings = _choose(context, others)


def _choose(context: Context, others: Sequence[Answers]) -> ApplianceSettings:
    """Return the settings of the appliance that prompts name."""
    configuration, prompter = context.configuration, context.prompter
    if context.value(SIMULATE):
        return ApplianceSettings(context, Profile(SIMULATED, (configuration.defaults,)))
    while True:
        context.forget((SERVER.name,))
        profile = configuration.profile(choose_server(context, [each.name for each in others]))
        taken = next((each.name for each in others if each.address.appliance == profile.address.appliance), None)
        if taken is None:
            break
        prompter.say(f"{taken} is set up already.")
    names = {*configuration.servers, *(each.name for each in others)}
    if profile.configured:
        prompter.say(f"{profile.name} is in {configuration.path}. Enter keeps a setting.")
    else:
        name = prompter.ask(
            "Name for it, on command lines and in folders",
            partial(check_name, names=names),
            _short_name(profile.address, names),
        )
        profile = replace(profile, address=replace(profile.address, name=name))
    return ApplianceSettings(context, profile)


def _short_name(address: ServerAddress, names: Collection[str]) -> str | None:
    """Return the first part of the host's name, None for an IP address or a name that is taken."""
    name = address.host.partition(".")[0]
    return None if name.isdigit() or ":" in name or name in names else name


def check_name(name: str, names: Collection[str] = ()) -> str:
    """Return the name of a server or a group. Raises UsageError: if it is invalid, or one of ``names``."""
    if SERVER_NAME.fullmatch(name) is None:
        raise UsageError("use letters, digits, dots, hyphens and underscores; start with a letter or digit")
    if name in names:
        raise UsageError(f"{name} is another server")
    return name


def _answers(settings: ApplianceSettings) -> Answers:
    """Try one answer after the other, and return them. Raises BackupctlError: if the appliance refuses one."""
    _offer(settings, USERNAME, "User name", *PASSWORD.file_keys)
    with Contact(settings.context, [settings]) as contact:
        contact.begin()
        contact.log_in()
        appliance = contact.appliance(settings)
        parts = contact.run(settings, _readable_parts)
        settings.prompter.say(f"{settings.name}: {appliance.user} may make backups of {', '.join(parts)}")
        request, resolved = _request(settings, contact)
        secrets = {
            PASSWORD: _login_password(settings, appliance),
            LOCATION_PASSWORD: request.location_password,
            BACKUP_PASSWORD: request.backup_password,
        }
        contact.log_out()
    return Answers(
        address=settings.profile.address,
        username=appliance.user,
        location=str(resolved.template),
        location_user=request.location_user,
        proxy=_proxy_of_shell(settings),
        secrets={name: _known(settings, name, secret) for name, secret in secrets.items() if secret},
    )


def _proxy_of_shell(settings: ApplianceSettings) -> str | None:
    """Return the proxy from a variable as the file has it, None without one or if it has a login, which is a secret."""
    proxy = proxy_of(settings)
    if proxy.source.kind != ENVIRONMENT:
        return None
    if proxy.value is None:
        return NO_PROXY_WORD
    if proxy.value.has_credentials:
        settings.prompter.say(
            f"The login of the proxy ({proxy.source.name}) is not written to the file. "
            f"Set {PROXY.environment} for the nightly run, in the crontab or the unit."
        )
        return None
    return proxy.value.shown


def _request(settings: ApplianceSettings, contact: Contact) -> tuple[BackupRequest, ResolvedLocation]:
    """Return a request whose location the appliance does not refuse."""
    while True:
        _offer(settings, LOCATION, "Location", LOCATION_USER.name, LOCATION_TYPE.name, *LOCATION_PASSWORD.file_keys)
        request, resolved = backup_request(settings, attempts=inf)
        typed = settings.value(LOCATION) is None  # It was checked before the backup password.
        reasons = () if typed else contact.run(settings, partial(refusals, request=request))
        if not reasons:
            return request, resolved
        for reason in reasons:
            settings.prompter.say(printable(f"{settings.name}: {reason}"))


def _offer(settings: ApplianceSettings, option: Option[object], question: str, *dependent: str) -> None:
    """Offer a value of the configuration file; another answer also prompts for the ``dependent`` keys again."""
    configured, context = settings.value(option), settings.context
    if configured is not None:
        answer = option.parse(context.prompter.ask(question, option.parse, str(configured)))
        if answer != configured:
            _ignore(settings, option.name, *dependent)
            context.run_once((option.name,), lambda: answer)


def _readable_parts(appliance: Appliance) -> Task[list[str]]:
    """Read what a backup needs, and return what it would include. Raises AuthorizationError: if the user may not."""
    parts, _ = yield from read_parts(appliance)
    yield from retry(appliance, appliance.api.jobs)
    return [part.id for part in parts if part.selected_by_default or not part.optional]


def _login_password(settings: ApplianceSettings, appliance: Appliance) -> Secret | None:
    """Return the password that the login has used, None for the embedded appliance."""
    configured = settings.secret(PASSWORD)
    if configured is not None:
        return configured.value
    return settings.context.run_once(password_key(appliance.user), lambda: None)


def _forget_credentials(settings: ApplianceSettings) -> None:
    """Ask for user and password again, even if the configuration file has them."""
    user = settings.context.run_once(USER_KEY, lambda: settings.value(USERNAME) or "")
    _ignore(settings, USERNAME.name, *PASSWORD.file_keys)
    settings.context.forget(USER_KEY, password_key(user))


def _ignore(settings: ApplianceSettings, *keys: str) -> None:
    """Ignore these keys of the configuration file."""

    def ignored(layer: Layer) -> Layer:
        return replace(layer, values={key: layer.values[key] for key in layer.values if key not in keys})

    settings.profile = replace(settings.profile, layers=tuple(map(ignored, settings.profile.layers)))


def _known(settings: ApplianceSettings, name: SecretName, secret: Secret) -> KnownSecret:
    layers = settings.profile.layers
    places = [(key, layer.values[key]) for layer in layers for key in name.file_keys if key in layer.values]
    return KnownSecret(secret, places[0] if places else None)
