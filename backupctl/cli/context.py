"""One run of the program: its streams, its environment, its clock, and what the command line gave."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, TypeVar, cast

from backupctl.config.option_table import COLOR, CONFIG, OUTPUT, PARALLEL, QUIET, VERBOSE
from backupctl.errors import BackupctlError, ExitCode, OutputError, UsageError, overall_exit_code

if TYPE_CHECKING:
    import httpx

    from backupctl.api.credential_state import CredentialStates
    from backupctl.cli.prompts import Prompter
    from backupctl.clock import Clock
    from backupctl.config.configuration import Configuration, Layer
    from backupctl.config.option import Option, SecretName
    from backupctl.config.secret_ladder import SecretLadder, SecretOptions, SecretPlace, SecretValue
    from backupctl.config.server_address import ServerAddress
    from backupctl.config.value import Source, Value
    from backupctl.output.view import View
    from backupctl.output.view_selection import Output
    from backupctl.results.result import Envelope
    from backupctl.scheduler.workers import Workers
    from backupctl.secrets.secret import Secret

T = TypeVar("T")


class Context:
    """What a command works with; tests make their own, with streams, a clock and appliances of theirs.

    ``given`` holds the texts that the command line gave, by the option's name; yes or no for a flag.
    ``transport_for`` reaches an appliance in another way than the network, ``workers`` runs calls in another way than
    threads. What help and completion do not need is imported where it is used.
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
        self._told: set[tuple[str, Source]] = set()
        self._clock = clock
        self._prompter = prompter
        self._view: View | None = None
        self._secrets: SecretLadder | None = None
        self._configuration: Configuration | None = None
        self._credential_states: CredentialStates | None = None
        self._answers: dict[Hashable, object] = {}

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

    @property
    def clock(self) -> Clock:
        """The time of this run."""
        if self._clock is None:
            from backupctl.clock import SystemClock

            self._clock = SystemClock()
        return self._clock

    @property
    def prompter(self) -> Prompter:
        """Whoever can be asked: the person at a terminal, if standard input and standard error are one."""
        if self._prompter is None:
            from backupctl.cli.prompts import TerminalPrompter

            interactive = self.stdin is not None and self.stdin.isatty() and self.stderr.isatty()
            self._prompter = TerminalPrompter(interactive=interactive)
        return self._prompter

    @property
    def configuration(self) -> Configuration:
        """What the configuration file says, nothing where there is none; raises ConfigError for a bad one."""
        if self._configuration is None:
            from backupctl.config.config_file import find_configuration, read_configuration
            from backupctl.config.configuration import Configuration

            named = self.value(CONFIG)
            path = find_configuration(named, self.environ)
            self._configuration = read_configuration(path, self.clock) if path else Configuration()
            if path is not None and named is None:
                self.view.debug(f"{CONFIG.name}: {path}")
        return self._configuration

    @property
    def secrets(self) -> SecretLadder:
        """The places of secrets, each of which is read once in a run."""
        if self._secrets is None:
            from backupctl.config.secret_ladder import SecretLadder
            from backupctl.secrets.from_file import StandardInput

            stdin = StandardInput(getattr(self.stdin, "buffer", None))
            self._secrets = SecretLadder(self.environ, stdin, self.clock, self.configuration.secret_variables)
        return self._secrets

    @property
    def credential_states(self) -> CredentialStates:
        """What this run learns about users and passwords."""
        if self._credential_states is None:
            from backupctl.api.credential_state import CredentialStates

            self._credential_states = CredentialStates()
        return self._credential_states

    def value(self, option: Option[T]) -> T:
        """Return the value of an option for the run as a whole; ``-v`` shows where it came from."""
        return self.resolve(option).value

    def resolve(self, option: Option[T], layers: Sequence[Layer] | None = None) -> Value[T]:
        """Return the value of an option with its source.

        ``layers`` are those of an appliance; without them, the defaults of the configuration file.
        """
        from backupctl.config.resolve import resolve

        if layers is None:
            layers = (self.configuration.defaults,) if option.file_key else ()
        found = resolve(option, self.given.get(option.key, ()), self.environ, layers)
        if found.value not in {None, False, ()} and option not in {OUTPUT, QUIET, VERBOSE, COLOR}:
            self._tell(option.name, found.value, found.source)
        return found

    def secret(self, name: SecretName, layers: Sequence[Layer]) -> SecretValue | None:
        """Return a secret by the ladder, None where nothing names one."""
        found = self.secrets.find(name, self._given_secret(name), layers)
        if found is not None:
            self._tell(name.name, found.value, found.source)
        return found

    def locate_secret(self, name: SecretName, layers: Sequence[Layer]) -> SecretPlace | None:
        """Return where a secret is, without reading it."""
        return self.secrets.locate(name, self._given_secret(name), layers)

    def given_secret(self, name: SecretName) -> Secret | None:
        """Return what the command line alone gives for a secret, None for nothing."""
        found = self.secrets.on_command_line(name, self._given_secret(name))
        return None if found is None else found.read()

    def run_once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """Return what ``ask`` gave the first time that this question was asked: one answer serves all appliances."""
        if question not in self._answers:
            self._answers[question] = ask()
        return cast("T", self._answers[question])

    def check(self) -> None:
        """Judge what no command asks for: the output options, the size of the run, and variables that are not ours.

        Raises UsageError and ConfigError.
        """
        self.check_output()
        self.resolve(PARALLEL)
        for warning in self.unread_variable_warnings():
            self.view.warn(warning)

    def check_output(self) -> None:
        """Judge the output options that were given; raises UsageError. Nothing in the environment can be wrong."""
        options: tuple[Option[object], ...] = (OUTPUT, QUIET, VERBOSE, COLOR)
        for option in options:
            if option.key in self.given:
                self.resolve(option)

    def unread_variable_warnings(self) -> list[str]:
        """Return a line for each variable that looks like a setting of ours and is none."""
        from backupctl.config.environment import unread_variable_warnings

        return unread_variable_warnings(self.environ)

    @property
    def view(self) -> View:
        """How this run is shown; ``-o`` is looked up in the words of the command line, so that usage errors obey it."""
        if self._view is not None:
            return self._view
        from backupctl.output.guarded_view import GuardedView
        from backupctl.output.view_selection import make_view

        self._view = GuardedView(
            make_view(
                requested_output(self.argv),
                stdout=self.stdout,
                stderr=self.stderr,
                clock=self.clock,
                color=self._lenient(COLOR, "auto"),
                quiet=bool(self._lenient(QUIET, default=False)),
                verbose=bool(self._lenient(VERBOSE, 0)),
                environ=self.environ,
            )
        )
        return self._view

    def print(self, text: str) -> None:
        """Print what is no result of an appliance.

        Raises OutputError where that cannot be written; that the reader went away is no error.
        """
        from backupctl.output.safe_stream import SafeStream

        outlet = SafeStream(self.stdout)
        outlet.write(text)
        outlet.check()

    def finish(self, envelope: Envelope) -> int:
        """Show the result and return the exit code; a result that cannot be written makes 0 an 11."""
        from backupctl.results.result import Envelope as Document

        try:
            self.view.finish(envelope)
        except OutputError as error:
            code = overall_exit_code([envelope.exit_code, error.exit_code])
            with suppress(OutputError):
                self.view.finish(Document.of_error(envelope.command, error))
            return code
        return ExitCode(envelope.exit_code)

    def _tell(self, name: str, value: object, source: Source) -> None:
        """Show under ``-v`` where a value came from, once."""
        if (name, source) not in self._told:
            self._told.add((name, source))
            self.view.debug(f"{name}: {_shown(value)} ({source})")

    def _given_secret(self, name: SecretName) -> SecretOptions:
        from backupctl.config.secret_ladder import SecretOptions

        return SecretOptions(self.given_text(name.file_option), self.given_text(name.command_option))

    def given_text(self, flag: str) -> str | None:
        """Return the text that the command line gave for a flag, None for nothing."""
        return next(iter(self.given.get(flag.removeprefix("--").replace("-", "_"), ())), None)

    def _lenient(self, option: Option[T], default: T) -> T:
        """Return a value for the view, which must be there even to show that the value is wrong."""
        from backupctl.config.resolve import resolve

        try:
            return resolve(option, self.given.get(option.key, ()), self.environ).value
        except BackupctlError:
            return default


def requested_output(argv: Sequence[str]) -> Output:
    """Return the output format among the words of a command line, text where it is none of ours."""
    found = ""
    for word, after in zip(argv, [*argv[1:], ""], strict=False):
        if word == "--":
            break
        if match := re.fullmatch(r"(?:--output|-[qvh]*o)(=?.*)", word, re.DOTALL):
            found = (match[1].removeprefix("=") or after).strip().lower()
    formats: dict[str, Output] = {"json": "json", "jsonl": "jsonl"}
    return formats.get(found, "text")


def _shown(value: object) -> str:
    """Return the value of a setting as it is written; times are the only numbers with a fraction."""
    from backupctl.output.formatting import duration_option

    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return duration_option(value) if isinstance(value, float) else str(value)


def missing_option_error(option: Option[object]) -> UsageError:
    """Return the error for a value that is needed and missing, where nobody can be asked."""
    environment = f" or set {option.environment}" if option.environment else ""
    return UsageError(f"{option.flag} is missing", hint=f"give {option.flag}{environment}")
