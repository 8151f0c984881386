"""A deadline for the whole work on an appliance: logins, retries, pauses, requests and the logout."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from backupctl.errors import ApplianceUnreachableError, BackupctlError, InterruptedRunError
from backupctl.formatting import duration_option
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.task import Call, Effect, Task

T = TypeVar("T")

LOGOUT_SHARE: Final = 0.1
"""The share of the time that is kept for shielded effects, which are logouts; at most two seconds."""


def with_deadline(appliance: Appliance, work: Task[T], began: float, seconds: float) -> Task[T]:
    """Run ``work`` so that it ends within ``seconds`` of ``began`` (monotonic).

    From then on, each effect raises the error of a request that is being retried, or that its answer is missing.
    """
    problem: BackupctlError | None = None
    resume: Callable[[Any], Effect] = work.send
    answer: Any = None
    while True:
        try:
            effect = resume(answer)
        except StopIteration as end:
            result: T = end.value
            return result
        until = began + seconds - (0 if effect.shielded else min(2.0, seconds * LOGOUT_SHARE))
        if appliance.clock.monotonic() >= until:
            problem = problem or _timed_out(appliance, effect, seconds)
            resume, answer = work.throw, problem
            continue
        try:
            answer = yield replace(effect, until=until if effect.until is None else min(until, effect.until))
            resume = work.send
            if isinstance(effect, Call):
                problem = None
            elif appliance.clock.monotonic() >= until:  # an event that it waits for has not come
                resume, answer = work.throw, problem or _timed_out(appliance, effect, seconds)
        except BackupctlError as error:
            is_over = not isinstance(error, InterruptedRunError) and appliance.clock.monotonic() >= until
            answer = (problem or _timed_out(appliance, effect, seconds)) if is_over else error
            resume, problem = work.throw, answer if answer.retryable else None
        except BaseException as error:  # noqa: BLE001 - the work decides what to do about it
            resume, answer = work.throw, error


def _timed_out(appliance: Appliance, effect: Effect, seconds: float) -> ApplianceUnreachableError:
    """Return the error that names the answer that is missing, by the operation of the API that an effect calls."""
    function: Any = effect.function if isinstance(effect, Call) else None
    name = getattr(getattr(function, "func", function), "__name__", "its turn to log in")
    return ApplianceUnreachableError(
        "timed out after $1; missing: $2",
        server=appliance.name,
        texts=(duration_option(seconds), name.replace("log_in", "login").replace("_", " ")),
    )
