"""Call the operations of one appliance: with a session, in the right family of the API, and with errors mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
from backupctl.error_facts import renamed
from backupctl.errors import (
    AuthenticationError,
    BackupctlError,
    NotSupportedError,
    ReadOnlyError,
    SessionExpiredError,
    UsageError,
)
from backupctl.models import SystemVersion
from backupctl.secrets.secret import Secret

T = TypeVar("T")


class ApiClient:
    """The API of one appliance.

    The first operation logs in. When the session has expired, each operation raises SessionExpiredError until the next
    ``log_in``; only the first of them sends a request. With ``read_only``, operations that change the appliance raise
    ReadOnlyError.

    All methods raise errors of ``backupctl.errors`` only: ApplianceUnreachableError without a response,
    ApplianceAnswerError for an unusable one, AuthenticationError and AuthorizationError, NotFoundError,
    NotSupportedError, BusyError.
    """

    def __init__(self, client: httpx.Client, session: Session, *, read_only: bool = False) -> None:
        self._client = client
        self._session = session
        self._read_only = read_only
        self._missing_operations: dict[str, NotSupportedError] = {}
        self._version: SystemVersion | None = None
        self._succeeded_operations: set[str] = set()
        self._is_appliance = False
        self._has_vapi = False
        self._family_is_configured = session.family_is_certain
        self.server_time: datetime | None = None
        """The time of the last response, by its ``Date`` (RFC 9110, 6.6.1: whole seconds of the appliance's clock)."""

    @property
    def family(self) -> str | None:
        """The family in use, None before the first login."""
        return self._session.family if self._session.has_logged_in else None

    @property
    def credential_state(self) -> CredentialState:
        """The state of our user and password, shared with the other appliances of the run that use them."""
        return self._session.credential_state

    @property
    def is_logging_in(self) -> bool:
        """Whether the password was sent and there is no response yet."""
        return self._session.is_logging_in

    def log_in(self) -> None:
        """Log in, also after the session has expired; with basic authentication, read the version instead, once."""
        if self._session.basic:
            self.version()
        else:
            with self._named_errors():
                self._ensure_session()

    def redact(self, text: str, *, skip_common_words: bool = False) -> str:
        """Return a text with the secrets masked that the appliance got; see ``Redactor.redact``."""
        return self._session.redactor.redact(text, skip_common_words=skip_common_words)

    def version(self) -> SystemVersion:
        """Return the release of the appliance; it is read once."""
        if self._version is None:
            self._version = self._call(endpoints.SYSTEM_VERSION)
        return self._version

    def log_out(self) -> None:
        """Log out; errors are ignored."""
        self._session.log_out(partial(self._send, "log out"), self._client.base_url)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _call(self, endpoint: Endpoint[T], **parameters: object) -> T:
        with self._named_errors():
            return self._request(endpoint, **parameters)

    @property
    def _name(self) -> str:
        return self._session.server_name(self._client.base_url)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Give errors the configured name of the appliance, as the layers below know only its host."""
        try:
            yield
        except BackupctlError as error:
            facts = renamed(error.facts, self._client.base_url.host, self._name)
            if facts == error.facts:
                raise
            raise error.from_facts(facts).with_traceback(error.__traceback__) from error.__cause__

    def _request(self, endpoint: Endpoint[T], **parameters: object) -> T:
        self._check_allowed(endpoint)
        family = self._ensure_session()
        encoded = endpoint.encode(family, encode_parameters(parameters, self._register_and_reveal))

        def redacted_request() -> tuple[str, object]:
            return endpoint.encode(family, encode_parameters(parameters, mask_secret, self.redact)).for_log

        request = self._build_request(endpoint, encoded, {REDACTED_REQUEST: redacted_request})
        response = self._send(endpoint.operation, request, auth=self._session)
        try:
            raise_for_status(response, self._operation_info(endpoint, family))
        except NotSupportedError as error:
            self._fall_back_or_raise(endpoint, error)
            return self._request(endpoint, **parameters)
        except AuthenticationError as error:
            message = "$server accepted the login but denied the request to $operation ($status)"
            denied = error if error.hint else error.with_facts(message=message, cause=None)
            if not self._session.basic and self._session.mark_expired(response.request):
                raise SessionExpiredError.from_facts(denied.facts) from error
            raise denied from error
        except BackupctlError as error:
            self._confirm_family(endpoint, answered=error.certain and not error.retryable)
            raise
        self._confirm_family(endpoint, answered=True)
        self._succeeded_operations.add(endpoint.operation)
        try:
            return mask_messages(endpoint.decode(family, response.content), self.redact)
        except DECODE_ERRORS as error:
            raise unreadable(response, endpoint.operation, error) from error

    def _fall_back_or_raise(self, endpoint: Endpoint[object], error: NotSupportedError) -> None:
        """Fall back to ``/rest`` if an operation may be missing only in ``/api``; else raise its error.

        Releases before 7.0U2 with some of the newer services have sessions in ``/api`` but no recovery operations.
        """
        missing = self._explain_missing(endpoint, error)
        self._has_vapi |= error.certain
        may_have_effect = endpoint.changes and not error.certain
        if self._session.family_is_certain or endpoint is endpoints.SYSTEM_VERSION or may_have_effect:
            self._remember_missing(endpoint, missing)
            raise missing from error
        self._session.fall_back_to_rest(partial(self._send, "log out"), self._client.base_url)

    def _operation_info(self, endpoint: Endpoint[object], family: Family) -> OperationInfo:
        has_operation = None if self._version is None else not endpoint.is_missing_in(self._version.version)
        # A version alone does not prove that the server is an appliance.
        in_release = None if has_operation and not self._is_appliance else has_operation
        return OperationInfo(endpoint.operation, endpoint.not_found_possible(family), in_release)

    def _explain_missing(self, endpoint: Endpoint[object], error: NotSupportedError) -> NotSupportedError:
        """Return the error for a missing operation: the release does not have it, or the server is no appliance.

        After an error of the API itself, a 404 without an API error proves neither.
        """
        if self._is_appliance or self._succeeded_operations:
            came_later = endpoint.since != FIRST_RELEASE
            return error.with_facts(hint=f"it needs release {endpoint.since} or later") if came_later else error
        if self._has_vapi and not error.certain:
            return error
        return without_backup_api(error, of_api=self._family_is_configured and self._session.family is Family.API)

    def _check_allowed(self, endpoint: Endpoint[object]) -> None:
        """Raise the error for an operation that is known to fail, before anything is sent."""
        if endpoint.operation in self._missing_operations:
            raise self._missing_operations[endpoint.operation]
        if endpoint.changes and self._read_only:
            message = "$server is read-only; refusing to $operation"
            raise ReadOnlyError(message, server=self._name, operation=endpoint.operation)
        if self._session.has_expired:
            message = "the session on $server has expired"
            raise SessionExpiredError(message, server=self._name, operation=endpoint.operation)

    def _ensure_session(self) -> Family:
        return self._session.open(partial(self._send, "log in"), self._client.base_url)

    def _register_and_reveal(self, secret: Secret) -> str:
        self._session.redactor.add(secret)
        return secret.reveal()

    def _build_request(
        self, endpoint: Endpoint[object], encoded: EncodedRequest, extensions: dict[str, object]
    ) -> httpx.Request:
        """Return the request. Raises UsageError: if the user's parameters make its URL too long."""
        try:
            timeout = timeout_for(encoded.method)
            return self._client.build_request(
                encoded.method, encoded.target, json=encoded.body, timeout=timeout, extensions=extensions
            )
        except httpx.InvalidURL as error:
            raise UsageError(
                "cannot build the request to $operation: $cause",
                operation=endpoint.operation,
                cause=str(error),
                hint="use a shorter location or search text: /rest puts them in the URL",
            ) from error

    def _remember_missing(self, endpoint: Endpoint[object], error: NotSupportedError) -> None:
        """Record an operation that this release does not have; one that has succeeded is missing only temporarily."""
        if error.certain and endpoint.since != FIRST_RELEASE and endpoint.operation not in self._succeeded_operations:
            self._missing_operations[endpoint.operation] = error

    def _confirm_family(self, endpoint: Endpoint[object], *, answered: bool) -> None:
        """Record that this family has recovery operations, if one has answered, with success or a refusal.

        An unavailable service is no such answer: the proxy reports it whether or not the service exists.
        """
        if answered and endpoint is not endpoints.SYSTEM_VERSION:
            self._session.family_is_certain = self._is_appliance = True

    def _send(self, operation: str, request: httpx.Request, *, auth: httpx.Auth | None = None) -> httpx.Response:
        try:
            response = self._client.send(request, auth=auth)
        except httpx.RequestError as error:
            failure = unreachable(error, request.url.host, operation)
            self._session.last_transport_error = failure
            raise failure from error
        self.server_time = date_of(response)
        return response
