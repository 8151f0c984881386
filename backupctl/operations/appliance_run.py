"""Run work on one appliance from login to logout; errors become part of the result, and the session is always ended."""

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
from backupctl.scheduler.retry import retry
from backupctl.scheduler.task import MIN_RESPONSE_SECONDS, Task, attempt

R = TypeVar("R", bound=Result)
T = TypeVar("T")

LOGOUT_SECONDS: Final = 5.0
"""Time limit of a logout; an interrupted run logs out of all appliances concurrently, so it takes 5 s in total."""

NOTHING_CHANGED: Final = "nothing was changed"
"""Part of the message when a run is interrupted before the work starts."""


def run_on(
    appliance: Appliance,
    result_type: type[R],
    work: Task[Outcome[R]],
    *,
    unreachable_grace: float = 0.0,
    timeout: float | None = None,
    slot: Slot | None = None,
    before: Task[None] | None = None,
    interrupted_note: str = NOTHING_CHANGED,
) -> Task[R]:
    """Log in, do ``work``, log out, and return the result; errors become part of it.

    The appliance may be unreachable for ``unreachable_grace`` seconds, within ``timeout``. Nothing is sent before
    ``slot`` is acquired, but ``first_login`` may have opened the session; without a slot, the appliance is the only one
    of the run. ``before`` comes between slot and login. ``interrupted_note`` is added to the message when one of these
    two is interrupted, and says what that means for the work.
    """
    slot = slot or Coordinator([appliance]).slot(appliance)
    release = None
    try:
        yield from slot.acquire()
        if before is not None:
            yield from _with_interrupted_note(before, interrupted_note)
        login = with_reauth(appliance, slot, _log_in(appliance, unreachable_grace, timeout, slot))
        release = yield from _with_interrupted_note(login, interrupted_note)
        outcome = yield from with_reauth(appliance, slot, work)
    except BackupctlError as error:
        outcome = Outcome(result_type(), with_name_warning(_with_release(error, release), appliance.name_warning))
    except Exception as bug:  # noqa: BLE001 - one appliance's bug must not take the others' results away
        outcome = Outcome(result_type(), BugError.of(bug))
    slot.release(outcome.error)
    yield from log_out(appliance)
    return _redacted_result(appliance, result_type, outcome, release)


def _redacted_result(appliance: Appliance, result_type: type[R], outcome: Outcome[R], release: str | None) -> R:
    """Return the complete result with secrets masked; a bug in the masking is returned as an empty result instead."""
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
        hint = error.facts.hint
        return error.with_facts(hint=f"{warning}; else {hint}" if hint else warning)
    return error


def _with_release(error: BackupctlError, release: str | None) -> BackupctlError:
    """Add the release to the error of an operation that it does not have."""
    return error.with_facts(release=release) if release and isinstance(error, NotSupportedError) else error


def _retry_within(
    appliance: Appliance, function: Callable[[], T], unreachable_grace: float, timeout: float | None
) -> Task[T]:
    """Call ``function`` with retries for up to ``timeout`` seconds; an earlier wait for other logins does not count."""
    until = None if timeout is None else appliance.clock.monotonic() + max(timeout, MIN_RESPONSE_SECONDS)
    return (yield from retry(appliance, function, unreachable_grace=unreachable_grace, until=until))


def _with_interrupted_note(login: Task[T], note: str) -> Task[T]:
    try:
        return (yield from login)
    except InterruptedRunError as interruption:
        raise InterruptedRunError(f"$cause: {note}", cause=interruption, hint=interruption.facts.hint) from interruption


def first_login(
    appliance: Appliance, slot: Slot, unreachable_grace: float, timeout: float | None, interrupted_note: str
) -> Task[BackupctlError | None]:
    """Log in before ``run_on``, which then uses the session; return the error of a login that failed.

    Raises InterruptedRunError: with ``interrupted_note`` in its message.
    """
    login = slot.log_in(_retry_within(appliance, appliance.api.log_in, unreachable_grace, timeout))
    return (yield from result_or_error(appliance, _with_interrupted_note(login, interrupted_note)))


def result_or_error(appliance: Appliance, work: Task[T]) -> Task[T | BackupctlError]:
    """Return the result of work that comes before ``run_on``, or its error. Raises InterruptedRunError: as it does."""
    try:
        return (yield from work)
    except InterruptedRunError:
        raise
    except BackupctlError as error:
        return redacted(with_name_warning(error, appliance.name_warning), appliance.api.redact)
    except Exception as bug:  # noqa: BLE001 - one appliance's bug must not take the others' results away
        return BugError.of(bug)


def _log_in(appliance: Appliance, unreachable_grace: float, timeout: float | None, slot: Slot) -> Task[str | None]:
    """Log in, emit ``Connected`` and return the release; if it cannot be read, the run continues with None."""
    try:
        yield from slot.log_in(_retry_within(appliance, appliance.api.log_in, unreachable_grace, timeout))
        version = yield from _retry_within(appliance, appliance.api.version, unreachable_grace, timeout)
        release = version.version
    except (AuthorizationError, NotFoundError, ApplianceAnswerError) as error:
        starting = isinstance(error, ServerFaultError) and error.retryable
        if starting or not appliance.api.family:
            raise
        release = None
    appliance.emit(Connected(host=appliance.host, api=appliance.api.family or "", release=release))
    return release


def log_out(appliance: Appliance) -> Task[None]:
    """Log out and close the connection, shielded, so that only a second interruption leaves the session open."""

    def log_out() -> None:
        try:
            appliance.api.log_out()
        finally:
            appliance.api.close()

    with suppress(Exception):  # a failed logout must not change the result, nor stop the logout of other appliances
        yield from attempt(log_out, until=appliance.clock.monotonic() + LOGOUT_SECONDS, shielded=True)
