"""Whatever an appliance says: only what can be seen is shown, and nothing breaks."""

import io
import re
import typing
from datetime import UTC, datetime
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

NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from("\x00\x07\x08\x1b[]m;\r\n\t\x7f\x85\x9b\u00ad\u061c\u200b\u200e\u202e\u2028\u2066\ufeff\udcff"),
        st.characters(),
    ),
    max_size=12,
)
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.just(datetime.min.replace(tzinfo=UTC))


class Stuff(NamedTuple):
    """What all fields of a structure are filled with."""

    text: str
    number: int
    time: datetime


STUFF = st.builds(Stuff, NASTY, st.integers(-(2**63), 2**63), MOMENTS)


def filled(hint: Any, stuff: Stuff) -> Any:
    """Return a value for a type; structures have all their fields filled, however deep."""
    known = {str: stuff.text, int: stuff.number, bool: bool(stuff.number % 2), datetime: stuff.time}
    arguments = typing.get_args(hint)
    if hint in known:
        return known[hint]
    if hint in {Any, object}:
        return {stuff.text: stuff.text}
    if typing.get_origin(hint) is tuple:
        return (filled(arguments[0], stuff),) * 2
    if arguments:
        return filled(arguments[0], stuff)
    if hint is BackupctlError:
        cause = ErrorFacts(f"$kind {stuff.text}", server=stuff.text, kind=stuff.text)
        named: dict[str, Any] = {
            "server": stuff.text,
            "cause": cause,
            "hint": f"$selector {stuff.text}",
            "selector": (stuff.text,),
        }
        return BackupctlError("$cause", details=(stuff.text, cause), attach=stuff.text, **named)
    return hint(**{field.name: filled(field.type, stuff) for field in msgspec.structs.fields(hint)})


pytestmark = pytest.mark.exhaustive
few_examples = settings(max_examples=40, deadline=None, database=None)


def assert_harmless(text: str) -> None:
    assert all(character.isprintable() or character == "\n" for character in text), repr(text)


@given(stuff=STUFF)
@few_examples
def test_log_escapes_hostile_text(stuff: Stuff) -> None:
    screen = Screen(verbose=True)
    for kind in RunEvent.__subclasses__():
        screen.view.event(filled(kind, stuff))
    assert_harmless(screen.err)
    assert screen.out == ""


@given(stuff=STUFF)
@few_examples
def test_live_display_escapes_hostile_text(stuff: Stuff) -> None:
    screen = LiveScreen()
    for kind in RunEvent.__subclasses__():
        screen.view.event(filled(kind, stuff))
    screen.view.close()
    assert_harmless(re.sub(r"\x1b\[(2K|1A|\?25[lh])|\r", "", screen.raw))


@pytest.mark.parametrize("quiet", [False, True])
@given(stuff=STUFF)
@few_examples
def test_results_escape_hostile_text(quiet: bool, stuff: Stuff) -> None:
    screen = Screen(quiet=quiet)
    screen.view.finish(Envelope.of("any", [filled(kind, stuff) for kind in Result.__subclasses__()]))
    assert_harmless(screen.out + screen.err)


@given(words=NASTY, hint=NASTY)
@few_examples
def test_warning_escapes_hostile_text_even_in_ascii(words: str, hint: str) -> None:
    raw = io.BytesIO()
    err: Any = io.TextIOWrapper(raw, encoding="ascii")
    screen = Screen(err=err, verbose=True)
    screen.view.warn(words, hint)
    screen.view.debug(words)
    assert_harmless(raw.getvalue().decode("ascii"))
