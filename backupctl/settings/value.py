"""A value and where it came from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from backupctl.errors import ConfigError, UsageError

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
def blaming(*sources: Source) -> Iterator[None]:
    """Put what is to be changed in front of an error about values that came from ``sources``; defaults are left out.

    So every error about a setting names an option, a variable, or file and key, wherever the setting is judged. What
    was typed stays a UsageError; a rule that is broken in the environment or in the file is a ConfigError.
    """
    try:
        yield
    except (UsageError, ConfigError) as error:
        blamed = [source for source in dict.fromkeys(sources) if source != DEFAULT]
        if not blamed:
            raise
        typed = any(source.kind == FLAG for source in blamed)
        failure = ConfigError if isinstance(error, UsageError) and not typed else type(error)
        raise failure(f"{_named(blamed)}: {error.message}", hint=error.hint, details=error.details) from error


def parse_from(source: Source, parse: Callable[[str], object], text: str) -> Any:  # noqa: ANN401 - as the caller knows
    """Return what ``parse`` makes of ``text``; its errors are as ``blaming`` makes them."""
    with blaming(source):
        return parse(text)


def _named(sources: list[Source]) -> str:
    """Return the names of sources in one phrase, the path of the configuration file once."""
    names: list[str] = []
    for number, source in enumerate(sources):
        again = any(other.kind == FILE for other in sources[:number])
        names.append(source.key if again else str(source) if source.kind == CREDENTIAL else source.name)
    return " and ".join(names)
