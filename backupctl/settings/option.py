"""What an option is: a row of the table from which the command line and its documentation are made."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Group(StrEnum):
    """The headings under which options are shown."""

    CONNECTION = "Connection"
    OUTPUT = "Output"
    BACKUP = "Backup"
    FOLLOWING = "Following"


class Kind(StrEnum):
    """How an option stands on the command line."""

    VALUE = "value"  # --name VALUE
    LIST = "list"  # --name VALUE, repeatable; with commas in the environment
    FLAG = "flag"  # --name
    SWITCH = "switch"  # --name / --no-name, so that it can override the environment both ways
    COUNT = "count"  # -v, -vv


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(Generic[T]):
    """An option, as data; ``T`` is the type that ``resolve`` gives.

    ``parse`` turns the text of one value into what it means and raises UsageError; ``default`` is such a text, as the
    documentation shows it, or None for nothing. ``choices`` are all that is accepted, or only what is known if
    ``open_choices``. ``environment`` is None for an option that is never taken from there.
    """

    name: str
    group: Group
    help: str
    parse: Callable[[str], object] = str
    kind: Kind = Kind.VALUE
    default: str | None = None
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    open_choices: bool = False
    short: str | None = None
    environment: str | None = None
    parse_environment: Callable[[str], object] | None = None

    @property
    def flag(self) -> str:
        """Return the long form: ``--ca-file``."""
        return f"--{self.name}"

    @property
    def key(self) -> str:
        """Return the name as a Python identifier: ``ca_file``."""
        return self.name.replace("-", "_")

    @property
    def is_flag(self) -> bool:
        """Say whether the option takes no value."""
        return self.kind in {Kind.FLAG, Kind.SWITCH, Kind.COUNT}

    @property
    def is_repeatable(self) -> bool:
        """Say whether the option may be given more than once, each time with a value."""
        return self.kind is Kind.LIST
