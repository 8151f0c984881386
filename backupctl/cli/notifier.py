"""Report the backups of a run as the notify tables of the configuration file say, with the hooks around each."""

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.channels import Channel, Delivery, find_channels, send, send_all
from backupctl.cli.config_check import error_text
from backupctl.cli.context import Context
from backupctl.cli.hooks import Hooks
from backupctl.cli.tasks import run_tasks
from backupctl.config.notify_keys import AFTER_FAILURE, AFTER_SUCCESS, BEFORE
from backupctl.config.option_table import NO_WAIT
from backupctl.errors import BackupctlError, BugError, ConfigError, InterruptedRunError
from backupctl.exit_codes import ExitCode
from backupctl.monitoring.notification import Notification, notification
from backupctl.results.backup_results import StartedResult
from backupctl.results.result import Result
from backupctl.results.result_redaction import redacted
from backupctl.scheduler.task import Task
from backupctl.state.failure_marks import change_marks

if TYPE_CHECKING:
    from backupctl.cli.contact import Contact

R = TypeVar("R", bound=Result)


class Notifier:
    """Reports the backups of one run; only the failure of a hook before a backup changes a result."""

    def __init__(self, context: Context, contact: "Contact") -> None:
        self._context = context
        self._contact = contact
        self._hooks = Hooks(context)

    @cached_property
    def _channels(self) -> list[Channel]:
        try:
            return find_channels(self._context, self._contact.selected)
        except Exception as bug:  # noqa: BLE001 - the backups do not depend on it
            self._warn(BugError.of(bug), "nothing is reported")
            return []

    def before(self, settings: ApplianceSettings) -> Task[None]:
        """Run the hook before the backup of an appliance. Raises HookFailedError: if it fails."""
        yield from self._hooks.run(settings, BEFORE)

    def run(self, tasks: Sequence[Task[R]]) -> list[R]:
        """Run the backups of the selected appliances, with a ping of their start if the run waits for their end."""
        with_hooks = [self._with_hook(*each) for each in zip(self._contact.selected, tasks, strict=True)]
        results = run_tasks(self._context, [*with_hooks, *self._starts()])
        return cast("list[R]", results[: len(with_hooks)])

    def report(self, results: Sequence[Result], *, begun: bool) -> None:
        """Report the results of the selected appliances, with the hooks of a run that has not begun.

        A run that was interrupted is not reported.
        """
        if any(result.exit_code == ExitCode.INTERRUPTED for result in results):
            return
        try:
            self._send_messages([result for result in results if not _is_only_started(result)])
            hooks = [self._after(*each) for each in zip(self._contact.selected, results, strict=True)]
            run_tasks(self._context, [] if begun else hooks, sets_exit_code=False)
        except InterruptedRunError:
            return
        except Exception as bug:  # noqa: BLE001 - the result is shown, and the exit code is final
            self._warn(BugError.of(bug), "nothing was reported")

    def _starts(self) -> list[Task[None]]:
        """Return the pings of the start of a run that waits for its end."""
        pings = [] if self._context.value(NO_WAIT) else [each for each in self._channels if each.on is None]
        for name in dict.fromkeys(each.missing[0] for each in pings if each.missing):
            warning = f"success ping not sent: {name} uses the same ping URL and is not part of this run"
            hint = "give the servers that run together a ping of their own, in a table [notify.groups.NAME]"
            self._context.view.warn(warning, hint, always=True)
        return [self._start(each) for each in pings if not each.missing]

    def _start(self, channel: Channel) -> Task[None]:
        message = Notification("start", f"backupctl {self._context.command} has started", "\n".join(channel.servers))
        try:
            self._warn_of((yield from send(self._context, channel, message)))
        except InterruptedRunError:
            return

    def _send_messages(self, ended: Sequence[Result]) -> None:
        failed_before = self._change_marks(failed=[result.server for result in ended if result.exit_code])
        messages = []
        for channel in self._channels:
            names = set(channel.servers)
            about = [result for result in ended if result.server in names]
            message = notification(str(self._context.command), os.uname().nodename, about)
            succeeded_all = channel.on is None and not channel.missing
            has_recovered = channel.on == "recovery" and names & failed_before
            if about and (message.failed or channel.on == "always" or succeeded_all or has_recovered):
                messages.append((channel, message))
        deliveries = send_all(self._context, messages)
        self._warn_of(deliveries)
        unsent = [each.channel for each in deliveries if each.error and each.channel.on == "recovery"]
        kept = {result.server for result in ended if result.exit_code}.union(*(each.servers for each in unsent))
        if recovered := failed_before & {result.server for result in ended} - kept:
            self._change_marks(recovered=recovered)

    def _change_marks(self, **servers: Iterable[str]) -> set[str]:
        """Change the marks of failed servers, which the occasion ``recovery`` needs, and return the earlier ones."""
        try:
            if any(channel.on == "recovery" for channel in self._channels):
                return change_marks(self._context.state_directory, **servers)
        except (ConfigError, OSError) as error:
            self._context.view.warn(f"the recovery of a server may not be reported: {error}", always=True)
        return set()

    def _warn_of(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.error is not None:
                self._warn(delivery.error, f"not sent ({delivery.name})")

    def _warn(self, error: BackupctlError, *before: str) -> None:
        self._context.view.warn(": ".join([*before, error_text(error)]), always=True)

    def _with_hook(self, settings: ApplianceSettings, work: Task[R]) -> Task[R]:
        result = yield from work
        if result.exit_code != ExitCode.INTERRUPTED and not _is_only_started(result):
            yield from self._after(settings, result)
        return result

    def _after(self, settings: ApplianceSettings, result: Result) -> Task[None]:
        try:
            yield from self._hooks.run(settings, AFTER_FAILURE if result.exit_code else AFTER_SUCCESS, result)
        except InterruptedRunError:
            return
        except Exception as problem:  # noqa: BLE001 - the backup is done or not, whatever the hook does
            error = problem if isinstance(problem, BackupctlError) else BugError.of(problem)
            self._warn(redacted(error, settings.redactor.redact))


def _is_only_started(result: Result) -> bool:
    return isinstance(result, StartedResult) and not result.exit_code
