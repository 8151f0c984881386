"""Find secrets: option > environment > systemd credential > configuration file; the caller prompts if there is none.

A secret is never an argument of the command line, which every user of the machine can see, and never in the
configuration file, which only names its place: a file, a command, a variable, a systemd credential or an entry in the
keyring of the operating system.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from backupctl.clock import Clock, SystemClock
from backupctl.config.config_file import may_exist
from backupctl.config.configuration import Layer
from backupctl.config.environment import environment_without_secrets
from backupctl.config.option import SecretName
from backupctl.config.option_table import SECRETS
from backupctl.config.value import CREDENTIAL, ENVIRONMENT, FLAG, Source, Value, parse_from
from backupctl.errors import ConfigError, UsageError
from backupctl.secrets.bounded_read import READ_TIMEOUT_SECONDS, TimeLimit
from backupctl.secrets.from_file import STDIN_PATH, StandardInput, read_credential, read_secret_file
from backupctl.secrets.from_keyring import Keyring
from backupctl.secrets.from_text import secret_from_text
from backupctl.secrets.secret import Secret

SecretValue = Value[Secret]


@dataclass(frozen=True, slots=True)
class SecretOptions:
    """The options of a secret on the command line; ``command`` is not shown, as it may contain secrets."""

    file: str | None = None
    command: str | None = field(default=None, repr=False)


_KIND_NAMES: Final = {"env": "variable", "credential": "systemd credential", "keyring": "keyring entry"}


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """The place of a secret: the setting that names it, and the function that reads it.

    Settings that name the same place have the same ``key``: the kind of SECRET_PLACES, and the name or, for a command,
    all its words.
    """

    source: Source
    key: tuple[str, ...] = field(repr=False)
    read: Callable[[], Secret] = field(repr=False)

    @property
    def kind(self) -> str:
        """The kind of the place, ``stdin`` for standard input, which can be read only once."""
        return "stdin" if self.key[:2] == ("file", STDIN_PATH) else self.key[0]

    @property
    def description(self) -> str:
        """Text such as ``file /etc/x``; of a command only the first word, as the others may be secret."""
        if self.kind == "stdin":
            return "standard input"
        more = " ..." if self.kind == "command" and len(self.key) > 2 else ""
        return f"{_KIND_NAMES.get(self.kind, self.kind)} {self.key[1]}{more}"


class SecretResolver:
    """Finds the secrets of a run; each place is read once, however many appliances share it.

    ``stdin`` can hold one secret. ``secret_variables`` are the variables that the configuration names as places of
    secrets; commands do not get them. All methods raise UsageError and ConfigError, which never show a secret.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        stdin: StandardInput,
        clock: Clock | None = None,
        secret_variables: Collection[str] = (),
    ) -> None:
        self._environ = environ
        self._secret_variables = secret_variables
        self._stdin = stdin
        self.ends_at: float | None = None
        """When the run must end (monotonic seconds), None if it may take its time."""
        self._clock = clock or SystemClock()
        self._keyring = Keyring()
        self._secrets: dict[Hashable, Secret] = {}
        self._errors: dict[tuple[Hashable, Source], ConfigError] = {}

    def find(self, name: SecretName, given: SecretOptions, layers: Sequence[Layer] = ()) -> SecretValue | None:
        """Return the secret with its source, None if no setting names one; ``layers`` as in ``resolve``."""
        place = self.locate(name, given, layers)
        return None if place is None else Value(self.read(place), place.source)

    def in_variables(self, layers: Sequence[Layer] = ()) -> Iterator[Secret]:
        """Yield all secrets in variables, whether or not the run needs them; no other place is read."""
        configured = [layer.values.get(f"{name.name}-env") for layer in layers for name in SECRETS]
        for variable in (*(name.variable for name in SECRETS), *configured):
            if text := self._environ.get(variable or ""):
                yield Secret(text)

    def locate(self, name: SecretName, given: SecretOptions, layers: Sequence[Layer] = ()) -> SecretPlace | None:
        """Return the place of the secret without reading it, None if no setting names one."""
        return (
            self.on_command_line(name, given)
            or self._in_environment(name)
            or self._in_credentials(name)
            or self.in_file(name, layers)
        )

    def read(self, place: SecretPlace) -> Secret:
        """Read a place once; an error is raised again for every appliance with the same setting."""
        previous_error = self._errors.get((place.key, place.source))
        if previous_error is not None:
            raise previous_error
        if place.key not in self._secrets:
            try:
                self._secrets[place.key] = place.read()
            except ConfigError as error:
                self._errors[place.key, place.source] = error
                raise
        return self._secrets[place.key]

    def on_command_line(self, name: SecretName, given: SecretOptions) -> SecretPlace | None:
        """Return the place that the command line names, None if it names none."""
        if given.file is not None and given.command is not None:
            raise UsageError(f"{name.file_option} and {name.command_option} cannot both be given")
        if given.file is not None:
            return self._file(given.file, Source(FLAG, name.file_option))
        if given.command is not None:
            return self._command_line(given.command, Source(FLAG, name.command_option))
        return None

    def _in_environment(self, name: SecretName) -> SecretPlace | None:
        """Return the place that a variable names, None if none is set. Raises ConfigError: if several are set."""
        if self._environ.get(name.variable) == "":
            raise ConfigError(f"{name.variable} is set but empty", hint="unset it, or check the command that sets it")
        variables = [variable for variable in name.environment_names if self._environ.get(variable)]
        if not variables:
            return None
        if len(variables) > 1:
            raise ConfigError(f"{' and '.join(variables)} cannot both be set", hint="unset all but one")
        variable = variables[0]
        source, text = Source(ENVIRONMENT, variable), self._environ[variable]
        if variable == name.variable:
            return self._variable(variable, source)
        return self._file(text, source) if variable.endswith("_FILE") else self._command_line(text, source)

    def _in_credentials(self, name: SecretName) -> SecretPlace | None:
        """Return the credential ``NAME`` of the systemd unit, set by LoadCredential= or SetCredentialEncrypted=.

        See systemd.exec(5).
        """
        directory = self._environ.get("CREDENTIALS_DIRECTORY")
        if not directory or not may_exist(Path(directory, name.name)):
            return None
        return self._named_credential(name.name, Source(CREDENTIAL, name.name))

    def in_file(self, name: SecretName, layers: Sequence[Layer]) -> SecretPlace | None:
        """Return the place of a secret in these tables of the configuration file, or None."""
        for layer in layers:
            for key in name.file_keys:
                if key in layer.values:
                    kind, source = key.rpartition("-")[2], layer.source(key)
                    return self._configured(kind, layer.values[key], source, lines=name.lines)
        return None

    def _configured(self, place: str, value: Any, source: Source, *, lines: bool) -> SecretPlace:  # noqa: ANN401 - its type depends on the kind
        functions: Mapping[str, Callable[..., SecretPlace]] = {
            "file": self._file,
            "command": self._command,
            "env": self._variable,
            "credential": self._named_credential,
            "keyring": self._entry,
        }
        return functions[place](value, source, lines=lines)

    def _file(self, path: str, source: Source, *, lines: bool = False) -> SecretPlace:
        def read() -> Secret:
            return read_secret_file(path, source.name, self._stdin, self._limit(), lines=lines)

        return SecretPlace(source, ("file", path, source.name if path == "-" else ""), read)

    def _command_line(self, text: str, source: Source) -> SecretPlace:
        from backupctl.secrets.from_command import split_command  # It imports subprocess, which is slow.

        return self._command(parse_from(source, split_command, text), source)

    def _command(self, words: Sequence[str], source: Source, *, lines: bool = False) -> SecretPlace:
        def read() -> Secret:
            from backupctl.secrets.from_command import run_secret_command

            environ = environment_without_secrets(self._environ, self._secret_variables)
            return run_secret_command(words, source.name, environ, self._limit(), lines=lines)

        return SecretPlace(source, ("command", *words), read)

    def _variable(self, variable: str, source: Source, *, lines: bool = False) -> SecretPlace:
        def read() -> Secret:
            text = self._environ.get(variable)
            if not text:
                raise ConfigError(f"{source.name}: the variable {variable} is not set", hint=f"export {variable}")
            return secret_from_text(text, source.name, lines=lines)

        return SecretPlace(source, ("env", variable), read)

    def _named_credential(self, credential: str, source: Source, *, lines: bool = False) -> SecretPlace:
        def read() -> Secret:
            directory = self._environ.get("CREDENTIALS_DIRECTORY")
            path = Path(directory, credential) if directory else None
            secret = read_credential(path, str(source), self._limit(), lines=lines) if path else None
            if secret is None:
                raise ConfigError(
                    f"{source.name}: systemd passed no credential {credential!r}",
                    hint=f"add LoadCredential={credential}:/path/of/the/file to the unit",
                )
            return secret

        return SecretPlace(source, ("credential", credential), read)

    def _entry(self, entry: str, source: Source, *, lines: bool = False) -> SecretPlace:
        def read() -> Secret:
            return self._keyring.read(entry, source.name, self._limit().seconds, lines=lines)

        return SecretPlace(source, ("keyring", entry), read)

    def _limit(self) -> TimeLimit:
        """Return how long a place may take to answer."""
        if self.ends_at is None:
            return TimeLimit(self._clock)
        return TimeLimit(self._clock, min(READ_TIMEOUT_SECONDS, max(0.0, self.ends_at - self._clock.monotonic())))
