"""Connect to an appliance with its settings: address, credentials, API, TLS and proxy."""

import shlex
from functools import partial
from typing import TYPE_CHECKING, Final

from backupctl.cli.appliance_settings import SIMULATED, ApplianceSettings
from backupctl.cli.context import missing_option_error
from backupctl.cli.simulation import simulated_appliance
from backupctl.cli.tls_settings import proxy_of, selector_words, tls_settings_of
from backupctl.config.configuration import Layer
from backupctl.config.environment import KEY_LOG
from backupctl.config.option import Option
from backupctl.config.option_table import (
    API,
    AUTH,
    CA_FILE,
    CONFIG,
    FINGERPRINT,
    INSECURE,
    PASSWORD,
    USERNAME,
    VERBOSE,
)
from backupctl.config.resolve import resolve
from backupctl.config.server_address import ServerAddress
from backupctl.config.value import DEFAULT, FILE
from backupctl.errors import UsageError
from backupctl.results.job import RECONCILIATION_ID, RESTORE_ID
from backupctl.scheduler.appliance import Appliance
from backupctl.secrets.secret import Secret

if TYPE_CHECKING:
    from backupctl.api.connect import Login
    from backupctl.api.transport import Exchange, Observer
    from backupctl.tls.trust_settings import TrustSettings


USER_KEY: Final = (USERNAME.name,)
"""The key of the answer to the prompt for the user name."""


def password_key(user: str) -> tuple[str, str]:
    """Return the key of the answer to the prompt for a password."""
    return PASSWORD.name, user


def missing_credentials(settings: ApplianceSettings, user: str = "") -> list[tuple[str, ...]]:
    """Return the keys of the answers that ``connect`` needs, empty if the settings have user and password."""
    if settings.profile.address == SIMULATED:
        return []
    keys: list[tuple[str, ...]] = [] if settings.value(USERNAME) else [USER_KEY]
    located = settings.context.locate_secret(PASSWORD, _layers_with_password(settings))
    return keys if located else [*keys, password_key(user)]


def connect(settings: ApplianceSettings, *, offline: bool = False, fresh: bool = False) -> Appliance:
    """Return the appliance of the settings, prompting for missing credentials; sends nothing.

    ``offline`` does without credentials, as nothing will be sent. ``fresh`` is for an appliance that waits for a
    restore: the defaults become port 5480 and basic authentication.
    """
    observe = observer(settings)
    if settings.profile.address == SIMULATED:
        return simulated_appliance(settings, observe, fresh=fresh)
    server = settings.profile.address
    if fresh:
        server = server.for_restore()
    from backupctl.api.connect import Login

    basic = _is_basic(settings, fresh=fresh)
    user = "" if offline else _username(settings)
    password = Secret("") if offline else _password(settings, user)
    state = settings.context.credential_states.of(user, password)
    return _appliance(settings, server, Login(user, password, basic=basic, credential_state=state), observe)


def _is_basic(settings: ApplianceSettings, *, fresh: bool) -> bool:
    auth = settings.resolve(AUTH)
    if fresh and auth.source == DEFAULT:
        settings.debug("auth: basic (for an appliance that waits for a restore)")
        return True
    return auth.value == "basic"


def _username(settings: ApplianceSettings) -> str:
    user = settings.value(USERNAME)
    if user:
        return user
    if not settings.prompter.interactive:
        raise missing_option_error(USERNAME, "administrator@vsphere.local")

    def prompt(wrong: str | None) -> str:
        return settings.prompter.ask("User name", USERNAME.parse, default=wrong or "administrator@vsphere.local")

    return settings.context.ask(USER_KEY, prompt)


def _password(settings: ApplianceSettings, user: str) -> Secret:
    password = settings.context.secret(PASSWORD, _layers_with_password(settings))
    if password is not None:
        settings.redactor.add(password.value)
        return password.value
    if not settings.prompter.interactive:
        raise UsageError(
            f"the password for {user} is missing",
            hint=f"give {PASSWORD.file_option} or {PASSWORD.command_option}, or set {PASSWORD.variable}",
        )
    on_server = "" if settings.several else f" on {settings.name}"
    offered = settings.context.offered.pop(password_key(user), None)
    question = f"Password for {user}{on_server}{' (leave empty for the same one)' if offered else ''}"

    def prompt(_wrong: Secret | None) -> Secret:
        while True:
            if typed := settings.prompter.ask_secret(question) or offered:
                return typed

    typed = settings.context.ask(password_key(user), prompt)
    settings.redactor.add(typed)
    return typed


def _layers_with_password(settings: ApplianceSettings) -> tuple[Layer, ...]:
    """Return the tables that may have the password of the user.

    If an option or a variable names the user, a table whose own user is another one has the password of that one.
    """
    user, layers = settings.resolve(USERNAME), settings.profile.layers
    if user.source.kind in {FILE, DEFAULT}:
        return layers
    owners = [resolve(USERNAME, (), {}, layers[start:]).value for start in range(len(layers))]
    return tuple(layer for layer, owner in zip(layers, owners, strict=True) if owner in {None, user.value})


def _appliance(settings: ApplianceSettings, server: ServerAddress, login: "Login", observe: "Observer") -> Appliance:
    from backupctl.api.connect import connect as connect_api

    family, proxy, trust = settings.value(API), proxy_of(settings), tls_settings_of(settings)
    if proxy.value is not None:
        settings.debug(f"proxy: {proxy.value.shown} ({proxy.source})")
    _warn_of_unprotected_tls(settings, server, trust)
    transport_for = settings.context.transport_for
    api = connect_api(
        server.base_url,
        login,
        name=server.name,
        selector_words=selector_words(settings, server),
        clock=settings.clock,
        observe=observe,
        trust=trust,
        family=None if family == "auto" else family,
        proxy=proxy.value.url.reveal() if proxy.value else None,
        transport=transport_for(server) if transport_for else None,
        read_only=settings.profile.read_only.value,
        redactor=settings.redactor,
    )
    return Appliance(
        server.name,
        server.host,
        login.user,
        api,
        settings.clock,
        settings.view.event,
        partial(_attach_command, settings, login.user),
        name_warning=settings.context.configuration.name_warning(settings.profile),
    )


def _warn_of_unprotected_tls(settings: ApplianceSettings, server: ServerAddress, trust: "TrustSettings") -> None:
    """Warn, under ``-q`` too, if others than the appliance can read what is sent to it."""
    if trust.insecure:  # It is only an option, so it applies to all appliances or to none.
        subject = "certificates are not" if settings.several else f"the certificate of {server.name} is not"
        settings.warn(
            f"--insecure: {subject} verified; anyone on the network can read the passwords",
            hint="use `backupctl trust pin` instead of --insecure",
            always=True,
        )
    key_log = settings.context.environ.get(KEY_LOG)
    if key_log and server.scheme == "https":
        settings.warn(
            f"{KEY_LOG}: TLS keys are written to {key_log}; anyone who reads it can read the passwords",
            hint="unset it when you no longer debug TLS",
            always=True,
        )


def _attach_command(settings: ApplianceSettings, user: str, job_id: str) -> str | None:
    """Return the command line that follows a job later, None for a reconciliation, which no command can follow.

    It repeats the settings that are neither defaults nor in the configuration file.
    """
    if job_id == RECONCILIATION_ID:
        return None
    words = ["-s", settings.server_argument]
    if settings.resolve(USERNAME).source.kind != FILE:
        words += ["-u", user]
    options: tuple[Option[object], ...] = (AUTH, API, CA_FILE, FINGERPRINT, CONFIG)
    for option in options:
        setting = settings.resolve(option)
        if setting.source != DEFAULT and setting.source.kind != FILE:
            words += [option.flag, str(setting.value)]
    if settings.value(INSECURE):
        words.append(INSECURE.flag)
    file = settings.context.given_text(PASSWORD.file_option)
    if file is not None and file != "-":
        words += [PASSWORD.file_option, file]
    command = ["restore", "watch"] if job_id == RESTORE_ID else ["watch", job_id]
    return shlex.join(["backupctl", *command, *words])


def observer(settings: ApplianceSettings) -> "Observer":
    """Return a function that prints requests: method, path, status and time under ``-v``, all of it under ``-vv``."""
    show_all = settings.context.value(VERBOSE) > 1

    def observe(exchange: "Exchange") -> None:
        status = exchange.status or "no response"
        settings.debug(f"{exchange.method} {exchange.path}: {status} in {exchange.seconds:.3f} s")
        for line in exchange.lines() if show_all else ():
            settings.debug(line)

    return observe
