"""The command lines that talk to an appliance, each with its initial state and its expected outcome."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from backupctl.exit_codes import ServiceState
from backupctl.simulator.backup_runs import BackupSpec
from backupctl.simulator.releases import release_named
from backupctl.simulator.simulated_appliance import SimulatedAppliance
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, PASSWORD, TO_APPLIANCE, USER

TIMEOUT = 600.0
JOB_SECONDS = 120.0
STALL_SECONDS = 240.0

Task = Literal["start", "start-only", "follow", "look", "cancel", "write", "read"]
"""What a command does: start a job and follow it, only start it, follow a running one, check it once, cancel it,
write a schedule, read something else."""

Prepare = Callable[[SimulatedAppliance], None]


def _nothing(_: SimulatedAppliance) -> None:
    pass


def running_backup(appliance: SimulatedAppliance) -> None:
    appliance.start_backup(BackupSpec("SFTP", LOCATION), user=USER)


def failing_backup(appliance: SimulatedAppliance) -> None:
    appliance.start_backup(BackupSpec("SFTP", LOCATION), user=USER).fail_at = 40


def running_restore(appliance: SimulatedAppliance) -> None:
    appliance.start_restore(None, [])


def restored(appliance: SimulatedAppliance) -> None:
    appliance.start_restore(None, [])
    assert isinstance(appliance.clock, FakeClock)
    appliance.clock.sleep(appliance.job_duration * 2)
    appliance.advance()


@dataclass(frozen=True)
class Command:
    """A command line; ``object`` is the kind of thing that it handles, ``options`` configure the appliance.

    ``prepare`` sets up the appliance before the command. VERSION in a word stands for that of the release.
    """

    words: tuple[str, ...]
    task: Task
    object: Literal[
        "backup", "restore", "reconciliation", "schedule", "history", "audit", "location", "other", "state"
    ] = "backup"
    prepare: Prepare = _nothing
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    outcome: int = 0

    @property
    def name(self) -> str:
        words = [word for word in self.words if "://" not in word and word != "--location"]
        return " ".join(words) + (f" ({self.preparation})" if self.preparation else "")

    @property
    def preparation(self) -> str:
        """The name of what runs already, or ran; empty for nothing."""
        return "" if self.prepare is _nothing else self.prepare.__name__

    @property
    def is_plugin(self) -> bool:
        """Whether its exit codes are the states of a monitoring plugin."""
        return self.words[0] == "check"

    def code_for(self, code: int) -> int:
        """Return the exit code for an error with this code in most commands; a plugin has a state instead."""
        return ServiceState.UNKNOWN if self.is_plugin and code > ServiceState.WARNING else code

    @property
    def follows(self) -> bool:
        return "--timeout" in self.words

    @property
    def starts(self) -> bool:
        """Whether the command may start a job."""
        return self.task in {"start", "start-only"} or self.words[0] == "create"

    @property
    def basic(self) -> bool:
        """Whether each request carries the credentials, as to a fresh appliance."""
        return self.words[0] == "restore"

    @property
    def environ(self) -> dict[str, str]:
        who = {"BACKUPCTL_USERNAME": "root", "BACKUPCTL_SSO_PASSWORD": PASSWORD} if self.basic else {}
        return TO_APPLIANCE | who


_AT = ("--location", LOCATION)
_FOLLOW = ("--timeout", f"{TIMEOUT:.0f}s")
_SHORT = ("--timeout", f"{TIMEOUT:.0f}s", "--stall-timeout", f"{STALL_SECONDS:.0f}s")
_PAST: dict[str, Any] = {"history": True}
_FRESH: dict[str, Any] = {"history": True, "fresh": True}
_FROM = ("--location", f"{LOCATION}/vCenter/sn_{HOST}/S_VERSION_20260301-000000_", "--sso-username", USER)

_restore = partial(Command, object="restore", options=_FRESH)
_schedule = partial(Command, object="schedule", options=_PAST)
_archive = partial(Command, task="read", object="other", options=_PAST)

COMMANDS: tuple[Command, ...] = (
    Command(("create", *_AT, *_FOLLOW), "start"),
    Command(("create", *_AT, *_SHORT, "--interval", "7s", "--part", "common"), "start"),
    Command(("create", *_AT, *_FOLLOW, "--preflight"), "start"),
    Command(("create", *_AT, "--no-wait"), "start-only"),
    Command(("create", *_AT, *_FOLLOW, "--if-running", "wait"), "start", prepare=running_backup),
    Command(("create", *_AT, *_FOLLOW, "--if-running", "attach"), "follow", prepare=running_backup),
    Command(("create", *_AT, *_FOLLOW, "--if-running", "fail"), "read", prepare=running_backup, outcome=9),
    Command(("watch", "latest", *_FOLLOW), "follow", prepare=running_backup),
    Command(("watch", "latest", *_SHORT), "follow", prepare=failing_backup, outcome=7),
    Command(("status",), "look", prepare=running_backup, outcome=8),
    Command(("status",), "look", options=_PAST),
    Command(("list",), "read", options=_PAST),
    Command(("metrics", "export"), "read", "history", options=_PAST),
    Command(("parts",), "read", "other"),
    Command(("check",), "read", "state", options=_PAST),
    Command(("validate", *_AT), "read", "other"),
    Command(("cancel", "latest", "--yes"), "cancel", prepare=running_backup),
    _schedule(("schedule", "list"), "read"),
    _schedule(("schedule", "show"), "read"),
    Command(("schedule", "audit"), "read", "audit", options=_PAST),
    _schedule(("schedule", "set", "--at", "04:15"), "write"),
    Command(("schedule", "set", *_AT, "--at", "05:15"), "write", "schedule"),
    _schedule(("schedule", "disable"), "write"),
    _schedule(("schedule", "delete", "default", "--yes"), "write"),
    Command(("schedule", "run", *_FOLLOW), "start", options=_PAST),
    Command(("schedule", "run", "--no-wait"), "start-only", options=_PAST),
    _archive(("archive", "systems", *_AT)),
    _archive(("archive", "list", *_AT)),
    _archive(("archive", "show", "S_VERSION_20260301-000000_", *_AT)),
    _archive(
        ("archive", "prune", *_AT, "--path-for", f"{LOCATION}=/nowhere", "--keep-last", "1", "--yes"),
        object="location",
        outcome=10,
    ),
    Command(("report",), "read", "history", options=_PAST),
    Command(("restore", "validate", *_FROM), "read", "other", options=_FRESH),
    _restore(("restore", "create", *_FROM, "--yes", *_FOLLOW), "start"),
    _restore(("restore", "create", *_FROM, "--yes", "--no-wait"), "start-only"),
    _restore(("restore", "status"), "look", prepare=running_restore, outcome=8),
    _restore(("restore", "watch", *_FOLLOW), "follow", prepare=running_restore),
    _restore(("restore", "cancel"), "cancel", prepare=running_restore),
    Command(
        ("restore", "reconcile", "--sso-username", USER, *_FOLLOW),
        "start",
        "reconciliation",
        prepare=restored,
        options=_FRESH,
    ),
)

WAYS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "/rest": (("--api", "rest"), {}),
    "/api": (("--api", "api"), {}),
    "auto": ((), {}),
    "fall back": ((), {"release": replace(release_named("7.0"), api="session")}),
    "basic": (("--auth", "basic"), {}),
}
"""API family and authentication: words of the command line, and options of the appliance.

Before 7.0U2, /api may have sessions but no recovery operations, so the client falls back to /rest.
"""


def ways(command: Command) -> tuple[str, ...]:
    """Return the ways of a command; a fresh appliance always gets basic authentication."""
    return ("/rest", "/api") if command.basic else tuple(WAYS)
