"""One run of the program: its streams, environment, clock and command-line options."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, TextIO, TypeVar, cast

from backupctl.cli.signals import set_exit_code
from backupctl.config.option_table import COLOR, CONFIG, OUTPUT, PARALLEL, QUIET, STATE_DIR, VERBOSE
from backupctl.errors import BackupctlError, ConfigError, OutputError, UsageError
from backupctl.exit_codes import COMMAND_CODES, PLUGIN_CODES

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from backupctl.api.credential_state import CredentialStates
    from backupctl.cli.contact import Contact
    from backupctl.cli.prompts import Prompter
    from backupctl.clock import Clock
    from backupctl.config.configuration import Configuration, Layer
    from backupctl.config.option import Option, SecretName
    from backupctl.config.secret_resolver import SecretOptions, SecretPlace, SecretResolver, SecretValue
    from backupctl.config.server_address import ServerAddress
    from backupctl.config.value import Source, Value
    from backupctl.operations.target_connections import TargetConnections
    from backupctl.output.view import View
    from backupctl.results.result import Envelope, Result
    from backupctl.scheduler.workers import Workers
    from backupctl.secrets.secret import Secret

T = TypeVar("T")

_OUTPUT_OPTIONS: Final[tuple[Option[object], ...]] = (OUTPUT, QUIET, VERBOSE, COLOR)


class Context:
    """The input, output and shared state of one run; everything is created on first use.

    ``given`` holds the texts of the command line by option key, with yes or no for a flag. Tests pass
    ``transport_for`` to replace the network, and ``workers`` to replace threads. Modules that help and completion do
    not need are imported inside the methods.
    """

    def __init__(
        self,
        *,
        argv: Sequence[str],
        stdin: TextIO | None,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        prompter: Prompter | None = None,
        transport_for: Callable[[ServerAddress], httpx.BaseTransport] | None = None,
        workers: Workers | None = None,
    ) -> None:
        self.argv = argv
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.environ = environ
        self.transport_for = transport_for
        self.workers = workers
        self.given: dict[str, tuple[str, ...]] = {}
        self.command: str | None = None
        self.exit_codes = COMMAND_CODES
        """The exit codes of the command; known before the command line is parsed, so that its errors obey them too."""
        self.contact: Contact | None = None
        """The first contact of the run, which comes before questions about its work."""
        self.on_shown: Callable[[Envelope], None] | None = None
        """What to do with the results once they are shown; it must not raise, and never changes the exit code."""
        self.offered: dict[Hashable, Secret] = {}
        """Passwords that another appliance has accepted, by the key of their prompt, which offers each once."""
        self._shown_sources: set[tuple[str, Source]] = set()
        self._clock = clock
        self._prompter = prompter
        self._results: dict[Hashable, object] = {}
        self._forgotten: dict[Hashable, object] = {}

    @classmethod
    def of_process(cls, argv: Sequence[str]) -> Context:
        """Return the context of this process."""
        from backupctl.config.process import forbid_core_dumps, process_environment

        forbid_core_dumps()
        stdout, stderr = sys.stdout or io.StringIO(), sys.stderr or io.StringIO()
        return cls(
            argv=argv,
            stdin=sys.stdin,
            stdout=stdout,
            stderr=stderr,
            environ=process_environment(),
        )

    @cached_property
    def clock(self) -> Clock:
        """The clock of this run."""
        from backupctl.clock import SystemClock

        return self._clock or SystemClock()

    @cached_property
    def prompter(self) -> Prompter:
        """The prompter; it is interactive if standard input and standard error are a terminal."""
        from backupctl.cli.prompts import Prompter

        interactive = self.stdin is not None and self.stdin.isatty() and self.stderr.isatty()
        return self._prompter or Prompter(interactive=interactive)

    @cached_property
    def configuration(self) -> Configuration:
        """The content of the configuration file, empty without one. Raises ConfigError: if it is invalid."""
        from backupctl.config.config_file import find_configuration, read_configuration
        from backupctl.config.configuration import Configuration

        named = self.value(CONFIG)
        path = find_configuration(named, self.environ)
        configuration = read_configuration(path, self.clock) if path else Configuration()
        if path is not None and named is None:
            self.view.debug(f"{CONFIG.name}: {path}")
        return configuration

    @property
    def state_directory(self) -> Path:
        """The directory of what is kept between runs. Raises ConfigError: without a home directory."""
        from backupctl.state.directory import state_directory

        directory = state_directory(self.value(STATE_DIR), self.environ)
        if directory is None:
            raise ConfigError("no state directory", hint=f"set {STATE_DIR.file_key} in the configuration file")
        return directory

    @cached_property
    def targets(self) -> TargetConnections:
        """The connections to backup servers of this run."""
        from backupctl.operations.target_connections import TargetConnections

        return TargetConnections(self.clock)

    def allow_new_file(self) -> None:
        """Let a command that writes the configuration file create the one that ``--config`` names."""
        from backupctl.config.configuration import Configuration

        named = self.value(CONFIG)
        if named is not None and not named.exists():
            self.configuration = Configuration(named)

    @cached_property
    def secrets(self) -> SecretResolver:
        """Finds secrets, and reads each place only once in a run."""
        from backupctl.config.secret_resolver import SecretResolver
        from backupctl.secrets.from_file import StandardInput

        stdin = StandardInput(getattr(self.stdin, "buffer", None))
        return SecretResolver(self.environ, stdin, self.clock, self.configuration.secret_variables)

    @cached_property
    def credential_states(self) -> CredentialStates:
        """The credentials of this run, with what is known about each."""
        from backupctl.api.credential_state import CredentialStates

        return CredentialStates()

    def value(self, option: Option[T]) -> T:
        """Return the value of an option for the run as a whole; ``-v`` shows its source."""
        return self.resolve(option).value

    def resolve(self, option: Option[T], layers: Sequence[Layer] | None = None) -> Value[T]:
        """Return the value of an option with its source; ``-v`` shows it.

        ``layers`` are the tables of an appliance; without them, ``[defaults]`` of the configuration file.
        """
        from backupctl.config.resolve import resolve

        if layers is None:
            layers = (self.configuration.defaults,) if option.file_key else ()
        setting = resolve(option, self.given.get(option.key, ()), self.environ, layers)
        if setting.value not in {None, False, ()} and option not in _OUTPUT_OPTIONS:
            self._show_source(option.name, setting.value, setting.source)
        return setting

    def secret(self, name: SecretName, layers: Sequence[Layer]) -> SecretValue | None:
        """Return a secret from the first source that has one, None if none has."""
        secret = self.secrets.find(name, self._secret_options(name), layers)
        if secret is not None:
            self._show_source(name.name, secret.value, secret.source)
        return secret

    def locate_secret(self, name: SecretName, layers: Sequence[Layer]) -> SecretPlace | None:
        """Return the place of a secret without reading it."""
        return self.secrets.locate(name, self._secret_options(name), layers)

    def given_secret(self, name: SecretName) -> Secret | None:
        """Return the secret that options of the command line name, None without such options."""
        place = self.secrets.on_command_line(name, self._secret_options(name))
        return None if place is None else place.read()

    def run_once(self, key: Hashable, function: Callable[[], T]) -> T:
        """Return the result of ``function``, called only once per ``key``: one answer serves all appliances."""
        if key not in self._results:
            self._results[key] = function()
        return cast("T", self._results[key])

    def ask(self, key: tuple[Hashable, ...], prompt: Callable[[T | None], T]) -> T:
        """Prompt for a setting once per ``key``, which begins with its name: one answer serves all appliances.

        ``prompt`` gets the last answer of this name that was forgotten, None at first.
        """
        from backupctl.config.value import PROMPT

        answer = self.run_once(key, lambda: prompt(cast("T | None", self._forgotten.get(key[0]))))
        if answer:
            self._show_source(str(key[0]), answer, PROMPT)
        return answer

    def is_answered(self, key: tuple[Hashable, ...]) -> bool:
        """Return whether a prompt was answered."""
        return key in self._results

    def forget(self, *keys: tuple[Hashable, ...]) -> None:
        """Forget answers that turned out to be wrong, so that ``ask`` prompts again."""
        for key in filter(self.is_answered, keys):
            self._forgotten[key[0]] = self._results.pop(key)

    def check_run_options(self) -> None:
        """Check the options that every command on appliances has, and warn about variables that are not read.

        Raises UsageError and ConfigError: for an invalid value.
        """
        from backupctl.config.environment import unread_variable_warnings

        self.check_output_options()
        self.resolve(PARALLEL)
        for warning in unread_variable_warnings(self.environ):
            self.view.warn(warning, always=True)

    def check_output_options(self) -> None:
        """Check the output options of the command line; in the environment, any value is valid.

        Raises UsageError: for an invalid value.
        """
        for option in _OUTPUT_OPTIONS:
            if option.key in self.given:
                self.resolve(option)

    @cached_property
    def view(self) -> View:
        """The output of this run; ``-o`` is read from the raw arguments, so that it applies to usage errors too."""
        from backupctl.output.guarded_view import GuardedView
        from backupctl.output.view_selection import make_view, requested_output

        return GuardedView(
            make_view(
                requested_output(self.argv, plugin=self.exit_codes is PLUGIN_CODES),
                stdout=self.stdout,
                stderr=self.stderr,
                clock=self.clock,
                color=self._valid_or(COLOR, "auto"),
                quiet=bool(self._valid_or(QUIET, default=False)),
                verbose=bool(self._valid_or(VERBOSE, 0)),
                environ=self.environ,
            )
        )

    def print(self, text: str) -> None:
        """Print text that is not the result of an appliance.

        Raises OutputError: if it cannot be written. A closed pipe is not an error.
        """
        from backupctl.output.safe_stream import SafeStream

        stream = SafeStream(self.stdout)
        stream.write(text)
        stream.check()

    def finish(self, results: Sequence[Result], skew_seconds: int | None = None) -> int:
        """Show the results of the command and return the exit code; results that cannot be written turn 0 into 11."""
        from backupctl.results.result import Envelope

        return self._finish(Envelope.of(self.command, results, skew_seconds, self.exit_codes))

    def fail(self, error: BackupctlError) -> int:
        """Show the error that ends the command and return the exit code."""
        from backupctl.results.result import Envelope

        self.view.close()
        return self._finish(Envelope.of_error(self.command, error, self.exit_codes))

    def _finish(self, envelope: Envelope) -> int:
        code = self._show(envelope)
        set_exit_code(code)  # A signal from now on only limits the time for the rest.
        if "targets" in vars(self):
            self.targets.close()
        on_shown, self.on_shown = self.on_shown, None
        if on_shown is not None:
            on_shown(envelope)
        return code

    def _show(self, envelope: Envelope) -> int:
        try:
            self.view.finish(envelope)
        except OutputError as error:
            with suppress(OutputError):
                self.view.finish(envelope.of_error(envelope.command, error, self.exit_codes))
            return self.exit_codes.of_error(self.exit_codes.overall([envelope.exit_code, error.exit_code]))
        return envelope.exit_code

    def _show_source(self, name: str, value: object, source: Source) -> None:
        """Show a value and its source under ``-v``, once."""
        if (name, source) not in self._shown_sources:
            self._shown_sources.add((name, source))
            self.view.debug(f"{name}: {_format(value)} ({source})")

    def _secret_options(self, name: SecretName) -> SecretOptions:
        from backupctl.config.secret_resolver import SecretOptions

        return SecretOptions(self.given_text(name.file_option), self.given_text(name.command_option))

    def given_text(self, flag: str) -> str | None:
        """Return the text of a flag on the command line, None without one."""
        return next(iter(self.given.get(flag.removeprefix("--").replace("-", "_"), ())), None)

    def _valid_or(self, option: Option[T], default: T) -> T:
        """Return the value of an option, or ``default`` if it is invalid: the view must be able to show that error."""
        from backupctl.config.resolve import resolve

        try:
            return resolve(option, self.given.get(option.key, ()), self.environ).value
        except BackupctlError:
            return default


def _format(value: object) -> str:
    """Return the value of a setting as an option takes it; durations are the only floats."""
    from backupctl.formatting import duration_option

    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return duration_option(value) if isinstance(value, float) else str(value)


def missing_option_error(option: Option[object], example: str) -> UsageError:
    """Return the error for a required option that is missing while there is no terminal to prompt on."""
    hint = f"give {option.flag} {example}, set {option.environment}, or set {option.file_key} in the configuration file"
    return UsageError(f"{option.flag} is missing", hint=hint)
