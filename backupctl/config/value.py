"""A value with its source, and errors that name the source."""

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
    """The source of a value, for errors, ``-v`` and ``config show``: a kind, and a name such as that of an option."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()

    @property
    def key(self) -> str:
        """The name, for a configuration file only table and key, without its path."""
        return self.name.rpartition(": ")[2] if self.kind == FILE else self.name


class Value(msgspec.Struct, Generic[T_co], frozen=True):
    """A setting with its source."""

    value: T_co
    source: Source


DEFAULT: Final = Source("default")
PROMPT: Final = Source("prompt")


@contextmanager
def attribute_errors(*sources: Source) -> Iterator[None]:
    """Add ``sources``, except defaults, to UsageError and ConfigError that the block raises.

    So every error about a setting names an option, a variable, or file and key, wherever the setting is checked. A
    UsageError becomes a ConfigError if a source is in the configuration file and none is on the command line.
    """
    try:
        yield
    except (UsageError, ConfigError) as error:
        named = [source for source in dict.fromkeys(sources) if source != DEFAULT]
        if not named or error.facts.source:
            raise
        kinds = {source.kind for source in named}
        is_configured = isinstance(error, UsageError) and FILE in kinds and FLAG not in kinds
        error_type = ConfigError if is_configured else type(error)
        facts = error.facts._replace(source=_join(named), of_file=kinds == {FILE})
        raise error_type.from_facts(facts) from error


def parse_from(source: Source, parse: Callable[[S], T], given: S) -> T:
    """Return the result of ``parse`` for the text or texts of a source; errors name ``source``.

    Raises UsageError: for an invalid text. Raises ConfigError: for one in the environment or the file.
    """
    try:
        return parse(given)
    except UsageError as error:
        error_type = ConfigError if source.kind in {ENVIRONMENT, FILE} else UsageError
        facts = error.facts._replace(source=source.name, of_file=source.kind == FILE)
        raise error_type.from_facts(facts) from error


def _join(sources: list[Source]) -> str:
    """Return the names of sources, joined by "and", with the path of the configuration file only once."""
    names: list[str] = []
    for index, source in enumerate(sources):
        has_path = any(other.kind == FILE for other in sources[:index])
        names.append(source.key if has_path else str(source) if source.kind == CREDENTIAL else source.name)
    return " and ".join(names)
