"""The outcome of work on one appliance."""

from typing import Generic, TypeVar

import msgspec

from backupctl.errors import BackupctlError

T_co = TypeVar("T_co", covariant=True)


class Outcome(msgspec.Struct, Generic[T_co], frozen=True):
    """A value, such as the last known job or a result, and an error, which is None only on success."""

    value: T_co
    error: BackupctlError | None = None
