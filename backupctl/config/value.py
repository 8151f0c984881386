"""A value and where it came from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

import msgspec

from backupctl.errors import ConfigError, UsageError

S = TypeVar("S")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

FLAG: Final = "flag"
ENVIRONMENT: Final = "environment"
FILE: Final = "file"
CREDENTIAL: Final = "systemd credential"


class Source(msgspec.Struct, frozen=True):
    """Where a value came from, for errors, ``-v`` and ``config show``: a kind of place, and the name in it."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()

    @property
    def key(self) -> str:
        """The name in its place: of the configuration file table and key, without the path of the file."""
        return self.name.rpartition(": ")[2] if self.kind == FILE else self.name


class Value(msgspec.Struct, Generic[T_co], frozen=True):
    """A setting with its source."""

    value: T_co
    source: Source


DEFAULT: Final = Source("default")


@contextmanager
def attribute_errors(*sources: Source) -> Iterator[None]:
    """Let an error about values say that they came from ``sources``, of which defaults are left out.

    So every error about a setting names an option, a variable, or file and key, wherever the setting is judged. A rule
    that is broken is a UsageError, whoever broke it, but for the configuration file, whose mistakes are ConfigErrors
    where nothing was typed.
    """
    try:
        yield
    except (UsageError, ConfigError) as error:
        blamed = [source for source in dict.fromkeys(sources) if source != DEFAULT]
        if not blamed or error.facts.source:
            raise
        kinds = {source.kind for source in blamed}
        configured = isinstance(error, UsageError) and FILE in kinds and FLAG not in kinds
        failure = ConfigError if configured else type(error)
        facts = error.facts._replace(source=_named(blamed), of_file=kinds == {FILE})
        raise failure.from_facts(facts) from error


def parse_from(source: Source, parse: Callable[[S], T], given: S) -> T:
    """Return what ``parse`` makes of the text or texts of a source; its errors say that they came from ``source``.

    They are UsageErrors for what was typed, ConfigErrors for what cannot be read in the environment or the file.
    """
    try:
        return parse(given)
    except UsageError as error:
        failure = ConfigError if source.kind in {ENVIRONMENT, FILE} else UsageError
        facts = error.facts._replace(source=source.name, of_file=source.kind == FILE)
        raise failure.from_facts(facts) from error


def _named(sources: list[Source]) -> str:
    """Return the names of sources in one phrase, the path of the configuration file once."""
    names: list[str] = []
    for number, source in enumerate(sources):
        again = any(other.kind == FILE for other in sources[:number])
        names.append(source.key if again else str(source) if source.kind == CREDENTIAL else source.name)
    return " and ".join(names)
