"""The probe of an appliance's certificate before the first login; no credentials are sent."""

import ssl
from typing import Final, NamedTuple

import httpx

from backupctl.api.connect import HEADERS, proxy_secrets, transport_to
from backupctl.api.error_mapping import OperationInfo, raise_for_status, unreachable
from backupctl.api.handshake import Connection, perform_handshake
from backupctl.api.transport import BoundedTransport, Observer, timeout_for
from backupctl.errors import (
    AuthenticationError,
    AuthorizationError,
    CertificateError,
    NotSupportedError,
    PinMismatchError,
)
from backupctl.formatting import colon_form
from backupctl.models import Certificate
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.secrets.redaction import Redactor
from backupctl.tls.ca_bundle import PATH, as_pem, read_ca_bundle
from backupctl.tls.certificate_errors import certificate_error, read_chain
from backupctl.tls.presented import Presented
from backupctl.tls.trust_settings import (
    TrustSettings,
    default_context,
    tls_context,
    unverified_context,
    without_strict_checks,
)

_WITHOUT_LOGIN: Final = {401: AuthenticationError, 403: AuthorizationError}
"""Errors by status, as there is no login that could have failed."""


class FetchedCas(NamedTuple):
    """Downloaded CA certificates; ``verified`` is True if the connection was trusted."""

    certificates: tuple[Certificate, ...]
    pem: str
    verified: bool


class CertificateProbe:
    """The certificate of one appliance, and whether it is trusted.

    All methods raise errors of ``backupctl.errors`` only, ApplianceUnreachableError without a response.
    """

    def __init__(
        self, connection: Connection, trust: TrustSettings, observe: Observer, redactor: Redactor | None = None
    ) -> None:
        self._connection = connection
        self._trust = trust
        self._observe = observe
        self._redactor = redactor or Redactor()
        self._redactor.add(*proxy_secrets(connection.proxy))
        self._presented: Presented | None = None

    @property
    def store(self) -> str:
        """The store of CAs that the certificate is checked against."""
        return self._trust.store

    @property
    def pinned(self) -> str | None:
        """The pinned fingerprint, None without a pin."""
        return self._trust.fingerprint

    @property
    def needs_ca(self) -> bool:
        """Whether a CA of the store must have signed the certificate."""
        return self._trust.verifies

    def presented_chain(self) -> tuple[tuple[Certificate, ...], bool]:
        """Return the certificates that the appliance presents, its own first, and whether the chain is complete."""
        chain, complete = self._handshake()
        return read_chain(chain, self._connection.clock.now()), complete

    def pin_mismatch(self) -> PinMismatchError | None:
        """Return the error for a pin that does not match, None if it matches or there is none."""
        presented = fingerprint_of(self._handshake().chain[0])
        if self.pinned in {None, presented}:
            return None
        connection = self._connection
        pinned, presented = colon_form(str(self.pinned)), colon_form(presented)
        return PinMismatchError.of(connection.server, pinned, presented, selector=connection.selector)

    def trust_error(self) -> CertificateError | None:
        """Return why the certificate is not trusted by the store, None if it is trusted."""
        return self._verify(tls_context(TrustSettings(self._trust.ca_file)), self.store)

    def fetch_cas(self) -> FetchedCas:
        """Download the appliance's own CA certificates, over a trusted connection if possible.

        If not, the server must at least present the same certificate as before.
        """
        same_certificate = TrustSettings(fingerprint=fingerprint_of(self._handshake().chain[0]))
        verified = self.pinned is not None or self.trust_error() is None
        content = self._download(self._trust if verified else same_certificate)
        certificates = read_ca_bundle(content, self._connection.host)
        return FetchedCas(read_chain(certificates, self._connection.clock.now()), as_pem(certificates), verified)

    def trust_error_with(self, pem: str) -> CertificateError | None:
        """Return why the certificate is not trusted by these CA certificates, None if it is trusted."""
        try:
            context = without_strict_checks(default_context(cadata=pem))
        except ssl.SSLError as error:
            return CertificateError(
                f"OpenSSL rejects the CA certificates: {error.reason}", server=self._connection.host
            )
        return self._verify(context, "the fetched certificates")

    def _handshake(self) -> Presented:
        if self._presented is None:
            try:
                self._presented = perform_handshake(self._connection, unverified_context())
            except httpx.RequestError as error:
                raise unreachable(error, self._connection.host, "read its certificate") from error
        return self._presented

    def _verify(self, context: ssl.SSLContext, store: str) -> CertificateError | None:
        peer, clock = self._connection.peer, self._connection.clock
        try:
            self._presented = perform_handshake(
                self._connection, context, lambda error: certificate_error(error, peer, store, clock.now())
            )
        except CertificateError as error:
            return error
        except httpx.RequestError as error:
            raise unreachable(error, self._connection.host, "read its certificate") from error
        return None

    def _download(self, trust: TrustSettings) -> bytes:
        operation = "download its CA certificates"
        request = httpx.Request(
            "GET",
            self._connection.url.join(PATH),
            headers={**HEADERS, "accept": "application/zip"},
            extensions={"timeout": timeout_for("GET").as_dict()},
        )
        inner = transport_to(self._connection, trust)
        with BoundedTransport(inner, self._connection.clock, self._observe, self._redactor) as transport:
            try:
                response = transport.handle_request(request)
            except httpx.RequestError as error:
                raise unreachable(error, self._connection.host, operation) from error
        if response.status_code in _WITHOUT_LOGIN:
            raise _WITHOUT_LOGIN[response.status_code](
                f"$server requires a login for its CA certificates ({response.status_code})",
                server=self._connection.host,
                operation=operation,
                hint="use port 443 of the vCenter, or `backupctl trust pin`, which needs no CA",
            )
        if response.status_code == 404:
            raise NotSupportedError(
                f"$server has no {PATH} (404)",
                server=self._connection.host,
                operation=operation,
                hint="use port 443 of the vCenter, or `backupctl trust pin`, which needs no CA",
            )
        raise_for_status(response, OperationInfo(operation))
        return response.content
