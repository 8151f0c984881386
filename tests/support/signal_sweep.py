"""Signals at every moment of a command's life, and what has to hold whenever they come.

The moments are measured, not guessed: all that pass on the wire, and any number of seeded ones from the start of the
interpreter to its end, after the length of a life that nobody disturbed.
"""

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.command_line import LOCATION, Run
from tests.support.http_relay import STAGES, Moment, ask, http_relay, jobs_of
from tests.support.processes import CLOCK, NOISE, ROOT, Process, Program, ServedAppliance, run_in_parallel

ENDS_WITHIN = 7.0
"""Seconds from a signal to the end: five for the logout, two for the rest where four run at once."""
OURS = f'File "{ROOT / "backupctl"}'
"""What stands in a traceback through code of ours."""
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
    """A command, what there is before it, how many jobs there may be after it, and how long each takes."""

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
    "cancel": SignalledCommand(("cancel", "latest"), 30.0, before=1, most=1, prepare=_start_job),
    "schedule-run": SignalledCommand(("schedule", "run"), most=1, prepare=_set_schedule),
    "list": SignalledCommand(("list",)),
}


@dataclass(frozen=True)
class Strike:
    """Signals, one right behind the other, at a moment: on the wire, or so many seconds after the start."""

    numbers: tuple[signal.Signals, ...]
    at: Moment | float

    def __str__(self) -> str:
        names = "+".join(number.name for number in self.numbers)
        where = f"request {self.at.number}.{self.at.stage}" if isinstance(self.at, Moment) else f"{self.at:.4f} s"
        return f"{names} at {where}"


@dataclass(frozen=True)
class Life:
    """How a command lived: what it said, what passed on the wire, what the appliance has, how long it ended after."""

    run: Run
    exchanges: int
    sessions_left: int
    jobs: list[dict[str, Any]]
    struck: bool
    seconds: float
    after_strike: float


@dataclass
class SignalTally:
    """What came of all strikes; ``faults`` says what must not be."""

    counts: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    faults: list[str] = field(default_factory=list)

    def count(self, life: Life, strike: Strike) -> None:
        self.counts["signals"] += len(strike.numbers) if life.struck else 0
        self.counts["before us" if before_us(life) else f"code {life.run.code}"] += 1
        self.counts["jobs"] += len(life.jobs)
        self.counts["sessions left"] += life.sessions_left
        self.longest = max(self.longest, life.after_strike)

    def __str__(self) -> str:
        return f"{dict(sorted(self.counts.items()))}, longest {self.longest:.2f} s, {len(self.faults)} faults"


def live(program: Program, served: ServedAppliance, command: SignalledCommand, strike: Strike | None = None) -> Life:
    """Run a command on an appliance of its own, and strike it."""
    command.prepare(served)
    begun: list[Process] = []
    struck: list[float] = []

    def hit() -> None:
        assert strike is not None
        struck.append(CLOCK.monotonic())
        for number in strike.numbers:
            begun[0].signal(number)

    def act(moment: Moment) -> None:
        if strike is not None and strike.at == moment and not struck:
            hit()

    with http_relay(served, act) as seen:
        began = CLOCK.monotonic()
        process = program.start(*command.words, environ=seen.environ)
        begun.append(process)
        if strike is not None and isinstance(strike.at, float):
            CLOCK.sleep(max(0.0, began + strike.at - CLOCK.monotonic()))
            if process.running:
                hit()
        run = process.ended(ENDS_WITHIN + 20)
        ended = CLOCK.monotonic()
    after = ended - struck[0] if struck else 0.0
    return Life(run, len(seen.exchanges), seen.sessions_left, jobs_of(served), bool(struck), ended - began, after)


def before_us(life: Life) -> bool:
    """Whether the interpreter itself was struck, while it started: no line of ours ran, so it answered in its way."""
    run = life.run
    if life.exchanges or run.out or OURS in run.err:
        return False
    told = "KeyboardInterrupt" in run.err or "Fatal Python error: init" in run.err
    return run.code < 0 or (run.code == 1 and told)


def of_the_interpreter(life: Life, strike: Strike) -> bool:
    """Whether what looks like noise may be the interpreter's own, while it started and no line of ours ran.

    It has a handler for INT alone by then, whose exception ``site``, ``-W`` and import locks tell of, drop and go on.
    Before the first request our own handlers are in its place.
    """
    early = isinstance(strike.at, float) and not life.exchanges
    return early and signal.SIGINT in strike.numbers and OURS not in life.run.err


def faults(command: SignalledCommand, life: Life, strike: Strike) -> Iterator[str]:
    """Say what is wrong with how a command took a strike."""
    run, killed = life.run, signal.SIGKILL in strike.numbers
    if before_us(life):
        return
    if not of_the_interpreter(life, strike) and (noise := [word for word in NOISE if word in run.err]):
        yield f"noise: {noise}"
    if life.after_strike > ENDS_WITHIN:
        yield f"ended after {life.after_strike:.1f} s"
    if not command.before <= len(life.jobs) <= command.most:
        yield f"{len(life.jobs)} jobs"
    if life.sessions_left and not killed:
        yield f"{life.sessions_left} sessions left"
    yield from _dishonest(command, life, killed=killed)


def _dishonest(command: SignalledCommand, life: Life, *, killed: bool) -> Iterator[str]:
    run = life.run
    said = run.out + run.err
    if killed:
        return
    if run.code not in {0, 130}:
        yield f"code {run.code} after {life.exchanges} requests"
    elif run.code == 0 and command.words[0] != "list" and "SUCCEEDED" not in said and "FAILED" not in said:
        yield "0 without a result"
    elif run.code == 130 and life.exchanges and not said:
        yield "130 without a word"
    if command.starts:
        if life.jobs and life.jobs[0]["id"] not in said:
            yield f"job {life.jobs[0]['id']} is not told"
        if not life.jobs and (run.code == 0 or "goes on" in said):
            yield "a job is told that is not there"


def sweep(
    program: Program,
    appliances: Iterator[ServedAppliance],
    command: SignalledCommand,
    strikes: Sequence[Strike],
    tally: SignalTally,
    *,
    then: Callable[[Program, ServedAppliance], Iterable[str]] = lambda _program, _served: (),
) -> None:
    """Strike a command at each moment, each time on another appliance, and count what came of it.

    ``then`` does something on the appliance that was left so, and says what was wrong with it.
    """

    def strike_one(pair: tuple[ServedAppliance, Strike]) -> tuple[Life, list[str]]:
        served, strike = pair
        life = live(program, served, command, strike)
        return life, [*faults(command, life, strike), *then(program, served)]

    lives = run_in_parallel(strike_one, [(next(appliances), strike) for strike in strikes])
    for strike, (life, wrong) in zip(strikes, lives, strict=True):
        tally.count(life, strike)
        if wrong:
            head = f"{' '.join(command.words)}, {strike}: {'; '.join(wrong)}; code {life.run.code}"
            tally.faults.append(f"{head}\n{life.run.out}{life.run.err}")


def on_the_wire(undisturbed: Life, kinds: Sequence[tuple[signal.Signals, ...]]) -> list[Strike]:
    """Return a strike at each stage of each request of an undisturbed life, of one kind after the other."""
    moments = [Moment(number, stage) for number in range(undisturbed.exchanges) for stage in range(STAGES)]
    return [Strike(kinds[index % len(kinds)], moment) for index, moment in enumerate(moments)]


def in_time(undisturbed: Life, kinds: Sequence[tuple[signal.Signals, ...]], count: int, seed: int) -> list[Strike]:
    """Return ``count`` strikes from the start of the interpreter to its end."""
    chance = random.Random(seed)
    moments = [chance.uniform(0.0, 1.05 * undisturbed.seconds) for _ in range(count)]
    return [Strike(kinds[index % len(kinds)], moment) for index, moment in enumerate(moments)]


def sample(strikes: Sequence[Strike], count: int) -> list[Strike]:
    """Return ``count`` of them, evenly spread, the first and the last included."""
    if count >= len(strikes):
        return list(strikes)
    return [strikes[round(index * (len(strikes) - 1) / (count - 1))] for index in range(count)]
