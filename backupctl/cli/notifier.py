"""Report the backups of a run as the notify tables of the configuration file say, and run the hooks around each."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.context import Context
from backupctl.cli.delivery import Way, deliver, find_ways, notify_value
from backupctl.cli.hooks import run_hook
from backupctl.cli.tasks import run_tasks
from backupctl.config.environment import environment_without_secrets
from backupctl.config.notify_keys import PING
from backupctl.config.option_table import NO_WAIT, STATE_DIR
from backupctl.errors import HookFailedError, InterruptedRunError
from backupctl.exit_codes import ExitCode
from backupctl.monitoring.notification import Notification, notification, start_of
from backupctl.output.json_text import json_text
from backupctl.results.backup_results import JobResult, StartedResult
from backupctl.results.result import Envelope, Result, complete_result
from backupctl.results.result_redaction import redacted
from backupctl.scheduler.task import Task
from backupctl.state.directory import state_directory

if TYPE_CHECKING:
    from backupctl.cli.contact import Contact

R = TypeVar("R", bound=Result)


class Notifier:
    """Reports the backups of one run. No failure in this changes a result, but for that of a hook before a backup."""

    def __init__(self, context: Context, contact: "Contact") -> None:
        self._context = context
        self._contact = contact
        self._command = str(context.command)

    @cached_property
    def _ways(self) -> list[Way]:
        return find_ways(self._context, self._contact.selected)

    def before(self, settings: ApplianceSettings) -> Task[None]:
        """Run the hook before the backup of an appliance. Raises HookFailedError: if it fails."""
        yield from self._run_hook(settings, "before")

    def run(self, tasks: Sequence[Task[R]]) -> list[R]:
        """Run the backups of the selected appliances, with a ping of their start if the run waits for their end."""
        around = [self._around(*each) for each in zip(self._contact.selected, tasks, strict=True)]
        names = {settings.name for settings in self._contact.selected}
        waits = not self._context.value(NO_WAIT)
        pinged = [way for way in self._ways if way.on is None and waits and self._covers(way, names)]
        starts = [self._tell(way, start_of(self._command, way.servers)) for way in pinged]
        return cast("list[R]", run_tasks(self._context, [*around, *starts])[: len(around)])

    def report(self, envelope: Envelope) -> None:
        """Report the results of the run, or the error that ended it; a run that was interrupted is not reported."""
        error, context = envelope.error, self._context
        results: Sequence[Result] = envelope.results
        if error is not None:
            each = [(settings, settings.profile.address.host) for settings in self._contact.selected]
            results = [complete_result(JobResult(), server=one.name, host=host, error=error) for one, host in each]
        if any(result.exit_code == ExitCode.INTERRUPTED for result in results):
            return
        hooks = [self._after(*each) for each in zip(self._contact.selected, results, strict=True) if error is not None]
        ended = [result for result in results if not _is_only_started(result)]
        failed_before = self._remember(ended)
        told = [each for way in self._ways for each in self._messages(way, ended, failed_before)]
        run_tasks(context, [*hooks, *told], sets_exit_code=False)

    def _messages(self, way: Way, ended: Sequence[Result], failed_before: set[str]) -> Iterator[Task[None]]:
        about = [result for result in ended if result.server in way.servers]
        message = notification(self._command, os.uname().nodename, about)
        names = {result.server for result in about}
        if about and (message.failed or self._is_wanted(way, names, failed_before)):
            yield self._tell(way, message)

    def _is_wanted(self, way: Way, names: set[str], failed_before: set[str]) -> bool:
        """Whether the success of servers is reported: by a ping only for all that share it, as it names none."""
        if way.on is not None:
            return way.on == "always" or (way.on == "recovery" and bool(names & failed_before))
        covers = self._covers(way, names)
        if not covers:
            hint = "give servers that run together a ping of their own, in a table [notify.groups.NAME]"
            self._context.view.warn("no ping: other servers share it, and were not backed up by this run", hint)
        return covers

    def _covers(self, way: Way, names: set[str]) -> bool:
        for name, profile in self._context.configuration.servers.items():
            place = self._context.secrets.in_file(PING, profile.notify)
            if place is not None and place.key == way.place and name not in names:
                return False
        return True

    def _tell(self, way: Way, message: Notification) -> Task[None]:
        error = yield from deliver(self._context, way, message)
        if error is not None and not isinstance(error, InterruptedRunError):
            self._context.view.warn(f"not sent ({way.name}): {error.message}", error.hint, always=True)

    def _around(self, settings: ApplianceSettings, work: Task[R]) -> Task[R]:
        result = yield from work
        if result.exit_code != ExitCode.INTERRUPTED and not _is_only_started(result):
            yield from self._after(settings, result)
        return result

    def _after(self, settings: ApplianceSettings, result: Result) -> Task[None]:
        try:
            yield from self._run_hook(settings, "after-failure" if result.exit_code else "after-success", result)
        except HookFailedError as error:
            shown = redacted(error, settings.redactor.redact)
            settings.view.warn(": ".join([shown.message, *shown.details[-1:]]), always=True)
        except InterruptedRunError:
            return

    def _run_hook(self, settings: ApplianceSettings, key: str, result: Result | None = None) -> Task[None]:
        words = notify_value(settings, key, None)
        if words is None:
            return
        context = self._context
        facts = {"COMMAND": self._command, "SERVER": settings.name}
        if result is not None:
            error, job = result.error, result.job if isinstance(result, JobResult) else None
            facts |= {"EXIT_CODE": f"{result.exit_code:d}", "SLUG": error.slug if error else ""}
            facts |= {"JOB": job.id if job else ""}
        environ = environment_without_secrets(context.environ, context.configuration.secret_variables)
        environ |= {f"BACKUPCTL_{name}": value for name, value in facts.items()}
        given, timeout = json_text(result) if result else "", notify_value(settings, "hook-timeout", 60.0)
        problem, lines = yield from run_hook(words, environ, given, context.clock, timeout)
        for line in lines:
            settings.debug(f"{key} hook: {settings.redactor.redact(line)}")
        if problem:
            about = f"{key} hook {words[0]!r}"  # the other words may be secret
            raise HookFailedError("$1 $2", texts=(about, problem), server=settings.name, details=lines)

    def _remember(self, ended: Sequence[Result]) -> set[str]:
        """Keep which servers failed, for the occasion ``recovery``, and return those that had failed before."""
        failed_before, folder = set[str](), state_directory(self._context.value(STATE_DIR), self._context.environ)
        if folder is None or not any(way.on == "recovery" for way in self._ways):
            return failed_before
        try:
            (folder / "failed").mkdir(mode=0o700, parents=True, exist_ok=True)
            for result in ended:
                mark = folder / "failed" / quote(result.server, safe="")
                failed_before |= {result.server} if mark.exists() else set()
                if result.exit_code:
                    mark.touch(mode=0o600)
                else:
                    mark.unlink(missing_ok=True)
        except OSError as error:
            self._context.view.debug(f"state directory {folder}: {error.strerror}")
        return failed_before


def _is_only_started(result: Result) -> bool:
    return isinstance(result, StartedResult) and not result.exit_code
