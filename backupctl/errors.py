"""Errors: one tree of exceptions, each class with its exit code and a stable slug.

The class is the kind of failure. The raise site adds the facts (``ErrorFacts``), which ``error_facts`` renders as text.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from backupctl.error_facts import ErrorFacts, render_details, render_hint, render_message
from backupctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    class KnownFacts(TypedDict, total=False):
        """The optional facts of an error, as in ``ErrorFacts``."""

        server: str | None
        host: str | None
        operation: str | None
        job: str | None
        release: str | None
        status: int | None
        cause: "BackupctlError | ErrorFacts | str | None"
        then: "BackupctlError | ErrorFacts | str | None"
        texts: tuple[str, ...]
        source: str | None
        of_file: bool
        reason: str | None
        hint: str | None
        selector: tuple[str, ...]
        details: Iterable["ErrorFacts | str"]
        attach: str | None
        kind: str | None
        certain: bool
        retryable: bool
        exit_code: int | None

    class ChangedFacts(KnownFacts, total=False):
        """The facts that ``with_facts`` can change: the same, and the message."""

        message: str


INSTALL_HINT: Final = "pip install {0}, or pipx inject backupctl {0}"
"""The hint for a missing optional package; true wherever backupctl itself came from."""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, its cause, the cause of that and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class BackupctlError(Exception):
    """Base class of all errors; never raised itself.

    Errors are immutable: ``with_facts`` returns a changed copy. Errors with the same class and facts are equal.
    """

    exit_code: ExitCode = ExitCode.BUG
    slug: ClassVar[str] = "bug"

    def __init__(self, message: str, **known: "Unpack[KnownFacts]") -> None:
        super().__init__(message)
        self.facts: Final = ErrorFacts(message)._replace(**_as_facts(known))
        if self.facts.exit_code is not None:
            self.exit_code = ExitCode(self.facts.exit_code)

    @classmethod
    def from_facts(cls, facts: ErrorFacts) -> Self:
        """Return an error of this class with these facts."""
        return cls(**facts._asdict())

    def with_facts(self, **changes: "Unpack[ChangedFacts]") -> Self:
        """Return a copy with changed facts."""
        return self.from_facts(self.facts._replace(**_as_facts(changes)))

    def __str__(self) -> str:
        return render_message(self.facts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BackupctlError) and type(self) is type(other) and self.facts == other.facts

    def __hash__(self) -> int:
        return hash((type(self), self.facts))

    @property
    def message(self) -> str:
        """What happened, as one sentence."""
        return render_message(self.facts)

    @property
    def hint(self) -> str | None:
        """What to do next."""
        return render_hint(self.facts)

    @property
    def details(self) -> tuple[str, ...]:
        """Lines of evidence, such as the appliance's own messages."""
        return render_details(self.facts)

    @property
    def attach(self) -> str | None:
        """The command line that follows the job, if one may still be running."""
        return self.facts.attach

    @property
    def certain(self) -> bool:
        """Whether a write request certainly had no effect."""
        return self.facts.certain

    @property
    def retryable(self) -> bool:
        """Whether a retry soon may succeed."""
        return self.facts.retryable


def _as_facts(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts by name; errors among them are replaced by their facts."""
    facts = {name: value.facts if isinstance(value, BackupctlError) else value for name, value in known.items()}
    return {**facts, "details": tuple(facts["details"])} if "details" in facts else facts


class BugError(BackupctlError):
    """A bug in the program; the message names the place but no values, as these may be secret."""

    @classmethod
    def of(cls, bug: BaseException) -> "BugError":
        """Return the error for an unexpected exception."""
        trace = bug.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "an unknown place"
        return cls(
            f"unexpected: {type(bug).__name__} in {where}",
            hint="this is a bug in backupctl, please report it; `backupctl list` shows whether a backup is running",
        )


class UsageError(BackupctlError):
    """The command line is invalid, or a value in it breaks a local rule (password, location)."""

    exit_code = ExitCode.USAGE
    slug = "usage"


class ConfigError(BackupctlError):
    """Settings are missing, unreadable or in conflict with each other."""

    exit_code = ExitCode.CONFIG
    slug = "config"


class HookFailedError(ConfigError):
    """A hook of the configuration file failed; before a backup, so that none was started."""

    slug = "hook-failed"


class ReadOnlyError(ConfigError):
    """The configuration file marks this appliance as read-only."""

    slug = "read-only"


class AuthenticationError(BackupctlError):
    """The appliance rejected the user name or password (401)."""

    exit_code = ExitCode.AUTH
    slug = "auth"


class SessionExpiredError(AuthenticationError):
    """The session has expired: a new login is needed, then the request can be repeated.

    If ``certain``, the appliance itself said so and did nothing. Otherwise the request may have had an effect.
    """


class AuthorizationError(BackupctlError):
    """The appliance accepted the login but denied the operation (403)."""

    exit_code = ExitCode.AUTH
    slug = "forbidden"


class ApplianceUnreachableError(BackupctlError):
    """No response: DNS failure, connection refused or reset, timeout."""

    exit_code = ExitCode.CONNECTION
    slug = "connection"


class UnknownHostError(ApplianceUnreachableError):
    """The host name cannot be resolved."""


class CertificateError(ApplianceUnreachableError):
    """The TLS handshake failed: the certificate is not trusted, or not the pinned one."""

    slug = "tls"


class PinMismatchError(CertificateError):
    """The certificate is not the pinned one: it was renewed, or the connection is intercepted."""

    slug = "pin-mismatch"

    @classmethod
    def of(cls, server: str, expected: str, presented: str, *, selector: tuple[str, ...]) -> "PinMismatchError":
        """Return the error for a certificate with the wrong fingerprint."""
        return cls(
            "$server does not present the pinned certificate",
            server=server,
            details=(f"expected   {expected}", f"presented  {presented}"),
            hint="if the certificate was renewed, compare the presented fingerprint with the one on the "
            "appliance's console, then pin it: `backupctl trust pin $selector`",
            selector=selector,
        )


class ApplianceAnswerError(BackupctlError):
    """An unusable response: a 4xx or 5xx, a redirect, unexpected JSON."""

    exit_code = ExitCode.API
    slug = "api"


class ContradictionError(ApplianceAnswerError):
    """Two responses of the appliance contradict each other."""


class ServerFaultError(ApplianceAnswerError):
    """The appliance or a proxy responded with a 5xx."""


class OperationFailedError(ServerFaultError):
    """The appliance responded with the generic ``error`` of its API and a message, as most of its refusals are.

    The status is 500 from its dispatcher and 400 in the published specifications of ``/rest``.
    """


class ServiceMissingError(ServerFaultError):
    """The service behind an operation is not registered with the API: it is down or still starting."""


class NotSupportedError(ApplianceAnswerError):
    """The release of the appliance does not have the operation."""

    slug = "not-supported"


class CancelRefusedError(ApplianceAnswerError):
    """The appliance did not cancel the job, or the job ended by itself before the cancel took effect."""

    slug = "not-cancelled"


class NotStartedError(BackupctlError):
    """No backup was started: the response to the start request was bad or lost, and no new job appeared."""

    exit_code = ExitCode.API
    slug = "not-started"


class NotStartedNoAnswerError(NotStartedError):
    """The same, if the appliance was unreachable, its response was lost, or no time was left to send the request."""

    exit_code = ExitCode.CONNECTION


class OutcomeUnknownError(BackupctlError):
    """The response to the start request was lost, so it is unknown whether a job is running."""

    exit_code = ExitCode.CONNECTION
    slug = "outcome-unknown"


class BackupFailedError(BackupctlError):
    """The appliance reports that the job or the validation failed."""

    exit_code = ExitCode.BACKUP_FAILED
    slug = "backup-failed"


class AuditGapError(BackupctlError):
    """A run of a schedule made no backup, and no other backup made up for it."""

    exit_code = ExitCode.BACKUP_FAILED
    slug = "audit-gap"


class TimedOutError(BackupctlError):
    """The job was still running at the deadline; it keeps running."""

    exit_code = ExitCode.TIMED_OUT
    slug = "timed-out"


class StillRunningError(TimedOutError):
    """The job was running when its status was read once."""

    slug = "running"


class StalledError(TimedOutError):
    """The job made no progress for too long; it may still be running."""

    slug = "stalled"


class BusyError(BackupctlError):
    """Another backup or restore is running on the appliance (feature_in_use)."""

    exit_code = ExitCode.BUSY
    slug = "busy"


class NotFoundError(BackupctlError):
    """The job, schedule or archive does not exist."""

    exit_code = ExitCode.NOT_FOUND
    slug = "not-found"


class NotSentError(BackupctlError):
    """A ping or a message was not delivered."""

    exit_code = ExitCode.CONNECTION
    slug = "not-sent"


class OutputError(BackupctlError):
    """The work was done, but its result could not be written."""

    exit_code = ExitCode.OUTPUT
    slug = "output"


class NotTriedError(BackupctlError):
    """No backup was started on this appliance because another appliance failed.

    It has the ``exit_code`` of that failure, so that the whole run ends with it.
    """

    exit_code = ExitCode.API
    slug = "not-tried"


class NotTogetherError(NotTriedError):
    """The appliances were to start together, and one of them failed before."""

    slug = "not-together"


class InterruptedRunError(BackupctlError):
    """SIGINT, SIGTERM or SIGHUP ended the run; a backup that was started keeps running."""

    exit_code = ExitCode.INTERRUPTED
    slug = "interrupted"


class VerifyFailedError(BackupctlError):
    """An archive at the backup location is damaged, incomplete or missing."""

    exit_code = ExitCode.BACKUP_FAILED
    slug = "verify-failed"


class NotVerifiedError(BackupctlError):
    """The backup succeeded, but its archive could not be read from this host."""

    exit_code = ExitCode.CONNECTION
    slug = "not-verified"


class NotPrunedError(BackupctlError):
    """Nothing more was removed, because it was not safe or did not work."""

    exit_code = ExitCode.API
    slug = "not-pruned"
