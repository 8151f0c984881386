"""A value and where it came from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from backupctl.errors import ConfigError, UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from, for errors, ``-v`` and ``config show``: a kind of place, and the name in it."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Value(Generic[T]):
    """A setting with its source."""

    value: T
    source: Source


FLAG: Final = "flag"
ENVIRONMENT: Final = "environment"
FILE: Final = "file"
CREDENTIAL: Final = "systemd credential"
DEFAULT: Final = Source("default")


def parse_from(source: Source, parse: Callable[[str], object], text: str) -> Any:  # noqa: ANN401 - as the caller knows
    """Return what ``parse`` makes of ``text``; its errors get ``source`` in front.

    They are UsageErrors for what was typed, ConfigErrors for what stands in the environment or the file.
    """
    try:
        return parse(text)
    except UsageError as error:
        failure = ConfigError if source.kind in {ENVIRONMENT, FILE} else UsageError
        raise failure(f"{source.name}: {error.message}", hint=error.hint, details=error.details) from error
