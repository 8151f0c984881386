"""What can go wrong: one tree of exceptions, each class with its exit code and a stable slug.

The class says what kind of failure it is, the raise site what is known about it (``ErrorFacts``). What becomes of
that in words is told in one place, ``error_facts``.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from backupctl.error_facts import ErrorFacts, details_of, hint_of, sentence_of

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    class KnownFacts(TypedDict, total=False):
        """What else is known about a failure, as in ``ErrorFacts``."""

        server: str | None
        operation: str | None
        job: str | None
        release: str | None
        status: int | None
        cause: "BackupctlError | ErrorFacts | str | None"
        then: "BackupctlError | ErrorFacts | str | None"
        source: str | None
        of_file: bool
        hint: str | None
        selector: tuple[str, ...]
        details: Iterable["ErrorFacts | str"]
        attach: str | None
        kind: str | None
        certain: bool
        retryable: bool
        exit_code: int | None

    class ChangedFacts(KnownFacts, total=False):
        """The same, and what happened."""

        message: str


class ExitCode(IntEnum):
    """The exit codes, a promise to scripts: they change only with a major release."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    AUTH = 4
    CONNECTION = 5
    API = 6
    BACKUP_FAILED = 7
    TIMED_OUT = 8
    BUSY = 9
    NOT_FOUND = 10
    OUTPUT = 11
    INTERRUPTED = 130


SEVERITY: tuple[ExitCode, ...] = (
    ExitCode.INTERRUPTED,
    ExitCode.BUG,
    ExitCode.BACKUP_FAILED,
    ExitCode.TIMED_OUT,
    ExitCode.BUSY,
    ExitCode.API,
    ExitCode.CONNECTION,
    ExitCode.AUTH,
    ExitCode.NOT_FOUND,
    ExitCode.CONFIG,
    ExitCode.USAGE,
    ExitCode.OUTPUT,
)
"""Failures from the gravest to the lightest: with several appliances, the gravest decides."""


def overall_exit_code(codes: Iterable[int]) -> ExitCode:
    """Return the one exit code for several results: 0 only if all are 0, else the gravest; an unknown one is a bug."""
    failed = {code if code in SEVERITY else ExitCode.BUG for code in codes if code != ExitCode.DONE}
    return next((code for code in SEVERITY if code in failed), ExitCode.DONE)


class BackupctlError(Exception):
    """Base of every failure that the program knows; never raised itself.

    Its ``facts`` never change: who knows more makes a new error of them with ``with_facts``. Errors with the same class
    and facts are equal.
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
        """Return the error of this class with these facts."""
        return cls(**facts._asdict())

    def with_facts(self, **changes: "Unpack[ChangedFacts]") -> Self:
        """Return an error of the same class that knows more, or something else."""
        return self.from_facts(self.facts._replace(**_as_facts(changes)))

    def __str__(self) -> str:
        return sentence_of(self.facts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BackupctlError) and type(self) is type(other) and self.facts == other.facts

    def __hash__(self) -> int:
        return hash((type(self), self.facts))

    @property
    def message(self) -> str:
        """The sentence that says what happened."""
        return sentence_of(self.facts)

    @property
    def hint(self) -> str | None:
        """What to do next."""
        return hint_of(self.facts)

    @property
    def details(self) -> tuple[str, ...]:
        """Lines of evidence."""
        return details_of(self.facts)

    @property
    def attach(self) -> str | None:
        """The command line that follows the job which this failure may leave running."""
        return self.facts.attach

    @property
    def certain(self) -> bool:
        """Whether a request that was to change something certainly had no effect."""
        return self.facts.certain

    @property
    def retryable(self) -> bool:
        """Whether asking again soon may help."""
        return self.facts.retryable


def _as_facts(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts by name, with those of an error in place of the error."""
    facts = {name: value.facts if isinstance(value, BackupctlError) else value for name, value in known.items()}
    return {**facts, "details": tuple(facts["details"])} if "details" in facts else facts


class BugError(BackupctlError):
    """Something that must not happen; it tells where, and no values, which may be secret."""

    @classmethod
    def of(cls, bug: BaseException) -> "BugError":
        """Return the error for an exception that nobody expected."""
        trace = bug.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "an unknown place"
        return cls(
            f"unexpected: {type(bug).__name__} in {where}",
            hint="this is a bug in backupctl, please report it; `backupctl list` shows whether a backup runs",
        )


class UsageError(BackupctlError):
    """The command line, a value in it or a local rule (password, location) is broken."""

    exit_code = ExitCode.USAGE
    slug = "usage"


class ConfigError(BackupctlError):
    """Settings are missing, unreadable or contradict each other."""

    exit_code = ExitCode.CONFIG
    slug = "config"


class ReadOnlyError(ConfigError):
    """The configuration file says that nothing is to be changed on this appliance."""

    slug = "read-only"


class AuthenticationError(BackupctlError):
    """The appliance does not accept the user name and password (401)."""

    exit_code = ExitCode.AUTH
    slug = "auth"


class SessionExpiredError(AuthenticationError):
    """The session has expired: after a new login the operation may be asked for once more.

    Only where it is ``certain`` did the appliance itself say so, and did nothing.
    """


class AuthorizationError(BackupctlError):
    """The appliance knows who we are but does not let us do this (403)."""

    exit_code = ExitCode.AUTH
    slug = "forbidden"


class ApplianceUnreachableError(BackupctlError):
    """No answer came: DNS, refused, reset, timeout."""

    exit_code = ExitCode.CONNECTION
    slug = "connection"


class UnknownHostError(ApplianceUnreachableError):
    """The name resolution knows no host of this name."""


class CertificateError(ApplianceUnreachableError):
    """TLS could not be set up: the certificate is not trusted, or is not the pinned one."""

    slug = "tls"


class PinMismatchError(CertificateError):
    """The certificate is not the one that is pinned: it was renewed, or somebody stands in between."""

    slug = "pin-mismatch"

    @classmethod
    def of(cls, server: str, expected: str, presented: str, *, selector: tuple[str, ...]) -> "PinMismatchError":
        """Return the error for a certificate with another fingerprint."""
        return cls(
            f"$server does not present the pinned certificate: expected {expected}, presented {presented}",
            server=server,
            hint="was it renewed on purpose? Compare the presented one with what the appliance itself says; if they "
            "are the same, pin it anew: `backupctl trust pin $selector`",
            selector=selector,
        )


class ApplianceAnswerError(BackupctlError):
    """An answer came that cannot be used: a 4xx or 5xx, a redirect, odd JSON."""

    exit_code = ExitCode.API
    slug = "api"


class ContradictionError(ApplianceAnswerError):
    """The appliance says two things of which only one can be true."""


class ServerFaultError(ApplianceAnswerError):
    """The appliance, or the proxy in front of it, answered with a 5xx."""


class OperationFailedError(ServerFaultError):
    """The appliance answered with the plain ``error`` of its API and a message: how it words most refusals.

    The status is 500 from its dispatcher and 400 in the published specifications of ``/rest``.
    """


class ServiceMissingError(ServerFaultError):
    """The service behind an operation is not registered with the API: it is down or still starting."""


class NotSupportedError(ApplianceAnswerError):
    """This appliance's release does not have the operation."""

    slug = "not-supported"


class CancelRefusedError(ApplianceAnswerError):
    """The appliance did not cancel the job, or the job ended by itself before the cancel took effect."""

    slug = "not-cancelled"


class NotStartedError(BackupctlError):
    """The answer to the request that starts a backup was bad or lost, and no new job appeared: nothing was started."""

    exit_code = ExitCode.API
    slug = "not-started"


class NotStartedNoAnswerError(NotStartedError):
    """As above, where the appliance could not be reached, its answer was lost, or no time was left to ask."""

    exit_code = ExitCode.CONNECTION


class OutcomeUnknownError(BackupctlError):
    """The answer to the request that starts a backup was lost, and so it is unknown whether a job runs."""

    exit_code = ExitCode.CONNECTION
    slug = "outcome-unknown"


class BackupFailedError(BackupctlError):
    """The appliance says that the job failed, or that validation did."""

    exit_code = ExitCode.BACKUP_FAILED
    slug = "backup-failed"


class TimedOutError(BackupctlError):
    """The job was still running when the waiting ended; it goes on."""

    exit_code = ExitCode.TIMED_OUT
    slug = "timed-out"


class StillRunningError(TimedOutError):
    """The job was running when it was looked at, once."""

    slug = "running"


class StalledError(TimedOutError):
    """The job showed no sign of life for too long; it may go on."""

    slug = "stalled"


class BusyError(BackupctlError):
    """Another backup or restore is running on the appliance (feature_in_use)."""

    exit_code = ExitCode.BUSY
    slug = "busy"


class NotFoundError(BackupctlError):
    """No such job, schedule or archive."""

    exit_code = ExitCode.NOT_FOUND
    slug = "not-found"


class OutputError(BackupctlError):
    """The work is done, but its result could not be written."""

    exit_code = ExitCode.OUTPUT
    slug = "output"


class NotTriedError(BackupctlError):
    """No backup was started here because of what went wrong elsewhere, with the ``exit_code`` of that.

    So a run in which one appliance fails, and the others are kept back for it, still ends with the code of the failure.
    """

    exit_code = ExitCode.API
    slug = "not-tried"


class NotTogetherError(NotTriedError):
    """A group was to start together, and one of it could not."""

    slug = "not-together"


class InterruptedRunError(BackupctlError):
    """INT, TERM or HUP ended the run; a backup that was started goes on."""

    exit_code = ExitCode.INTERRUPTED
    slug = "interrupted"
