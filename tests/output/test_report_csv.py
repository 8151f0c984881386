import csv
import io
from datetime import UTC, datetime

import pytest

from backupctl.output.report_csv import csv_cell, report_csv
from tests.output.test_report_faces import a_job, a_report, results_of


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        *((f"{blank}{sign}1+1", f"'{blank}{sign}1+1") for blank in ("", "  ") for sign in "=+-@＝＋－＠"),
        ("\t=1+1", "' =1+1"),
        ("\r\n=1+1", "'  =1+1"),
        ("a;=1+1; @b", "a;'=1+1;' @b"),
        ("\x00=1", r"\x00=1"),
        ("before the upgrade, a=b, -1", "before the upgrade, a=b, -1"),
        ("\x1b[31mred", r"\x1b[31mred"),
        (-5, -5),
        (2.5, 2.5),
        (True, True),
        (None, None),
        (datetime(2026, 3, 1, 2, 0, 0, 123, tzinfo=UTC), "2026-03-01T02:00:00+00:00"),
    ],
)
def test_cell_is_no_formula_and_numbers_stay_numbers(value: object, cell: object) -> None:
    assert csv_cell(value) == cell


def test_table_is_csv_of_rfc_4180() -> None:
    text = report_csv(*results_of(a_report(a_job(1, comment='say "hi", then\ngo'))))
    heading, row, end = text.split("\r\n")
    assert (heading[:14], row[:9], row[-25:], end) == ("record,server,", "run,vc01,", ',"say ""hi"", then go",,,', "")
    assert next(csv.DictReader(io.StringIO(text)))["comment"] == 'say "hi", then go'
