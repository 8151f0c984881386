"""The ladder for secrets: option > environment > systemd credential; the caller asks when there is none.

A secret is never an argument of the command line, where every user of the machine sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backupctl.clock import Clock, SystemClock
from backupctl.errors import ConfigError, UsageError
from backupctl.secret import Secret
from backupctl.settings.option import SecretName
from backupctl.settings.resolve import parse_from
from backupctl.settings.secret_file import StandardInput, read_credential, read_secret_file
from backupctl.settings.secret_text import secret_from_text
from backupctl.settings.value import CREDENTIAL, ENVIRONMENT, FLAG, Source, Value

SecretValue = Value[Secret]


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """What the command line has for a secret; ``command`` is hidden, as its words may be secret."""

    file: str | None = None
    command: str | None = field(default=None, repr=False)


def find_secret(
    name: SecretName,
    given: GivenSecret,
    environ: Mapping[str, str],
    stdin: StandardInput,
    clock: Clock | None = None,
) -> SecretValue | None:
    """Return the secret with its source, or None if nothing names one.

    Use one ``stdin`` for all secrets of a run. Raise UsageError and ConfigError; none shows a secret. The rungs of the
    configuration file and of the keyring of the operating system belong around the systemd credential.
    """
    places = _Places(environ, stdin, clock or SystemClock())
    return _from_command_line(name, given, places) or _from_environment(name, places) or _from_credential(name, places)


@dataclass(frozen=True, slots=True)
class _Places:
    environ: Mapping[str, str] = field(repr=False)
    stdin: StandardInput
    clock: Clock

    def read_file(self, path: str, source: Source) -> SecretValue:
        secret = read_secret_file(path, source.name, self.stdin, self.clock)
        return Value(secret, source)

    def run(self, command: str, source: Source) -> SecretValue:
        from backupctl.settings.secret_command import run_secret_command, split_command  # subprocess is slow to load

        words = parse_from(source, split_command, command)
        return Value(run_secret_command(words, source.name, self.environ, self.clock), source)


def _from_command_line(name: SecretName, given: GivenSecret, places: _Places) -> SecretValue | None:
    if given.file is not None and given.command is not None:
        raise UsageError(f"{name.file_option} and {name.command_option} cannot both be given")
    if given.file is not None:
        return places.read_file(given.file, Source(FLAG, name.file_option))
    if given.command is not None:
        return places.run(given.command, Source(FLAG, name.command_option))
    return None


def _from_environment(name: SecretName, places: _Places) -> SecretValue | None:
    """Take the one variable that is set; two contradict each other, and to pick one would hide a mistake."""
    if places.environ.get(name.variable) == "":
        raise ConfigError(f"{name.variable} is set but empty", hint="unset it, or see why what fills it gave nothing")
    found = [variable for variable in name.environment_names if places.environ.get(variable)]
    if not found:
        return None
    if len(found) > 1:
        raise ConfigError(f"{' and '.join(found)} cannot both be set", hint="unset all but one")
    source = Source(ENVIRONMENT, found[0])
    text = places.environ[found[0]]
    if found[0] == name.variable:
        return Value(secret_from_text(text, source.name), source)
    if found[0].endswith("_FILE"):
        return places.read_file(text, source)
    return places.run(text, source)


def _from_credential(name: SecretName, places: _Places) -> SecretValue | None:
    """Take ``LoadCredential=NAME:...`` or ``SetCredentialEncrypted=NAME:...`` of the unit (systemd.exec(5))."""
    directory = places.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return None
    source = Source(CREDENTIAL, name.name)
    secret = read_credential(Path(directory, name.name), str(source), places.clock)
    return None if secret is None else Value(secret, source)
