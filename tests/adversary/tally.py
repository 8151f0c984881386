"""Many runs counted, and the table of them: kind of fault by command, with codes, violations and durations."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.adversary.oracle import COLUMNS, violations
from tests.adversary.play import play
from tests.adversary.scenario import scenario


@dataclass(frozen=True)
class Line:
    """What is kept of a run."""

    seed: int
    command: str
    kinds: tuple[str, ...]
    code: int
    slug: str
    seconds: float
    real_seconds: float
    wrong: tuple[tuple[str, str], ...]


def run_seed(seed: int) -> Line:
    """Play the scenario of a seed and judge it."""
    record = play(scenario(seed))
    wrong = tuple(violations(record))
    command = record.scenario.command.name
    kinds = tuple(record.scenario.kinds)
    return Line(seed, command, kinds, record.code, record.slug, record.seconds, record.real_seconds, wrong)


@dataclass
class Tally:
    """The runs so far."""

    runs: list[Line] = field(default_factory=list)

    def add(self, line: Line) -> None:
        self.runs.append(line)

    @property
    def wrong(self) -> list[str]:
        """A line for each violation, with the seed that repeats it."""
        return [
            f"{column}: {sentence} [seed {line.seed}: {line.command}; {', '.join(line.kinds)}]"
            for line in self.runs
            for column, sentence in line.wrong
        ]

    def check(self) -> None:
        """Fail with the first of what is wrong."""
        assert not self.wrong, "\n".join([f"{len(self.wrong)} violations", *self.wrong[:20]])

    def table(self, *, by_kind: bool = True) -> Iterator[str]:
        """Yield the table."""
        rows: dict[str, list[Line]] = defaultdict(list)
        for line in self.runs:
            rows[line.command].append(line)
        yield from self._table("command", rows)
        if by_kind:
            kinds: dict[str, list[Line]] = defaultdict(list)
            for line in self.runs:
                for kind in line.kinds:
                    label, _, fault = kind.partition(": ")
                    kinds[f"{fault} ({label})" if fault else label].append(line)
            yield ""
            yield from self._table("what goes wrong", dict(sorted(kinds.items())))

    def _table(self, head: str, rows: dict[str, list[Line]]) -> Iterator[str]:
        width = max(map(len, [*rows, head]))
        yield f"{head:{width}}  {'runs':>6}  {'  '.join(COLUMNS)}  {'mean s':>7}  {'most s':>7}  codes"
        for row, lines in rows.items():
            yield self._row(row, width, lines)
        if head == "command":
            yield self._row("in all", width, self.runs)

    @staticmethod
    def _row(row: str, width: int, lines: list[Line]) -> str:
        found = Counter(column for line in lines for column in {column for column, _ in line.wrong})
        codes = Counter(line.code for line in lines)
        seconds = [line.seconds for line in lines]
        columns = "  ".join(f"{found[column]:>{len(column)}}" for column in COLUMNS)
        shown = " ".join(f"{code}:{count}" for code, count in sorted(codes.items()))
        mean = sum(seconds) / max(1, len(seconds))
        return f"{row:{width}}  {len(lines):>6}  {columns}  {mean:>7.0f}  {max(seconds, default=0):>7.0f}  {shown}"
