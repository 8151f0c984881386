"""Report the backups of a run as the notify tables of the configuration file say, and run the hooks around each."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.config_check import error_text
from backupctl.cli.context import Context
from backupctl.cli.delivery import Way, deliver, find_ways, notify_value
from backupctl.cli.hooks import run_hook
from backupctl.cli.journal_access import directory_of
from backupctl.cli.tasks import FailedAppliance, run_tasks
from backupctl.config.environment import environment_without_secrets
from backupctl.config.notify_keys import PING
from backupctl.config.option_table import NO_WAIT
from backupctl.errors import BackupctlError, BugError, ConfigError, HookFailedError, InterruptedRunError
from backupctl.exit_codes import ExitCode
from backupctl.monitoring.notification import Notification, notification
from backupctl.output.json_text import json_text
from backupctl.results.backup_results import JobResult, StartedResult
from backupctl.results.result import Envelope, Result
from backupctl.results.result_redaction import redacted
from backupctl.scheduler.task import Task

if TYPE_CHECKING:
    from backupctl.cli.contact import Contact

R = TypeVar("R", bound=Result)


class Notifier:
    """Reports the backups of one run; only the failure of a hook before a backup changes a result."""

    def __init__(self, context: Context, contact: "Contact") -> None:
        self._context = context
        self._contact = contact

    @cached_property
    def _ways(self) -> list[Way]:
        return find_ways(self._context, self._contact.selected)

    def before(self, settings: ApplianceSettings) -> Task[None]:
        """Run the hook before the backup of an appliance. Raises HookFailedError: if it fails."""
        yield from self._run_hook(settings, "before")

    def run(self, tasks: Sequence[Task[R]]) -> list[R]:
        """Run the backups of the selected appliances, with a ping of their start if the run waits for their end."""
        around = [self._around(*each) for each in zip(self._contact.selected, tasks, strict=True)]
        results = run_tasks(self._context, [*around, *self._starts()])
        return cast("list[R]", results[: len(around)])

    def _starts(self) -> list[Task[None]]:
        """Return the pings of the start of a run that waits for its end; a bug here keeps no backup from being made."""
        try:
            names = {settings.name for settings in self._contact.selected}
            pings = [] if self._context.value(NO_WAIT) else [w for w in self._ways if self._is_ping_of(names, w)]
        except Exception as bug:  # noqa: BLE001 - the backups do not depend on it
            self._warn(BugError.of(bug), "the start is not reported")
            return []
        title = f"backupctl {self._context.command} has started"
        return [self._tell(way, Notification("start", title, "\n".join(way.servers))) for way in pings]

    def report(self, envelope: Envelope) -> None:
        """Report the results of the run, or the error that ended it; a run that was interrupted is not reported."""
        error, selected = envelope.error, self._contact.selected
        if error is not None and self._context.prompter.interactive:
            return  # somebody reads it, and nothing has begun
        try:
            failed = [] if error is None else [FailedAppliance(each, error).result(JobResult) for each in selected]
            hooks = [self._after(*each) for each in zip(selected, failed, strict=False)]
            results = failed or envelope.results
            if all(result.exit_code != ExitCode.INTERRUPTED for result in results):
                ended = [result for result in results if not _is_only_started(result)]
                run_tasks(self._context, [*hooks, *self._messages(ended)], sets_exit_code=False)
        except Exception as bug:  # noqa: BLE001 - the backups are what they are
            self._warn(BugError.of(bug), "nothing was reported")

    def _messages(self, ended: Sequence[Result]) -> list[Task[None]]:
        """Return the messages about the results, one for each way."""
        failed_before, tasks = self._remember(ended), list[Task[None]]()
        for way in self._ways:
            about = [result for result in ended if result.server in way.servers]
            names = {result.server for result in about}
            message = notification(str(self._context.command), os.uname().nodename, about)
            recovered = way.on == "recovery" and names & failed_before
            if about and (message.failed or way.on == "always" or recovered or self._is_ping_of(names, way)):
                tasks.append(self._tell(way, message))
        return tasks

    def _is_ping_of(self, names: set[str], way: Way) -> bool:
        """Whether a way is a ping of these servers only: it names none, so its success must be that of all of them."""
        if way.on is not None:
            return False
        missing = [name for name in self._sharing.get(way.place, ()) if name not in names]
        if missing:
            warning = f"no ping: {missing[0]} shares it, and is not part of this run"
            hint = "give the servers that run together a ping of their own, in a table [notify.groups.NAME]"
            self._context.run_once(warning, lambda: self._context.view.warn(warning, hint, always=True))
        return not missing

    @cached_property
    def _sharing(self) -> dict[tuple[str, ...], list[str]]:
        """The configured servers of each ping."""
        sharing: dict[tuple[str, ...], list[str]] = {}
        for name, profile in self._context.configuration.servers.items():
            if place := self._context.secrets.in_file(PING, profile.notify):
                sharing.setdefault(place.key, []).append(name)
        return sharing

    def _tell(self, way: Way, message: Notification) -> Task[None]:
        error = yield from deliver(self._context, way, message)
        if error is not None and not isinstance(error, InterruptedRunError):
            self._warn(error, f"not sent ({way.name})")

    def _warn(self, error: BackupctlError, *before: str) -> None:
        self._context.view.warn(": ".join([*before, error_text(error)]), always=True)

    def _around(self, settings: ApplianceSettings, work: Task[R]) -> Task[R]:
        result = yield from work
        if result.exit_code != ExitCode.INTERRUPTED and not _is_only_started(result):
            yield from self._after(settings, result)
        return result

    def _after(self, settings: ApplianceSettings, result: Result) -> Task[None]:
        try:
            yield from self._run_hook(settings, "after-failure" if result.exit_code else "after-success", result)
        except InterruptedRunError:
            return
        except Exception as problem:  # noqa: BLE001 - the backup is done or not, whatever becomes of the hook
            error = problem if isinstance(problem, BackupctlError) else BugError.of(problem)
            self._warn(redacted(error, settings.redactor.redact))

    def _run_hook(self, settings: ApplianceSettings, key: str, result: Result | None = None) -> Task[None]:
        context, words = self._context, notify_value(settings, key, None)
        if words is None:
            return
        facts = {"COMMAND": str(context.command), "SERVER": settings.name}
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
        failed_before = set[str]()
        if not any(way.on == "recovery" for way in self._ways):
            return failed_before
        try:
            marks = directory_of(self._context) / "failed"
            marks.mkdir(mode=0o700, parents=True, exist_ok=True)
            for result in ended:
                mark = marks / quote(result.server, safe="")
                failed_before |= {result.server} if mark.exists() else set()
                if result.exit_code:
                    mark.touch(mode=0o600)
                else:
                    mark.unlink(missing_ok=True)
        except (ConfigError, OSError) as error:
            self._context.view.debug(f"recovery is not noticed: {error}")
        return failed_before


def _is_only_started(result: Result) -> bool:
    return isinstance(result, StartedResult) and not result.exit_code
