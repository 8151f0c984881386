"""Run tasks under signals, and prepare the work on each appliance of a run."""

import queue
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TypeVar

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.signals import deliver_signals
from backupctl.config.process import resume_garbage_collection
from backupctl.errors import BackupctlError, ConfigError, InterruptedRunError, UsageError
from backupctl.results.result import Result, complete_result
from backupctl.scheduler.scheduler import Mailbox, Scheduler
from backupctl.scheduler.task import Task
from backupctl.scheduler.workers import ThreadWorkers

R = TypeVar("R", bound=Result)
T = TypeVar("T")


def run_tasks(
    context: Context, tasks: Sequence[Task[T]], *, sets_exit_code: bool = True, interrupted: bool = False
) -> list[T]:
    """Run tasks under signals and return their results; ``sets_exit_code`` is passed on to ``deliver_signals``.

    ``interrupted``: the tasks clean up after a signal, so signals are not delivered to them.
    """
    resume_garbage_collection()
    mailbox: Mailbox = queue.SimpleQueue()
    scheduler: Scheduler[T] = Scheduler(context.clock, context.workers or ThreadWorkers(), mailbox, context.view.warn)
    with nullcontext() if interrupted else deliver_signals(mailbox, sets_exit_code=sets_exit_code):
        results = scheduler.run(tasks)
        context.view.close()
    return results


class FailedAppliance(msgspec.Struct, frozen=True):
    """An appliance on which the work cannot begin: its settings are wrong, or the first contact failed."""

    settings: ApplianceSettings
    error: BackupctlError

    def result(self, result_type: type[R]) -> R:
        """Return the result of this appliance."""
        return complete_result(
            result_type(), server=self.settings.name, host=self.settings.profile.address.host, error=self.error
        )

    def task(self, result_type: type[R]) -> Task[R]:
        """Return the result as a task."""
        yield from ()
        return self.result(result_type)


def prepare_all(
    selected: Sequence[ApplianceSettings], prepare: Callable[[ApplianceSettings], T], *, raise_shared: bool = True
) -> list[T | FailedAppliance]:
    """Return the result of ``prepare`` for each appliance, or its error.

    Raises UsageError, and ConfigError with ``raise_shared``: if all appliances have the same one, as a single one has.
    """
    prepared: list[T | FailedAppliance] = []
    errors: list[BackupctlError] = []
    for settings in selected:
        try:
            prepared.append(prepare(settings))
        except InterruptedRunError:
            raise
        except BackupctlError as error:
            errors.append(error)
            prepared.append(FailedAppliance(settings, error))
    is_shared = len(errors) == len(prepared) and len(set(errors)) == 1
    if is_shared and isinstance(errors[0], UsageError | ConfigError if raise_shared else UsageError):
        raise errors[0]
    return prepared


def prepare_tasks(
    selected: Sequence[ApplianceSettings], result_type: type[R], prepare: Callable[[ApplianceSettings], Task[R]]
) -> list[Task[R]]:
    """Return the task of each appliance; an error in its settings becomes its result. Raises as ``prepare_all``."""
    prepared = prepare_all(selected, prepare)
    return [each.task(result_type) if isinstance(each, FailedAppliance) else each for each in prepared]
