"""First contact with the appliances of a run: certificates, credentials and logins, before questions about the work."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

from backupctl.cli.appliance_settings import ApplianceSettings
from backupctl.cli.command_traits import DEFAULT_TRAITS, CommandTraits
from backupctl.cli.connection import USER_KEY, connect, lacks_credentials, password_key
from backupctl.cli.context import Context
from backupctl.cli.pin import confirm_certificate, pin_certificate
from backupctl.cli.tasks import run_tasks
from backupctl.cli.tls_probe import probe_target
from backupctl.cli.tls_settings import may_pin
from backupctl.config.option_table import TIMEOUT
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
from backupctl.operations.appliance_run import NOTHING_CHANGED, first_login, log_out
from backupctl.operations.trust import show_certificate
from backupctl.output.printable import printable
from backupctl.scheduler.appliance import Appliance
from backupctl.scheduler.coordinator import NO_BACKUP, Coordinator
from backupctl.scheduler.task import Task

T = TypeVar("T")


class Contact:
    """The appliances of a run, and the way to each of them.

    On a terminal, answers are tried at once: an untrusted certificate can be pinned, a rejected password is asked for
    once more, and the run uses the sessions that were opened. As a context manager, it logs out of all appliances if an
    exception leaves the block. ``offline``: nothing is sent.
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
        """Why an appliance cannot be worked on, by name."""
        self._context = context
        self._traits = traits
        self._offline = offline
        self._interactive = context.prompter.interactive and not offline
        self._appliances: dict[str, Appliance] = {}
        self._asked_again: set[str] = set()
        self._logged_in = False

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
        lacking = self._interactive and any(self._each(self._usable, lacks_credentials))
        if lacking:
            self._check_certificates([each for each in self._usable if self._may_pin(each)])
        self._each(self._usable, self._connect)
        if lacking:
            self.log_in()

    def complete(self, failed: Mapping[str, BackupctlError]) -> None:
        """Log in if a certificate may need a question, and log out where the work cannot begin, as ``failed`` says."""
        self.errors |= failed
        self.log_out(failed)
        if any(map(self._may_pin, self._usable)):
            self.log_in()

    def appliance(self, settings: ApplianceSettings) -> Appliance:
        """Return the appliance of the settings. Raises BackupctlError: if there was an error."""
        if settings.name in self.errors:
            raise self.errors[settings.name]
        return self._appliances[settings.name]

    def log_in(self) -> None:
        """Log in to each appliance, once; does nothing without a terminal."""
        pending = [] if self._logged_in or not self._interactive else self._usable
        self._logged_in = True
        while pending:
            self._try_logins(pending)
            failed = [each for each in pending if each.name in self.errors]
            rejected = [each for each in failed if self._was_typed(each)]
            pending = [*self._check_certificates([each for each in failed if self._is_untrusted(each)]), *rejected]
            self._forget_credentials(rejected)
            for each in pending:
                del self.errors[each.name]
                self._appliances.pop(each.name).api.close()
            self._each(pending, self._connect)
            pending = [each for each in pending if each.name not in self.errors]

    def run(self, settings: ApplianceSettings, work: Callable[[Appliance], Task[T]]) -> T:
        """Do ``work`` after the login, for what depends on it before the run. Raises BackupctlError: as it does."""
        self.log_in()
        (result,) = run_tasks(self._context, [work(self.appliance(settings))], sets_exit_code=False)
        return result

    def log_out(self, names: Iterable[str] | None = None) -> None:
        """Log out of these appliances, or of all, and close the connections."""
        chosen = self._appliances.keys() & (self._appliances if names is None else names)
        tasks = [log_out(self._appliances.pop(name)) for name in chosen]
        run_tasks(self._context, tasks, interrupted=True)

    @property
    def _usable(self) -> list[ApplianceSettings]:
        """The appliances without an error."""
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

    def _connect(self, settings: ApplianceSettings) -> None:
        self._appliances[settings.name] = connect(settings, offline=self._offline, fresh=self._traits.fresh)

    def _may_pin(self, settings: ApplianceSettings) -> bool:
        return self._interactive and any(self._each([settings], may_pin))

    def _is_untrusted(self, settings: ApplianceSettings) -> bool:
        return isinstance(self.errors[settings.name], CertificateError) and may_pin(settings)

    def _check_certificates(self, selected: Sequence[ApplianceSettings]) -> list[ApplianceSettings]:
        """Show each untrusted certificate and prompt for its pin; return the appliances that are pinned now."""
        if self._context.transport_for is not None:
            return []
        targets = [probe_target(each, fresh=self._traits.fresh) for each in selected]
        probed = run_tasks(self._context, [show_certificate(each) for each in targets], sets_exit_code=False)
        self._raise_interruption(result.error for result in probed)
        pinned = []
        for settings, result in zip(selected, probed, strict=True):
            if result.error is None and result.certificate is not None and not result.trusted:
                if confirm_certificate(settings, result):
                    _pin(settings, result.certificate)
                    pinned.append(settings)
                else:
                    host = settings.profile.address.host
                    declined = CertificateError("$1", server=host, texts=(str(result.reason),))
                    self.errors.setdefault(settings.name, declined)
            elif result.error is not None and not self._traits.unreachable_grace:
                self.errors[settings.name] = result.error
        return pinned

    def _try_logins(self, selected: Sequence[ApplianceSettings]) -> None:
        """Log in to appliances, and record the errors."""
        coordinator = Coordinator([self._appliances[each.name] for each in selected])

        def log_in(settings: ApplianceSettings) -> Task[BackupctlError | None]:
            appliance = self._appliances[settings.name]
            timeout = settings.value(TIMEOUT) if self._traits.timed else None
            return first_login(appliance, coordinator.slot(appliance), self._traits.unreachable_grace, timeout)

        errors = run_tasks(self._context, [log_in(each) for each in selected], sets_exit_code=False)
        self._raise_interruption(errors)
        self.errors |= {each.name: error for each, error in zip(selected, errors, strict=True) if error is not None}

    def _raise_interruption(self, errors: Iterable[BackupctlError | None]) -> None:
        for error in errors:
            if isinstance(error, InterruptedRunError):
                note = NO_BACKUP if self._traits.starts_backups else NOTHING_CHANGED
                raise InterruptedRunError(f"$cause: {note}", cause=error, hint=error.facts.hint)

    def _was_typed(self, settings: ApplianceSettings) -> bool:
        """Return whether a login was rejected, for the first time, whose user or password was typed."""
        rejected = isinstance(self.errors[settings.name], AuthenticationError)
        return rejected and settings.name not in self._asked_again and bool(self._typed_keys(settings))

    def _typed_keys(self, settings: ApplianceSettings) -> list[tuple[str, ...]]:
        keys = (USER_KEY, password_key(self._appliances[settings.name].user))
        return [key for key in keys if self._context.is_answered(key)]

    def _forget_credentials(self, rejected: Sequence[ApplianceSettings]) -> None:
        """Forget typed credentials that were rejected, once for all that share them, and say why."""
        for settings in rejected:
            self._asked_again.add(settings.name)
            keys, error = self._typed_keys(settings), self.errors[settings.name]
            if keys:
                hint = LOCKOUT_WARNING if "@" in self._appliances[settings.name].user else error.hint
                self._context.prompter.say(f"{printable(error.message)}\n  {hint}")
            for key in keys:
                self._context.forget(key)


LOCKOUT_WARNING: Final = "vCenter locks an account after about five failed logins."


def _pin(settings: ApplianceSettings, certificate: Certificate) -> None:
    """Pin a certificate; if the pin cannot be stored, warn and use it for this run."""
    try:
        pin = pin_certificate(settings, certificate)
    except (ConfigError, OutputError) as error:
        settings.view.warn(f"the pin of {settings.name} is not stored: {error.message}", error.hint)
    else:
        settings.prompter.say(f"Pinned in {pin.path}.")


def _check_not_read_only(settings: ApplianceSettings) -> None:
    read_only = settings.profile.read_only
    if read_only.value:
        with attribute_errors(read_only.source):
            raise ReadOnlyError(
                f"{settings.name} is read-only: nothing that changes the appliance is done",
                hint="a profile without read-only = true is needed for this",
            )
