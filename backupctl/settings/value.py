"""A value and where it came from."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

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
