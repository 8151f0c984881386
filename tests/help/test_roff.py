"""Man pages as roff source; ``tests/real/test_man_pages.py`` renders them."""

import pytest

from backupctl.help.roff import escaped, man_page


def body(markdown: str) -> list[str]:
    page = man_page(
        f"# Title\n\n{markdown}",
        name="backupctl-x",
        section=7,
        summary="Does x. Then y.",
        synopsis=None,
        date="2026-03-01",
        version="1.2",
    )
    return page.partition(".SH DESCRIPTION\n")[2].splitlines()


def test_page_begins_with_title_name_and_synopsis() -> None:
    page = man_page(
        "# Title\n\ntext", name="backupctl-x", section=1, summary="Does x. Then y.", synopsis="backupctl x [A]",
        date="2026-03-01", version="1.2",
    )  # fmt: skip
    assert page.splitlines() == [
        "'\\\" t",
        '.TH BACKUPCTL\\-X 1 2026-03-01 "backupctl 1.2" "Manual of backupctl"',
        *(".nh", ".ad l", ".SH NAME", "backupctl\\-x \\- Does x"),
        *(".SH SYNOPSIS", "\\fBbackupctl x [A]\\fR", ".SH DESCRIPTION", "text"),
    ]


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("plain", "plain"),
        ("--no-wait", r"\-\-no\-wait"),
        (".hidden", r"\&.hidden"),
        ("'quoted'", r"\(aqquoted\(aq"),
        ('"`^~', r"\(dq\(ga\(ha\(ti"),
        (r"C:\temp", r"C:\etemp"),
        ("5 s … ✓", r"5 s \[u2026] \[u2713]"),
    ],
)
def test_characters_that_roff_interprets_are_escaped(text: str, roff: str) -> None:
    assert escaped(text) == roff


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ("one\n\ntwo", ["one", ".PP", "two"]),
        ("a `-b` **c** *d*", [r"a \fB\-b\fR \fBc\fR \fId\fR"]),
        ("## Part `x`\n\ntext\n\n### Below\n\ntext", [r".SH PART \fBX\fR", "text", ".SS Below", "text"]),
        (
            "text\n\n```sh\n.x 'y'\n\n  z\n```",
            ["text", ".PP", ".RS 4", ".nf", r"\&.x \(aqy\(aq", "", "  z", ".fi", ".RE"],
        ),
        ("- one\n- two", [r".IP \(bu 4", "one", r".IP \(bu 4", "two"]),
        ("1. one\n\n   more", [".IP 1. 4", "one", ".RS 4", "more", ".RE"]),
        ("- `--all`: All.", [".TP", r"\fB\-\-all\fR", "All."]),
        (
            "| a | b |\n|---|---|\n| 1 | `x` |",
            [".TS", "lb lb", "l lx.", "a\tT{", "b", "T}", "1\tT{", r"\fBx\fR", "T}", ".TE"],
        ),
    ],
)
def test_blocks_become_macros(markdown: str, lines: list[str]) -> None:
    assert body(markdown) == lines


def test_filled_line_never_begins_with_a_control_character() -> None:
    lines = body(" ".join(["word", ".nf", "'ti"] * 40))
    assert len(lines) > 3
    assert not [line for line in lines if line.startswith((".", "'"))]
