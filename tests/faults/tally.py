"""Counts of the results of many cases, and their table."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.faults.oracle import COLUMNS, Finding
from tests.faults.play import Record

_SHOWN = 12


@dataclass
class CaseCounts:
    """Counts of cases and findings by row; ``wrong`` has a line for each finding."""

    title: str
    cases: Counter[str] = field(default_factory=Counter)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, row: str, record: Record, findings: Iterable[Finding]) -> None:
        """Count one case."""
        self.cases[row] += 1
        self.codes[record.code] += 1
        for column, sentence in findings:
            self.found[row, column] += 1
            self.wrong.append(f"{column}: {record.case}: {sentence}")

    def check(self, *, since: int = 0) -> None:
        """Fail with the first findings, if there are any."""
        wrong = self.wrong[since:]
        assert not wrong, "\n".join([f"{len(wrong)} findings", *wrong[:_SHOWN]])

    def lines(self) -> Iterator[str]:
        """Yield the table."""
        width = max(map(len, [*self.cases, "in all"]))
        yield f"{self.title}\n{'':{width}}  {'cases':>6}  {'right':>6}  {'  '.join(COLUMNS)}"
        for row in self.cases:
            yield self._line(row, width, [self.found[row, column] for column in COLUMNS], self.cases[row])
        sums = [sum(self.found[row, column] for row in self.cases) for column in COLUMNS]
        yield self._line("in all", width, sums, self.cases.total())
        yield "exit codes: " + ", ".join(f"{code}: {count}" for code, count in sorted(self.codes.items()))

    @staticmethod
    def _line(row: str, width: int, found: list[int], cases: int) -> str:
        columns = "  ".join(f"{count:>{len(column)}}" for column, count in zip(COLUMNS, found, strict=True))
        return f"{row:{width}}  {cases:>6}  {cases - found[0]:>6}  {columns}"
