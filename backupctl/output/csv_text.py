"""Write tables as CSV (RFC 4180) that a spreadsheet program shows without running anything."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from backupctl.output.printable import printable

_FORMULA: Final = re.compile(r"(^|;)(\s*[=+\-@＝＋－＠])")
"""Where a spreadsheet program may see a formula; where decimals have commas, a semicolon begins a new cell.

Source: https://owasp.org/www-community/attacks/CSV_Injection.
"""


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV; the first one holds the names of the columns."""
    text = io.StringIO()
    csv.writer(text).writerows([csv_cell(value) for value in row] for row in rows)
    return text.getvalue()


def csv_cell(value: object) -> object:
    """Return the cell of a value: times as RFC 3339, anything but a text as it is.

    A text that a spreadsheet program would run as a formula gets an apostrophe, which makes it a text.
    """
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return _FORMULA.sub(r"\1'\2", printable(value)) if isinstance(value, str) else value
