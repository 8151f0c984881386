"""The base class of all results, structures that several of them use, and the envelope of the output."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from backupctl.errors import BackupctlError
from backupctl.exit_codes import COMMAND_CODES, ExitCode, ExitCodes

SCHEMA: Final = 1
"""The version of the JSON output."""


class PreparedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that ``--dry-run`` would send, with secrets masked."""

    method: str
    url: str
    body: object = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A changed field: ``before`` is None if it was unset; secrets are masked."""

    field: str
    before: object
    after: object


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of all results: what a command returns for one appliance.

    ``server`` is its name on the command line, ``host`` its address, ``api`` the API family. Operations set only the
    fields of their subclass; ``complete_result`` sets those of this class.
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
    """Return the result with the fields of ``Result`` set."""
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
    """The result of ``--dry-run``: the requests that would be sent."""

    requests: tuple[PreparedRequest, ...] = ()


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON document at the end of every command, for one appliance or many.

    ``skew_seconds`` is the time between the starts of backups that were to start together, unset for other runs.
    """

    schema: int = SCHEMA
    command: str | None
    exit_code: int
    error: BackupctlError | None = None
    skew_seconds: int | msgspec.UnsetType = msgspec.UNSET
    results: tuple[Result, ...] = ()

    @classmethod
    def of(
        cls,
        command: str | None,
        results: Sequence[Result],
        skew_seconds: int | None = None,
        codes: ExitCodes = COMMAND_CODES,
    ) -> "Envelope":
        """Return the envelope of results, with their most severe exit code."""
        code = codes.overall(result.exit_code for result in results)
        skew = msgspec.UNSET if skew_seconds is None else skew_seconds
        return cls(command=command, exit_code=code, skew_seconds=skew, results=tuple(results))

    @classmethod
    def of_error(cls, command: str | None, error: BackupctlError, codes: ExitCodes = COMMAND_CODES) -> "Envelope":
        """Return the envelope of an error that occurred before any appliance was selected."""
        return cls(command=command, exit_code=codes.of_error(error.exit_code), error=error)
