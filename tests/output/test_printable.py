import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backupctl.output.printable import printable, printable_lines

ANY_TEXT = st.text(alphabet=st.characters())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("naïve 日本 ✓", "naïve 日本 ✓"),
        ("two\nlines\tand\r\nmore", "two lines and  more"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u202eb\u2066c\u200ed\u061ce", r"a\u202eb\u2066c\u200ed\u061ce"),
        ("\ufeffzero\u200bwidth", r"\ufeffzero\u200bwidth"),
        ("\udcff", r"\udcff"),
        ("\x00", r"\x00"),
        ("e\u0301\u0323 is one", "e\u0301\u0323 is one"),
        ("Z" + "\u0336" * 7 + "!", "Z" + "\u0336" * 5 + r"\u0336\u0336!"),
    ],
)
def test_printable_escapes_hostile_text(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY_TEXT)
def test_printable_leaves_no_control_character(text: str) -> None:
    shown = printable(text)
    assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert printable(shown) == shown


def test_printable_lines_omit_blank_lines() -> None:
    assert printable_lines("one\n\n  two \x1b\n \r\n") == ["one", r"  two \x1b"]
