"""First contact with the appliances of a run: certificates, credentials and logins, before questions about the work."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.command_traits import DEFAULT_TRAITS, CommandTraits
from backupctl.cli.connection import connect, missing_credentials
from backupctl.cli.context import Context
from backupctl.cli.tasks import run_tasks
from backupctl.cli.tls_settings import may_pin
from backupctl.config.option_table import PARALLEL, TIMEOUT, TOGETHER
from backupctl.config.value import attribute_errors
from backupctl.errors import (
    AuthenticationError,
    BackupctlError,
    CertificateError,
    ConfigError,
    InterruptedRunError,
    OutputError,
    ReadOnlyError,
)
from backupctl.models import Certificate
from backupctl.operations.appliance_run import NOTHING_CHANGED, first_login, log_out, result_or_error
from backupctl.output.printable import printable
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import NO_BACKUP, Coordinator
from backupctl.scheduler.task import Task

T = TypeVar("T")


class Contact:
    """The appliances of a run, and the way to each of them.

    On a terminal, answers are tried at once: an untrusted certificate can be pinned, a rejected password can be
    corrected once, and the run uses the sessions that were opened. If more appliances are selected than may be worked
    on at once, an appliance that needs no such answer is logged in to when its turn comes. As a context manager, it
    logs out of all appliances if an exception leaves the block. ``offline``: nothing is sent.
    """

    def __init__(
        self,
        context: Context,
        selected: Sequence[ApplianceSettings],
        traits: CommandTraits = DEFAULT_TRAITS,
        *,
        offline: bool = False,
    ) -> None:
        self.selected = selected
        self.errors: dict[str, BackupctlError] = {}
        """Why an appliance cannot be worked on, by its name."""
        self._context = context
        self._traits = traits
        self._offline = offline
        self._interactive = context.prompter.interactive and not offline
        self._appliances: dict[str, Appliance] = {}
        self._queued = 0 < (parallel_limit(context, traits) or 0) < len(selected)
        self._lacking: set[str] = set()
        self._asked_again: set[str] = set()
        self._tried: set[str] = set()

    def __enter__(self) -> Self:
        self._context.contact = self
        return self

    def __exit__(self, error: type[BaseException] | None, _value: object, _traceback: TracebackType | None) -> None:
        self._context.contact = None
        if error is not None:
            self.log_out()

    def begin(self) -> None:
        """Connect to each appliance; on a terminal, prompt for missing credentials and log in if any were."""
        if self._traits.changes and not self._offline:
            self._each(self.selected, _check_not_read_only)
        if self._interactive:
            self._each(self._usable, self._note_lacking)
        if self._lacking:
            self._check_certificates(self._usable)
        self._each(self._usable, self._connect)
        if self._lacking:
            self.log_in()

    def restart(self, selected: Sequence[ApplianceSettings]) -> None:
        """Begin with other appliances."""
        self.selected = selected
        self.errors.clear()
        self.begin()

    def complete(self, failed: Mapping[str, BackupctlError]) -> None:
        """Ask about certificates that need it, and log out where the work cannot begin, as ``failed`` says."""
        self.errors |= failed
        unchecked = self._interactive and not self._lacking
        unknown = [each for each in self._usable if unchecked and each.name not in self._tried and may_pin(each)]
        if self._queued:
            self._each(self._check_certificates(unknown), self._reconnect)
        elif unknown:
            self.log_in()
        self.log_out(self.errors)

    def appliance(self, settings: ApplianceSettings) -> Appliance:
        """Return the appliance of the settings. Raises BackupctlError: if there was an error."""
        if settings.name in self.errors:
            raise self.errors[settings.name]
        return self._appliances[settings.name]

    def log_in(self, asking: ApplianceSettings | None = None) -> None:
        """Log in to each appliance, once; does nothing without a terminal.

        If some must wait for their turn, only to those whose credentials were typed, and to ``asking``, which has a
        question about its work.
        """
        pending = [each for each in self._usable if self._interactive and each.name not in self._tried]
        if self._queued:
            pending = [each for each in pending if each is asking or each.name in self._lacking]
        self._tried.update(each.name for each in pending)
        while pending:
            self._try_logins(pending)
            untrusted = [each for each in pending if isinstance(self.errors.get(each.name), CertificateError)]
            pending = [*self._check_certificates(untrusted), *self._forget_rejected(pending)]
            self._each(pending, self._reconnect)
            pending = [each for each in pending if each.name not in self.errors]

    def run(self, settings: ApplianceSettings, work: Callable[[Appliance], Task[T]]) -> T:
        """Do ``work`` after the login, for a question that depends on it. Raises BackupctlError: as it does."""
        self.log_in(settings)
        (result,) = self._run_each([self.appliance(settings)], work)
        if isinstance(result, BackupctlError):
            raise result
        return result

    def run_all(self, work: Callable[[Appliance], Task[T]]) -> dict[str, T]:
        """Do ``work`` on all appliances after the login; return the results by name, and record the errors."""
        self.log_in()
        names = [each.name for each in self._usable]
        results = dict(zip(names, self._run_each([self._appliances[name] for name in names], work), strict=True))
        self.errors |= {name: result for name, result in results.items() if isinstance(result, BackupctlError)}
        return {name: result for name, result in results.items() if not isinstance(result, BackupctlError)}

    def _run_each(
        self, appliances: Sequence[Appliance], work: Callable[[Appliance], Task[T]]
    ) -> list[T | BackupctlError]:
        tasks = [result_or_error(each, work(each)) for each in appliances]
        return run_tasks(self._context, tasks, sets_exit_code=False)

    def log_out(self, names: Iterable[str] | None = None) -> None:
        """Log out of these appliances, or of all, and close the connections."""
        chosen = self._appliances.keys() & (self._appliances if names is None else names)
        tasks = [log_out(self._appliances.pop(name)) for name in chosen]
        run_tasks(self._context, tasks, interrupted=True)

    @property
    def _usable(self) -> list[ApplianceSettings]:
        return [each for each in self.selected if each.name not in self.errors]

    def _each(self, selected: Sequence[ApplianceSettings], function: Callable[[ApplianceSettings], T]) -> list[T]:
        """Return the results of ``function``, and record its errors."""
        results = []
        for settings in selected:
            try:
                results.append(function(settings))
            except BackupctlError as error:
                self.errors[settings.name] = error
        return results

    def _note_lacking(self, settings: ApplianceSettings) -> None:
        if missing_credentials(settings):
            self._lacking.add(settings.name)

    def _connect(self, settings: ApplianceSettings) -> None:
        self._appliances[settings.name] = connect(settings, offline=self._offline, fresh=self._traits.fresh)

    def _reconnect(self, settings: ApplianceSettings) -> None:
        """Connect again after a question. Raises AuthenticationError: the same, if these credentials were rejected."""
        error, before = self.errors.pop(settings.name, None), self._appliances.pop(settings.name)
        before.api.close()
        self._connect(settings)
        same = self._appliances[settings.name].api.credential_state is before.api.credential_state
        if same and isinstance(error, AuthenticationError):
            raise error

    def _check_certificates(self, selected: Sequence[ApplianceSettings]) -> list[ApplianceSettings]:
        """Show each untrusted certificate and prompt for its pin; return the appliances that are pinned now."""
        from backupctl.cli.pin import confirm_certificate
        from backupctl.cli.tls_probe import probe_target
        from backupctl.operations.trust import show_certificate

        unpinned = [each for each in selected if may_pin(each)]
        tasks = [show_certificate(probe_target(each, fresh=self._traits.fresh)) for each in unpinned]
        probed = run_tasks(self._context, tasks, sets_exit_code=False)
        for result in probed:
            if isinstance(result.error, InterruptedRunError):
                raise result.error
        pinned = []
        for settings, result in zip(unpinned, probed, strict=True):
            if result.certificate is None or result.trusted:
                if result.error is not None and not self._may_recover(result.error):
                    self.errors[settings.name] = result.error
            elif confirm_certificate(settings, result):
                _pin(settings, result.certificate)
                pinned.append(settings)
            else:
                self.errors[settings.name] = CertificateError("certificate not trusted", server=settings.name)
        return pinned

    def _may_recover(self, error: BackupctlError) -> bool:
        """Whether to leave an unreachable appliance to the login, which is retried; one of several keeps no other."""
        return self._traits.unreachable_grace > 0 or (error.retryable and len(self.selected) > 1)

    def _try_logins(self, selected: Sequence[ApplianceSettings]) -> None:
        """Log in to appliances, and record the errors."""
        coordinator, tasks = Coordinator([self._appliances[each.name] for each in selected]), []
        for settings in selected:
            appliance, traits = self._appliances[settings.name], self._traits
            timeout = settings.value(TIMEOUT) if traits.timed else None
            note = NO_BACKUP if traits.starts_backups else NOTHING_CHANGED
            tasks.append(first_login(appliance, coordinator.slot(appliance), traits.unreachable_grace, timeout, note))
        errors = run_tasks(self._context, tasks, sets_exit_code=False)
        self.errors |= {each.name: error for each, error in zip(selected, errors, strict=True) if error is not None}

    def _forget_rejected(self, selected: Sequence[ApplianceSettings]) -> list[ApplianceSettings]:
        """Forget typed credentials that were rejected, and say why; return the appliances, each only the first time."""

        def typed(settings: ApplianceSettings) -> list[tuple[str, ...]]:
            keys = missing_credentials(settings, self._appliances[settings.name].user)
            return [key for key in keys if self._context.is_answered(key)]

        rejected = [each for each in selected if isinstance(self.errors.get(each.name), AuthenticationError)]
        rejected = [each for each in rejected if each.name not in self._asked_again and typed(each)]
        self._asked_again.update(each.name for each in rejected)
        for settings in rejected:
            keys, error = typed(settings), self.errors[settings.name]
            if keys:  # else another appliance shares the credentials
                hint = [] if "@" in self._appliances[settings.name].user else [f"  {error.hint}"]
                self._context.prompter.say("\n".join([printable(error.message), *hint, f"  {LOCKOUT_WARNING}"]))
            self._context.forget(*keys)
        return rejected


def parallel_limit(context: Context, traits: CommandTraits) -> int | None:
    """Return how many appliances may be worked on at once, None for all."""
    limited = traits.starts_backups and not context.value(TOGETHER)
    return context.value(PARALLEL) or None if limited else None


LOCKOUT_WARNING: Final = "vCenter locks an account after about five failed logins."


def _pin(settings: ApplianceSettings, certificate: Certificate) -> None:
    """Pin a certificate; if the pin cannot be stored, warn and use it for this run."""
    from backupctl.cli.pin import pin_certificate

    try:
        path, _ = pin_certificate(settings, certificate)
    except (ConfigError, OutputError) as error:
        settings.view.warn(f"the pin of {settings.name} is not stored: {error.message}", error.hint)
    else:
        settings.prompter.say(f"Pinned in {path}.")


def _check_not_read_only(settings: ApplianceSettings) -> None:
    read_only = settings.profile.read_only
    if read_only.value:
        with attribute_errors(read_only.source):
            raise ReadOnlyError(
                f"{settings.name} is read-only; refusing to change it",
                hint="remove read-only = true from its table to change it",
            )
