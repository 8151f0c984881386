"""What can go wrong: one tree of exceptions, each class with its exit code and a stable slug.

The class says what kind of failure it is, the raise site says what happened (``message``) and what to do next
(``hint``). ``details`` holds lines of evidence, such as the appliance's own messages, most general first.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import ClassVar


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


GRAVITY: tuple[ExitCode, ...] = (
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


def verdict(codes: Iterable[int]) -> ExitCode:
    """Return the one exit code for several results: 0 only if all are 0, else the gravest; an unknown one is a bug."""
    failed = {code if code in GRAVITY else ExitCode.BUG for code in codes if code != ExitCode.DONE}
    return next((code for code in GRAVITY if code in failed), ExitCode.DONE)


class BackupctlError(Exception):
    """Base of every failure that the program knows; never raised itself.

    ``certain`` is False where a request that was to change something may have had its effect all the same: the answer
    was lost, or it came from a proxy, or it was unreadable. ``retryable`` is True where asking again soon may help.
    ``attach`` is the command line that follows the job which this failure may leave running.
    """

    exit_code: ExitCode = ExitCode.BUG
    slug: ClassVar[str] = "bug"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        details: Sequence[str] = (),
        certain: bool = True,
        retryable: bool = False,
        attach: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)
        self.certain = certain
        self.retryable = retryable
        self.attach = attach


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
    def of(cls, server: str, expected: str, presented: str, *, words: str) -> "PinMismatchError":
        """Return the error for a certificate with another fingerprint; ``words`` name the server on a command line."""
        return cls(
            f"{server} does not present the pinned certificate: expected {expected}, presented {presented}",
            hint="was it renewed on purpose? Compare the presented one with what the appliance itself says; if they "
            f"are the same, pin it anew: `backupctl trust pin {words}`",
        )


class ApplianceAnswerError(BackupctlError):
    """An answer came that cannot be used: a 4xx or 5xx, a redirect, odd JSON.

    ``kind`` is the type of an error of the API, such as ``RESOURCE_BUSY``; empty for an answer of another form.
    """

    exit_code = ExitCode.API
    slug = "api"
    kind: str = ""


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
    """No backup was started here because of what went wrong elsewhere; ``cause`` is the exit code of that.

    So a run in which one appliance fails, and the others are kept back for it, still ends with the code of the failure.
    """

    exit_code = ExitCode.API
    slug = "not-tried"

    def __init__(
        self, message: str, *, cause: ExitCode = ExitCode.API, hint: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.exit_code = cause


class NotTogetherError(NotTriedError):
    """A group was to start together, and one of it could not."""

    slug = "not-together"


class InterruptedRunError(BackupctlError):
    """INT, TERM or HUP ended the run; a backup that was started goes on."""

    exit_code = ExitCode.INTERRUPTED
    slug = "interrupted"
