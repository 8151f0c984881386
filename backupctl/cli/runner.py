"""From work to exit code: run it on the appliances, under signals, and show what came out."""

import queue
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings, appliance_settings
from backupctl.cli.command_traits import DEFAULT_TRAITS, STARTS_BACKUPS, CommandTraits
from backupctl.cli.connection import connect
from backupctl.cli.context import Context
from backupctl.cli.signals import deliver_signals
from backupctl.config.option_table import FAIL_FAST, PARALLEL, TIMEOUT, TOGETHER
from backupctl.config.value import attribute_errors
from backupctl.errors import BackupctlError, ReadOnlyError, UsageError
from backupctl.operations.appliance_run import NOTHING_CHANGED, run_on
from backupctl.operations.outcome import Outcome
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Ended
from backupctl.results.job import Job
from backupctl.results.result import Envelope, PreparedRequest, RequestsResult, Result, complete_result
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import NO_BACKUP, Coordinator, Slot
from backupctl.scheduler.scheduler import Mailbox, Scheduler
from backupctl.scheduler.task import Task
from backupctl.scheduler.workers import ThreadWorkers

R = TypeVar("R", bound=Result)
J = TypeVar("J", JobResult, RestoreResult)
T = TypeVar("T")

Work = Callable[[Appliance], Task[Outcome[T]]]
"""What is done on an appliance: it ends with a result (``run``) or with a job (``run_job``)."""
SlotWork = Callable[[Appliance, Slot], Task[Outcome[T]]]
"""The same for work that starts a backup, and waits for the slot of its appliance before that."""


class _Ready(msgspec.Struct, Generic[T], frozen=True):
    """An appliance, and what is to be done with it."""

    settings: ApplianceSettings
    appliance: Appliance
    work: T


def run(
    context: Context,
    command: str,
    result_type: type[R],
    prepare: Callable[[ApplianceSettings], Work[R]],
    traits: CommandTraits = DEFAULT_TRAITS,
    *,
    confirm: Callable[[Appliance], None] = lambda _: None,
) -> int:
    """Do on each appliance of the command line what ``prepare`` makes for it; show the results, return the exit code.

    Nothing is sent before all is prepared. ``confirm`` may raise before that. What is wrong with the settings of one
    appliance of several is its result, and the others are seen to; what is wrong with those of all is raised.
    """

    def without_slot(settings: ApplianceSettings) -> SlotWork[R]:
        work = prepare(settings)
        return lambda appliance, _slot: work(appliance)

    return _run(context, command, result_type, without_slot, traits, confirm=confirm)


def run_job(
    context: Context,
    command: str,
    result_type: type[J],
    prepare: Callable[[ApplianceSettings], Work[Job]],
    traits: CommandTraits = DEFAULT_TRAITS,
    *,
    confirm: Callable[[Appliance], None] = lambda _: None,
) -> int:
    """Run work that ends with a job, and make that job its result; otherwise as ``run``."""

    def with_result(settings: ApplianceSettings) -> Work[J]:
        work = prepare(settings)
        return lambda appliance: _job_result(result_type, work(appliance))

    return run(context, command, result_type, with_result, traits, confirm=confirm)


def run_backups(
    context: Context,
    command: str,
    result_type: type[JobResult],
    prepare: Callable[[ApplianceSettings], SlotWork[Job]],
) -> int:
    """Start a backup on each appliance of the command line, coordinated with the others; otherwise as ``run_job``."""

    def with_result(settings: ApplianceSettings) -> SlotWork[JobResult]:
        work = prepare(settings)
        return lambda appliance, slot: _job_result(result_type, work(appliance, slot))

    return _run(context, command, result_type, with_result, STARTS_BACKUPS)


def _job_result(result_type: type[J], work: Task[Outcome[Job]]) -> Task[Outcome[J]]:
    """Do work that ends with a job, and return that job as a result."""
    ended = yield from work
    return Outcome(result_type(job=ended.value), ended.error)


def _run(
    context: Context,
    command: str,
    result_type: type[R],
    prepare: Callable[[ApplianceSettings], SlotWork[R]],
    traits: CommandTraits,
    *,
    confirm: Callable[[Appliance], None] = lambda _: None,
) -> int:
    ready = _ready(context, prepare, traits)
    for each in ready:
        if isinstance(each, _Ready):
            confirm(each.appliance)
    coordinator = _coordinator(context, ready, traits)
    context.view.expect([each.settings.name for each in ready])
    _tell_failed(ready)
    results = run_tasks(context, [_task(each, result_type, traits, coordinator) for each in ready])
    return context.finish(Envelope.of(command, results))


def run_tasks(context: Context, tasks: Sequence[Task[R]], *, decides: bool = True) -> list[R]:
    """Run tasks under signals and return their results; ``decides`` is passed on to ``deliver_signals``."""
    mailbox: Mailbox = queue.SimpleQueue()
    scheduler: Scheduler[R] = Scheduler(context.clock, context.workers or ThreadWorkers(), mailbox, context.view.warn)
    with deliver_signals(mailbox, decides=decides):
        results = scheduler.run(tasks)
        context.view.close()
    return results


def show_requests(
    context: Context,
    command: str,
    prepare: Callable[[ApplianceSettings], Callable[[Appliance], tuple[PreparedRequest, ...]]],
    traits: CommandTraits = DEFAULT_TRAITS,
) -> int:
    """Show what would be sent, and send nothing (``--dry-run``)."""
    results: list[Result] = [
        complete_result(
            RequestsResult(requests=each.work(each.appliance)),
            server=each.appliance.name,
            host=each.appliance.host,
            error=None,
            simulated=each.appliance.simulated,
        )
        if isinstance(each, _Ready)
        else each.result(RequestsResult)
        for each in _ready(context, prepare, traits, offline=True)
    ]
    return context.finish(Envelope.of(command, results))


class FailedAppliance(msgspec.Struct, frozen=True):
    """An appliance of which it is known before anything is sent that nothing can be done with it."""

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
    found: Sequence[ApplianceSettings], make: Callable[[ApplianceSettings], T]
) -> list[T | FailedAppliance]:
    """Return what ``make`` makes for each appliance, or what keeps it from being made.

    Raises the error that all have in common, and so that of the only one.
    """
    made: list[T | FailedAppliance] = []
    for settings in found:
        try:
            made.append(make(settings))
        except BackupctlError as error:
            made.append(FailedAppliance(settings, error))
    errors = [each.error for each in made if isinstance(each, FailedAppliance)]
    if len(errors) == len(made) and len(set(errors)) == 1:
        raise errors[0]
    return made


def _ready(
    context: Context, prepare: Callable[[ApplianceSettings], T], traits: CommandTraits, *, offline: bool = False
) -> list[_Ready[T] | FailedAppliance]:
    """Return what is to be done with each appliance, or what keeps it from being done."""
    found = appliance_settings(context)
    if traits.single is not None and len(found) > 1:
        hint = "name the one that is meant, or run the command once for each"
        raise UsageError(f"{traits.single}, and {len(found)} are named", hint=hint)

    def ready(settings: ApplianceSettings) -> _Ready[T]:
        if traits.changes and not offline:
            _check_may_change(settings)
        return _Ready(settings, connect(settings, offline=offline, fresh=traits.fresh), prepare(settings))

    return prepare_all(found, ready)


def _check_may_change(settings: ApplianceSettings) -> None:
    guard = settings.profile.read_only
    if guard.value:
        with attribute_errors(guard.source):
            raise ReadOnlyError(
                f"{settings.name} is read-only: nothing that changes the appliance is done",
                hint="a profile without read-only = true is needed for this",
            )


def _coordinator(
    context: Context, ready: Sequence[_Ready[SlotWork[R]] | FailedAppliance], traits: CommandTraits
) -> Coordinator:
    """Return what coordinates the appliances of the run."""
    return Coordinator(
        [each.appliance for each in ready if isinstance(each, _Ready)],
        parallel=(context.value(PARALLEL) or None) if traits.starts_backups else None,
        together=traits.starts_backups and context.value(TOGETHER),
        fail_fast=traits.starts_backups and context.value(FAIL_FAST),
        failed={each.settings.name: each.error for each in ready if not isinstance(each, _Ready)},
    )


def _tell_failed(ready: Sequence[_Ready[SlotWork[R]] | FailedAppliance]) -> None:
    """Tell of several which are over before they began, as the others tell when their work is over."""
    for each in ready:
        if isinstance(each, FailedAppliance) and len(ready) > 1:
            now, error = each.settings.clock.now(), each.error
            each.settings.view.event(Ended(time=now, server=each.settings.name, exit_code=error.exit_code, error=error))


def _task(
    each: _Ready[SlotWork[R]] | FailedAppliance,
    result_type: type[R],
    traits: CommandTraits,
    coordinator: Coordinator,
) -> Task[R]:
    if isinstance(each, _Ready):
        slot = coordinator.slot(each.appliance)
        return run_on(
            each.appliance,
            result_type,
            each.work(each.appliance, slot),
            unreachable_grace=traits.unreachable_grace,
            timeout=each.settings.value(TIMEOUT) if traits.timed else None,
            slot=slot,
            interrupted_note=NO_BACKUP if traits.starts_backups else NOTHING_CHANGED,
        )
    return each.task(result_type)
