"""SMB: the first name of a path is the share, as in ``smb://host/share/folder``.

Only the server of the location gets the login: DFS referrals are not followed, and the login is NTLM, because Kerberos
asks other hosts for tickets or takes them from the environment. The protocol: MS-SMB2, learn.microsoft.com/openspecs.
"""

import logging
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from smbprotocol import exceptions as smb
from smbprotocol.connection import Connection
from smbprotocol.file_info import FileAttributes, FileDispositionInformation, FileInformationClass
from smbprotocol.header import NtStatus
from smbprotocol.open import CreateOptions, DirectoryAccessMask, Open, SMB2SetInfoRequest
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, causes_of
from backupctl.targets import target
from backupctl.targets.access import TargetAccess
from backupctl.targets.server_errors import ServerErrors
from backupctl.targets.target import TargetEntry, TargetPath, target_entry
from backupctl.targets.target_errors import TargetAnswerError, TargetIdentityError

for _package in ("smbprotocol", "spnego"):
    logging.getLogger(_package).addHandler(logging.NullHandler())  # else Python prints their warnings

_GUEST: Final = "unknown user, and the server offers only guest access"
_STATUS: Final = {code: name[7:].replace("_", " ").lower() for name, code in vars(NtStatus).items() if name[0] == "S"}
_MISSING: Final = (smb.BadNetworkName, smb.NoSuchFile, smb.ObjectNameNotFound, smb.ObjectPathNotFound)

_READ: Final = DirectoryAccessMask.FILE_LIST_DIRECTORY | DirectoryAccessMask.FILE_READ_ATTRIBUTES
_FILE: Final = CreateOptions.FILE_NON_DIRECTORY_FILE
_FOLDER: Final = CreateOptions.FILE_DIRECTORY_FILE
_LISTED: Final = FileInformationClass.FILE_FULL_DIRECTORY_INFORMATION
_IMPERSONATION, _SHARE_ALL, _OPEN_EXISTING = 2, 7, 1

_LINK: Final = 0x20000000
"""The bit in the reparse tags of links of any kind; those of deduplicated files lack it (MS-FSCC 2.1.2.1)."""


def connect(access: TargetAccess, _clock: Clock) -> "SmbTarget":
    """Return the target of an SMB server. Raises TargetLoginError: without a user or password, too."""
    location, errors = access.location, ServerErrors(access)
    if not access.user or access.password is None:  # they would be taken from the environment
        raise errors.without_login()
    connection = _SignedConnection(uuid.uuid4(), location.host, location.server_port)
    connection.errors = errors
    session = Session(connection, access.user, access.password.reveal(), require_encryption=False, auth_protocol="ntlm")
    try:
        with _errors(errors):
            connection.connect(timeout=target.CONNECT_SECONDS)
        with _errors(errors, refusal=errors.rejected):
            session.connect()
    except BaseException:
        connection.drop()
        raise
    return SmbTarget(session, errors)


class _SignedConnection(Connection):  # type: ignore[misc]
    """A connection that waits for no answer forever, and accepts none that is not signed."""

    errors: ServerErrors

    def receive(self, request: Any, wait: bool = True, timeout: float | None = None, **_: Any) -> Any:
        """Return the answer to a request, without following a link."""
        seconds = timeout or target.ANSWER_SECONDS
        try:
            return super().receive(request, wait, seconds, resolve_symlinks=False)
        except smb.SMBException as error:
            if isinstance(error, smb.SMBResponseException) or not self.transport.connected:
                raise
            self.drop()
            raise TimeoutError(f"no answer within {seconds:g} s") from error

    def verify_signature(self, header: Any, session_id: int, force: bool = False) -> None:
        """Verify an answer; smbprotocol by itself accepts one that says that it is not signed."""
        pending = header["status"].get_value() == NtStatus.STATUS_PENDING
        try:
            super().verify_signature(header, session_id, force or (session_id in self.session_table and not pending))
        except smb.SMBException as error:
            forged = TargetIdentityError("invalid signature from $server", server=self.errors.name)
            raise self.errors.untrusted(forged) from error

    def drop(self) -> None:
        """Close the connection without waiting for the server, which then closes what is open."""
        if self.transport is not None:
            with suppress(OSError):
                self.disconnect(close=False)


class SmbTarget:
    """The shares of an SMB server."""

    def __init__(self, session: Any, errors: ServerErrors) -> None:
        self._session = session
        self._errors = errors
        self._trees: dict[str, Any] = {}

    def list(self, folder: TargetPath) -> tuple[TargetEntry, ...]:
        """Return the entries of a folder."""
        with self._opened(folder) as opened:
            return target.bounded(each for each in _entries(opened, "*") if each.name not in {".", ".."})

    def stat(self, path: TargetPath) -> TargetEntry:
        """Return one entry, as its folder lists it."""
        with self._opened(path[:-1] or path) as opened:
            return next(_entries(opened, path[-1])) if path[1:] else target_entry(path[0], "folder")

    def open_read(self, path: TargetPath) -> Generator[bytes, None, None]:
        """Yield the content of a file."""
        with self._opened(path, options=_FILE) as file, suppress(smb.EndOfFile):
            offset, size = 0, min(target.CHUNK_BYTES, file.connection.max_read_size)
            while offset < file.end_of_file:
                yield (chunk := file.read(offset, size))
                offset += len(chunk)

    def remove_file(self, path: TargetPath) -> None:
        """Remove one file."""
        self._remove(path, _FILE)

    def remove_empty_dir(self, path: TargetPath) -> None:
        """Remove a folder, which must be empty."""
        self._remove(path, _FOLDER)

    def close(self) -> None:
        """Close the connection."""
        self._session.connection.drop()

    def _remove(self, path: TargetPath, option: int) -> None:
        """Mark an entry for deletion, which the server refuses for a folder that is not empty, and close it."""
        mark, request = FileDispositionInformation(), SMB2SetInfoRequest()
        mark["delete_pending"] = True
        request["info_type"], request["file_info_class"], request["buffer"] = mark.INFO_TYPE, mark.INFO_CLASS, mark
        options = option | CreateOptions.FILE_OPEN_REPARSE_POINT
        with self._opened(path, DirectoryAccessMask.DELETE, options) as opened:
            request["file_id"] = opened.file_id
            sent = opened.connection.send(request, self._session.session_id, opened.tree_connect.tree_connect_id)
            opened.connection.receive(sent)

    @contextmanager
    def _opened(self, path: TargetPath, access: int = _READ, options: int = _FOLDER) -> Iterator[Any]:
        if not path:
            raise TargetAnswerError("the location names no share", hint="use smb://host/share/folder")
        with _errors(self._errors, path):
            if path[0] not in self._trees:
                tree = TreeConnect(self._session, rf"\\{self._session.connection.server_name}\{path[0]}")
                tree.connect()
                tree.is_dfs_share = False
                self._trees[path[0]] = tree
            opened = Open(self._trees[path[0]], "\\".join(path[1:]))
            opened.create(_IMPERSONATION, access, 0, _SHARE_ALL, _OPEN_EXISTING, options)
            try:
                yield opened
            finally:
                opened.close()


def _entries(folder: Any, pattern: str) -> Iterator[TargetEntry]:
    with suppress(smb.NoMoreFiles):
        while True:
            yield from map(_entry, folder.query_directory(pattern, _LISTED))


def _entry(found: Any) -> TargetEntry:
    name = found["file_name"].get_value().decode("utf-16-le", "surrogatepass")
    flags, reparse_tag = found["file_attributes"], found["ea_size"].get_value()
    folder = flags.has_flag(FileAttributes.FILE_ATTRIBUTE_DIRECTORY)
    if flags.has_flag(FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT) and (folder or reparse_tag & _LINK):
        return target_entry(name, "other")
    return target_entry(name, "folder") if folder else target_entry(name, "file", found["end_of_file"].get_value())


@contextmanager
def _errors(
    errors: ServerErrors, path: TargetPath = (), *, refusal: Callable[[str], BackupctlError] | None = None
) -> Iterator[None]:
    """Map the errors of smbprotocol, which may raise anything for an unusable answer."""
    try:
        yield
    except BackupctlError:
        raise
    except _MISSING as error:
        raise errors.missing(path) from error
    except Exception as error:
        if isinstance(error, smb.SMBResponseException):
            reason = _STATUS.get(error.status, f"SMB status {error.status:#x}")
        elif type(error) is smb.SMBException:
            reason = _GUEST if "as a guest" in str(error) else str(error)
        else:
            lost = next((each for each in causes_of(error) if isinstance(each, OSError)), "connection lost")
            raise errors.unreachable(lost) from error
        raise refusal(reason) if refusal else errors.refused(path, reason) from error
