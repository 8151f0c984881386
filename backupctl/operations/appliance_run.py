"""One appliance from login to logout: whatever is done with it, an error becomes its result and the session ends."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from backupctl.errors import (
    ApplianceAnswerError,
    AuthorizationError,
    BackupctlError,
    BugError,
    InterruptedRunError,
    NotFoundError,
    NotSupportedError,
    ServerFaultError,
    UnknownHostError,
)
from backupctl.operations.outcome import Outcome
from backupctl.results.events import Connected
from backupctl.results.result import Result, complete_result
from backupctl.results.result_redaction import redacted
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import Coordinator, Slot
from backupctl.scheduler.reauth import with_reauth
from backupctl.scheduler.task import MIN_RESPONSE_SECONDS, Task, attempt, retry

R = TypeVar("R", bound=Result)
T = TypeVar("T")

LOGOUT_SECONDS: Final = 5.0
"""How long a logout may take; an interrupted run logs all its appliances out at once, so 5 s in all."""

NOTHING_CHANGED: Final = "nothing was changed"
"""What is said of work that was interrupted before it began."""


def run_on(
    appliance: Appliance,
    result_type: type[R],
    work: Task[Outcome[R]],
    *,
    unreachable_grace: float = 0.0,
    timeout: float | None = None,
    slot: Slot | None = None,
    interrupted_note: str = NOTHING_CHANGED,
) -> Task[R]:
    """Do ``work`` on an appliance and return its result; errors become part of it, and the session is logged out.

    The appliance may be unreachable for ``unreachable_grace`` seconds, within ``timeout``. Nothing is sent before
    ``slot`` is acquired; without one, the appliance is alone in its run. ``interrupted_note`` is what an interruption
    during the login means for the work.
    """
    slot = slot or Coordinator([appliance]).slot(appliance)
    release, reached = None, False
    try:
        yield from slot.acquire()
        reached = True
        entered = with_reauth(appliance, slot, _enter(appliance, unreachable_grace, timeout, slot))
        release = yield from _before_work(interrupted_note, entered)
        outcome = yield from with_reauth(appliance, slot, work)
    except BackupctlError as error:
        outcome = Outcome(result_type(), with_name_warning(_with_release(error, release), appliance.name_warning))
    except Exception as bug:  # noqa: BLE001 - one appliance's bug must not take the others' results away
        outcome = Outcome(result_type(), BugError.of(bug))
    slot.release(outcome.error)
    if reached:
        yield from _leave(appliance)
    return _entry(appliance, result_type, outcome, release)


def _entry(appliance: Appliance, result_type: type[R], outcome: Outcome[R], release: str | None) -> R:
    """Return the result, without the secrets that the appliance says again; what cannot be masked is not shown."""
    name, host = appliance.name, appliance.host
    family, simulated = appliance.api.family, appliance.simulated
    result = complete_result(
        outcome.value, server=name, host=host, error=outcome.error, api=family, release=release, simulated=simulated
    )
    try:
        return redacted(result, appliance.api.redact)
    except Exception as bug:  # noqa: BLE001 - one appliance's bug must not take the others' results away
        return complete_result(result_type(), server=name, host=host, error=BugError.of(bug))


def with_name_warning(error: BackupctlError, warning: str | None) -> BackupctlError:
    """Add the warning about an appliance's name to the error of an unknown host."""
    if isinstance(error, UnknownHostError) and warning is not None:
        return error.with_facts(hint=f"{warning}; else {error.hint}" if error.hint else warning)
    return error


def _with_release(error: BackupctlError, release: str | None) -> BackupctlError:
    """Tell which release it is that does not have an operation."""
    return error.with_facts(release=release) if isinstance(error, NotSupportedError) else error


def _patiently(
    appliance: Appliance, function: Callable[[], T], unreachable_grace: float, timeout: float | None
) -> Task[T]:
    """Call ``function`` within ``timeout`` from now, which does not include the time spent waiting for other logins."""
    until = None if timeout is None else appliance.clock.monotonic() + max(timeout, MIN_RESPONSE_SECONDS)
    return (yield from retry(appliance, function, unreachable_grace=unreachable_grace, until=until))


def _before_work(interrupted_note: str, enter: Task[T]) -> Task[T]:
    try:
        return (yield from enter)
    except InterruptedRunError as interruption:
        raise InterruptedRunError(
            f"$cause: {interrupted_note}", cause=interruption, hint=interruption.hint
        ) from interruption


def _enter(appliance: Appliance, unreachable_grace: float, timeout: float | None, slot: Slot) -> Task[str | None]:
    """Log in and return the release, None where the appliance does not tell: that alone is no reason to fail."""
    try:
        yield from slot.log_in(_patiently(appliance, appliance.api.log_in, unreachable_grace, timeout))
        version = yield from _patiently(appliance, appliance.api.version, unreachable_grace, timeout)
        release = version.version
    except (AuthorizationError, NotFoundError, ApplianceAnswerError) as error:
        starting = isinstance(error, ServerFaultError) and error.retryable
        if starting or not appliance.api.family:
            raise
        release = None
    appliance.emit(
        Connected(
            time=appliance.clock.now(),
            server=appliance.name,
            host=appliance.host,
            api=appliance.api.family or "",
            release=release,
        )
    )
    return release


def _leave(appliance: Appliance) -> Task[None]:
    """Log out and close; shielded, so that only a second interruption leaves the session open."""

    def leave() -> None:
        try:
            appliance.api.log_out()
        finally:
            appliance.api.close()

    with suppress(Exception):  # the outcome of the work is known, and other appliances still have to log out
        yield from attempt(leave, until=appliance.clock.monotonic() + LOGOUT_SECONDS, shielded=True)
