"""The recovery API of one appliance: one typed method for each operation, whichever family the appliance speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

import httpx

from backupctl.api import endpoints
from backupctl.api.credential_state import CredentialState
from backupctl.api.decoding import NOT_READABLE
from backupctl.api.endpoint import FIRST_RELEASE, Endpoint, Family, Wire, checked_name, is_name
from backupctl.api.error_mapping import Asked, date_of, raise_for_status, unreachable, unreadable, without_backup_api
from backupctl.api.extensions import SHOWN_AS
from backupctl.api.message_redaction import mask_messages
from backupctl.api.request_body import content_of, masked
from backupctl.api.session import Session
from backupctl.api.transport import timeout_for
from backupctl.errors import (
    ApplianceAnswerError,
    AuthenticationError,
    BackupctlError,
    NotSupportedError,
    ReadOnlyError,
    SessionExpiredError,
    UsageError,
)
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
from backupctl.results.result import PreparedRequest
from backupctl.secrets.secret import Secret

T = TypeVar("T")


class RecoveryApi:
    """The recovery operations of one appliance.

    Logs in when the first operation is called. The operation that finds the session expired raises SessionExpiredError,
    and so does every other until ``log_in``, which then sends nothing. Every method raises the errors of
    ``backupctl.errors`` only: ApplianceUnreachableError where no answer came, ApplianceAnswerError where it cannot be
    used, AuthenticationError and AuthorizationError, NotFoundError, NotSupportedError, BusyError. With ``read_only``,
    what would change the appliance raises ReadOnlyError instead.
    """

    def __init__(self, client: httpx.Client, session: Session, *, read_only: bool = False) -> None:
        self._client = client
        self._session = session
        self._read_only = read_only
        self._missing: dict[str, NotSupportedError] = {}
        self._version: SystemVersion | None = None
        self._present: set[str] = set()
        self._is_appliance = False
        self._speaks_vapi = False
        self._family_was_given = session.family_is_certain
        self.server_time: datetime | None = None
        """When the last answer was given, by its ``Date`` (RFC 9110, 6.6.1: whole seconds of the appliance's clock)."""

    @property
    def family(self) -> str | None:
        """The family that is spoken, None until the appliance let us in."""
        return self._session.family if self._session.was_let_in else None

    @property
    def credential_state(self) -> CredentialState:
        """The user and password with which we come, shared with other appliances of the run."""
        return self._session.credential_state

    @property
    def is_logging_in(self) -> bool:
        """Whether the password was sent and is not answered yet."""
        return self._session.is_logging_in

    def log_in(self) -> None:
        """Log in, again where the session has expired; where there are no sessions, ask for the version, once."""
        if self._session.basic:
            self.version()
        else:
            self._open()

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return a text without the secrets that the appliance got from us; with ``skip_common_words`` words stay."""
        return self._session.known.redact(text, skip_common_words=skip_common_words)

    def version(self) -> SystemVersion:
        """Return the release that the appliance runs; it is asked for once."""
        if self._version is None:
            self._version = self._call(endpoints.SYSTEM_VERSION)
        return self._version

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
        """Return whether backups look at the health of the database."""
        return self._call(endpoints.HEALTH_SETTINGS)

    def create_job(self, request: BackupRequest) -> BackupJobStatus:
        """Start a backup and return its status."""
        return self._about(self._call(endpoints.JOB_CREATE, piece=request), "start a backup")

    def jobs(self) -> list[str]:
        """Return the ids of all jobs that the appliance remembers."""
        return self._call(endpoints.JOB_LIST)

    def job(self, job_id: str) -> BackupJobStatus:
        """Return the status of a job."""
        return self._about(self._call(endpoints.JOB_GET, job=job_id), "read the backup job", job_id)

    def job_details(self, job_ids: Sequence[str] = ()) -> dict[str, JobDetails | Unreadable]:
        """Return details by job id, of all jobs if none is named; an unknown one has no entry."""
        wanted = [checked_name(job_id) for job_id in job_ids]
        return self._call(endpoints.JOB_DETAILS, filter={"jobs": wanted} if wanted else None)

    def cancel_job(self, job_id: str) -> ReturnResult:
        """Ask the appliance to cancel a job."""
        return self._call(endpoints.JOB_CANCEL, job=job_id)

    def parts(self) -> list[Part | Unreadable]:
        """Return the parts that a backup can include."""
        return self._call(endpoints.PARTS_LIST)

    def part_size(self, part_id: str) -> int:
        """Return the estimated size of a part in MB."""
        return self._call(endpoints.PARTS_GET, part=part_id)

    def validate(self, request: BackupRequest) -> ReturnResult:
        """Let the appliance check a backup without starting it; a failed check is a result, not an error."""
        return self._call(endpoints.BACKUP_VALIDATE, piece=request)

    def schedules(self) -> dict[str, Schedule | Unreadable]:
        """Return all schedules by name; there is hardly ever more than one."""
        return self._call(endpoints.SCHEDULE_LIST)

    def schedule(self, name: str) -> Schedule:
        """Return a schedule."""
        return self._call(endpoints.SCHEDULE_GET, schedule=name)

    def create_schedule(self, name: str, spec: ScheduleSpec) -> None:
        """Create a schedule."""
        self._call(endpoints.SCHEDULE_CREATE, schedule=checked_name(name), spec=spec)

    def update_schedule(self, name: str, spec: ScheduleSpec) -> None:
        """Change what is set in ``spec``."""
        self._call(endpoints.SCHEDULE_UPDATE, schedule=name, spec=spec)

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule."""
        self._call(endpoints.SCHEDULE_DELETE, schedule=name)

    def run_schedule(self, name: str, comment: str | None = None) -> BackupJobStatus:
        """Start a backup as the schedule has it and return its status."""
        status = self._call(endpoints.SCHEDULE_RUN, schedule=name, comment=comment or "")
        return self._about(status, "run the schedule")

    def system_names(self, location: LocationSpec) -> list[str]:
        """Return the systems that have backups at a location; in ``/rest`` the password travels in the URL."""
        return self._call(endpoints.SYSTEM_NAME_LIST, loc_spec=location)

    def archives(
        self, location: LocationSpec, system_name: str, only: ArchiveFilter
    ) -> list[ArchiveSummary | Unreadable]:
        """Return the archives of a system, newest first; in ``/rest`` the password travels in the URL."""
        return self._call(endpoints.ARCHIVE_LIST, loc_spec=location, system_name=system_name, filter_spec=only)

    def archive(self, location: LocationSpec, system_name: str, archive: str) -> ArchiveInfo:
        """Return an archive; in ``/rest`` the password travels in the URL."""
        return self._call(endpoints.ARCHIVE_GET, spec=location, system_name=system_name, archive=archive)

    def validate_restore(self, request: RestoreRequest) -> RestoreMetadata:
        """Return what an archive is and whether it can be restored on this appliance."""
        return self._call(endpoints.RESTORE_VALIDATE, piece=request)

    def create_restore(self, request: RestoreRequest) -> RestoreJobStatus:
        """Start to restore this appliance from an archive; all that it is now will be lost."""
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

    def log_out(self) -> None:
        """End the session; raises nothing."""
        self._session.log_out(partial(self._send, "log out"), self._client.base_url)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def prepare(self, operation: Callable[[RecoveryApi], object]) -> tuple[PreparedRequest, ...]:
        """Return the request that ``operation`` would send, secrets masked, and send nothing.

        While the family is unknown there is one for each, that of the newer family first.
        """
        try:
            operation(_Preview(self._client, self._session))
        except _NotSent as request:
            return self._shown(request)
        return ()

    def _shown(self, request: _NotSent) -> tuple[PreparedRequest, ...]:
        parameters = content_of(request.parameters, masked)
        families = [self._session.family] if self._session.family else [Family.API, Family.REST]
        wires = [request.endpoint.wire(family, parameters) for family in families]
        return tuple(
            PreparedRequest(method=wire.method, url=str(self._client.base_url.join(wire.target)), body=wire.body)
            for wire in wires
        )

    def _about(self, status: BackupJobStatus, doing: str, job_id: str | None = None) -> BackupJobStatus:
        """Return a status that names its job; one that names none, or another than was asked for, proves nothing.

        Nor does one with a name by which its job can never be asked for.
        """
        if is_name(status.id) if job_id is None else status.id == job_id:
            return status
        expected = "a new job" if job_id is None else f"job {job_id}"
        named = self.redact(status.id)[:40] or "no job"
        raise ApplianceAnswerError(
            f"asked to $operation: expected {expected}, got $cause",
            server=self._client.base_url.host,
            operation=doing,
            cause=named,
            certain=False,
            retryable=True,
        )

    def _call(self, endpoint: Endpoint[T], **parameters: object) -> T:
        self._check(endpoint)
        family = self._open()
        wire = endpoint.wire(family, content_of(parameters, self._reveal))
        shown = lambda: endpoint.wire(family, content_of(parameters, masked, self.redact)).shown  # noqa: E731
        request = self._request(endpoint, wire, {SHOWN_AS: shown})
        response = self._send(endpoint.doing, request, auth=self._session)
        try:
            raise_for_status(response, self._asked(endpoint, family))
        except NotSupportedError as error:
            explained = self._explained(endpoint, error)
            self._speaks_vapi |= error.certain
            may_be_done = endpoint.changes and not error.certain
            if self._session.family_is_certain or endpoint is endpoints.SYSTEM_VERSION or may_be_done:
                self._remember_missing(endpoint, explained)
                raise explained from error
            # A session in /api but no recovery there: a release before 7.0U2 with some of the newer services.
            self._session.fall_back(partial(self._send, "log out"), self._client.base_url)
            return self._call(endpoint, **parameters)
        except AuthenticationError as error:
            sentence = "$server let us in, but refuses to $operation ($status)"
            refused = error if error.hint else error.with_facts(message=sentence, cause=None)
            if not self._session.basic and self._session.expire(response.request):
                raise SessionExpiredError.from_facts(refused.facts) from error
            raise refused from error
        except BackupctlError as error:
            self._settle(endpoint, answered=error.certain and not error.retryable)
            raise
        self._settle(endpoint, answered=True)
        self._present.add(endpoint.doing)
        try:
            return mask_messages(endpoint.decode(family, response.content), self.redact)
        except NOT_READABLE as error:
            raise unreadable(response, endpoint.doing, error) from error

    def _asked(self, endpoint: Endpoint[object], family: Family) -> Asked:
        lacking = endpoint.is_lacking(self._version.version if self._version else None)
        available = self._version is not None and self._is_appliance and not lacking
        return Asked(endpoint.doing, endpoint.names_a_thing(family), lacking, available)

    def _explained(self, endpoint: Endpoint[object], error: NotSupportedError) -> NotSupportedError:
        """Return why an operation is missing: the release lacks it, or nothing of an appliance has answered so far.

        A 404 in another form than the API's proves neither where the API itself has answered before.
        """
        if self._is_appliance or self._present:
            lacking = endpoint.since != FIRST_RELEASE
            return error.with_facts(hint=f"it came with release {endpoint.since}") if lacking else error
        if self._speaks_vapi and not error.certain:
            return error
        return without_backup_api(error, of_api=self._family_was_given and self._session.family is Family.API)

    def _check(self, endpoint: Endpoint[object]) -> None:
        """Raise what is known to keep an operation from being done, before anything is sent."""
        if endpoint.doing in self._missing:
            raise self._missing[endpoint.doing]
        host = self._client.base_url.host
        if endpoint.changes and self._read_only:
            sentence = "$server is read-only for us: cannot $operation"
            raise ReadOnlyError(sentence, server=host, operation=endpoint.doing)
        if self._session.has_expired:
            raise SessionExpiredError("$server no longer knows our session", server=host, operation=endpoint.doing)

    def _open(self) -> Family:
        return self._session.open(partial(self._send, "log in"), self._client.base_url)

    def _reveal(self, secret: Secret) -> str:
        self._session.known.add(secret)
        return secret.reveal()

    def _request(self, endpoint: Endpoint[object], wire: Wire, extensions: dict[str, object]) -> httpx.Request:
        """Return the request; what in its URL is the appliance's is short, what may be too long is the user's."""
        try:
            return self._client.build_request(
                wire.method, wire.target, json=wire.body, timeout=timeout_for(wire.method), extensions=extensions
            )
        except httpx.InvalidURL as error:
            raise UsageError(
                "the request to $operation cannot be written: $cause",
                operation=endpoint.doing,
                cause=str(error),
                hint="in /rest, the location and what is searched for stand in the URL: are they so long?",
            ) from error

    def _remember_missing(self, endpoint: Endpoint[object], error: NotSupportedError) -> None:
        """Take note of what this release lacks; what was there before is missing only while services start."""
        if error.certain and endpoint.since != FIRST_RELEASE and endpoint.doing not in self._present:
            self._missing[endpoint.doing] = error

    def _settle(self, endpoint: Endpoint[object], *, answered: bool) -> None:
        """Take note that a recovery operation, which refusals are by as well, lives in this family.

        That a service is not available is said in front of it, whether or not there is one.
        """
        if answered and endpoint is not endpoints.SYSTEM_VERSION:
            self._session.family_is_certain = self._is_appliance = True

    def _send(self, doing: str, request: httpx.Request, *, auth: httpx.Auth | None = None) -> httpx.Response:
        try:
            response = self._client.send(request, auth=auth)
        except httpx.RequestError as error:
            lost = unreachable(error, request.url.host, doing)
            self._session.last_loss = lost
            raise lost from error
        self.server_time = date_of(response)
        return response


class _NotSent(Exception):  # noqa: N818 - no error: it carries a request out of the method that would send it
    """A request that a preview did not send."""

    def __init__(self, endpoint: Endpoint[object], parameters: Mapping[str, object]) -> None:
        super().__init__(endpoint.doing)
        self.endpoint = endpoint
        self.parameters = parameters


class _Preview(RecoveryApi):
    """The same operations; each raises its request instead of sending it."""

    def _call(self, endpoint: Endpoint[T], **parameters: object) -> T:
        raise _NotSent(endpoint, parameters)
