"""Counts of many runs, and their table by command and kind of fault: codes, violations and durations."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.adversary.oracle import COLUMNS, violations
from tests.adversary.play import run_scenario
from tests.adversary.scenario import Scenario, scenario


@dataclass(frozen=True)
class RunLine:
    """The summary of one run."""

    seed: int
    command: str
    kinds: tuple[str, ...]
    code: int
    slug: str
    seconds: float
    real_seconds: float
    wrong: tuple[tuple[str, str], ...]


def run_seed(seed: int, scenario_of: Callable[[int], Scenario] = scenario) -> RunLine:
    """Run the scenario of a seed and check it."""
    record = run_scenario(scenario_of(seed))
    wrong = tuple(violations(record))
    command = record.scenario.command.name
    kinds = tuple(record.scenario.kinds)
    return RunLine(seed, command, kinds, record.code, record.slug, record.seconds, record.real_seconds, wrong)


@dataclass
class RunCounts:
    """All runs so far."""

    runs: list[RunLine] = field(default_factory=list)

    def add(self, line: RunLine) -> None:
        self.runs.append(line)

    @property
    def wrong(self) -> list[str]:
        """One line for each violation, with its seed."""
        return [
            f"{column}: {sentence} [seed {line.seed}: {line.command}; {', '.join(line.kinds)}]"
            for line in self.runs
            for column, sentence in line.wrong
        ]

    def check(self) -> None:
        """Fail with the first violations, if there are any."""
        assert not self.wrong, "\n".join([f"{len(self.wrong)} violations", *self.wrong[:20]])

    def table(self, *, by_kind: bool = True) -> Iterator[str]:
        """Yield the table."""
        rows: dict[str, list[RunLine]] = defaultdict(list)
        for line in self.runs:
            rows[line.command].append(line)
        yield from self._table("command", rows)
        if by_kind:
            kinds: dict[str, list[RunLine]] = defaultdict(list)
            for line in self.runs:
                for kind in line.kinds:
                    label, _, fault = kind.partition(": ")
                    kinds[f"{fault} ({label})" if fault else label].append(line)
            yield ""
            yield from self._table("what goes wrong", dict(sorted(kinds.items())))

    def _table(self, head: str, rows: dict[str, list[RunLine]]) -> Iterator[str]:
        width = max(map(len, [*rows, head]))
        yield f"{head:{width}}  {'runs':>6}  {'  '.join(COLUMNS)}  {'mean s':>7}  {'most s':>7}  codes"
        for row, lines in rows.items():
            yield self._row(row, width, lines)
        if head == "command":
            yield self._row("in all", width, self.runs)

    @staticmethod
    def _row(row: str, width: int, lines: list[RunLine]) -> str:
        found = Counter(column for line in lines for column in {column for column, _ in line.wrong})
        codes = Counter(line.code for line in lines)
        seconds = [line.seconds for line in lines]
        columns = "  ".join(f"{found[column]:>{len(column)}}" for column in COLUMNS)
        shown = " ".join(f"{code}:{count}" for code, count in sorted(codes.items()))
        mean = sum(seconds) / max(1, len(seconds))
        return f"{row:{width}}  {len(lines):>6}  {columns}  {mean:>7.0f}  {max(seconds, default=0):>7.0f}  {shown}"
