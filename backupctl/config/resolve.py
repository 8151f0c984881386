"""Resolve the value of an option: flag > environment > file > default, the first one that has a value."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from backupctl.config.configuration import Layer
from backupctl.config.option import Kind, Option
from backupctl.config.value import DEFAULT, ENVIRONMENT, FLAG, Source, Value, parse_from

T = TypeVar("T")


def resolve(
    option: Option[T], given: Sequence[str], environ: Mapping[str, str], layers: Sequence[Layer] = ()
) -> Value[T]:
    """Return the value of ``option`` with its source.

    ``given`` are the texts of the command line, ``layers`` the tables of the configuration file in order of
    precedence. An empty variable counts as unset.

    Raises UsageError: for an invalid value on the command line. Raises ConfigError: for one in the environment.
    """
    if given:
        source = Source(FLAG, option.flag)
        return Value(parse_from(source, option.read, given), source)
    if option.environment and environ.get(option.environment):
        source = Source(ENVIRONMENT, option.environment)
        return Value(parse_from(source, option.read, _texts_of(option, environ[option.environment])), source)
    key = option.file_key
    for layer in layers:
        if key is not None and key in layer.values:
            return Value(layer.values[key], layer.source(key))
    return Value(option.read(() if option.default is None else (option.default,)), DEFAULT)


def _texts_of(option: Option[object], variable: str) -> Sequence[str]:
    """Return the texts of a variable; NO_COLOR turns colour off with any text (https://no-color.org)."""
    if option.environment == "NO_COLOR":
        return ("never",)
    if option.kind is Kind.LIST:
        return [word.strip() for word in variable.split(",") if word.strip()] or [""]
    return (variable,)
