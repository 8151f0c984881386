"""Options and secrets: the rows of the tables that define the command line and its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Reader = Callable[[Sequence[str]], T]
"""Parses the given texts of an option, or its default. Raises UsageError: if a text is invalid."""


def single(parse: Callable[[str], T]) -> Reader[T]:
    """Return a reader of the last given text, for an option with a default."""
    return lambda texts: parse(texts[-1])


def optional(parse: Callable[[str], T]) -> Reader[T | None]:
    """Return a reader of the last given text, whose value is None without a text."""
    return lambda texts: parse(texts[-1]) if texts else None


def repeated(parse: Callable[[str], T]) -> Reader[tuple[T, ...]]:
    """Return a reader of all texts, whose value is a tuple without duplicates."""
    return lambda texts: tuple(dict.fromkeys(parse(text) for text in texts))


class OptionGroup(StrEnum):
    """The headings of options in the help."""

    CONNECTION = "Connection"
    SEVERAL = "Several appliances"
    OUTPUT = "Output"
    BACKUP = "Backup"
    FOLLOWING = "Following"
    TARGET = "Reading the location directly"
    RETENTION = "Archives to keep"


class Kind(StrEnum):
    """The syntax of an option on the command line."""

    VALUE = "value"  # --name VALUE
    LIST = "list"  # --name VALUE, repeatable; with commas in the environment
    FLAG = "flag"  # --name
    SWITCH = "switch"  # --name / --no-name, so that it can override the environment both ways
    COUNT = "count"  # -v, -vv


class Option(Generic[T_co]):
    """An option of the command line; ``read`` parses its value.

    ``default`` is the text in the documentation, None without a default. ``choices`` are the only valid values, or
    the known ones with ``open_choices``. ``environment`` and ``file_key`` are its variable and its key in the file:
    None if it has none, ``""`` if they are named after the option. ``help_of`` has the help of commands, or of groups
    of commands, for which ``help`` would not be true. ``alone`` is the value of an option that is given without one,
    None if it needs one.
    """

    # Every command loads this class, and a plain class takes a third of the time of a dataclass to define.

    def __init__(
        self,
        name: str,
        group: OptionGroup,
        read: Reader[T_co],
        help: str,  # noqa: A002 - the name that click uses
        *,
        kind: Kind = Kind.VALUE,
        default: str | None = None,
        metavar: str | None = None,
        choices: tuple[str, ...] = (),
        open_choices: bool = False,
        short: str | None = None,
        environment: str | None = None,
        file_key: str | None = None,
        help_of: Mapping[str, str] | None = None,
        alone: str | None = None,
    ) -> None:
        self.name = name
        self.group = group
        self.read = read
        self.help = help
        self.kind = kind
        self.default = default
        self.metavar = metavar
        self.choices = choices
        self.open_choices = open_choices
        self.short = short
        self.environment = f"BACKUPCTL_{self.key.upper()}" if environment == "" else environment
        self.file_key = name if file_key == "" else file_key
        self.help_of = help_of or {}
        self.alone = alone

    def parse(self, text: str) -> T_co:
        """Return the value of one text. Raises UsageError: if it is invalid."""
        return self.read((text,))

    @property
    def flag(self) -> str:
        """Return the long form: ``--ca-file``."""
        return f"--{self.name}"

    @property
    def key(self) -> str:
        """Return the name as a Python identifier: ``ca_file``."""
        return self.name.replace("-", "_")


SECRET_PLACES: Final = ("file", "command", "env", "credential", "keyring")
"""The kinds of places of a secret that a configuration file may name; it never contains the secret itself."""


class SecretName:
    """A secret of the program, with the names of its options, variables and keys; ``lines``: it may have several."""

    def __init__(self, name: str, meaning: str, *, lines: bool = False) -> None:
        self.name = name
        self.meaning = meaning
        self.lines = lines

    @property
    def file_option(self) -> str:
        """Return ``--NAME-file``."""
        return f"--{self.name}-file"

    @property
    def command_option(self) -> str:
        """Return ``--NAME-command``."""
        return f"--{self.name}-command"

    @property
    def variable(self) -> str:
        """Return the environment variable that holds the secret itself."""
        return f"BACKUPCTL_{self.name.replace('-', '_').upper()}"

    @property
    def environment_names(self) -> tuple[str, str, str]:
        """Return the variables that hold the secret, the name of its file, and a command that prints it."""
        return self.variable, f"{self.variable}_FILE", f"{self.variable}_COMMAND"

    @property
    def file_keys(self) -> tuple[str, ...]:
        """Return the keys of a configuration file for the places of the secret, of which a table may have one."""
        return tuple(f"{self.name}-{place}" for place in SECRET_PLACES)
