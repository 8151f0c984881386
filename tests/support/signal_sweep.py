"""Signals at every moment of a run, and what must hold whenever they arrive.

The moments come from an undisturbed run: each stage of each request, and any number of seeded times between the start
and the end of the interpreter.
"""

import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.command_line import LOCATION, Run
from tests.support.http_relay import STAGES, Moment, ask, http_relay, jobs_of
from tests.support.processes import CLOCK, NOISE, ROOT, Process, Program, ServedAppliance, run_in_parallel

ENDS_WITHIN = 7.0
"""Seconds allowed from a signal to the exit: five for the logout, two for the rest while four run at once."""
OWN_CODE = f'File "{ROOT / "backupctl"}'
"""The part of a traceback that shows code of this package."""
JOB_ID = re.compile(r"\d{8}-\d{6}-\d+")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_JOBS = "/api/appliance/recovery/backup/job"
_SCHEDULES = "/api/appliance/recovery/backup/schedules"
_REQUEST = {"parts": ["common"], "location_type": "SFTP", "location": LOCATION}
_SCHEDULE = {
    "schedule": "default",
    "spec": {"parts": ["common"], "location": LOCATION, "enable": True, "recurrence_info": {"hour": 2, "minute": 0}},
}


@dataclass(frozen=True)
class SignalledCommand:
    """A command, the jobs before it, the most jobs after it, and the duration of each."""

    words: tuple[str, ...]
    job_seconds: float = 0.7
    before: int = 0
    most: int = 0
    prepare: Callable[[ServedAppliance], object] = lambda _: None

    @property
    def starts(self) -> bool:
        return self.most > self.before


def _start_job(served: ServedAppliance) -> None:
    ask(served, "POST", _JOBS, _REQUEST)


def _set_schedule(served: ServedAppliance) -> None:
    ask(served, "POST", _SCHEDULES, _SCHEDULE)


SIGNALLED_COMMANDS = {
    "create": SignalledCommand(("create",), most=1),
    "create-json": SignalledCommand(("create", "-o", "json"), most=1),
    "create-cancelling": SignalledCommand(("create", "--cancel-on-interrupt"), most=1),
    "watch": SignalledCommand(("watch",), before=1, most=1, prepare=_start_job),
    "cancel": SignalledCommand(("cancel", "latest", "--yes"), 30.0, before=1, most=1, prepare=_start_job),
    "schedule-run": SignalledCommand(("schedule", "run"), most=1, prepare=_set_schedule),
    "list": SignalledCommand(("list",)),
}


@dataclass(frozen=True)
class SignalTiming:
    """Signals, one right after the other, at a moment: on the wire, or in seconds after the start."""

    numbers: tuple[signal.Signals, ...]
    at: Moment | float

    def __str__(self) -> str:
        names = "+".join(number.name for number in self.numbers)
        where = f"request {self.at.number}.{self.at.stage}" if isinstance(self.at, Moment) else f"{self.at:.4f} s"
        return f"{names} at {where}"


@dataclass(frozen=True)
class SignalledRun:
    """The result of a run with signals: output, requests, state of the appliance, and times in seconds."""

    run: Run
    exchanges: int
    sessions_left: int
    jobs: list[dict[str, Any]]
    signalled: bool
    seconds: float
    seconds_after_signal: float


@dataclass
class SignalCounts:
    """Counts of the results of all runs; ``problems`` has a text for each violation."""

    counts: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    problems: list[str] = field(default_factory=list)

    def count(self, result: SignalledRun, timing: SignalTiming) -> None:
        self.counts["signals"] += len(timing.numbers) if result.signalled else 0
        self.counts["before startup" if before_startup(result) else f"code {result.run.code}"] += 1
        self.counts["jobs"] += len(result.jobs)
        self.counts["sessions left"] += result.sessions_left
        self.longest = max(self.longest, result.seconds_after_signal)

    def __str__(self) -> str:
        return f"{dict(sorted(self.counts.items()))}, longest {self.longest:.2f} s, {len(self.problems)} faults"


def run_with_signals(
    program: Program, served: ServedAppliance, command: SignalledCommand, timing: SignalTiming | None = None
) -> SignalledRun:
    """Run a command on an appliance of its own, and send it signals at a moment."""
    command.prepare(served)
    begun: list[Process] = []
    sent_at: list[float] = []

    def send_signals() -> None:
        assert timing is not None
        sent_at.append(CLOCK.monotonic())
        for number in timing.numbers:
            begun[0].signal(number)

    def act(moment: Moment) -> None:
        if timing is not None and timing.at == moment and not sent_at:
            send_signals()

    with http_relay(served, act) as relay:
        began = CLOCK.monotonic()
        process = program.start(*command.words, environ=relay.environ)
        begun.append(process)
        if timing is not None and isinstance(timing.at, float):
            CLOCK.sleep(max(0.0, began + timing.at - CLOCK.monotonic()))
            if process.running:
                send_signals()
        run = process.wait_unchecked(ENDS_WITHIN + 20)
        ended = CLOCK.monotonic()
    after = ended - sent_at[0] if sent_at else 0.0
    return SignalledRun(
        run, len(relay.exchanges), relay.sessions_left, jobs_of(served), bool(sent_at), ended - began, after
    )


def before_startup(result: SignalledRun) -> bool:
    """Whether the signal ended the interpreter at startup, before any code of this package ran."""
    run = result.run
    if result.exchanges or run.out or OWN_CODE in run.err:
        return False
    interrupted = "KeyboardInterrupt" in run.err or "Fatal Python error: init" in run.err
    return run.code < 0 or (run.code == 1 and interrupted)


def may_be_interpreter_noise(result: SignalledRun, timing: SignalTiming) -> bool:
    """Whether noise may come from the interpreter at startup, before any code of this package ran.

    Then only SIGINT has a handler, whose exception ``site``, ``-W`` and import locks print and ignore. The handlers of
    the program are installed before its first request.
    """
    early = isinstance(timing.at, float) and not result.exchanges
    return early and signal.SIGINT in timing.numbers and OWN_CODE not in result.run.err


def problems(command: SignalledCommand, result: SignalledRun, timing: SignalTiming) -> Iterator[str]:
    """Yield the problems of a run that got signals."""
    run, killed = result.run, signal.SIGKILL in timing.numbers
    if before_startup(result):
        return
    if not may_be_interpreter_noise(result, timing) and (noise := [word for word in NOISE if word in run.err]):
        yield f"noise: {noise}"
    if result.seconds_after_signal > ENDS_WITHIN:
        yield f"ended after {result.seconds_after_signal:.1f} s"
    if not command.before <= len(result.jobs) <= command.most:
        yield f"{len(result.jobs)} jobs"
    if result.sessions_left and not killed:
        yield f"{result.sessions_left} sessions left"
    yield from _wrong_results(command, result, killed=killed)


def _wrong_results(command: SignalledCommand, result: SignalledRun, *, killed: bool) -> Iterator[str]:
    run = result.run
    said = run.out + run.err
    if killed:
        return
    if run.code not in {0, 130}:
        yield f"code {run.code} after {result.exchanges} requests"
    elif (
        run.code == 0
        and command.words[0] != "list"
        and not re.search("succeeded|failed|cancelled", said, re.IGNORECASE)
    ):
        yield "0 without a result"
    elif run.code == 130 and result.exchanges and not said:
        yield "130 without output"
    if command.starts:
        if result.jobs and result.jobs[0]["id"] not in said:
            yield f"job {result.jobs[0]['id']} is not reported"
        if not result.jobs and (run.code == 0 or JOB_ID.search(said)):
            yield "a job is reported that does not exist"


def sweep(
    program: Program,
    appliances: Iterator[ServedAppliance],
    command: SignalledCommand,
    timings: Sequence[SignalTiming],
    counts: SignalCounts,
    *,
    then: Callable[[Program, ServedAppliance], Iterable[str]] = lambda _program, _served: (),
) -> None:
    """Run a command once for each timing, each time on another appliance, and count the results.

    ``then`` runs on the appliance afterwards and yields further problems.
    """

    def run_one(pair: tuple[ServedAppliance, SignalTiming]) -> tuple[SignalledRun, list[str]]:
        served, timing = pair
        result = run_with_signals(program, served, command, timing)
        return result, [*problems(command, result, timing), *then(program, served)]

    runs = run_in_parallel(run_one, [(next(appliances), timing) for timing in timings])
    for timing, (result, wrong) in zip(timings, runs, strict=True):
        counts.count(result, timing)
        if wrong:
            head = f"{' '.join(command.words)}, {timing}: {'; '.join(wrong)}; code {result.run.code}"
            counts.problems.append(f"{head}\n{result.run.out}{result.run.err}")


def timings_on_the_wire(undisturbed: SignalledRun, kinds: Sequence[tuple[signal.Signals, ...]]) -> list[SignalTiming]:
    """Return a timing for each stage of each request of an undisturbed run; the kinds rotate."""
    moments = [Moment(number, stage) for number in range(undisturbed.exchanges) for stage in range(STAGES)]
    return [SignalTiming(kinds[index % len(kinds)], moment) for index, moment in enumerate(moments)]


def timings_in_seconds(
    undisturbed: SignalledRun, kinds: Sequence[tuple[signal.Signals, ...]], count: int, seed: int
) -> list[SignalTiming]:
    """Return ``count`` random timings between the start and the end of the interpreter."""
    chance = random.Random(seed)
    moments = [chance.uniform(0.0, 1.05 * undisturbed.seconds) for _ in range(count)]
    return [SignalTiming(kinds[index % len(kinds)], moment) for index, moment in enumerate(moments)]


def sample(timings: Sequence[SignalTiming], count: int) -> list[SignalTiming]:
    """Return ``count`` timings, evenly spread, including the first and the last."""
    if count >= len(timings):
        return list(timings)
    return [timings[round(index * (len(timings) - 1) / (count - 1))] for index in range(count)]
