"""A value and where it came from."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from backupctl.errors import BackupctlError, ConfigError, UsageError

T = TypeVar("T")

FLAG: Final = "flag"
ENVIRONMENT: Final = "environment"
FILE: Final = "file"
CREDENTIAL: Final = "systemd credential"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from, for errors, ``-v`` and ``config show``: a kind of place, and the name in it."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()

    @property
    def key(self) -> str:
        """The name in its place: of the configuration file table and key, without the path of the file."""
        return self.name.rpartition(": ")[2] if self.kind == FILE else self.name


@dataclass(frozen=True, slots=True)
class Value(Generic[T]):
    """A setting with its source."""

    value: T
    source: Source


DEFAULT: Final = Source("default")


@contextmanager
def attribute_errors(*sources: Source) -> Iterator[None]:
    """Put what is to be changed in front of an error about values that came from ``sources``; defaults are left out.

    So every error about a setting names an option, a variable, or file and key, wherever the setting is judged. A rule
    that is broken is a UsageError, whoever broke it, but for the configuration file, whose mistakes are ConfigErrors
    where nothing was typed.
    """
    try:
        yield
    except (UsageError, ConfigError) as error:
        blamed = [source for source in dict.fromkeys(sources) if source != DEFAULT]
        if not blamed:
            raise
        kinds = {source.kind for source in blamed}
        configured = isinstance(error, UsageError) and FILE in kinds and FLAG not in kinds
        failure = ConfigError if configured else type(error)
        raise _led_by(_named(blamed), error, failure, of_file=kinds == {FILE}) from error


def parse_from(source: Source, parse: Callable[[str], object], text: str) -> Any:  # noqa: ANN401 - as the caller knows
    """Return what ``parse`` makes of ``text``; its errors get ``source`` in front.

    They are UsageErrors for what was typed, ConfigErrors for what cannot be read in the environment or the file.
    """
    try:
        return parse(text)
    except UsageError as error:
        failure = ConfigError if source.kind in {ENVIRONMENT, FILE} else UsageError
        raise _led_by(source.name, error, failure, of_file=source.kind == FILE) from error


def _led_by(name: str, error: BackupctlError, failure: type[BackupctlError], *, of_file: bool) -> BackupctlError:
    hint = _of_keys(error.hint) if of_file and error.hint else error.hint
    return failure(f"{name}: {error.message}", hint=hint, details=error.details)


def _of_keys(hint: str) -> str:
    """Return a hint that names the keys of the file in place of their options, whose names they are.

    A command line that is to be copied stays one.
    """
    return hint if "`" in hint else re.sub(r"(?<!\S)--(?=[a-z])", "", hint)


def _named(sources: list[Source]) -> str:
    """Return the names of sources in one phrase, the path of the configuration file once."""
    names: list[str] = []
    for number, source in enumerate(sources):
        again = any(other.kind == FILE for other in sources[:number])
        names.append(source.key if again else str(source) if source.kind == CREDENTIAL else source.name)
    return " and ".join(names)
