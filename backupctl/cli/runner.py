"""Run a command's work on the selected appliances, show the results and return the exit code."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import click
import msgspec

from backupctl.cli.appliance_settings import ApplianceSettings, appliance_settings, selection_words
from backupctl.cli.command_traits import DEFAULT_TRAITS, STARTS_BACKUPS, CommandTraits
from backupctl.cli.contact import Contact, parallel_limit
from backupctl.cli.context import Context
from backupctl.cli.prompts import lines_of
from backupctl.cli.tasks import FailedAppliance, prepare_all, run_tasks
from backupctl.config.option_table import FAIL_FAST, SERVER, SIMULATE, TIMEOUT, TOGETHER
from backupctl.errors import InterruptedRunError, UnknownHostError, UsageError
from backupctl.formatting import duration
from backupctl.monitoring.skew import LINKED_WINDOW_SECONDS, skew_seconds
from backupctl.operations.appliance_run import NOTHING_CHANGED, run_on
from backupctl.operations.outcome import Outcome
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Ended
from backupctl.results.job import Job
from backupctl.results.result import Envelope, PreparedRequest, RequestsResult, Result, complete_result
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import NO_BACKUP, Coordinator, Slot
from backupctl.scheduler.deadline import with_deadline
from backupctl.scheduler.task import Task

if TYPE_CHECKING:
    from backupctl.cli.notifier import Notifier

R = TypeVar("R", bound=Result)
J = TypeVar("J", JobResult, RestoreResult)
T = TypeVar("T")

Work = Callable[[Appliance], Task[Outcome[T]]]
"""The work of a command on one appliance; it ends with a result (``run``) or a job (``run_job``)."""
SlotWork = Callable[[Appliance, Slot], Task[Outcome[T]]]
"""Work that waits for the slot of its appliance before it starts a backup."""
Confirm = Callable[[Sequence[Appliance]], None]
"""Asks whether to work on the appliances of a run. Raises UsageError: if not."""


class _Prepared(msgspec.Struct, Generic[T], frozen=True):
    """An appliance and the work to do on it."""

    settings: ApplianceSettings
    appliance: Appliance
    work: T


def run(
    context: Context,
    result_type: type[R],
    prepare: Callable[[ApplianceSettings], Work[R]],
    traits: CommandTraits = DEFAULT_TRAITS,
    *,
    confirm: Confirm = lambda _: None,
) -> int:
    """Run the work that ``prepare`` returns for each selected appliance, show the results and return the exit code."""
    return context.finish(collect(context, result_type, prepare, traits, confirm=confirm))


def collect(
    context: Context,
    result_type: type[R],
    prepare: Callable[[ApplianceSettings], Work[R]],
    traits: CommandTraits = DEFAULT_TRAITS,
    *,
    confirm: Confirm = lambda _: None,
) -> list[R]:
    """Run the work that ``prepare`` returns for each selected appliance, and return the results.

    All appliances are prepared, and confirmed by ``confirm``, before anything is sent. An error in the settings of one
    appliance becomes its result, and the others still run. One that all share is raised, unless there is a deadline.
    """

    def without_slot(settings: ApplianceSettings) -> SlotWork[R]:
        work = prepare(settings)
        return lambda appliance, _slot: work(appliance)

    return _run(context, result_type, without_slot, traits, confirm=confirm)


def run_job(
    context: Context,
    result_type: type[J],
    prepare: Callable[[ApplianceSettings], Work[Job]],
    traits: CommandTraits = DEFAULT_TRAITS,
    *,
    confirm: Confirm = lambda _: None,
) -> int:
    """Run work that ends with a job, which becomes its result; otherwise as ``run``."""

    def with_result(settings: ApplianceSettings) -> Work[J]:
        work = prepare(settings)
        return lambda appliance: job_result_of(result_type, work(appliance))

    return run(context, result_type, with_result, traits, confirm=confirm)


def run_backups(
    context: Context,
    result_type: type[JobResult],
    prepare: Callable[[ApplianceSettings], SlotWork[JobResult]],
) -> int:
    """Start a backup on each selected appliance, coordinated with the others; otherwise as ``run``."""
    try:
        results = _run(context, result_type, prepare, STARTS_BACKUPS)
        skew = skew_seconds(result.job for result in results) if context.value(TOGETHER) else None
        if skew is not None and skew > LINKED_WINDOW_SECONDS:
            apart, window = duration(skew), duration(LINKED_WINDOW_SECONDS)
            hint = "run it again: to restore linked appliances, their backups must be of the same time"
            context.view.warn(f"the backups started {apart} apart, not within {window}", hint, always=True)
        return context.finish(results, skew)
    except click.Abort as abort:  # at a prompt, and all prompts come before the start
        raise InterruptedRunError(f"interrupted: {NO_BACKUP}") from abort


def job_result_of(result_type: type[J], work: Task[Outcome[Job]]) -> Task[Outcome[J]]:
    """Do work that ends with a job, and return that job as a result."""
    outcome = yield from work
    return Outcome(result_type(job=outcome.value), outcome.error)


def _run(
    context: Context,
    result_type: type[R],
    prepare: Callable[[ApplianceSettings], SlotWork[R]],
    traits: CommandTraits,
    *,
    confirm: Confirm = lambda _: None,
) -> list[R]:
    began = context.clock.monotonic()
    selected = _select(context, traits)
    if traits.deadline is not None:
        context.secrets.ends_at = began + traits.deadline
    with Contact(context, selected, traits) as contact:
        notifier = _observe(context, contact, traits)
        prepared = _prepare(context, contact, prepare, raise_shared=traits.deadline is None)
        appliances = [each.appliance for each in prepared if isinstance(each, _Prepared)]
        if appliances:
            confirm(appliances)
        coordinator = _coordinator(context, prepared, traits)
        context.view.expect([each.settings.name for each in prepared], selection_words(context))
        _emit_failures(prepared)
        tasks = [_task(each, result_type, traits, coordinator, began=began, notifier=notifier) for each in prepared]
        return notifier.run(tasks) if notifier else run_tasks(context, tasks)


def _observe(context: Context, contact: Contact, traits: CommandTraits) -> "Notifier | None":
    """Let the journal and then the notifier get the results; return the notifier, None if nobody wants it.

    An error that ends the run before it begins is the result of each appliance, unless somebody at a terminal reads it.
    A wrong command line is not in the journal.
    """
    notifier = None
    if traits.starts_backups and any(each.profile.notify for each in contact.selected):
        from backupctl.cli.notifier import Notifier

        notifier = Notifier(context, contact)

    def on_shown(envelope: Envelope) -> None:
        from backupctl.cli.journal_access import write_journal

        error, results = envelope.error, envelope.results
        if error is not None and not context.prompter.interactive:
            results = tuple(FailedAppliance(each, error).result(JobResult) for each in contact.selected)
        if results and not isinstance(error, UsageError) and not context.value(SIMULATE):
            write_journal(context, contact.selected, results)
        if results and notifier is not None:
            notifier.report(results, begun=error is None)

    if traits.journaled:
        context.on_shown = on_shown
    return notifier


def show_requests(
    context: Context,
    prepare: Callable[[ApplianceSettings], Callable[[Appliance], tuple[PreparedRequest, ...]]],
    traits: CommandTraits = DEFAULT_TRAITS,
) -> int:
    """Show the requests that a command would send, and send nothing (``--dry-run``)."""
    results: list[Result] = [
        complete_result(
            RequestsResult(requests=each.work(each.appliance)),
            server=each.appliance.name,
            host=each.appliance.host,
            error=None,
            simulated=each.appliance.simulated,
        )
        if isinstance(each, _Prepared)
        else each.result(RequestsResult)
        for each in _prepare(context, Contact(context, _select(context, traits), traits, offline=True), prepare)
    ]
    return context.finish(results)


def _select(context: Context, traits: CommandTraits) -> list[ApplianceSettings]:
    """Return the settings of each selected appliance. Raises UsageError: for several, if the command accepts one."""
    selected = appliance_settings(context)
    if traits.single_reason is not None and len(selected) > 1:
        hint = "choose one with --server, or run the command once for each"
        raise UsageError(f"{traits.single_reason}, but {len(selected)} are selected", hint=hint)
    return selected


def _begin(context: Context, contact: Contact) -> None:
    """Begin the contact; prompt again for a typed server whose name cannot be resolved."""
    contact.begin()
    while context.is_answered((SERVER.name,)):
        unknown = next((each for each in contact.errors.values() if isinstance(each, UnknownHostError)), None)
        if unknown is None:
            return
        context.prompter.say(lines_of(unknown))
        context.forget((SERVER.name,))
        contact.restart(appliance_settings(context))


def _prepare(
    context: Context, contact: Contact, prepare: Callable[[ApplianceSettings], T], *, raise_shared: bool = True
) -> list[_Prepared[T] | FailedAppliance]:
    """Return each selected appliance with its work, or with the error in its settings or of the first contact."""

    def prepare_one(settings: ApplianceSettings) -> T:
        contact.appliance(settings)
        return prepare(settings)

    _begin(context, contact)
    works = prepare_all(contact.selected, prepare_one, raise_shared=raise_shared)
    contact.complete({each.settings.name: each.error for each in works if isinstance(each, FailedAppliance)})
    return [
        FailedAppliance(settings, contact.errors[settings.name])
        if isinstance(work, FailedAppliance) or settings.name in contact.errors
        else _Prepared(settings, contact.appliance(settings), work)
        for settings, work in zip(contact.selected, works, strict=True)
    ]


def _coordinator(
    context: Context, prepared: Sequence[_Prepared[SlotWork[R]] | FailedAppliance], traits: CommandTraits
) -> Coordinator:
    """Return the coordinator of the appliances of the run."""
    return Coordinator(
        [each.appliance for each in prepared if isinstance(each, _Prepared)],
        parallel=parallel_limit(context, traits),
        together=traits.starts_backups and context.value(TOGETHER),
        fail_fast=traits.starts_backups and context.value(FAIL_FAST),
        failed={each.settings.name: each.error for each in prepared if not isinstance(each, _Prepared)},
    )


def _emit_failures(prepared: Sequence[_Prepared[SlotWork[R]] | FailedAppliance]) -> None:
    """Emit ``Ended`` for failed appliances of several, as the others do when their work ends."""
    for each in prepared:
        if isinstance(each, FailedAppliance) and len(prepared) > 1:
            now, error = each.settings.clock.now(), each.error
            each.settings.view.event(Ended(time=now, server=each.settings.name, exit_code=error.exit_code, error=error))


def _task(
    each: _Prepared[SlotWork[R]] | FailedAppliance,
    result_type: type[R],
    traits: CommandTraits,
    coordinator: Coordinator,
    *,
    began: float,
    notifier: "Notifier | None",
) -> Task[R]:
    if isinstance(each, _Prepared):
        slot = coordinator.slot(each.appliance)
        task = run_on(
            each.appliance,
            result_type,
            each.work(each.appliance, slot),
            unreachable_grace=traits.unreachable_grace,
            timeout=each.settings.value(TIMEOUT) if traits.timed else None,
            slot=slot,
            before=notifier.before(each.settings) if notifier else None,
            interrupted_note=NO_BACKUP if traits.starts_backups else NOTHING_CHANGED,
        )
        return task if traits.deadline is None else with_deadline(each.appliance, task, began, traits.deadline)
    return each.task(result_type)
