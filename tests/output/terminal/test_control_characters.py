"""Hostile text of an appliance is shown without control characters."""

import io
import re
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import EnumType
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backupctl.error_facts import ErrorFacts
from backupctl.errors import BackupctlError
from backupctl.results.events import RunEvent
from backupctl.results.result import Envelope, Result
from tests.output.samples import LiveScreen, Screen

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("\x00\x07\x08\x1b[]m;\r\n\t\x7f\x85\x9b\u00ad\u061c\u200b\u200e\u202e\u2028\u2066\ufeff\udcff"),
        st.characters(),
    ),
    max_size=12,
)
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.just(datetime.min.replace(tzinfo=UTC))


class FieldValues(NamedTuple):
    """The values that fill all fields of a structure."""

    text: str
    number: int
    time: datetime


FIELD_VALUES = st.builds(FieldValues, HOSTILE, st.integers(-(2**63), 2**63), MOMENTS)


def filled(hint: Any, field_values: FieldValues) -> Any:
    """Return a value for a type; structures have all their fields filled, however deep."""
    known: dict[Any, Any] = {
        str: field_values.text,
        int: field_values.number,
        float: float(field_values.number),
        bool: bool(field_values.number % 2),
        datetime: field_values.time,
        Any: {field_values.text: field_values.text},
        object: {field_values.text: field_values.text},
    }
    arguments = typing.get_args(hint)
    if hint in known:
        return known[hint]
    if typing.get_origin(hint) is typing.Literal:
        return arguments[0]
    if typing.get_origin(hint) in {dict, Mapping}:
        return {field_values.text: filled(arguments[1], field_values)}
    if isinstance(hint, EnumType):
        return next(iter(hint))
    if arguments:
        value = filled(arguments[0], field_values)
        return (value, value) if typing.get_origin(hint) is tuple else value
    if hint is BackupctlError:
        cause = ErrorFacts(f"$kind {field_values.text}", server=field_values.text, kind=field_values.text)
        named: dict[str, Any] = {
            "server": field_values.text,
            "cause": cause,
            "hint": f"$selector {field_values.text}",
            "selector": (field_values.text,),
        }
        return BackupctlError("$cause", details=(field_values.text, cause), attach=field_values.text, **named)
    if not issubclass(hint, msgspec.Struct):  # a named tuple
        return hint(*(filled(each, field_values) for each in typing.get_type_hints(hint).values()))
    return hint(**{field.name: filled(field.type, field_values) for field in msgspec.structs.fields(hint)})


pytestmark = pytest.mark.exhaustive
few_examples = settings(max_examples=40, deadline=None, database=None)


def assert_printable(text: str) -> None:
    assert all(character.isprintable() or character == "\n" for character in text), repr(text)


@given(field_values=FIELD_VALUES)
@few_examples
def test_log_escapes_hostile_text(field_values: FieldValues) -> None:
    screen = Screen(verbose=True)
    for kind in RunEvent.__subclasses__():
        screen.view.event(filled(kind, field_values))
    assert_printable(screen.err)
    assert screen.out == ""


@given(field_values=FIELD_VALUES)
@few_examples
def test_live_display_escapes_hostile_text(field_values: FieldValues) -> None:
    screen = LiveScreen()
    for kind in RunEvent.__subclasses__():
        screen.view.event(filled(kind, field_values))
    screen.view.close()
    assert_printable(re.sub(r"\x1b\[(2K|1A|\?25[lh])|\r", "", screen.raw))


@pytest.mark.parametrize("quiet", [False, True])
@given(field_values=FIELD_VALUES)
@few_examples
def test_results_escape_hostile_text(quiet: bool, field_values: FieldValues) -> None:
    for kind in Result.__subclasses__():
        screen = Screen(quiet=quiet)
        screen.view.finish(Envelope.of("any", [filled(kind, field_values), filled(kind, field_values)]))
        assert_printable(screen.out + screen.err)


@given(words=HOSTILE, hint=HOSTILE)
@few_examples
def test_warning_escapes_hostile_text_even_in_ascii(words: str, hint: str) -> None:
    raw = io.BytesIO()
    err: Any = io.TextIOWrapper(raw, encoding="ascii")
    screen = Screen(err=err, verbose=True)
    screen.view.warn(words, hint)
    screen.view.debug(words)
    assert_printable(raw.getvalue().decode("ascii"))
