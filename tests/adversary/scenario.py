"""A scenario for each seed: the command line, the appliance's habits, jobs of others, and faults."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, Literal

from tests.adversary.faults import LEFTOVERS, Fault
from tests.adversary.service import USER, Habits

LOCATION: Final = "sftp://backup.example.com/vcenter"
LOCATION_USER: Final = "backup"
ELSEWHERE: Final = "ftp://elsewhere.example.com/x"
ARCHIVE: Final = f"{LOCATION}/vCenter/sn_vc01.example.com/M_8.0.2.00100_20260228-020000_"
START: Final = datetime(2026, 3, 1, 2, 0, 0, 400_000, tzinfo=UTC)
END_OF_SUMMER: Final = datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC)
"""Ten seconds before the clocks of Berlin are set back from 03:00 to 02:00."""

Kind = Literal["start", "watch", "cancel", "write", "restore", "reconcile", "check"]


@dataclass(frozen=True)
class Command:
    """A command line; ``key`` is the request that changes something, ``labels`` are all requests that it may send.

    ``running``: a job of somebody else runs when the command starts. ``schedule``: a schedule exists.
    """

    name: str
    words: tuple[str, ...]
    kind: Kind
    key: str
    labels: tuple[str, ...]
    running: bool = False
    schedule: bool = False
    weight: int = 2

    @property
    def fresh(self) -> bool:
        return self.kind in {"restore", "reconcile"}


_TO: Final = ("--location", LOCATION, "--location-user", LOCATION_USER)
_ALL: Final = ("connect", "login", "version", "logout")
_FOLLOW: Final = (*_ALL, "list", "job", "details")
_CREATE: Final = (*_FOLLOW, "parts", "validate", "create")
_RUN: Final = (*_FOLLOW, "schedule", "validate", "run")
_WRITE: Final = (*_ALL, "schedule", "schedules")
_FROM: Final = ("--location", ARCHIVE, "--location-user", LOCATION_USER, "--sso-username", USER)

COMMANDS: Final = (
    Command("create", ("create", *_TO), "start", "create", _CREATE, weight=14),
    Command("create --no-wait", ("create", *_TO, "--no-wait"), "start", "create", _CREATE, weight=4),
    Command("create --part", ("create", *_TO, "--part", "common"), "start", "create", _CREATE, weight=4),
    Command("create --cancel-on-interrupt", ("create", *_TO, "--cancel-on-interrupt"), "start", "create", _CREATE),
    Command("create --if-running wait", ("create", *_TO, "--if-running", "wait"), "start", "create", _CREATE, True),
    Command("create --if-running attach", ("create", *_TO, "--if-running", "attach"), "start", "create", _CREATE, True),
    Command("schedule run", ("schedule", "run"), "start", "run", _RUN, schedule=True, weight=6),
    Command("schedule run --no-wait", ("schedule", "run", "--no-wait"), "start", "run", _RUN, schedule=True),
    Command("watch latest", ("watch", "latest"), "watch", "job", _FOLLOW, True, weight=3),
    Command("watch JOB_ID", ("watch", "RUNNING"), "watch", "job", _FOLLOW, True, weight=3),
    Command("cancel", ("cancel", "RUNNING"), "cancel", "cancel", (*_FOLLOW, "cancel"), True, weight=3),
    Command(
        "schedule set (new)",
        ("schedule", "set", *_TO, "--at", "02:30"),
        "write",
        "schedule-create",
        (*_WRITE, "schedule-create"),
        weight=3,
    ),
    Command(
        "schedule set",
        ("schedule", "set", "--at", "04:15", "--retain", "5"),
        "write",
        "schedule-update",
        (*_WRITE, "schedule-update"),
        schedule=True,
        weight=4,
    ),
    Command(
        "schedule disable",
        ("schedule", "disable"),
        "write",
        "schedule-update",
        (*_WRITE, "schedule-update"),
        schedule=True,
        weight=3,
    ),
    Command(
        "schedule delete",
        ("schedule", "delete", "default", "--yes"),
        "write",
        "schedule-delete",
        (*_WRITE, "schedule-delete"),
        schedule=True,
        weight=4,
    ),
    Command(
        "restore create",
        ("restore", "create", *_FROM, "--yes"),
        "restore",
        "restore",
        ("connect", "version", "restore-job", "restore"),
        weight=6,
    ),
    Command(
        "restore create --no-wait",
        ("restore", "create", *_FROM, "--yes", "--no-wait"),
        "restore",
        "restore",
        ("connect", "version", "restore-job", "restore"),
    ),
    Command(
        "restore reconcile",
        ("restore", "reconcile", "--sso-username", USER),
        "reconcile",
        "reconcile",
        ("connect", "version", "reconciliation", "reconcile"),
        weight=2,
    ),
)

_CHECK: Final = (*_ALL, "list", "job", "details", "schedules")

CHECKS: Final = (
    Command("check", ("check",), "check", "details", _CHECK),
    Command("check, a backup runs", ("check",), "check", "details", _CHECK, running=True),
    Command(
        "check --schedule required", ("check", "--schedule", "required"), "check", "details", _CHECK, schedule=True
    ),
    Command("check --timeout 9s", ("check", "--timeout", "9s"), "check", "details", _CHECK, schedule=True),
)
"""The monitoring plugin; these have seeds of their own."""


@dataclass(frozen=True)
class OtherJob:
    """A job that somebody else starts: at a time, or (None) right ``before`` or after the first starting request."""

    at: float | None = None
    before: bool = False
    type: str = "SCHEDULED"
    user: str = "VSPHERE.LOCAL\\nightly"
    location: str = ELSEWHERE
    location_user: str | None = None
    seconds: float = 300.0


@dataclass(frozen=True)
class Scenario:
    """Everything that determines a run."""

    seed: int
    command: Command
    words: tuple[str, ...]
    habits: Habits = field(default_factory=Habits)
    faults: tuple[Fault, ...] = ()
    others: tuple[OtherJob, ...] = ()
    old: tuple[float, ...] = ()
    job_seconds: float = 60.0
    outcome: str = "SUCCEEDED"
    timeout: float = 1200.0
    output: str = "json"
    plain: bool = False
    start: datetime = START
    skew: float = 0.0
    jump_at: float = float("inf")
    jump: float = 0.0
    id_zone: str = "UTC"
    signal_at: float | None = None
    refused: bool = False
    old_failures: tuple[float, ...] = ()
    tags: tuple[str, ...] = field(default=())

    @property
    def kinds(self) -> list[str]:
        """The faults and unusual conditions, for the table."""
        habits, usual = self.habits, Habits()
        found = [f"{fault.label}: {fault.name}" for fault in self.faults]
        found += [f"list {habits.list_}"] if habits.list_ != "honest" else []
        found += [f"details {habits.details}"] if habits.details != "honest" else []
        found += ["somebody else's job"] if self.others else []
        found += ["user spelled otherwise"] if habits.user != usual.user else []
        found += ["clock off"] if self.skew or self.jump or self.id_zone != "UTC" else []
        found += ["signal"] if self.signal_at is not None else []
        return found or ["nothing"]


def undisturbed(name: str, *faults: Fault, **options: Any) -> Scenario:
    """Return a scenario of a command with only the given faults and options; a backup takes two minutes."""
    command = next(each for each in COMMANDS if each.name == name)
    usual: dict[str, Any] = {"old": (86_400.0, 172_800.0), "job_seconds": 120.0}
    return Scenario(-1, command, command.words, faults=faults, **(usual | options))


def scenario(seed: int) -> Scenario:
    """Return the scenario of a seed."""
    chance = Random(f"adversary {seed}")
    command = chance.choices(COMMANDS, [each.weight for each in COMMANDS])[0]
    faults = _faults(chance, command)
    shows_all = any(_is_worded_error(fault) or fault.kind == "other job" for fault in faults)
    habits = _habits(chance, command, shows_all=shows_all)
    job_seconds = chance.choice([20.0, 60.0, 60.0, 400.0, 2000.0])
    timeout = chance.choice([60.0, 300.0, 1200.0, 1200.0])
    family = chance.choice(["auto", "rest", "api"] if habits.release == "8.0" else ["auto", "rest"])
    words = [*command.words, "--api", family]
    if not command.fresh and family != "api" and chance.random() < 0.1:
        words += ["--auth", "basic"]
    if command.kind not in {"write", "cancel"} and "--no-wait" not in command.words:
        words += ["--timeout", f"{timeout:.0f}s"]
    at_end_of_summer = chance.random() < 0.05 and "latest" not in command.words
    jumps = chance.random() < 0.08
    return Scenario(
        seed,
        command,
        tuple(words),
        habits,
        faults,
        _others(chance, command),
        tuple(sorted(chance.uniform(1200.0, 500_000.0) for _ in range(chance.choice([0, 1, 2, 3])))),
        job_seconds,
        chance.choice(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "FAILED"]),
        timeout,
        chance.choice(["json"] * 8 + ["text", "jsonl"]),
        plain=chance.random() < 0.4,
        start=END_OF_SUMMER if at_end_of_summer else START,
        skew=chance.choice([0.0] * 8 + [3.0, -3.0, 7200.0, -86_400.0]),
        jump_at=chance.uniform(0.0, 40.0) if jumps else float("inf"),
        jump=chance.choice([-3600.0, -30.0, -2.0]) if jumps else 0.0,
        id_zone="Europe/Berlin" if at_end_of_summer else "UTC",
        signal_at=chance.choice([0.0, chance.uniform(0.0, 30.0), chance.uniform(0.0, 300.0)])
        if chance.random() < (0.6 if "--cancel-on-interrupt" in command.words else 0.08)
        else None,
    )


def check_scenario(seed: int) -> Scenario:
    """Return the scenario of a seed for the monitoring plugin."""
    chance = Random(f"adversary check {seed}")
    command = chance.choice(CHECKS)
    releases = ["8.0", "8.0", "7.0", "6.7"] + (["6.5"] if command.words == ("check",) else [])
    details = chance.choice(["honest"] * 4 + ["lagging", "error"])
    timeout = 9.0 if "9s" in command.words else 50.0
    return Scenario(
        seed,
        command,
        command.words,
        Habits(
            release=chance.choice(releases),
            details=details,
            order=chance.choice(["newest", "oldest", "shuffled"]),
            chunked=chance.random() < 0.15,
            session_seconds=chance.choice([float("inf")] * 4 + [1.0]),
        ),
        _faults(chance, command),
        old=_ages(chance),
        old_failures=_ages(chance),
        timeout=timeout,
        output=chance.choice(["json", "text"]),
        plain=chance.random() < 0.4,
        signal_at=chance.uniform(0.0, timeout) if chance.random() < 0.08 else None,
        refused=chance.random() < 0.03,
    )


def _ages(chance: Random) -> tuple[float, ...]:
    """Return how many seconds ago old jobs started, around the limits of 26 and 50 hours."""
    hours = [chance.choice([0.5, 20.0, 25.9, 26.1, 49.9, 50.1, 200.0]) for _ in range(chance.choice([0, 1, 1, 3]))]
    return tuple(sorted({3600.0 * each for each in hours}))


def _habits(chance: Random, command: Command, *, shows_all: bool) -> Habits:
    """Return the habits of the appliance; with ``shows_all``, its list contains every job."""
    releases = ["8.0"] * 6 + ["7.0", "6.7"]
    if command.key == "create" or command.kind == "watch":
        releases += ["6.5"]
    lists = ["honest"] * 8
    if not shows_all:
        lists += ["empty first", "newest missing first", "oldest missing first"]
        lists += ["stale", "stale", "oldest only", "frozen"]
    return Habits(
        release=chance.choice(releases),
        user=chance.choice(
            [USER] * 5
            + ["VSPHERE.LOCAL\\svc-backup", "root", "vsphere.local/svc-backup", "", "S-1-5-21-7-1001"]
            + ["CN=svc-backup,CN=Users,DC=vsphere,DC=local"]
        ),
        location_user=chance.choice(["as-sent"] * 6 + ["", "somebody"]),
        location=chance.choice(["requested", "folder"]),
        list_=chance.choice(lists) if chance.random() < 0.5 else "honest",
        list_seconds=chance.choice([2.0, 15.0, 45.0, 90.0]),
        order=chance.choice(["newest", "newest", "oldest", "shuffled"]),
        details=chance.choice(["honest"] * 8 + ["absent", "late", "lagging", "contradicting", "error"]),
        date=chance.random() < 0.8,
        chunked=chance.random() < 0.15,
        session_seconds=chance.choice([float("inf")] * 5 + [10.0, 40.0]),
        run_type=chance.choice(["MANUAL", "SCHEDULED"]),
    )


def _others(chance: Random, command: Command) -> tuple[OtherJob, ...]:
    if command.kind != "start" or chance.random() > 0.25:
        return ()
    at_start = chance.random() < 0.6
    mine = chance.random() < 0.4
    return (
        OtherJob(
            at=None if at_start else chance.uniform(0.0, 90.0),
            before=chance.random() < 0.4,
            type=chance.choice(["SCHEDULED", "MANUAL"]),
            user=USER if mine else "VSPHERE.LOCAL\\nightly",
            location=chance.choice([LOCATION, ELSEWHERE]),
            location_user=chance.choice([None, LOCATION_USER]),
            seconds=chance.choice([15.0, 120.0, 2000.0]),
        ),
    )


def _faults(chance: Random, command: Command) -> tuple[Fault, ...]:
    count = chance.choices([0, 1, 2, 3], [1, 6, 4, 1])[0]
    found = []
    for index in range(count):
        label = command.key if index == 0 and chance.random() < 0.7 else chance.choice(command.labels)
        nth = 1 if label == command.key else chance.choice([1, 1, 2, 3, 5])
        make = _connection_fault if label == "connect" else _change_fault if _changes(label) else _read_fault
        found.append(make(chance, label, nth))
    return tuple(found)


def _changes(label: str) -> bool:
    return label in {"create", "run", "restore", "reconcile", "cancel"} or label.startswith("schedule-")


def _is_worded_error(fault: Fault) -> bool:
    return (
        fault.kind.endswith("status")
        and (fault.status, fault.error) == (500, "ERROR")
        and fault.body in {"vapi", "other"}
    )


def _connection_fault(chance: Random, label: str, nth: int) -> Fault:
    return Fault(label, chance.choice(["cut", "cut", "hang"]), chance.choice([1, 2]), chance.choice([1, 1, 3]))


def _read_fault(chance: Random, label: str, nth: int) -> Fault:
    times = chance.choice([1, 1, 1, 2, 3, 60])
    return _shape(chance, label, nth, times, "yes")


def _change_fault(chance: Random, label: str, nth: int) -> Fault:
    works = chance.choice(["yes", "yes", "no", "late"])
    return _shape(chance, label, nth, chance.choice([1, 1, 1, 2]), works)


_WORDED: Final = frozenset({"vapi", "other", "silent"})
"""Error bodies in the vendor's form."""

_STATUSES: Final[dict[int, tuple[str, ...]]] = {
    200: (),
    201: (),
    302: (),
    307: (),
    400: ("INVALID_ARGUMENT", "FEATURE_IN_USE"),
    401: ("UNAUTHENTICATED",),
    403: ("UNAUTHORIZED",),
    404: ("NOT_FOUND", "OPERATION_NOT_FOUND"),
    408: ("ERROR",),
    409: ("CONCURRENT_CHANGE",),
    429: ("ERROR",),
    500: ("ERROR", "ERROR", "INTERNAL_SERVER_ERROR"),
    502: ("ERROR",),
    503: ("SERVICE_UNAVAILABLE",),
    504: ("TIMED_OUT",),
}


_KINDS: Final = {
    "cut request": 1,
    "cut answer": 2,
    "status": 4,
    "late status": 1,
    "hang": 2,
    "slow": 1,
    "trickle": 1,
    "double": 1,
    "leftover": 1,
    "other form": 1,
    "other job": 1,
}
"""The kinds of faults and their relative frequencies."""


def _shape(chance: Random, label: str, nth: int, times: int, works: str) -> Fault:
    kind = chance.choices(list(_KINDS), list(_KINDS.values()))[0]
    late = chance.uniform(1.0, 40.0)
    fault = Fault(label, kind, nth, times, works, seconds=late)
    if kind in {"status", "late status"}:
        return _status(chance, fault)
    if kind == "other job" and label not in {"create", "run", "job"}:
        fault = replace(fault, kind="other form")
    if kind in {"trickle", "double", "leftover", "slow", "other form", "other job"}:
        fault = replace(fault, works="yes")
    return replace(
        fault,
        at=chance.choice([0.0, chance.random(), chance.random(), 0.999]) if fault.works == "yes" else 0.0,
        reset=chance.random() < 0.5,
        body=chance.choice(list(LEFTOVERS)) if kind == "leftover" else "html",
        seconds=late if fault.works == "late" else chance.choice([5.0, 25.0, 70.0, 200.0]),
    )


def _status(chance: Random, fault: Fault) -> Fault:
    """Return a fault that responds with a status; a definite refusal means that the request was not processed."""
    status = chance.choice(list(_STATUSES))
    errors = _STATUSES[status]
    bodies = [*["vapi"] * 3, "other", "silent", "html", "html", "text", ""] if errors else ["html", "html", "", "bad"]
    body = "elsewhere" if status in {302, 307} else chance.choice(bodies)
    fault = replace(fault, status=status, body=body, error=chance.choice(errors) if errors else "")
    works = fault.works
    if (400 <= status < 500 and body in _WORDED) or not _changes(fault.label):
        works = "no"
    elif _is_worded_error(fault) and works == "late":
        works = "yes"
    if _is_worded_error(fault) and fault.label in {"restore", "reconcile"}:  # no list could reveal the job
        works = "no"
    after = chance.choice([20.0, 60.0, 120.0])
    if fault.kind == "late status" and works != "late":
        return replace(fault, works=works, seconds=after)
    return replace(fault, works=works)
