"""The Markdown of the manual."""

import pytest

from backupctl.help.markdown import Block, CodeBlock, Grid, Heading, Item, Listing, Paragraph, Span, parse, spans


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("", []),
        ("# Title\n\n## Part\n### Below", [Heading(1, "Title"), Heading(2, "Part"), Heading(3, "Below")]),
        ("one\ntwo\n\nthree", [Paragraph("one two"), Paragraph("three")]),
        ("text\n```sh\na  b\n\n# c\n```\nmore", [Paragraph("text"), CodeBlock(("a  b", "", "# c")), Paragraph("more")]),
        ("```\nunclosed", [CodeBlock(("unclosed",))]),
        ("<!-- note -->\ntext", [Paragraph("text")]),
        ("| a | b |\n|---|---|\n| `x\\|y` | |", [Grid((("a", "b"), ("`x|y`", "")))]),
        (
            "- one\n  more\n* two",
            [Listing((Item("-", "", (Paragraph("one more"),)),)), Listing((Item("*", "", (Paragraph("two"),)),))],
        ),
        ("10. ten\n\nafter", [Listing((Item("10.", "", (Paragraph("ten"),)),)), Paragraph("after")]),
        ("- `-a`, `--all`: All.", [Listing((Item("-", "`-a`, `--all`", (Paragraph("All."),)),))]),
        ("- `code` without a term: no", [Listing((Item("-", "", (Paragraph("`code` without a term: no"),)),))]),
        (
            "1. one\n\n   ```\n   code\n     more\n   ```\n   - below\n2. two",
            [
                Listing(
                    (
                        Item(
                            "1.",
                            "",
                            (
                                Paragraph("one"),
                                CodeBlock(("code", "  more")),
                                Listing((Item("-", "", (Paragraph("below"),)),)),
                            ),
                        ),
                        Item("2.", "", (Paragraph("two"),)),
                    )
                )
            ],
        ),
        (
            "- `a`: one\n\n- `b`: two\n- three",
            [
                Listing((Item("-", "`a`", (Paragraph("one"),)), Item("-", "`b`", (Paragraph("two"),)))),
                Listing((Item("-", "", (Paragraph("three"),)),)),
            ],
        ),
    ],
)
def test_text_is_split_into_blocks(text: str, blocks: list[Block]) -> None:
    assert list(parse(text)) == blocks


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("plain", [("plain", "")]),
        ("a `b *c*` **d** *e*", [("a ", ""), ("b *c*", "code"), (" ", ""), ("d", "bold"), (" ", ""), ("e", "italic")]),
        ("2 * 3 * 4 a_b_c", [("2 * 3 * 4 a_b_c", "")]),
        ("**`a` b**", [("a", "code"), (" b", "bold")]),
        ("``a`b``", [("a`b", "code")]),
        ("[page](other.md)", [("page", "")]),
        ("[page](https://example.com/a)", [("page", ""), (" (https://example.com/a)", "")]),
        ("<https://example.com>", [("https://example.com", "")]),
        (r"\*no\*", [("*no*", "")]),
    ],
)
def test_line_is_split_into_styled_pieces(text: str, pieces: list[tuple[str, str]]) -> None:
    assert list(spans(text)) == [Span(*piece) for piece in pieces]
