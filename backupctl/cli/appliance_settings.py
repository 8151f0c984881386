"""The settings of one appliance: command line, environment and its tables of the configuration file."""

from collections.abc import Callable, Collection, Hashable
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
from backupctl.config.resolve import resolve
from backupctl.config.secret_resolver import SecretValue
from backupctl.config.server_address import ServerAddress
from backupctl.config.value import DEFAULT, FLAG, Source, Value, attribute_errors
from backupctl.errors import UsageError
from backupctl.output.view import View
from backupctl.secrets.redaction import Redactor
from backupctl.secrets.secret import Secret

T = TypeVar("T")

SIMULATED: Final = ServerAddress("simulated", "vcsa.simulator.test", 443, "https")
"""Address of the embedded simulator."""


class ApplianceSettings:
    """The settings of one appliance; ``several`` is true if the run has more than one."""

    def __init__(self, context: Context, profile: Profile, *, several: bool = False) -> None:
        self.context = context
        self.profile = profile
        self.several = several

    @property
    def name(self) -> str:
        """The name of the appliance in results and messages."""
        return self.profile.name

    @property
    def server_argument(self) -> str:
        """What ``--server`` takes to select the appliance, empty for the defaults."""
        address = self.profile.address
        return address.name if self.profile.configured or address.scheme == "https" else address.base_url

    @cached_property
    def redactor(self) -> Redactor:
        """Masks secrets in responses of the appliance: those that were read for it, and those in variables."""
        redactor = Redactor()
        redactor.add(*self.context.secrets.in_variables(self.profile.layers))
        return redactor

    @property
    def view(self) -> View:
        """The output of the run."""
        return self.context.view

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self.context.clock

    @property
    def prompter(self) -> Prompter:
        """The prompter of the run."""
        return self.context.prompter

    def value(self, option: Option[T]) -> T:
        """Return the value of an option from the first source that has one."""
        return self.resolve(option).value

    def resolve(self, option: Option[T]) -> Value[T]:
        """Return the value of an option with its source."""
        return self.context.resolve(option, self.profile.layers)

    def notify(self, option: Option[T]) -> Value[T]:
        """Return the value of a key of the notify tables; never shown, as the words of a hook may be secret."""
        return resolve(option, (), {}, self.profile.notify)

    def attribute_errors(self, *options: Option[object]) -> AbstractContextManager[None]:
        """Add the sources of these options to errors that the block raises."""
        return attribute_errors(*(self.resolve(option).source for option in options))

    @property
    def address_source(self) -> Source:
        """Source of the address: the table of the server, or the source of ``--server`` if it is not configured."""
        configured = self.profile.configured
        return self.profile.layers[0].source("host") if configured else self.context.resolve(SERVER).source

    def secret(self, name: SecretName) -> SecretValue | None:
        """Return a secret from the first source that has one, None if none has."""
        secret = self.context.secret(name, self.profile.layers)
        if secret is not None:
            self.redactor.add(secret.value)
        return secret

    def ask(self, key: tuple[Hashable, ...], prompt: Callable[[T | None], T]) -> T:
        """Prompt for a setting of the work as ``Context.ask`` does, after the login.

        Raises BackupctlError: if the login fails.
        """
        contact = self.context.contact
        if contact is not None and not self.context.is_answered(key):
            contact.log_in(self)
            contact.appliance(self)
        return self.context.ask(key, prompt)

    def ask_secret(self, key: tuple[Hashable, ...], prompt: Callable[[Secret | None], Secret | None]) -> Secret | None:
        """Prompt for a secret of the work as ``ask`` does, None for an empty answer."""
        secret = self.ask(key, prompt)
        if secret is not None:
            self.redactor.add(secret)
        return secret

    def without_configuration_file(self) -> "ApplianceSettings":
        """Return the settings of this appliance from options and variables alone."""
        settings = ApplianceSettings(self.context, replace(self.profile, layers=()), several=self.several)
        settings.redactor = self.redactor
        return settings

    def debug(self, message: str) -> None:
        """Print a line under ``-v``, with the name of the appliance if the run has several."""
        self.view.debug(f"{self.name}: {message}" if self.several else message)

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Print a warning once, however many appliances it applies to; ``always`` prints it under ``-q`` too."""
        self.context.run_once(("warning", message), lambda: self.view.warn(message, hint, always=always))


def appliance_settings(context: Context) -> list[ApplianceSettings]:
    """Return the settings of each selected appliance, without duplicates, in the order of selection.

    Prompts for one if none is selected. Raises UsageError: if none is selected and there is no terminal.
    """
    if context.value(SIMULATE):
        conflicting = [option.flag for option in (SERVER, GROUP, ALL) if option.key in context.given]
        if conflicting:
            raise UsageError(f"{SIMULATE.flag} and {conflicting[0]} exclude each other", hint="omit one of them")
        return [ApplianceSettings(context, Profile(SIMULATED, (context.configuration.defaults,)))]
    profiles: dict[tuple[str, int], Profile] = {}
    for profile in _selected_profiles(context, context.configuration):
        profiles.setdefault(profile.address.appliance, profile)
    return [ApplianceSettings(context, profile, several=len(profiles) > 1) for profile in profiles.values()]


def selection_words(context: Context) -> list[str]:
    """Return the options that select all appliances of the run: its groups, or all; empty if it was given servers."""
    if SERVER.key in context.given:
        return []
    groups = [word for name in context.given.get(GROUP.key, ()) for word in ("-g", name)]
    return [ALL.flag] if ALL.key in context.given else groups


def _selected_profiles(context: Context, configuration: Configuration) -> list[Profile]:
    """Return the appliances that options select; without such options, those that variables select."""
    by_flag = any(option.key in context.given for option in (SERVER, GROUP, ALL))

    def selection(option: Option[T], empty: T) -> Value[T]:
        setting = context.resolve(option)
        return setting if setting.source.kind == FLAG or not by_flag else Value(empty, DEFAULT)

    servers, groups, select_all = selection(SERVER, ()), selection(GROUP, ()), selection(ALL, empty=False)
    profiles = [configuration.profile(text) for text in servers.value]
    with attribute_errors(groups.source):
        profiles += [profile for group in groups.value for profile in configuration.group(group)]
    with attribute_errors(select_all.source):
        profiles += configuration.all_servers() if select_all.value else ()
    return profiles or [configuration.profile(_server(context, configuration))]


def _server(context: Context, configuration: Configuration) -> str:
    """Return the appliance that a prompt names. Raises UsageError: if there is no terminal."""
    if not context.prompter.interactive:
        names = f"; {configured_names_hint('', configuration.servers)}" if configuration.servers else ""
        raise UsageError(
            f"{SERVER.flag} is missing",
            hint=f"give {SERVER.flag}, {GROUP.flag} or {ALL.flag}, or set {SERVER.environment}{names}",
        )
    return choose_server(context)


def choose_server(context: Context, done: Collection[str] = ()) -> str:
    """Prompt for an appliance: a configured one that is not ``done``, by number or name, or any host."""
    offered = [profile for profile in context.configuration.servers.values() if profile.name not in done]
    names = [profile.name for profile in offered]
    for number, profile in enumerate(offered[:_MAX_OFFERED], 1):
        context.prompter.say(f"  {number}  {profile.name}  {profile.address.base_url.removeprefix('https://')}")
    if len(names) > _MAX_OFFERED:
        context.prompter.say(f"  ... and {len(names) - _MAX_OFFERED} more")

    numbered = {str(number): name for number, name in enumerate(names, 1)}
    question = "Server (number, name or host name)" if names else "Server (host name)"

    def check(answer: str) -> None:
        context.configuration.profile(numbered.get(answer, answer))

    def prompt(_wrong: str | None) -> str:
        answer = context.prompter.ask(question, check, default=names[0] if len(names) == 1 else None)
        return numbered.get(answer, answer)

    return context.ask((SERVER.name,), prompt)


_MAX_OFFERED: Final = 20
"""How many configured servers are listed above the question."""
