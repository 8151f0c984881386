"""The outcome of work on one appliance."""

from typing import Generic, TypeVar

import msgspec

from backupctl.error_facts import renamed
from backupctl.errors import BackupctlError, BugError
from backupctl.results.result import Result, complete_result
from backupctl.scheduler.task import Task

R = TypeVar("R", bound=Result)
T_co = TypeVar("T_co", covariant=True)


class Outcome(msgspec.Struct, Generic[T_co], frozen=True):
    """A value, such as the last known job or a result, and an error, which is None only on success."""

    value: T_co
    error: BackupctlError | None = None


def completed(work: Task[Outcome[R]], result_type: type[R], *, name: str, host: str) -> Task[R]:
    """Do work that needs no login and return its result; errors become part of it."""
    try:
        outcome = yield from work
    except BackupctlError as failure:
        outcome = Outcome(result_type(), failure.from_facts(renamed(failure.facts, host, name)))
    except Exception as bug:  # noqa: BLE001 - one appliance's bug must not take the others' results away
        outcome = Outcome(result_type(), BugError.of(bug))
    return complete_result(outcome.value, server=name, host=host, error=outcome.error)
