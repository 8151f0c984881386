"""The report as Markdown: readable as it is, and shown literally by every renderer."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from backupctl.output.printable import printable
from backupctl.output.report_document import Section, sections, title_of
from backupctl.output.report_findings import Text
from backupctl.results.report_results import ReportInfo, ReportResult

_MARKUP: Final = re.compile(r"[\\`*\[\]<>&|~$]|(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9])|^[-+#=]")
"""What could be markup; an underscore inside a word is none."""


def report_markdown(results: Sequence[ReportResult], info: ReportInfo) -> str:
    """Return the report as Markdown."""
    parts = [f"# {title_of(info)}", *(line for section in sections(results, info) for line in _section(section))]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {_escaped(section.title)}"
    if section.facts:
        yield "\n".join(f"* {_escaped(name)}: {_escaped(text)}" for name, text in section.facts.items() if text)
    if section.findings:
        yield "\n".join(f"- {_escaped(mark.text)}" for mark in section.findings)
    if section.rows:
        yield "\n".join(
            [_row(map(Text, section.columns)), "|---" * len(section.columns) + "|", *map(_row, section.rows)]
        )


def _row(cells: Iterable[Text]) -> str:
    return f"| {' | '.join(_escaped(cell.text) for cell in cells)} |"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", printable(text).strip())
