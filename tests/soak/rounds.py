"""Rounds of create and watch under random faults in one process: their results and the memory they use."""

import gc
import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backupctl.clock import SystemClock
from backupctl.simulator.faults import FaultPlan
from tests.faults.cases import OUTPUTS, faults_for
from tests.faults.commands import COMMANDS, WAYS
from tests.faults.oracle import Finding, findings
from tests.faults.play import Case, Record, run_case
from tests.faults.tally import CaseCounts

SAMPLES = 10
WARM_UP = 0.2
"""The fraction of the rounds in which caches fill; growth is measured after it."""

_CREATES = tuple(command for command in COMMANDS if command.words[0] == "create" and not command.preparation)


@dataclass(frozen=True)
class Sample:
    """The memory of the process after some rounds, in bytes: resident, and allocated by Python."""

    rounds: int
    resident: int
    traced: int


@dataclass
class Soak:
    """Runs rounds; ``counts`` has the findings, ``watched`` the exit codes of the later ``watch``."""

    seed: int = 0
    counts: CaseCounts = field(default_factory=lambda: CaseCounts("Rounds of create and watch under faults by chance"))
    watched: Counter[int] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    seconds: float = 0.0

    def run(self, rounds: int) -> None:
        """Run the rounds, and sample the memory ten times."""
        began = SystemClock().monotonic()
        sample_at = {rounds * number // SAMPLES for number in range(1, SAMPLES + 1)}
        tracemalloc.start()
        for number in range(1, rounds + 1):
            self._round(random.Random(f"{self.seed} {number}"))
            if number in sample_at:
                gc.collect()
                self.samples.append(Sample(number, resident_bytes(), tracemalloc.get_traced_memory()[0]))
        tracemalloc.stop()
        self.seconds = SystemClock().monotonic() - began

    @property
    def growth(self) -> tuple[int, int]:
        """The growth of resident and of traced memory since the warm-up, in bytes."""
        last = self.samples[-1]
        warm = next(sample for sample in self.samples if sample.rounds >= last.rounds * WARM_UP)
        return last.resident - warm.resident, last.traced - warm.traced

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        yield from self.counts.lines()
        yield "watched afterwards: " + ", ".join(f"{code}: {count}" for code, count in sorted(self.watched.items()))
        yield f"{'rounds':>8}  {'resident MiB':>12}  {'allocated KiB':>13}"
        for sample in self.samples:
            yield f"{sample.rounds:>8}  {sample.resident / 2**20:>12.1f}  {sample.traced / 2**10:>13.0f}"
        resident, traced = self.growth
        yield f"growth since the warm-up: {resident / 2**20:.1f} MiB resident, {traced / 2**10:.0f} KiB allocated"
        yield f"{self.seconds:.0f} s, {self.seconds / max(1, self.counts.cases.total()) * 1000:.1f} ms a round"

    def _round(self, chance: random.Random) -> None:
        command, way = chance.choice(_CREATES), chance.choice(list(WAYS))
        faults = chance.sample(list(faults_for(command, way)), chance.choice([0, 1, 1, 2, 3]))
        record = run_case(Case(command, way, tuple(faults), chance.choice(OUTPUTS)))
        self.counts.add(command.name, record, [*findings(record), *self._watch(record)])

    def _watch(self, record: Record) -> Iterator[Finding]:
        """Watch the started job without faults, and yield findings about that."""
        if not record.new_jobs:
            return
        record.appliance.faults = FaultPlan()
        record.appliance.reboots.clear()
        job, left = record.new_jobs[0], len(record.line.open & record.line.known)
        run = record.backupctl("watch", job.job_id, "--timeout", "1h", "-o", "json")
        self.watched[run.code] += 1
        end = job.ended(record.backupctl.clock.monotonic())
        right = {"SUCCEEDED": 0, "FAILED": 7, "INPROGRESS": 8}[end.state if end else "INPROGRESS"]
        if run.code != right:
            yield "jobs lost", f"watching the job ends with {run.code}, not {right}: {run.out}"
        if len(record.line.open & record.line.known) > left:
            yield "sessions leaked", "watching left a session open"


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096
