"""Call the operations of one appliance: with a session, in the right family of the API, and with errors mapped."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TypeVar

import httpx

from backupctl.api import endpoints
from backupctl.api.credential_state import CredentialState
from backupctl.api.decoding import DECODE_ERRORS
from backupctl.api.endpoint import FIRST_RELEASE, EncodedRequest, Endpoint, Family
from backupctl.api.error_mapping import (
    OperationInfo,
    date_of,
    raise_for_status,
    unreachable,
    unreadable,
    without_backup_api,
)
from backupctl.api.extensions import REDACTED_REQUEST
from backupctl.api.message_redaction import mask_messages
from backupctl.api.request_body import encode_parameters, mask_secret
from backupctl.api.session import Session
from backupctl.api.transport import timeout_for
from backupctl.errors import (
    AuthenticationError,
    BackupctlError,
    NotSupportedError,
    ReadOnlyError,
    SessionExpiredError,
    UsageError,
)
from backupctl.models import (
    SystemVersion,
)
from backupctl.secrets.secret import Secret

T = TypeVar("T")


class ApiClient:
    """The API of one appliance.

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
        self._succeeded: set[str] = set()
        self._is_appliance = False
        self._speaks_vapi = False
        self._family_was_given = session.family_is_certain
        self.server_time: datetime | None = None
        """When the last answer was given, by its ``Date`` (RFC 9110, 6.6.1: whole seconds of the appliance's clock)."""

    @property
    def family(self) -> str | None:
        """The family that is spoken, None until the appliance let us in."""
        return self._session.family if self._session.has_logged_in else None

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
            self._ensure_session()

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return a text without the secrets that the appliance got from us; with ``skip_common_words`` words stay."""
        return self._session.redactor.redact(text, skip_common_words=skip_common_words)

    def version(self) -> SystemVersion:
        """Return the release that the appliance runs; it is asked for once."""
        if self._version is None:
            self._version = self._call(endpoints.SYSTEM_VERSION)
        return self._version

    def log_out(self) -> None:
        """End the session; raises nothing."""
        self._session.log_out(partial(self._send, "log out"), self._client.base_url)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _call(self, endpoint: Endpoint[T], **parameters: object) -> T:
        self._check_allowed(endpoint)
        family = self._ensure_session()
        encoded = endpoint.encode(family, encode_parameters(parameters, self._register_and_reveal))
        shown = lambda: endpoint.encode(family, encode_parameters(parameters, mask_secret, self.redact)).shown  # noqa: E731
        request = self._request(endpoint, encoded, {REDACTED_REQUEST: shown})
        response = self._send(endpoint.operation, request, auth=self._session)
        try:
            raise_for_status(response, self._operation_info(endpoint, family))
        except NotSupportedError as error:
            explained = self._explain_missing(endpoint, error)
            self._speaks_vapi |= error.certain
            may_be_done = endpoint.changes and not error.certain
            if self._session.family_is_certain or endpoint is endpoints.SYSTEM_VERSION or may_be_done:
                self._remember_missing(endpoint, explained)
                raise explained from error
            # A session in /api but no recovery there: a release before 7.0U2 with some of the newer services.
            self._session.fall_back_to_rest(partial(self._send, "log out"), self._client.base_url)
            return self._call(endpoint, **parameters)
        except AuthenticationError as error:
            sentence = "$server let us in, but refuses to $operation ($status)"
            refused = error if error.hint else error.with_facts(message=sentence, cause=None)
            if not self._session.basic and self._session.mark_expired(response.request):
                raise SessionExpiredError.from_facts(refused.facts) from error
            raise refused from error
        except BackupctlError as error:
            self._confirm_family(endpoint, answered=error.certain and not error.retryable)
            raise
        self._confirm_family(endpoint, answered=True)
        self._succeeded.add(endpoint.operation)
        try:
            return mask_messages(endpoint.decode(family, response.content), self.redact)
        except DECODE_ERRORS as error:
            raise unreadable(response, endpoint.operation, error) from error

    def _operation_info(self, endpoint: Endpoint[object], family: Family) -> OperationInfo:
        in_release: bool | None = None
        if self._version is not None and endpoint.is_missing_in(self._version.version):
            in_release = False
        elif self._version is not None and self._is_appliance:
            in_release = True
        return OperationInfo(endpoint.operation, endpoint.not_found_possible(family), in_release)

    def _explain_missing(self, endpoint: Endpoint[object], error: NotSupportedError) -> NotSupportedError:
        """Return why an operation is missing: the release lacks it, or nothing of an appliance has answered so far.

        A 404 in another form than the API's proves neither where the API itself has answered before.
        """
        if self._is_appliance or self._succeeded:
            came_later = endpoint.since != FIRST_RELEASE
            return error.with_facts(hint=f"it came with release {endpoint.since}") if came_later else error
        if self._speaks_vapi and not error.certain:
            return error
        return without_backup_api(error, of_api=self._family_was_given and self._session.family is Family.API)

    def _check_allowed(self, endpoint: Endpoint[object]) -> None:
        """Raise what is known to keep an operation from being done, before anything is sent."""
        if endpoint.operation in self._missing:
            raise self._missing[endpoint.operation]
        host = self._client.base_url.host
        if endpoint.changes and self._read_only:
            sentence = "$server is read-only for us: cannot $operation"
            raise ReadOnlyError(sentence, server=host, operation=endpoint.operation)
        if self._session.has_expired:
            raise SessionExpiredError("$server no longer knows our session", server=host, operation=endpoint.operation)

    def _ensure_session(self) -> Family:
        return self._session.open(partial(self._send, "log in"), self._client.base_url)

    def _register_and_reveal(self, secret: Secret) -> str:
        self._session.redactor.add(secret)
        return secret.reveal()

    def _request(
        self, endpoint: Endpoint[object], encoded: EncodedRequest, extensions: dict[str, object]
    ) -> httpx.Request:
        """Return the request; what in its URL is the appliance's is short, what may be too long is the user's."""
        try:
            return self._client.build_request(
                encoded.method,
                encoded.target,
                json=encoded.body,
                timeout=timeout_for(encoded.method),
                extensions=extensions,
            )
        except httpx.InvalidURL as error:
            raise UsageError(
                "the request to $operation cannot be written: $cause",
                operation=endpoint.operation,
                cause=str(error),
                hint="in /rest, the location and what is searched for stand in the URL: are they so long?",
            ) from error

    def _remember_missing(self, endpoint: Endpoint[object], error: NotSupportedError) -> None:
        """Take note of what this release lacks; what was there before is missing only while services start."""
        if error.certain and endpoint.since != FIRST_RELEASE and endpoint.operation not in self._succeeded:
            self._missing[endpoint.operation] = error

    def _confirm_family(self, endpoint: Endpoint[object], *, answered: bool) -> None:
        """Take note that a recovery operation, which refusals are by as well, lives in this family.

        That a service is not available is said in front of it, whether or not there is one.
        """
        if answered and endpoint is not endpoints.SYSTEM_VERSION:
            self._session.family_is_certain = self._is_appliance = True

    def _send(self, operation: str, request: httpx.Request, *, auth: httpx.Auth | None = None) -> httpx.Response:
        try:
            response = self._client.send(request, auth=auth)
        except httpx.RequestError as error:
            lost = unreachable(error, request.url.host, operation)
            self._session.last_transport_error = lost
            raise lost from error
        self.server_time = date_of(response)
        return response
