"""The recovery API of one appliance: one typed method for each operation, in either family of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from backupctl.api import endpoints
from backupctl.api.api_client import ApiClient
from backupctl.api.endpoint import Endpoint, Family, check_name, is_valid_name
from backupctl.api.request_body import encode_parameters, mask_secret
from backupctl.errors import ApplianceAnswerError
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
    UnreadableEntry,
)
from backupctl.results.result import PreparedRequest

T = TypeVar("T")


class RecoveryApi(ApiClient):
    """The recovery operations of one appliance."""

    def recovery_supported(self) -> bool:
        """Return whether the appliance supports recovery at all."""
        return self._call(endpoints.RECOVERY_GET).supported

    def system_health(self) -> str:
        """Return the health of the appliance: green, yellow, orange, red or gray."""
        return self._call(endpoints.SYSTEM_HEALTH)

    def database_health(self) -> DatabaseHealth:
        """Return the health of the database."""
        return self._call(endpoints.DATABASE_HEALTH)

    def health_settings(self) -> HealthSettings:
        """Return whether backups check the health of the database."""
        return self._call(endpoints.HEALTH_SETTINGS)

    def time_zone(self) -> str:
        """Return the name of the time zone of the appliance, such as ``Europe/Berlin``."""
        return self._call(endpoints.TIME_ZONE)

    def create_job(self, request: BackupRequest) -> BackupJobStatus:
        """Start a backup and return its status."""
        return self._check_job(self._call(endpoints.JOB_CREATE, piece=request), "start a backup")

    def jobs(self) -> list[str]:
        """Return the ids of all jobs in the history of the appliance."""
        return self._call(endpoints.JOB_LIST)

    def job(self, job_id: str) -> BackupJobStatus:
        """Return the status of a job."""
        return self._check_job(self._call(endpoints.JOB_GET, job=job_id), "read the backup job", job_id)

    def job_details(self, job_ids: Sequence[str] = ()) -> dict[str, JobDetails | UnreadableEntry]:
        """Return details by job id, of all jobs without ``job_ids``; an unknown job has no entry."""
        wanted = [check_name(job_id) for job_id in job_ids]
        return self._call(endpoints.JOB_DETAILS, filter={"jobs": wanted} if wanted else None)

    def cancel_job(self, job_id: str) -> ReturnResult:
        """Ask the appliance to cancel a job."""
        return self._call(endpoints.JOB_CANCEL, job=job_id)

    def parts(self) -> list[Part | UnreadableEntry]:
        """Return the parts that a backup can include."""
        return self._call(endpoints.PARTS_LIST)

    def part_size(self, part_id: str) -> int:
        """Return the estimated size of a part in MB."""
        return self._call(endpoints.PARTS_GET, part=part_id)

    def validate(self, request: BackupRequest) -> ReturnResult:
        """Let the appliance check a backup without starting it; a failed check is a result, not an error."""
        return self._call(endpoints.BACKUP_VALIDATE, piece=request)

    def schedules(self) -> dict[str, Schedule | UnreadableEntry]:
        """Return all schedules by name; there is hardly ever more than one."""
        return self._call(endpoints.SCHEDULE_LIST)

    def schedule(self, name: str) -> Schedule:
        """Return a schedule."""
        return self._call(endpoints.SCHEDULE_GET, schedule=name)

    def create_schedule(self, name: str, spec: ScheduleSpec) -> None:
        """Create a schedule."""
        self._call(endpoints.SCHEDULE_CREATE, schedule=check_name(name), spec=spec)

    def update_schedule(self, name: str, spec: ScheduleSpec) -> None:
        """Change what is set in ``spec``."""
        self._call(endpoints.SCHEDULE_UPDATE, schedule=name, spec=spec)

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule."""
        self._call(endpoints.SCHEDULE_DELETE, schedule=name)

    def run_schedule(self, name: str, comment: str | None = None) -> BackupJobStatus:
        """Start a backup with the settings of the schedule and return its status."""
        status = self._call(endpoints.SCHEDULE_RUN, schedule=name, comment=comment or "")
        return self._check_job(status, "run the schedule")

    def system_names(self, location: LocationSpec) -> list[str]:
        """Return the systems that have backups at a location; in ``/rest`` the password travels in the URL."""
        return self._call(endpoints.SYSTEM_NAME_LIST, loc_spec=location)

    def archives(
        self, location: LocationSpec, system_name: str, only: ArchiveFilter
    ) -> list[ArchiveSummary | UnreadableEntry]:
        """Return the archives of a system, newest first; in ``/rest`` the password travels in the URL."""
        return self._call(endpoints.ARCHIVE_LIST, loc_spec=location, system_name=system_name, filter_spec=only)

    def archive(self, location: LocationSpec, system_name: str, archive: str) -> ArchiveInfo:
        """Return an archive; in ``/rest`` the password travels in the URL."""
        return self._call(endpoints.ARCHIVE_GET, spec=location, system_name=system_name, archive=archive)

    def validate_restore(self, request: RestoreRequest) -> RestoreMetadata:
        """Return what an archive is and whether it can be restored on this appliance."""
        return self._call(endpoints.RESTORE_VALIDATE, piece=request)

    def create_restore(self, request: RestoreRequest) -> RestoreJobStatus:
        """Start to restore this appliance from an archive, which overwrites it."""
        return self._call(endpoints.RESTORE_CREATE, piece=request)

    def restore_job(self) -> RestoreJobStatus:
        """Return the status of the restore."""
        return self._call(endpoints.RESTORE_GET)

    def cancel_restore(self) -> ReturnResult:
        """Ask the appliance to cancel the restore."""
        return self._call(endpoints.RESTORE_CANCEL)

    def create_reconciliation(self, spec: ReconciliationSpec) -> ReconciliationStatus:
        """Start to reconcile a restored node with its partners."""
        return self._call(endpoints.RECONCILIATION_CREATE, spec=spec)

    def reconciliation(self) -> ReconciliationStatus:
        """Return the status of the reconciliation."""
        return self._call(endpoints.RECONCILIATION_GET)

    def prepare(self, operation: Callable[[RecoveryApi], object]) -> tuple[PreparedRequest, ...]:
        """Return the request that ``operation`` would send, with secrets masked, and send nothing.

        While the family is unknown, there is one request for each, ``/api`` first.
        """
        try:
            operation(_Preview(self._client, self._session))
        except _UnsentRequest as request:
            return self._describe(request)
        return ()

    def _describe(self, request: _UnsentRequest) -> tuple[PreparedRequest, ...]:
        parameters = encode_parameters(request.parameters, mask_secret)
        families = [self._session.family] if self._session.family else [Family.API, Family.REST]
        encoded = [request.endpoint.encode(family, parameters) for family in families]
        url = self._client.base_url
        return tuple(
            PreparedRequest(method=each.method, url=str(url.join(each.target)), body=each.body) for each in encoded
        )

    def _check_job(self, status: BackupJobStatus, operation: str, job_id: str | None = None) -> BackupJobStatus:
        """Return ``status`` if it is about ``job_id``, or about a new job with a valid id.

        Raises ApplianceAnswerError: if not, as such a status says nothing about our job.
        """
        if is_valid_name(status.id) if job_id is None else status.id == job_id:
            return status
        expected = "a new job" if job_id is None else f"job {job_id}"
        found = self.redact(status.id)[:40] or "no job"
        raise ApplianceAnswerError(
            f"wrong response to the request to $operation: expected {expected}, got $cause",
            server=self._name,
            operation=operation,
            cause=found,
            certain=False,
            retryable=True,
        )


class _UnsentRequest(Exception):  # noqa: N818 - no error: it carries a request out of the method that would send it
    """The request of an operation, raised instead of sent."""

    def __init__(self, endpoint: Endpoint[object], parameters: Mapping[str, object]) -> None:
        super().__init__(endpoint.operation)
        self.endpoint = endpoint
        self.parameters = parameters


class _Preview(RecoveryApi):
    """The same operations, which raise their request instead of sending it."""

    def _call(self, endpoint: Endpoint[T], **parameters: object) -> T:
        raise _UnsentRequest(endpoint, parameters)
