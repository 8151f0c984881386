"""Render the verification of an archive."""

from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import GOOD, ODD, STRONG, StyledLine, line
from backupctl.output.terminal.table import wrapped_table
from backupctl.results.result import Result
from backupctl.results.verification_results import PRESENT, Verification


def verification_block(result: Result, found: Verification, options: RenderOptions) -> list[StyledLine]:
    """Return what the verification of an archive proves; of several, only what is not the same for all.

    Damage is the error of the result, so that it is shown there.
    """
    if found.damages:
        return []
    proved, not_proved = found.proved, found.not_proved
    if options.several:
        proved, not_proved = (), () if found.level == PRESENT else not_proved[:-1]
    said = {("proved", ""): proved, ("not proved", ""): not_proved, ("warning", ODD): found.warnings}
    rows = [(line("  ", label), line(), each) for label, sentences in said.items() for each in sentences]
    subject = line((f"{options.symbols.good} ", GOOD), f"{result.server}: archive ", (found.archive, STRONG))
    return [line(subject, f" verified ({found.level})"), *wrapped_table(rows, options.width)]
