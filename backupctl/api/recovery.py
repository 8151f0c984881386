"""The recovery API of one appliance: one typed method for each operation, whichever family the appliance speaks."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import httpx

from backupctl.api import endpoints
from backupctl.api.answers import NOT_READABLE, raise_for_status, unreachable, unreadable
from backupctl.api.endpoints import Endpoint, Family
from backupctl.api.session import Session
from backupctl.api.transport import timeout_for
from backupctl.errors import BackupctlError, NotSupportedError
from backupctl.models import (
    BackupJobStatus,
    BackupRequest,
    JobDetails,
    Part,
    ReturnResult,
    SystemVersion,
)
from backupctl.results import PreparedRequest
from backupctl.secret import MASK, Secret

T = TypeVar("T")


class RecoveryApi:
    """The recovery operations of one appliance.

    Logs in when the first operation is called. Every method raises the errors of ``backupctl.errors`` only:
    ApplianceUnreachableError where no answer came, ApplianceAnswerError where it cannot be used,
    AuthenticationError and AuthorizationError, NotFoundError, NotSupportedError, BusyError.
    """

    def __init__(self, client: httpx.Client, session: Session) -> None:
        self._client = client
        self._session = session
        self._missing: dict[str, NotSupportedError] = {}

    @property
    def family(self) -> str | None:
        """The family that is spoken, None until the appliance let us in."""
        return self._session.family if self._session.was_let_in else None

    def version(self) -> SystemVersion:
        """Return the release that the appliance runs."""
        return self._call(endpoints.SYSTEM_VERSION)

    def create_job(self, request: BackupRequest) -> BackupJobStatus:
        """Start a backup and return its status."""
        return self._call(endpoints.JOB_CREATE, content=_revealed(request))

    def jobs(self) -> list[str]:
        """Return the ids of all jobs that the appliance remembers."""
        return self._call(endpoints.JOB_LIST)

    def job(self, job_id: str) -> BackupJobStatus:
        """Return the status of a job."""
        return self._call(endpoints.JOB_GET, job_id)

    def job_details(self, job_ids: Sequence[str] = ()) -> dict[str, JobDetails]:
        """Return details by job id, of all jobs if none is named; an unknown one has no entry."""
        return self._call(endpoints.JOB_DETAILS, jobs=job_ids)

    def cancel_job(self, job_id: str) -> ReturnResult:
        """Ask the appliance to cancel a job."""
        return self._call(endpoints.JOB_CANCEL, job_id)

    def parts(self) -> list[Part]:
        """Return the parts that a backup can include."""
        return self._call(endpoints.PARTS_LIST)

    def part_size(self, part_id: str) -> int:
        """Return the estimated size of a part in MB."""
        return self._call(endpoints.PARTS_GET, part_id)

    def validate(self, request: BackupRequest) -> ReturnResult:
        """Let the appliance check a backup without starting it; a failed check is a result, not an error."""
        return self._call(endpoints.BACKUP_VALIDATE, content=_revealed(request))

    def log_out(self) -> None:
        """End the session; what goes wrong with it is of no consequence to anybody, so it raises nothing."""
        with contextlib.suppress(BackupctlError):
            self._session.log_out(partial(self._send, "log out"), self._client.base_url)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def prepare_create(self, request: BackupRequest) -> tuple[PreparedRequest, ...]:
        """Return the request that starts a backup as it would be sent, secrets masked, and send nothing.

        While the family is unknown there is one for each, that of the newer family first.
        """
        families = [self._session.family] if self._session.family else [Family.API, Family.REST]
        endpoint = endpoints.JOB_CREATE
        return tuple(
            PreparedRequest(
                method=endpoint.method,
                url=str(self._client.base_url.join(endpoint.path(family))),
                body=endpoint.body(family, _masked(request)),
            )
            for family in families
        )

    def _call(
        self,
        endpoint: Endpoint[T],
        identifier: str | None = None,
        *,
        content: dict[str, Any] | None = None,
        jobs: Sequence[str] = (),
    ) -> T:
        if endpoint.doing in self._missing:
            raise self._missing[endpoint.doing]
        family = self._session.open(partial(self._send, "log in"), self._client.base_url)
        request = self._client.build_request(
            endpoint.method,
            endpoint.path(family, identifier),
            params=tuple(endpoint.query(family, jobs)) or None,
            json=endpoint.body(family, content),
            timeout=timeout_for(endpoint.method),
        )
        response = self._send(endpoint.doing, request, auth=self._session)
        try:
            raise_for_status(response, endpoint.doing, names_a_thing=identifier is not None)
        except NotSupportedError as error:
            if self._session.family_is_certain or endpoint is endpoints.SYSTEM_VERSION:
                if error.certain and endpoint.since != endpoints.FIRST_RELEASE:
                    self._missing[endpoint.doing] = error
                raise
            # A session in /api but no recovery there: a release before 7.0U2 with some of the newer services.
            self._session.fall_back(partial(self._send, "log out"), self._client.base_url)
            return self._call(endpoint, identifier, content=content, jobs=jobs)
        except BackupctlError as error:
            self._settle(endpoint, answered=error.certain)
            raise
        self._settle(endpoint, answered=True)
        try:
            return endpoint.decode(family, response.content)
        except NOT_READABLE as error:
            raise unreadable(response, endpoint.doing, str(error)) from error

    def _settle(self, endpoint: Endpoint[Any], *, answered: bool) -> None:
        """Take note that a recovery operation, which refusals are by as well, lives in this family."""
        if answered and endpoint is not endpoints.SYSTEM_VERSION:
            self._session.family_is_certain = True

    def _send(
        self,
        doing: str,
        request: httpx.Request,
        *,
        auth: httpx.Auth | None = None,
    ) -> httpx.Response:
        try:
            return self._client.send(request, auth=auth)
        except httpx.RequestError as error:
            raise unreachable(error, request.url.host, doing) from error


def _revealed(request: BackupRequest) -> dict[str, Any]:
    return _content(request, lambda secret: secret.reveal())


def _masked(request: BackupRequest) -> dict[str, Any]:
    return _content(request, lambda _: MASK)


def _content(request: BackupRequest, show: Callable[[Secret], str]) -> dict[str, Any]:
    """Return the fields that are set, in the order of the API's documentation."""
    fields = {name: getattr(request, name) for name in request.__struct_fields__}
    return {
        name: show(value) if isinstance(value, Secret) else list(value) if isinstance(value, tuple) else value
        for name, value in fields.items()
        if value is not None
    }
