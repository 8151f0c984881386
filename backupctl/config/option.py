"""What an option and a secret are: rows of the tables from which the command line and its documentation are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Reader = Callable[[Sequence[str]], T]
"""Makes a value of the texts that are given for an option, of its default where none is; raises UsageError."""


def single(parse: Callable[[str], T]) -> Reader[T]:
    """Read one text, the last one that is given: of an option that has a default."""
    return lambda texts: parse(texts[-1])


def optional(parse: Callable[[str], T]) -> Reader[T | None]:
    """Read one text, the last one that is given, or None where there is none."""
    return lambda texts: parse(texts[-1]) if texts else None


def repeated(parse: Callable[[str], T]) -> Reader[tuple[T, ...]]:
    """Read all texts; a value that is given more than once counts once."""
    return lambda texts: tuple(dict.fromkeys(parse(text) for text in texts))


class OptionGroup(StrEnum):
    """The headings under which options are shown."""

    CONNECTION = "Connection"
    FLEET = "Several appliances"
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


class Option(Generic[T_co]):
    """An option, as data, with how its value is ``read``.

    ``default`` is a text as the documentation shows it, or None for nothing. ``choices`` are all that is accepted, or
    only what is known if ``open_choices``. ``environment`` is None for an option that is never taken from there.
    """

    # A plain class costs a third of a dataclass to define, and every command defines the whole table.

    def __init__(
        self,
        *,
        name: str,
        group: OptionGroup,
        read: Reader[T_co],
        help: str,  # noqa: A002 - as click calls it
        kind: Kind = Kind.VALUE,
        default: str | None = None,
        metavar: str | None = None,
        choices: tuple[str, ...] = (),
        open_choices: bool = False,
        short: str | None = None,
        environment: str | None = None,
        file_key: str | None = None,
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
        self.environment = environment
        self.file_key = file_key

    def parse(self, text: str) -> T_co:
        """Return what one text means; raises UsageError."""
        return self.read((text,))

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


SECRET_PLACES: Final = ("file", "command", "env", "credential", "keyring")
"""Where a configuration file may say that a secret is; the secret itself never stands in it."""


class SecretName:
    """A secret that the program may need, with what it is called in each place."""

    def __init__(self, name: str, meaning: str) -> None:
        self.name = name
        self.meaning = meaning

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
        """Return the variables for the secret, for the name of its file, and for a command that prints it."""
        return self.variable, f"{self.variable}_FILE", f"{self.variable}_COMMAND"

    @property
    def file_keys(self) -> tuple[str, ...]:
        """Return the keys of a configuration file that name a place of the secret; one of them may stand there."""
        return tuple(f"{self.name}-{place}" for place in SECRET_PLACES)
