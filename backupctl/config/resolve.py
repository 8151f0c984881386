"""The ladder: flag > environment > file > default; the first that has a value gives it, with its source."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

from backupctl.config.configuration import Layer
from backupctl.config.option import Kind, Option
from backupctl.config.parsers import environment_parser_of, parse_switch, parser_of
from backupctl.config.value import DEFAULT, ENVIRONMENT, FLAG, Source, Value, parse_from

T = TypeVar("T")

Given = str | Sequence[str] | bool | int | None
"""What a command line has for an option: text or texts, whether or how often a flag stood there, None for nothing."""


def resolve(option: Option[T], given: Given, environ: Mapping[str, str], layers: Sequence[Layer] = ()) -> Value[T]:
    """Return the value of ``option`` with its source; ``layers`` are tables of the configuration file, nearest first.

    A bad value on the command line raises UsageError, one in the environment ConfigError; both name it. An empty
    variable is as good as none.
    """
    return (
        _from_command_line(option, given)
        or _from_environment(option, environ)
        or _from_file(option, layers)
        or _from_default(option)
    )


def _from_command_line(option: Option[T], given: Given) -> Value[T] | None:
    source = Source(FLAG, option.flag)
    value: object
    match given:
        case None:
            return None
        case bool() | int():
            if not given and option.kind is not Kind.SWITCH:
                return None
            value = given
        case str():
            value = _parse_texts(source, parser_of(option), [given])[0]
            if option.is_repeatable:
                value = (value,)
        case _:
            if not given:
                return None
            value = _parse_texts(source, parser_of(option), given)
    return Value(cast("T", value), source)


def _from_environment(option: Option[T], environ: Mapping[str, str]) -> Value[T] | None:
    name = option.environment
    text = environ.get(name) if name else None
    if not name or not text:
        return None
    source = Source(ENVIRONMENT, name)
    parse = environment_parser_of(option)
    if option.is_repeatable:
        texts = [word.strip() for word in text.split(",") if word.strip()] or [""]
        return Value(cast("T", _parse_texts(source, parse, texts)), source)
    return Value(cast("T", parse_from(source, parse, text)), source)


def _from_file(option: Option[T], layers: Sequence[Layer]) -> Value[T] | None:
    key = option.file_key
    for layer in layers:
        if key is not None and key in layer.values:
            return Value(cast("T", layer.values[key]), layer.source(key))
    return None


def _from_default(option: Option[T]) -> Value[T]:
    value: object
    match option.kind:
        case Kind.VALUE:
            value = None if option.default is None else parser_of(option)(option.default)
        case Kind.LIST:
            value = ()
        case Kind.FLAG:
            value = False
        case Kind.SWITCH:
            value = None if option.default is None else parse_switch(option.default)
        case Kind.COUNT:
            value = 0
    return Value(cast("T", value), DEFAULT)


def _parse_texts(source: Source, parse: Callable[[str], object], texts: Sequence[str]) -> tuple[object, ...]:
    """Return the values of a repeated option, each once."""
    return tuple(dict.fromkeys(parse_from(source, parse, text) for text in texts))
