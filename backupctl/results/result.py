"""The base of all results, what several of them share, and the envelope that every command ends with."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from backupctl.errors import BackupctlError, ExitCode, overall_exit_code

SCHEMA: Final = 1
"""The version of the JSON output."""


class PreparedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it would be sent, secrets masked."""

    method: str
    url: str
    body: object = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field that is changed, or would be; a secret is never told, ``before`` is None where it was unset."""

    field: str
    before: object
    after: object


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came out for one appliance; base of the results of all commands.

    ``server`` is the name it was asked for by, ``host`` where it is, ``api`` the family that was spoken. The work sets
    the fields of its own type only; ``complete_result`` sets those of this one.
    """

    server: str = ""
    host: str = ""
    api: str | None = None
    release: str | None = None
    simulated: bool = False
    exit_code: int = ExitCode.DONE
    error: BackupctlError | None = None


R = TypeVar("R", bound=Result)


def complete_result(
    result: R,
    *,
    server: str,
    host: str,
    error: BackupctlError | None,
    api: str | None = None,
    release: str | None = None,
    simulated: bool = False,
) -> R:
    """Return a result with what every result has: whose it is, how it was reached, and how it ended."""
    return msgspec.structs.replace(
        result,
        server=server,
        host=host,
        api=api,
        release=release,
        simulated=simulated,
        exit_code=ExitCode.DONE if error is None else error.exit_code,
        error=error,
    )


class RequestsResult(Result, frozen=True, kw_only=True):
    """The result of ``--dry-run``: what would be sent; nothing was."""

    requests: tuple[PreparedRequest, ...] = ()


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The one document that every command ends with: the same shape for one appliance as for many."""

    schema: int = SCHEMA
    command: str | None
    exit_code: int
    error: BackupctlError | None = None
    results: tuple[Result, ...] = ()

    @classmethod
    def of(cls, command: str, results: Sequence[Result]) -> "Envelope":
        """Return the envelope of finished results; the exit code is the most severe one."""
        code = overall_exit_code(result.exit_code for result in results)
        return cls(command=command, exit_code=code, results=tuple(results))

    @classmethod
    def of_error(cls, command: str | None, error: BackupctlError) -> "Envelope":
        """Return the envelope of a failure before any appliance was known."""
        return cls(command=command, exit_code=error.exit_code, error=error)
