"""Render the verification of an archive."""

from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, StyledLine, line
from backupctl.output.terminal.table import wrapped_table
from backupctl.results.result import Result
from backupctl.results.verification_results import Verification


def verification_block(result: Result, found: Verification, options: RenderOptions) -> list[StyledLine]:
    """Return whether an archive was verified, and what that proves; of several only what is unusual."""
    symbol, style, words = (options.symbols.good, GOOD, "verified")
    if found.damages:
        symbol, style, words = (options.symbols.bad, BAD, "failed verification")
    head = line((f"{symbol} ", style), f"{result.server}: archive ", (found.archive, STRONG), f" {words}")
    said = [] if options.several or found.damages else [("proved", found.proved), ("not proved", found.not_proved)]
    rows = [
        (line("  ", (label, ODD if label == "warning" else "")), line(), sentence)
        for label, sentences in (*said, ("warning", found.warnings))
        for sentence in sentences
    ]
    return [line(head, f" ({found.level})"), *wrapped_table(rows, options.width)]
