"""An appliance as operations meet it: the API that they need, and who it is."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backupctl.clock import Clock
from backupctl.models import (
    ArchiveFilter,
    ArchiveInfo,
    ArchiveSummary,
    BackupJobStatus,
    BackupRequest,
    DatabaseHealth,
    HealthSettings,
    JobDetails,
    LocationSpec,
    Part,
    ReconciliationSpec,
    ReconciliationStatus,
    RestoreJobStatus,
    RestoreMetadata,
    RestoreRequest,
    ReturnResult,
    Schedule,
    ScheduleSpec,
    SystemVersion,
    Unreadable,
)
from backupctl.results.events import RunEvent
from backupctl.results.result import PreparedRequest
from backupctl.results.result_redaction import redacted


class Account(Protocol):
    """A user and a password; the same object wherever we come with the same ones."""

    @property
    def proven(self) -> bool:
        """Whether an appliance has let us in with them."""
        ...

    @property
    def refused(self) -> bool:
        """Whether an appliance has refused them; then they are not sent any more."""
        ...


class RecoveryOperations(Protocol):
    """What operations ask of an appliance; each method raises errors of ``backupctl.errors`` only."""

    @property
    def family(self) -> str | None:
        """The family of the API, None until it is known."""
        ...

    @property
    def account(self) -> Account:
        """The user and password with which we come."""
        ...

    @property
    def is_logging_in(self) -> bool:
        """Whether the password was sent and is not answered yet; the appliance may be counting a failure."""
        ...

    @property
    def server_time(self) -> datetime | None:
        """When the appliance gave its last answer, in whole seconds of its own clock; None where it did not say."""
        ...

    def log_in(self) -> None:
        """Show the password to the appliance; the first operation would do so as well.

        Any operation raises SessionExpiredError when it has to be done again.
        """
        ...

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return ``text`` with our secrets masked; with ``skip_common_words`` common words stay."""
        ...

    def version(self) -> SystemVersion:
        """Return the release that the appliance runs."""
        ...

    def recovery_supported(self) -> bool:
        """Return whether the appliance supports recovery at all."""
        ...

    def system_health(self) -> str:
        """Return the health of the appliance: green, yellow, orange, red or gray."""
        ...

    def database_health(self) -> DatabaseHealth:
        """Return the health of the database."""
        ...

    def health_settings(self) -> HealthSettings:
        """Return whether backups look at the health of the database."""
        ...

    def create_job(self, request: BackupRequest) -> BackupJobStatus:
        """Start a backup and return its status."""
        ...

    def jobs(self) -> list[str]:
        """Return the ids of all jobs that the appliance remembers."""
        ...

    def job(self, job_id: str) -> BackupJobStatus:
        """Return the status of a job."""
        ...

    def job_details(self, job_ids: Sequence[str] = ()) -> dict[str, JobDetails | Unreadable]:
        """Return details by job id, of all jobs if none is named; an unknown one has no entry."""
        ...

    def cancel_job(self, job_id: str) -> ReturnResult:
        """Ask the appliance to cancel a job."""
        ...

    def parts(self) -> list[Part | Unreadable]:
        """Return the parts that a backup can include."""
        ...

    def part_size(self, part_id: str) -> int:
        """Return the estimated size of a part in MB."""
        ...

    def validate(self, request: BackupRequest) -> ReturnResult:
        """Let the appliance check a backup without starting it; a failed check is a result, not an error."""
        ...

    def schedules(self) -> dict[str, Schedule | Unreadable]:
        """Return all schedules by name; there is hardly ever more than one."""
        ...

    def schedule(self, name: str) -> Schedule:
        """Return a schedule."""
        ...

    def create_schedule(self, name: str, spec: ScheduleSpec) -> None:
        """Create a schedule."""
        ...

    def update_schedule(self, name: str, spec: ScheduleSpec) -> None:
        """Change what is set in ``spec``."""
        ...

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule."""
        ...

    def run_schedule(self, name: str, comment: str | None = None) -> BackupJobStatus:
        """Start a backup as the schedule has it and return its status."""
        ...

    def system_names(self, location: LocationSpec) -> list[str]:
        """Return the systems that have backups at a location; in ``/rest`` the password travels in the URL."""
        ...

    def archives(
        self, location: LocationSpec, system_name: str, only: ArchiveFilter
    ) -> list[ArchiveSummary | Unreadable]:
        """Return the archives of a system, newest first; in ``/rest`` the password travels in the URL."""
        ...

    def archive(self, location: LocationSpec, system_name: str, archive: str) -> ArchiveInfo:
        """Return an archive; in ``/rest`` the password travels in the URL."""
        ...

    def validate_restore(self, request: RestoreRequest) -> RestoreMetadata:
        """Return what an archive is and whether it can be restored on this appliance."""
        ...

    def create_restore(self, request: RestoreRequest) -> RestoreJobStatus:
        """Start to restore this appliance from an archive; all that it is now will be lost."""
        ...

    def restore_job(self) -> RestoreJobStatus:
        """Return the status of the restore."""
        ...

    def cancel_restore(self) -> ReturnResult:
        """Ask the appliance to cancel the restore."""
        ...

    def create_reconciliation(self, spec: ReconciliationSpec) -> ReconciliationStatus:
        """Start to reconcile a restored node with its partners."""
        ...

    def reconciliation(self) -> ReconciliationStatus:
        """Return the status of the reconciliation."""
        ...

    def prepare_create(self, request: BackupRequest) -> tuple[PreparedRequest, ...]:
        """Return the request that would start a backup."""
        ...

    def prepare_cancel(self, job_id: str) -> tuple[PreparedRequest, ...]:
        """Return the request that would cancel a job."""
        ...

    def prepare_create_schedule(self, name: str, spec: ScheduleSpec) -> tuple[PreparedRequest, ...]:
        """Return the request that would create a schedule."""
        ...

    def prepare_update_schedule(self, name: str, spec: ScheduleSpec) -> tuple[PreparedRequest, ...]:
        """Return the request that would change a schedule."""
        ...

    def prepare_delete_schedule(self, name: str) -> tuple[PreparedRequest, ...]:
        """Return the request that would delete a schedule."""
        ...

    def prepare_run_schedule(self, name: str, comment: str | None = None) -> tuple[PreparedRequest, ...]:
        """Return the request that would run a schedule."""
        ...

    def prepare_create_restore(self, request: RestoreRequest) -> tuple[PreparedRequest, ...]:
        """Return the request that would start a restore."""
        ...

    def prepare_create_reconciliation(self, spec: ReconciliationSpec) -> tuple[PreparedRequest, ...]:
        """Return the request that would start a reconciliation."""
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

    ``show`` takes the events; ``attach`` returns the command line that follows a job of this appliance later, None
    where there is no later. ``doubt`` is what speaks against the name, should no host have it.
    """

    name: str
    host: str
    user: str
    api: RecoveryOperations
    clock: Clock
    show: Callable[[RunEvent], None]
    attach: Callable[[str], str | None]
    simulated: bool = False
    doubt: str | None = None

    def emit(self, event: RunEvent) -> None:
        """Show what happened, without secrets that the appliance says again; a bug in that never costs the work."""
        with suppress(Exception):
            self.show(redacted(event, self.api.redact))
