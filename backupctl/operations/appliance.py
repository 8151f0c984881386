"""An appliance as operations meet it: the API that they need, and who it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from backupctl.clock import Clock
from backupctl.models import BackupJobStatus, BackupRequest, JobDetails, Part, ReturnResult, SystemVersion
from backupctl.results import Event, PreparedRequest


class RecoveryOperations(Protocol):
    """What operations ask of an appliance; each method raises errors of ``backupctl.errors`` only."""

    @property
    def family(self) -> str | None:
        """The family of the API, None until it is known."""
        ...

    def version(self) -> SystemVersion:
        """Return the release."""
        ...

    def create_job(self, request: BackupRequest) -> BackupJobStatus:
        """Start a backup."""
        ...

    def jobs(self) -> list[str]:
        """Return the ids of all jobs."""
        ...

    def job(self, job_id: str) -> BackupJobStatus:
        """Return a job's status."""
        ...

    def job_details(self, job_ids: Sequence[str] = ()) -> dict[str, JobDetails]:
        """Return details by job id; of all jobs if none is named."""
        ...

    def cancel_job(self, job_id: str) -> ReturnResult:
        """Ask for a cancellation."""
        ...

    def parts(self) -> list[Part]:
        """Return what can be backed up."""
        ...

    def part_size(self, part_id: str) -> int:
        """Return a part's estimated size in MB."""
        ...

    def validate(self, request: BackupRequest) -> ReturnResult:
        """Let the appliance check a backup."""
        ...

    def prepare_create(self, request: BackupRequest) -> tuple[PreparedRequest, ...]:
        """Return the request that would start a backup, masked; send nothing."""
        ...

    def log_out(self) -> None:
        """End the session."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


@dataclass(frozen=True)
class Appliance:
    """One appliance in a run: ``name`` as it was asked for, ``host`` where it is, ``user`` as whom we come.

    ``emit`` takes the events; ``attach`` returns the command line that follows a job of this appliance later, None
    where there is no later.
    """

    name: str
    host: str
    user: str
    api: RecoveryOperations
    clock: Clock
    emit: Callable[[Event], None]
    attach: Callable[[str], str | None]
    simulated: bool = False

    def hint_to_follow(self, job_id: str) -> str | None:
        """Return what to do to follow a job of this appliance later."""
        line = self.attach(job_id)
        return f"follow it with: {line}" if line else None
