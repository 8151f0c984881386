"""Faults on request: what ``KIND[=VALUE][@PHASE]`` means, and which of them strikes which request.

Deterministic: a fault counts the requests of its phase and nothing else. A count N strikes the next N of them, ``%N``
every Nth, none given every one. Of the faults that replace or spoil an answer the first that strikes wins, and
only it is used up, so that ``http-503=2`` and ``drop=1`` follow each other.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

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
"""What a request is to faults, and the wider phase that it is part of.

``create`` starts a job of any kind, be it by hand, by running a schedule, or a restore. The first poll is any of the
newest job until one was answered as it should be, the last one any after that job has ended.
"""

ValueKind = Literal[
    "none", "count", "duration", "optional-duration", "percent", "percent-and-duration", "health", "spelling"
]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What a kind of fault takes: its value, whether any phase narrows it, the phase it always has, what it does."""

    value: ValueKind
    effect: Literal["instead", "spoil", "deliver", "state"]
    phased: bool = True
    phase: str = ""


KINDS: Mapping[str, FaultKind] = {
    # in front of the service: the request never reaches it
    "drop": FaultKind("count", "instead"),
    "http-503": FaultKind("count", "instead"),
    "html-503": FaultKind("count", "instead"),
    "redirect": FaultKind("count", "instead"),
    "http-401": FaultKind("count", "instead"),
    "lost-create-request": FaultKind("count", "instead", phased=False, phase="create"),
    "html-401": FaultKind("count", "instead", phased=False, phase="create"),
    "http-500": FaultKind("count", "instead", phased=False, phase="create"),
    "http-504": FaultKind("count", "instead", phased=False, phase="create"),
    # behind it: the request took effect, its answer suffers
    "empty": FaultKind("count", "spoil"),
    "bad-json": FaultKind("count", "spoil"),
    "lost-create-answer": FaultKind("count", "spoil", phased=False, phase="create"),
    "late-http-401": FaultKind("count", "spoil", phased=False, phase="create"),
    "late-html-401": FaultKind("count", "spoil", phased=False, phase="create"),
    "late-http-500": FaultKind("count", "spoil", phased=False, phase="create"),
    "late-http-504": FaultKind("count", "spoil", phased=False, phase="create"),
    "late-html-504": FaultKind("count", "spoil", phased=False, phase="create"),
    "lost-login-answer": FaultKind("count", "spoil", phased=False, phase="login"),
    "trickle": FaultKind("count", "deliver"),
    "slow": FaultKind("duration", "deliver"),
    # what the appliance is like
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
}

_UNITS: Mapping[str, int] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_WRITTEN: Mapping[ValueKind, str] = {
    "none": "",
    "count": "=N or =%N",
    "duration": "=DURATION, such as 30s",
    "optional-duration": "=DURATION, such as 30s",
    "percent": "=PERCENT, such as 40",
    "percent-and-duration": "=PERCENT:DURATION, such as 50:20s",
    "health": "=DEGRADED or =UNHEALTHY",
    "spelling": "=root, =dn, =sid or =empty",
}

_WORDS: Mapping[ValueKind, frozenset[str]] = {
    "health": frozenset({"DEGRADED", "UNHEALTHY"}),
    "spelling": frozenset({"root", "dn", "sid", "empty"}),
}

_NEEDS_VALUE: frozenset[ValueKind] = frozenset({"duration", "percent", "percent-and-duration", *_WORDS})


@dataclass(slots=True)
class Fault:
    """One fault: its kind, its value as far as it has one, the phase it is narrowed to, and what it has counted."""

    name: str
    phase: str = ""
    count: int | None = None
    every: int | None = None
    seconds: float | None = None
    percent: int | None = None
    word: str = ""
    seen: int = 0
    struck: int = 0

    def matches(self, phase: str) -> bool:
        """Say whether a request of this phase is one of those it looks at."""
        return self.phase in {"", phase, PHASES.get(phase, "")}

    def strikes(self) -> bool:
        """Count one more matching request and say whether it is struck."""
        self.seen += 1
        if self.every is not None:
            return self.seen % self.every == 0
        if self.count is not None and self.struck >= self.count:
            return False
        self.struck += 1
        return True


def parse_fault(spec: str) -> Fault:
    """Read ``KIND[=VALUE][@PHASE]``; raises ``UsageError`` with a hint that shows what is possible."""
    head, at, phase = spec.partition("@")
    name, equals, value = head.partition("=")
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError(f"unknown simulator fault {name!r}", hint=f"one of: {', '.join(KINDS)}")
    if at and not kind.phased and phase != kind.phase:
        raise UsageError(f"the fault {name} takes no phase", hint=f"write {name}{_WRITTEN[kind.value]}")
    if at and phase not in PHASES:
        raise UsageError(f"no phase {phase!r} in the fault {spec!r}", hint=f"one of: {', '.join(PHASES)}")
    fault = Fault(name, phase or kind.phase)
    if (equals and not _read_value(fault, kind.value, value)) or (not equals and kind.value in _NEEDS_VALUE):
        raise UsageError(f"the fault {spec!r} cannot be read", hint=f"write {name}{_WRITTEN[kind.value]}")
    return fault


def _read_value(fault: Fault, kind: ValueKind, text: str) -> bool:
    """Set the value of ``fault``; False when the text is not one."""
    if kind == "count":
        match = re.fullmatch(r"(%?)([1-9]\d{0,8})", text)
        if match is None:
            return False
        fault.count, fault.every = (None, int(match[2])) if match[1] else (int(match[2]), None)
        return True
    if kind in _WORDS:
        fault.word = text
        return text in _WORDS[kind]
    percent, colon, duration = text.partition(":") if kind == "percent-and-duration" else (text, "", text)
    if kind.startswith("percent"):
        if re.fullmatch(r"\d{1,2}|100", percent) is None:
            return False
        fault.percent = int(percent)
    if kind.endswith("duration"):
        fault.seconds = _seconds(duration)
        return fault.seconds is not None and (bool(colon) or kind != "percent-and-duration")
    return kind != "none"


def _seconds(text: str) -> float | None:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", text, re.ASCII)
    return float(match[1]) * _UNITS[match[2]] if match else None


@dataclass(frozen=True, slots=True)
class FaultEffects:
    """What happens to one request: the fault that replaces its answer, or spoils it, and how it is delivered."""

    instead: str = ""
    spoil: str = ""
    delay: float = 0.0
    trickle: bool = False

    @property
    def harmless(self) -> bool:
        """Whether the answer comes whole and at once."""
        return not (self.instead or self.spoil or self.delay or self.trickle)


class FaultPlan:
    """All faults of one appliance, in the order they were given."""

    def __init__(self, specs: Iterable[str] = ()) -> None:
        self.faults = [parse_fault(spec) for spec in specs]

    def add(self, spec: str) -> None:
        """Add one more fault, from now on; raises ``UsageError``."""
        self.faults.append(parse_fault(spec))

    def named(self, name: str, phase: str = "") -> Fault | None:
        """Return the first fault of this kind that applies to ``phase``."""
        return next((fault for fault in self.faults if fault.name == name and fault.matches(phase)), None)

    def strike(self, phase: str) -> FaultEffects:
        """Say what happens to a request of ``phase``, and count it."""
        chosen = {"instead": "", "spoil": ""}
        delay = 0.0
        trickle = False
        for fault in self.faults:
            effect = KINDS[fault.name].effect
            if effect == "state" or not fault.matches(phase):
                continue
            if effect in chosen:
                if not any(chosen.values()) and fault.strikes():
                    chosen[effect] = fault.name
            elif fault.strikes():
                delay += fault.seconds or 0.0
                trickle = trickle or fault.name == "trickle"
        return FaultEffects(chosen["instead"], chosen["spoil"], delay, trickle)
