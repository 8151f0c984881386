"""Secrets are not shown by their own values, and are masked in other texts in every encoding."""

import base64
import copy
import dataclasses
import importlib
import inspect
import itertools
import json
import pickle
import pkgutil
import re
import time
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import backupctl
from backupctl.api.endpoint import EncodedRequest
from backupctl.api.session import Session
from backupctl.config.secret_resolver import SecretOptions, SecretPlace, SecretResolver
from backupctl.config.value import Source
from backupctl.secrets.from_file import StandardInput
from backupctl.secrets.redaction import MAX_TEXT_LENGTH, Redactor
from backupctl.secrets.secret import MASK, Secret
from tests.support.secret_encodings import ENCODERS, folded

NASTY = "Pä\"s\\w'%<&> {ü}$1/+=😀"


def redacted(text: str, *secrets: str) -> str:
    known = Redactor()
    known.add(*map(Secret, secrets))
    return known.redact(text)


def what_stays(encoder: str, secret: str) -> str:
    """Return what stays visible of a secret in this encoding."""
    return redacted(ENCODERS[encoder](secret), secret)


SECRETS = ("VMware1!", NASTY, "pass", "üü üü", r"a\\\b", '"\'""', "a\tb\tc", "%41%20%2541", "a+b c/d")


@pytest.mark.parametrize("encoder", ENCODERS)
def test_secret_is_masked_in_every_encoding(encoder: str) -> None:
    for secret in SECRETS:
        stays = what_stays(encoder, secret)
        if encoder.startswith("bas"):  # digits of adjacent bytes, and padding: the same for any secret
            other = ("Zk7!qPw9$Lx2" * 9)[: len(secret.encode())]
            assert stays == what_stays(encoder, other)
        else:
            assert stays == MASK
        assert redacted(f"they said: {ENCODERS[encoder](secret)} (401)", secret) == f"they said: {stays} (401)"


LINES = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")
"""A secret is one line."""


@pytest.mark.exhaustive
@given(st.text(LINES, min_size=4, max_size=24), st.sampled_from(sorted(ENCODERS)))
@example("'\"'\"'", "shell")
@example('a\'b""c', "doubled")
def test_any_secret_is_masked(secret: str, encoder: str) -> None:
    assert MASK in redacted(f"<{ENCODERS[encoder](secret)}>", secret)


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("fold", ["", "\n", "\r\n", "\n    "])
def test_no_digit_of_base64_that_depends_on_a_secret_stays(before: int, fold: str) -> None:
    for secret, after in itertools.product(("hunter23", "aaaaaaab", "\x7f~~~~~~~"), ("", ".", "..", "...")):
        digits = base64.b64encode(f"{'u' * before}{secret}{after}".encode()).decode()
        stays = redacted(folded(digits, fold), secret)
        others = digits[: before * 8 // 6], digits[-(-(before + len(secret)) * 8 // 6) :]
        assert "".join(stays.split()) == MASK.join(others)


def test_each_form_of_an_entity_is_known() -> None:
    assert redacted("&#65;&#x42;&#X43;&#31;&#128;&lt;.", "ABC\x1f\x80<") == f"{MASK}."


def test_entity_of_two_characters_is_masked_whole() -> None:
    assert redacted("abc&nGt;.", "abc\N{MUCH GREATER-THAN}") == f"{MASK}."


def test_secret_with_surrogates_is_masked() -> None:
    assert redacted("they said abc\udcff.", "abc\udcff") == f"they said {MASK}."


@pytest.mark.parametrize(
    "text", ["&#99999999;", "&#x7fffff;", "&#xffffff;", "&#;", "%ff%fe", "%c0%80", "%ed%a0%80", r"\ud800", "&nope;"]
)
def test_meaningless_escape_is_unchanged(text: str) -> None:
    assert redacted(f"{text} VMware1! {text}", "VMware1!") == f"{text} {MASK} {text}"


def test_text_without_a_secret_is_unchanged() -> None:
    text = "vc01 could not start a backup (500 ERROR): /api/appliance/recovery?x=%20 \\u00fc YmFzZTY0 a+b"
    assert redacted(text, "VMware1!", NASTY) == text


def test_secret_within_another_leaves_nothing_of_it() -> None:
    assert redacted("Horse-Battery and Horse", "Horse", "Horse-Battery") == f"{MASK} and {MASK}"


def test_secret_is_masked_each_time() -> None:
    assert redacted("a VMware1! b VMware1! c VMware1! d", "VMware1!") == f"a {MASK} b {MASK} c {MASK} d"


def test_secrets_that_overlap_leave_nothing_of_each_other() -> None:
    assert redacted("Horse-Battery-Staple.", "Horse-Battery", "Battery-Staple") == f"{MASK}."
    assert redacted("say HorseHorse Battery", "Horse", "Battery") == f"say {MASK} {MASK}"


@pytest.mark.parametrize("encoder", ["raw", "percent-all", "html-padded", "base64-folded"])
@pytest.mark.parametrize("over", [1, 5, 9])
def test_secret_at_the_truncation_is_masked_whole(encoder: str, over: int) -> None:
    written = ENCODERS[encoder](NASTY)
    before = "." * (MAX_TEXT_LENGTH + over - len(written))
    shown = redacted(f"{before}{written}{'.' * 99}", NASTY).removeprefix(before)
    beside, _, _ = what_stays(encoder, NASTY).partition(MASK)
    assert re.fullmatch(rf"{re.escape(beside + MASK)}[=%3D]*\.\.\. \((99|10.) more characters\)", shown)


def test_long_text_is_truncated_with_a_mark() -> None:
    text = "x" * MAX_TEXT_LENGTH
    assert redacted(text, "VMware1!") == redacted(text) == text
    assert redacted(f"{text}y", "VMware1!") == redacted(f"{text}y") == f"{text}... (1 more characters)"
    assert redacted(f"{text}VMware1!", "VMware1!") == f"{text}... (8 more characters)"


@pytest.mark.parametrize("secret", ["", "a", "ab", "abc"])
def test_secret_too_short_is_not_masked(secret: str) -> None:
    assert redacted("abc is a word of abcd", secret) == "abc is a word of abcd"


def test_common_word_in_our_own_sentence_is_not_masked() -> None:
    known = Redactor()
    known.add(Secret("wrong"), Secret("Passw0rd"), Secret("2024"))
    assert known.redact("wrong: wrong Passw0rd in 2024", skip_common_words=True) == f"wrong: wrong {MASK} in 2024"
    assert known.redact("wrong: wrong Passw0rd in 2024") == f"{MASK}: {MASK} {MASK} in {MASK}"


@pytest.mark.parametrize("hostile", ["\\" * 200_000, "%25" * 60_000, "a" * 200_000, '\\"' * 100_000, "%5c" * 60_000])
def test_hostile_text_costs_no_more_than_its_length(hostile: str) -> None:
    started = time.monotonic()  # noqa: TID251 - what is measured is real
    redacted(hostile, "\\\\\\\\", '\\"\\"\\"x', "%%%%%%%%y", "aaaaaaaaaaaab", "a\\u\\xb")
    assert time.monotonic() - started < 2  # noqa: TID251 - as above


def test_backslashes_cost_no_more_than_their_length() -> None:
    started = time.process_time()
    redacted("VMware1" + "\\" * 20_000, "!VMware1")
    assert time.process_time() - started < 1


def test_secret_is_not_shown_by_itself() -> None:
    secret = Secret("VMware1!")
    assert [str(secret), repr(secret), f"{secret}", f"{secret!r}"] == [MASK, "Secret(***)", MASK, "Secret(***)"]
    for write in (pickle.dumps, copy.copy, json.dumps, msgspec.json.encode):
        with pytest.raises(TypeError) as caught:
            write(secret)
        assert "VMware1!" not in str(caught.value)
    with pytest.raises(TypeError, match=r"^a Secret cannot be pickled$"):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")


def test_secrets_with_the_same_text_are_equal() -> None:
    secret, same, other = Secret("VMware1!"), Secret("VMware1!"), Secret("VMware2!")
    assert secret == same
    assert secret != other
    assert secret != "VMware1!"
    assert {secret, same, other, Secret("a")} == {same, other, Secret("a")}
    assert len({hash(Secret(str(number))) for number in range(9)}) == 9
    assert bool(secret)
    assert not Secret("")


def values_of_the_package() -> Iterator[type]:
    """Yield every dataclass, structure and named tuple, as any may be printed by accident."""
    for module in pkgutil.walk_packages(backupctl.__path__, "backupctl."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and _fields(value):
                yield value


def _fields(kind: type) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(each.name for each in dataclasses.fields(kind))
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    return getattr(kind, "_fields", ())


def _with_marks(kind: type) -> object:
    """Return an instance, made without its constructor, whose fields of type Secret hold the mark."""
    marks = {name: Secret("M4rk3d") for name in _fields(kind)}
    if issubclass(kind, tuple):
        return kind(**marks)
    if issubclass(kind, msgspec.Struct):
        return kind(**marks)
    instance = object.__new__(kind)
    for name, mark in marks.items():
        object.__setattr__(instance, name, mark)
    return instance


def test_no_value_of_the_package_shows_the_secrets_in_it() -> None:
    kinds = [kind for kind in values_of_the_package() if any("Secret" in str(each) for each in _hints(kind))]
    assert {"Login", "Proxy", "BackupRequest", "LocationSpec", "RestoreRequest"} <= {kind.__name__ for kind in kinds}
    for kind in kinds:
        assert "M4rk3d" not in repr(_with_marks(kind)), kind
        assert MASK in repr(_with_marks(kind)), kind


def _hints(kind: type) -> list[object]:
    return [hint for base in kind.__mro__ for hint in inspect.get_annotations(base).values()]


@pytest.mark.parametrize(
    "value",
    [
        EncodedRequest("POST", "/x", query=(("password", "M4rk3d"),), body={"password": "M4rk3d"}),
        SecretOptions(command="printf M4rk3d"),
        SecretPlace(Source("flag", "--password-command"), ("command", "printf", "M4rk3d"), lambda: Secret("M4rk3d")),
        Session("root", Secret("M4rk3d")),
        Redactor(),
        SecretResolver({"BACKUPCTL_PASSWORD": "M4rk3d"}, StandardInput(None)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_that_holds_a_secret_in_the_clear_does_not_show_it(value: object) -> None:
    assert "M4rk3d" not in f"{value!r} {value}"
