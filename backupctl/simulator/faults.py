"""Faults on request: the syntax ``KIND[=VALUE][@PHASE]``, and which requests a fault affects.

Faults are deterministic: each counts the requests of its phase and nothing else. A count N affects the next N of
them, ``%N`` every Nth, no count all. One fault at most replaces or corrupts a response: the first that applies. The
others do not count that request, so ``http-503=2`` and ``drop=1`` take effect one after the other.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from backupctl.errors import UsageError

PHASES: Mapping[str, str] = {
    "login": "",
    "version": "",
    "list": "",
    "create": "",
    "poll": "",
    "first-poll": "poll",
    "mid-poll": "poll",
    "last-poll": "poll",
    "cancel": "",
    "validate": "",
    "parts": "",
    "health": "",
    "schedule": "",
    "read-schedule": "schedule",
    "write-schedule": "schedule",
    "archive": "",
    "logout": "",
}
"""The phase of a request, and the wider phase that contains it.

``create`` starts a run of any kind: a backup by hand or by a schedule, a restore, a reconciliation. ``first-poll``
lasts until one poll of the newest run got an undisturbed response, ``last-poll`` begins when that run has ended.
"""

ValueKind = Literal[
    "none", "count", "duration", "optional-duration", "percent", "percent-and-duration", "health", "spelling"
]


class _ValueSyntax(NamedTuple):
    """How a value is written: a pattern whose groups are fields of ``Fault``, and its form in error messages."""

    pattern: str
    shown: str
    required: bool


_SECONDS = r"(?P<seconds>\d{1,9}(?:\.\d{1,6})?[smhd]?)"
_PERCENT = r"(?P<percent>\d{1,2}|100)"

_SYNTAX: Mapping[ValueKind, _ValueSyntax] = {
    "none": _ValueSyntax(r"(?!)", "", required=False),
    "count": _ValueSyntax(
        r"(?P<count>[1-9]\d{0,8})|%(?P<every>[1-9]\d{0,8})",
        "=N or =%N",
        required=False,
    ),
    "duration": _ValueSyntax(_SECONDS, "=DURATION, such as 30s", required=True),
    "optional-duration": _ValueSyntax(_SECONDS, "=DURATION, such as 30s", required=False),
    "percent": _ValueSyntax(_PERCENT, "=PERCENT, such as 40", required=True),
    "percent-and-duration": _ValueSyntax(f"{_PERCENT}:{_SECONDS}", "=PERCENT:DURATION, such as 50:20s", required=True),
    "health": _ValueSyntax("(?P<choice>DEGRADED|UNHEALTHY)", "=DEGRADED or =UNHEALTHY", required=True),
    "spelling": _ValueSyntax("(?P<choice>root|dn|sid|empty)", "=root, =dn, =sid or =empty", required=True),
}


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault: its value, its effect, whether a phase may narrow it, and the phase it always has."""

    value: ValueKind
    effect: Literal["replace", "corrupt", "delay", "state"]
    phased: bool = True
    phase: str = ""


KINDS: Mapping[str, FaultKind] = {
    # the request never reaches the service
    "drop": FaultKind("count", "replace"),
    "http-503": FaultKind("count", "replace"),
    "html-503": FaultKind("count", "replace"),
    "redirect": FaultKind("count", "replace"),
    "http-401": FaultKind("count", "replace"),
    "lost-create-request": FaultKind("count", "replace", phased=False, phase="create"),
    "html-401": FaultKind("count", "replace", phased=False, phase="create"),
    "http-500": FaultKind("count", "replace", phased=False, phase="create"),
    "http-504": FaultKind("count", "replace", phased=False, phase="create"),
    # the request takes effect, the response is corrupted, lost or late
    "empty": FaultKind("count", "corrupt"),
    "bad-json": FaultKind("count", "corrupt"),
    "lost-create-answer": FaultKind("count", "corrupt", phased=False, phase="create"),
    "late-http-401": FaultKind("count", "corrupt", phased=False, phase="create"),
    "late-html-401": FaultKind("count", "corrupt", phased=False, phase="create"),
    "late-http-500": FaultKind("count", "corrupt", phased=False, phase="create"),
    "late-http-504": FaultKind("count", "corrupt", phased=False, phase="create"),
    "late-html-504": FaultKind("count", "corrupt", phased=False, phase="create"),
    "lost-login-answer": FaultKind("count", "corrupt", phased=False, phase="login"),
    "trickle": FaultKind("count", "delay"),
    "slow": FaultKind("duration", "delay"),
    # the state of the appliance
    "no-date": FaultKind("none", "state", phased=False),
    "forbidden": FaultKind("none", "state"),
    "account-locked": FaultKind("none", "state", phased=False),
    "password-expired": FaultKind("none", "state", phased=False),
    "session-expires-after": FaultKind("duration", "state", phased=False),
    "fail-at": FaultKind("percent", "state", phased=False),
    "stall-at": FaultKind("percent", "state", phased=False),
    "reboot-at": FaultKind("percent-and-duration", "state", phased=False),
    "busy": FaultKind("optional-duration", "state", phased=False),
    "validate-fail": FaultKind("none", "state", phased=False),
    "stale-list": FaultKind("duration", "state", phased=False),
    "oldest-only": FaultKind("none", "state", phased=False),
    "archive-location": FaultKind("none", "state", phased=False),
    "odd-user": FaultKind("spelling", "state", phased=False),
    "db-health": FaultKind("health", "state", phased=False),
    # what lies in the store, although the job succeeds
    "truncated-archive": FaultKind("none", "state", phased=False),
    "missing-file": FaultKind("none", "state", phased=False),
    "rotten-file": FaultKind("none", "state", phased=False),
    "unfinished": FaultKind("none", "state", phased=False),
}

_UNITS: Mapping[str, int] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(text: str) -> float:
    return float(text.rstrip("smhd")) * _UNITS[text.lstrip("0123456789.")]


_READERS: Mapping[str, Callable[[str], Any]] = {
    "count": int,
    "every": int,
    "seconds": _seconds,
    "percent": int,
    "choice": str,
}


@dataclass(slots=True)
class Fault:
    """One fault: its kind and value, the phase that narrows it, how many requests it matched and affected."""

    name: str
    phase: str = ""
    count: int | None = None
    every: int | None = None
    seconds: float | None = None
    percent: int | None = None
    choice: str = ""
    matched: int = 0
    affected: int = 0

    def matches(self, phase: str) -> bool:
        """Return whether the fault is about requests of this phase."""
        return self.phase in {"", phase, PHASES.get(phase, "")}

    def take_request(self) -> bool:
        """Count one matching request and return whether the fault affects it."""
        self.matched += 1
        if self.every is not None:
            return self.matched % self.every == 0
        if self.count is not None and self.affected >= self.count:
            return False
        self.affected += 1
        return True


def parse_fault(spec: str) -> Fault:
    """Parse ``KIND[=VALUE][@PHASE]``.

    Raises ``UsageError``: for an unknown kind or phase, or a wrong value; its hint shows the choices.
    """
    head, at, phase = spec.partition("@")
    name, equals, value = head.partition("=")
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError(f"unknown simulator fault {name!r}", hint=f"choose from {', '.join(KINDS)}")
    syntax = _SYNTAX[kind.value]
    if at and not kind.phased and phase != kind.phase:
        raise UsageError(f"fault {name} has no phases", hint=f"use {name}{syntax.shown}")
    if at and phase not in PHASES:
        raise UsageError(f"unknown phase {phase!r} in fault {spec!r}", hint=f"choose from {', '.join(PHASES)}")
    match = re.fullmatch(syntax.pattern, value, re.ASCII)
    if (equals or syntax.required) and match is None:
        raise UsageError(f"invalid fault {spec!r}", hint=f"use {name}{syntax.shown}")
    found = match.groupdict() if match else {}
    values = {group: _READERS[group](text) for group, text in found.items() if text is not None}
    return Fault(name, phase or kind.phase, **values)


@dataclass(frozen=True, slots=True)
class FaultEffects:
    """The effects on one request: the fault that replaces or corrupts the response, and how late it comes."""

    replace: str = ""
    corrupt: str = ""
    delay: float = 0.0
    trickle: bool = False


class FaultPlan:
    """The faults of one appliance, in the order given."""

    def __init__(self, specs: Iterable[str] = ()) -> None:
        self.faults = [parse_fault(spec) for spec in specs]

    def add(self, spec: str) -> None:
        """Add a fault. Raises ``UsageError``: as ``parse_fault``."""
        self.faults.append(parse_fault(spec))

    def find(self, name: str, phase: str = "") -> Fault | None:
        """Return the first fault of this kind for ``phase``."""
        return next((fault for fault in self.faults if fault.name == name and fault.matches(phase)), None)

    def take_request(self, phase: str) -> FaultEffects:
        """Count a request of ``phase`` and return the effects on it."""
        chosen = {"replace": "", "corrupt": ""}
        delay = 0.0
        trickle = False
        for fault in self.faults:
            effect = KINDS[fault.name].effect
            if effect == "state" or not fault.matches(phase):
                continue
            if effect in chosen:
                if not any(chosen.values()) and fault.take_request():
                    chosen[effect] = fault.name
            elif fault.take_request():
                delay += fault.seconds or 0.0
                trickle = trickle or fault.name == "trickle"
        return FaultEffects(chosen["replace"], chosen["corrupt"], delay, trickle)
