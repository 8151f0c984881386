import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backupctl.errors import UsageError
from backupctl.exit_codes import ExitCode
from backupctl.rules.password import RULE_IN_WORDS, check_backup_password, password_problems
from backupctl.secrets.secret import Secret
from tests import wording

DOCUMENTED = re.compile(r"^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])(?=.*[^0-9A-Za-z])[\x21-\x7e]{8,20}$")
NEARLY = st.text(st.sampled_from("aZ5!~ é\n\x7f"), max_size=22)
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=6, max_size=22)


@settings(max_examples=100, deadline=None)
@given(st.one_of(NEARLY, VISIBLE))
@example("VMw@re123")
@example("VMw@re1!VMw@re1!")
@example("Passw0rd ")
@example("Passw0rd!\n")
def test_rules_for_any_text_agree_with_the_documented_pattern(text: str) -> None:
    assert (not password_problems(Secret(text))) == bool(DOCUMENTED.fullmatch(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Aa1!567", ["shorter than 8"]),
        ("Aa1!" + "x" * 17, ["longer than 20"]),
        ("aaaaaa1!", ["upper-case"]),
        ("AAAAAA1!", ["lower-case"]),
        ("AAAAaaa!", ["a digit"]),
        ("AAAAaaa1", ["special"]),
        ("Aa1!5678 ", [wording.PASSWORD_CHARACTERS]),
        ("Aa1!567é", [wording.PASSWORD_CHARACTERS]),
        ("Aa1 5678", ["special", wording.PASSWORD_CHARACTERS]),
        ("ÄÖÜ", ["shorter", "upper-case", "lower-case", "a digit", "special", wording.PASSWORD_CHARACTERS]),
    ],
)
def test_invalid_password_names_every_broken_rule(text: str, words: list[str]) -> None:
    broken = password_problems(Secret(text))
    assert len(broken) == len(words)
    assert all(word in rule for word, rule in zip(words, broken, strict=True))


@pytest.mark.parametrize("text", ["Aa1!5678", "Aa1!" + "x" * 16, "~~~~~~~~aA0"])
def test_password_at_the_limits_is_accepted(text: str) -> None:
    check_backup_password(Secret(text))


def test_invalid_password_is_a_usage_error_that_does_not_show_it() -> None:
    with pytest.raises(UsageError) as caught:
        check_backup_password(Secret("§§hunter§§"))
    error = caught.value
    assert error.exit_code == ExitCode.USAGE
    assert error.hint == f"use {RULE_IN_WORDS}"
    assert len(error.details) == 4
    shown = repr(error) + error.message + str(error.hint) + "".join(error.details)
    assert "hunter" not in shown
    assert "§" not in shown


def test_rule_about_characters_is_complete() -> None:
    (rule,) = password_problems(Secret("Aa1!5678 "))
    assert rule == f"it may contain {wording.PASSWORD_CHARACTERS}"


def test_empty_password_has_a_hint_about_encryption() -> None:
    with pytest.raises(UsageError, match=f"^{wording.PASSWORD_EMPTY}$") as caught:
        check_backup_password(Secret(""))
    assert caught.value.hint == wording.OMIT_FOR_NO_ENCRYPTION
