"""Secrets do not show themselves, and are taken out of texts of others, however these write them."""

import base64
import copy
import json
import pickle
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backupctl.secret import MASK, KnownSecrets, Secret
from tests.support.encodings import ENCODERS

NASTY = "Pä\"s\\w'%<&> {ü}$1/+=😀"


def concealed(text: str, *secrets: str) -> str:
    known = KnownSecrets()
    known.add(*map(Secret, secrets))
    return known.conceal(text)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("secret", ["VMware1!", NASTY, "pass", "üü üü", r"a\\\b", '""""', "a\tb\tc", "%41%20%2541"])
def test_secret_is_taken_out_however_it_is_written(encoder: str, secret: str) -> None:
    written = ENCODERS[encoder](secret)
    if encoder.startswith("json-in") and secret.endswith('"'):
        written = json.dumps(json.dumps(secret))[1:-1]  # its own quotes are part of the run
    shown = concealed(f"they said: {written} (401)", secret)
    assert shown.startswith("they said: ")
    assert shown.endswith(" (401)")
    assert MASK in shown
    assert not set(shown) - set("they said: (401)" + MASK + '"\\')


LINES = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")
"""A secret is one line."""


@given(st.text(LINES, min_size=4, max_size=24), st.sampled_from(sorted(ENCODERS.keys() - {"undecodable"})))
def test_any_secret_is_taken_out(secret: str, encoder: str) -> None:
    written = ENCODERS[encoder](secret)
    assert MASK in concealed(f"<{written}>", secret)


def test_text_without_a_secret_stays_as_it_is() -> None:
    text = "vc01 could not start a backup (500 ERROR): /api/appliance/recovery?x=%20 \\u00fc YmFzZTY0 a+b"
    assert concealed(text, "VMware1!", NASTY) == text


def test_secret_within_another_leaves_nothing_of_it() -> None:
    assert concealed("Horse-Battery and Horse", "Horse", "Horse-Battery") == f"{MASK} and {MASK}"


@pytest.mark.parametrize("secret", ["", "a", "ab", "abc"])
def test_secret_too_short_to_be_one_is_not_looked_for(secret: str) -> None:
    assert concealed("abc is a word of abcd", secret) == "abc is a word of abcd"


def test_secret_with_a_user_in_base64_is_found_wherever_it_begins() -> None:
    for user in ("a", "ab", "abc", "abcd"):
        token = base64.b64encode(f"{user}:hunter2".encode()).decode()
        assert concealed(f"Basic {token}", "hunter2") == f"Basic {MASK}"


def test_word_stays_in_a_sentence_of_ours_that_would_tell_it() -> None:
    known = KnownSecrets()
    known.add(Secret("wrong"), Secret("Passw0rd"), Secret("2024"))
    assert known.conceal("wrong: wrong Passw0rd in 2024", spare_words=True) == f"wrong: wrong {MASK} in 2024"
    assert known.conceal("wrong: wrong Passw0rd in 2024") == f"{MASK}: {MASK} {MASK} in {MASK}"


@pytest.mark.parametrize("hostile", ["\\" * 200_000, "%25" * 60_000, "a" * 200_000, '\\"' * 100_000, "%5c" * 60_000])
def test_hostile_text_costs_no_more_than_its_length(hostile: str) -> None:
    started = time.monotonic()  # noqa: TID251 - what is measured is real
    concealed(hostile, "\\\\\\\\", '\\"\\"\\"x', "%%%%%%%%y", "aaaaaaaaaaaab", "a\\u\\xb")
    assert time.monotonic() - started < 2  # noqa: TID251 - as above


def test_secret_shows_itself_nowhere() -> None:
    secret = Secret("VMware1!")
    assert [str(secret), repr(secret), f"{secret}", f"{secret!r}"] == [MASK, "Secret(***)", MASK, "Secret(***)"]
    for write in (pickle.dumps, copy.copy, json.dumps, msgspec.json.encode):
        with pytest.raises(TypeError) as caught:
            write(secret)
        assert "VMware1!" not in str(caught.value)
    assert not hasattr(secret, "__dict__")
