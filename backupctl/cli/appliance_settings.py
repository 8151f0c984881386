"""The settings of one appliance of a run: those of the run, and what the configuration file says of this one."""

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Final, TypeVar

from msgspec.structs import replace

from backupctl.cli.context import Context
from backupctl.cli.prompts import Prompter
from backupctl.clock import Clock
from backupctl.config.configuration import Configuration, Profile, configured_names_hint
from backupctl.config.option import Option, SecretName
from backupctl.config.option_table import ALL, GROUP, SERVER, SIMULATE
from backupctl.config.secret_ladder import SecretValue
from backupctl.config.server_address import ServerAddress, parse_server
from backupctl.config.value import DEFAULT, FLAG, Source, Value, attribute_errors
from backupctl.errors import UsageError
from backupctl.output.view import View
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret

T = TypeVar("T")
S = TypeVar("S", Secret, Secret | None)

SIMULATED: Final = ServerAddress("simulated", "vcsa.simulator.test", 443, "https")
"""The embedded appliance."""


class ApplianceSettings:
    """What commands ask about one appliance; ``several`` says that it is not the only one of the run."""

    def __init__(self, context: Context, profile: Profile, *, several: bool = False) -> None:
        self.context = context
        self.profile = profile
        self.several = several

    @property
    def name(self) -> str:
        """What the appliance is called."""
        return self.profile.name

    @cached_property
    def redactor(self) -> Redactor:
        """The secrets to mask in what the appliance says: those that were read for it, and those in variables."""
        redactor = Redactor()
        redactor.add(*self.context.secrets.in_variables(self.profile.layers))
        return redactor

    @property
    def view(self) -> View:
        """How the run is shown."""
        return self.context.view

    @property
    def clock(self) -> Clock:
        """The time of the run."""
        return self.context.clock

    @property
    def prompter(self) -> Prompter:
        """Whoever can be asked."""
        return self.context.prompter

    def value(self, option: Option[T]) -> T:
        """Return the value of an option by the ladder."""
        return self.resolve(option).value

    def resolve(self, option: Option[T]) -> Value[T]:
        """Return the value of an option with its source."""
        return self.context.resolve(option, self.profile.layers)

    def attribute_errors(self, *options: Option[object]) -> AbstractContextManager[None]:
        """Let an error about the values of options name where they came from."""
        return attribute_errors(*(self.resolve(option).source for option in options))

    @property
    def address_source(self) -> Source:
        """Where the address came from: the table of the appliance, or what named a stranger."""
        configured = self.profile.configured
        return self.profile.layers[0].source("host") if configured else self.context.resolve(SERVER).source

    def secret(self, name: SecretName) -> SecretValue | None:
        """Return a secret by the ladder, None where nothing names one."""
        found = self.context.secret(name, self.profile.layers)
        if found is not None:
            self.redactor.add(found.value)
        return found

    def ask_secret(self, question: Hashable, ask: Callable[[], S]) -> S:
        """Return a secret that somebody types, or typed before for another appliance of the run."""
        secret = self.run_once(question, ask)
        if secret is not None:
            self.redactor.add(secret)
        return secret

    def without_configuration_file(self) -> "ApplianceSettings":
        """Return what options and variables alone make of this appliance."""
        settings = ApplianceSettings(self.context, replace(self.profile, layers=()), several=self.several)
        settings.redactor = self.redactor
        return settings

    def debug(self, message: str) -> None:
        """Show a line about this appliance for those who asked for more; of several, each line names its own."""
        self.view.debug(f"{self.name}: {message}" if self.several else message)

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning, once for all appliances that it is true of; ``always``: where others are left out too."""
        self.run_once(("warning", message), lambda: self.view.warn(message, hint, always=always))

    def run_once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return the answer to a question that other appliances of the run may have asked before."""
        return self.context.run_once(question, ask)


def appliance_settings(context: Context) -> list[ApplianceSettings]:
    """Return the settings of each requested appliance, each once, in their order.

    Where none is, somebody at a terminal is asked. Raises UsageError where nobody can be.
    """
    if context.value(SIMULATE):
        given = [option.flag for option in (SERVER, GROUP, ALL) if option.key in context.given]
        if given:
            raise UsageError(f"{SIMULATE.flag} and {given[0]} exclude each other", hint="leave one of them out")
        return [ApplianceSettings(context, Profile(SIMULATED, (context.configuration.defaults,)))]
    profiles: dict[tuple[str, int], Profile] = {}
    for profile in _profiles(context, context.configuration):
        profiles.setdefault(profile.address.appliance, profile)
    return [ApplianceSettings(context, profile, several=len(profiles) > 1) for profile in profiles.values()]


def _profiles(context: Context, configuration: Configuration) -> list[Profile]:
    """Return what options name, and only if none does, what variables name: what is typed says it all."""
    typed = any(option.key in context.given for option in (SERVER, GROUP, ALL))

    def chosen(option: Option[T], nothing: T) -> Value[T]:
        found = context.resolve(option)
        return found if found.source.kind == FLAG or not typed else Value(nothing, DEFAULT)

    servers, groups, everything = chosen(SERVER, ()), chosen(GROUP, ()), chosen(ALL, nothing=False)
    profiles = [configuration.profile(text) for text in servers.value]
    with attribute_errors(groups.source):
        profiles += [profile for group in groups.value for profile in configuration.group(group)]
    with attribute_errors(everything.source):
        profiles += configuration.all_servers() if everything.value else ()
    return profiles or [configuration.profile(_ask(context, configuration))]


def _ask(context: Context, configuration: Configuration) -> str:
    if not context.prompter.interactive:
        known = f"; {configured_names_hint('', configuration.servers)}" if configuration.servers else ""
        raise UsageError(
            f"{SERVER.flag} is missing",
            hint=f"give {SERVER.flag}, {GROUP.flag} or {ALL.flag}, or set {SERVER.environment}{known}",
        )
    text = context.prompter.ask("Appliance (host name)", parse_server)
    context.given[SERVER.key] = (text,)
    return text
