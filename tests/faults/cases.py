"""The matrix: every kind of fault, at each strength, in every phase of each command."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from backupctl.simulator.faults import KINDS, PHASES, ValueKind
from tests.faults.commands import COMMANDS, Command, ways
from tests.faults.play import Case, Record, run_case

STRENGTHS: Mapping[ValueKind, tuple[str, ...]] = {
    "none": ("",),
    "count": ("=1", "=3", "=%2", ""),
    "duration": ("=2s", "=5s", "=45s", "=400s"),
    "optional-duration": ("=60s", ""),
    "percent": ("=0", "=50", "=99"),
    "percent-and-duration": ("=0:20s", "=50:60s", "=50:420s", "=99:60s"),
    "spelling": ("=root", "=dn", "=sid", "=empty"),
    "health": ("=DEGRADED", "=UNHEALTHY"),
}
"""The strengths of a fault by its kind of value, such as a count: once, three times, every other time, always."""

REDUCED_WAYS = frozenset({"fall back", "basic"})
"""Ways that differ from the others only at the start, so that the first and the last strength suffice."""

BASIC_PHASES = tuple(phase for phase in PHASES if phase not in PHASES.values())
"""The phases that do not consist of others."""

OUTPUTS = ("json", "text", "jsonl")


@cache
def undisturbed(command: Command, way: str, *, archive_location: bool = False) -> Record:
    """Return the record of a command without faults."""
    return run_case(Case(command, way, archive_location=archive_location))


@cache
def phases(command: Command, way: str) -> tuple[str, ...]:
    """Return the phases of a command, each once."""
    return tuple(dict.fromkeys(request.phase for request in undisturbed(command, way).requests if request.phase))


def faults_for(command: Command, way: str, *, few: bool = False) -> Iterator[str]:
    """Yield every fault that can affect a command: each kind, strength and phase, and without a phase.

    ``few`` takes only the first and the last strength.
    """
    reached = phases(command, way)
    for name, kind in KINDS.items():
        if kind.phase and kind.phase not in reached:
            continue
        places = ["", *(f"@{phase}" for phase in reached)] if kind.phased else [""]
        strengths = STRENGTHS[kind.value]
        for strength in dict.fromkeys((strengths[0], strengths[-1])) if few or way in REDUCED_WAYS else strengths:
            yield from (f"{name}{strength}{place}" for place in places)


@cache
def every_case() -> tuple[Case, ...]:
    """Return the whole matrix."""
    return tuple(case for command in COMMANDS for case in cases_of(command))


@cache
def covering_cases() -> frozenset[Case]:
    """Return a part of the matrix that has each fault with each command, and each fault with each way.

    After the login all ways share their code, so each fault is combined with one way of a command, in rotation.
    """
    by_command = defaultdict[tuple[Command, tuple[str, ...]], list[Case]](list)
    by_way = defaultdict[tuple[str, tuple[str, ...]], list[Case]](list)
    for case in every_case():
        by_command[case.command, case.faults].append(case)
        by_way[case.way, case.faults].append(case)
    chosen = {cases[number % len(cases)] for number, cases in enumerate(by_command.values())}
    return frozenset(chosen | {cases[0] for cases in by_way.values() if chosen.isdisjoint(cases)})


def cases_of(command: Command) -> Iterator[Case]:
    """Yield all cases of a command; the outputs and the two forms of a location rotate."""
    number = COMMANDS.index(command)
    for way in ways(command):
        for fault in faults_for(command, way):
            yield Case(command, way, (fault,), OUTPUTS[number % len(OUTPUTS)], archive_location=number % 2 == 1)
            number += 1
