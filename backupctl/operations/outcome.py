"""What work on an appliance came to."""

from typing import Generic, TypeVar

import msgspec

from backupctl.errors import BackupctlError

T_co = TypeVar("T_co", covariant=True)


class Outcome(msgspec.Struct, Generic[T_co], frozen=True):
    """A value, such as a job as it was last seen or a whole result, and the error, None only for a success."""

    value: T_co
    error: BackupctlError | None = None
