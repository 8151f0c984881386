"""Appliances out of settings: whom to talk to, as whom, and how."""

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from backupctl.cli.app import App, no_such_value
from backupctl.cli.simulation import simulated_appliance
from backupctl.errors import UsageError
from backupctl.operations.appliance import Appliance
from backupctl.results import RESTORE
from backupctl.secret import Secret
from backupctl.settings.option import Option
from backupctl.settings.options import API, AUTH, CA_FILE, INSECURE, PASSWORD, PROXY, SERVER, SIMULATE, USERNAME
from backupctl.settings.parsers import parser_of
from backupctl.settings.proxy import Proxy
from backupctl.settings.resolve import resolve
from backupctl.settings.route import find_proxy
from backupctl.settings.server import ServerAddress, distinct_servers, parse_server
from backupctl.settings.value import DEFAULT

if TYPE_CHECKING:
    from backupctl.api.transport import Exchange, Observer

RESTORE_PORT: Final = 5480
"""Where an appliance that waits for a restore answers: it has no SSO yet, so local users with basic authentication."""


def connect(app: App, *, offline: bool = False, fresh: bool = False) -> list[Appliance]:
    """Return the appliances that the command line names; nothing is sent yet.

    Missing values are asked for on a terminal. ``offline`` asks for nothing, as nothing will be sent. ``fresh`` is for
    an appliance that waits for a restore: port 5480 and basic authentication, where nothing else is said.
    """
    if app.value(SIMULATE):
        return [simulated_appliance(app, _observer(app), fresh=fresh)]
    server = _server(app)
    if fresh:
        server = server.with_port(RESTORE_PORT)
    basic = _is_basic(app, fresh=fresh)
    user = "" if offline else _username(app)
    password = Secret("") if offline else _password(app, user, server)
    return [_appliance(app, server, user, password, basic=basic)]


def _is_basic(app: App, *, fresh: bool) -> bool:
    if fresh and resolve(AUTH, app.given.get(AUTH.key), app.environ).source == DEFAULT:
        app.view.debug("auth: basic (as an appliance needs it that waits for a restore)")
        return True
    return app.value(AUTH) == "basic"


def _server(app: App) -> ServerAddress:
    servers = distinct_servers(app.value(SERVER))
    if len(servers) > 1:
        raise UsageError("only one --server at a time", hint="run the command once for each appliance")
    if servers:
        return servers[0]
    if not app.prompter.present:
        raise no_such_value(SERVER)
    text = app.prompter.ask("Appliance (host name)", parse_server)
    app.given[SERVER.key] = (text,)
    return parse_server(text)


def _username(app: App) -> str:
    user = app.value(USERNAME)
    if user:
        return user
    if not app.prompter.present:
        raise no_such_value(USERNAME)
    user = app.prompter.ask("User name", parser_of(USERNAME), default="administrator@vsphere.local")
    app.given[USERNAME.key] = user
    return user


def _password(app: App, user: str, server: ServerAddress) -> Secret:
    found = app.secret(PASSWORD)
    if found is not None:
        return found.value
    if not app.prompter.present:
        raise UsageError(
            f"the password of {user} is missing",
            hint=f"give {PASSWORD.file_option} or {PASSWORD.command_option}, or set {PASSWORD.variable}",
        )
    while True:
        password = app.prompter.ask_secret(f"Password of {user} on {server.name}")
        if password is not None:
            return password


def _appliance(app: App, server: ServerAddress, user: str, password: Secret, *, basic: bool) -> Appliance:
    from backupctl.api.connect import Login, Trust
    from backupctl.api.connect import connect as connect_api

    family, proxy, insecure = app.value(API), _proxy(app, server), app.value(INSECURE)
    if insecure:
        app.view.warn(
            f"--insecure: the certificate of {server.name} is not checked; anyone on the way can read the passwords",
            hint="trust the appliance's own CA with --ca-file instead",
        )
    api = connect_api(
        server.base_url,
        Login(user, password, basic=basic),
        clock=app.clock,
        observe=_observer(app),
        trust=Trust(app.value(CA_FILE), insecure=insecure),
        family=None if family == "auto" else family,
        proxy=proxy.url.reveal() if proxy else None,
        transport=app.transport_for(server) if app.transport_for else None,
    )
    return Appliance(
        server.name, server.host, user, api, app.clock, app.view.event, partial(_attach_line, app, server, user)
    )


def _proxy(app: App, server: ServerAddress) -> Proxy | None:
    given = app.given.get(PROXY.key)
    found = find_proxy(server, given if isinstance(given, str) else None, app.environ)
    if found.value is not None:
        app.view.debug(f"proxy: {found.value.shown} ({found.source})")
    return found.value


def _attach_line(app: App, server: ServerAddress, user: str, job_id: str) -> str:
    """Return the command line that follows a job later: all that is not the default, wherever it came from."""
    words = ["--server", server.name if server.scheme == "https" else server.base_url, "--username", user]
    options: tuple[Option[Any], ...] = (AUTH, API, CA_FILE)
    for option in options:
        found = app.sourced(option)
        if found.source != DEFAULT:
            words += [option.flag, str(found.value)]
    if app.value(INSECURE):
        words.append(INSECURE.flag)
    file = app.given.get("password_file")
    if isinstance(file, str) and file != "-":
        words += [PASSWORD.file_option, file]
    command = ["restore", "watch"] if job_id == RESTORE else ["watch", job_id]
    return shlex.join(["backupctl", *command, *words])


def _observer(app: App) -> "Observer":
    """Show each request under ``-v``: method, path, status and time, never a body, a header or a query."""

    def observe(exchange: "Exchange") -> None:
        status = exchange.status or "no answer"
        app.view.debug(f"{exchange.method} {exchange.path}: {status} in {exchange.seconds:.3f} s")

    return observe
