"""What work on an appliance came to."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from backupctl.errors import BackupctlError

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Outcome(Generic[T_co]):
    """A value, such as a job as it was last seen or a whole result, and the error, None only for a success."""

    value: T_co
    error: BackupctlError | None = None
