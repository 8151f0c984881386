"""The errors of a backup server: what they name, and what they show of its texts."""

import pytest

from backupctl.errors import BackupctlError
from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from backupctl.targets.server_errors import MAX_TEXT, ServerErrors

ERRORS = ServerErrors(TargetAccess(Location.parse("sftp://nas.example.com/x"), "backup", Secret("pass-word-1")))
SERVER = "the backup server nas.example.com:22"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ERRORS.unreachable(ConnectionRefusedError(111, "Connection refused")), f"connection to {SERVER} failed: Con"),
        (ERRORS.unreachable(EOFError()), f"connection to {SERVER} failed: closed by the server"),
        (ERRORS.rejected("no"), f"{SERVER} rejected the login of backup: no"),
        (ERRORS.without_login(), f"missing user or password for {SERVER}"),
        (ERRORS.refused(("a", "b"), "pass-word-1\x1b[31m\r\n$1 $server"), f"/a/b on {SERVER}: ***?[31m $1 $server"),
        (ERRORS.missing(("a",)), f"/a does not exist on {SERVER}"),
    ],
)
def test_message_names_the_server(error: BackupctlError, message: str) -> None:
    assert error.message.startswith(message)
    assert error.facts.server is None  # so that the results of appliances name these


def test_text_is_cut_off() -> None:
    error = ERRORS.refused((), "x" * 24_000)
    assert error.message == f"/ on {SERVER}: {'x' * MAX_TEXT}"
