"""What can be found out about an appliance's certificate; no credentials are ever sent here."""

import ssl
from typing import Final, NamedTuple

import httpx

from backupctl.api.certificate_errors import certificate_error, read_chain
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
from backupctl.models import Certificate
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.secrets.redaction import Redactor
from backupctl.tls.ca_bundle import PATH, as_pem, read_ca_bundle
from backupctl.tls.presented import Presented
from backupctl.tls.trust_settings import (
    TrustSettings,
    default_context,
    tls_context,
    unverified_context,
    without_strict_checks,
)

_WITHOUT_LOGIN: Final = {401: AuthenticationError, 403: AuthorizationError}
"""What a refusal is called where no login was made."""


class FetchedCas(NamedTuple):
    """CA certificates as they were fetched; ``verified`` says whether the connection was trusted."""

    certificates: tuple[Certificate, ...]
    pem: str
    verified: bool


class CertificateProbe:
    """The TLS of one appliance, looked at from outside.

    Every method raises the errors of ``backupctl.errors`` only: ApplianceUnreachableError where there is no answer.
    """

    def __init__(
        self, connection: Connection, trust: TrustSettings, observe: Observer, known: Redactor | None = None
    ) -> None:
        self._connection = connection
        self._trust = trust
        self._observe = observe
        self._known = known or Redactor()
        self._known.add(*proxy_secrets(connection.proxy))
        self._presented: Presented | None = None

    @property
    def store(self) -> str:
        """Who is asked to vouch for the certificate."""
        return self._trust.store

    @property
    def pinned(self) -> str | None:
        """The fingerprint that is expected."""
        return self._trust.fingerprint

    def presented_chain(self) -> tuple[tuple[Certificate, ...], bool]:
        """Return the certificates that the appliance presents, its own first, and whether these are all."""
        chain, complete = self._look()
        return read_chain(chain, self._connection.clock.now()), complete

    def pin_mismatch(self) -> PinMismatchError | None:
        """Return what is wrong with the pin, None where it fits or there is none."""
        presented = fingerprint_of(self._look().chain[0])
        if self.pinned in {None, presented}:
            return None
        connection = self._connection
        return PinMismatchError.of(connection.server, str(self.pinned), presented, selector=connection.selector)

    def trust_error(self) -> CertificateError | None:
        """Return why the store does not vouch for the certificate, None where it does."""
        return self._distrust(tls_context(TrustSettings(self._trust.ca_file)), self.store)

    def fetch_cas(self) -> FetchedCas:
        """Fetch the appliance's own CA certificates, on a trusted connection if there can be one.

        Else it is one with whoever presented the certificate that was seen before.
        """
        seen = TrustSettings(fingerprint=fingerprint_of(self._look().chain[0]))
        verified = self.pinned is not None or self.trust_error() is None
        content = self._get(self._trust if verified else seen)
        found = read_ca_bundle(content, self._connection.host)
        return FetchedCas(read_chain(found, self._connection.clock.now()), as_pem(found), verified)

    def trust_error_with(self, pem: str) -> CertificateError | None:
        """Return why these CA certificates do not vouch for the certificate, None where they do."""
        try:
            context = without_strict_checks(default_context(cadata=pem))
        except ssl.SSLError as error:
            return CertificateError(f"OpenSSL takes none of them: {error.reason}", server=self._connection.host)
        return self._distrust(context, "the certificates that were fetched")

    def _look(self) -> Presented:
        if self._presented is None:
            try:
                self._presented = perform_handshake(self._connection, unverified_context())
            except httpx.RequestError as error:
                raise unreachable(error, self._connection.host, "show its certificate") from error
        return self._presented

    def _distrust(self, context: ssl.SSLContext, store: str) -> CertificateError | None:
        try:
            perform_handshake(
                self._connection, context, lambda error: certificate_error(error, self._connection, store)
            )
        except CertificateError as error:
            return error
        except httpx.RequestError as error:
            raise unreachable(error, self._connection.host, "show its certificate") from error
        return None

    def _get(self, trust: TrustSettings) -> bytes:
        operation = "give its CA certificates"
        request = httpx.Request(
            "GET",
            self._connection.url.join(PATH),
            headers={**HEADERS, "accept": "application/zip"},
            extensions={"timeout": timeout_for("GET").as_dict()},
        )
        inner = transport_to(self._connection, trust)
        with BoundedTransport(inner, self._connection.clock, self._observe, self._known) as transport:
            try:
                response = transport.handle_request(request)
            except httpx.RequestError as error:
                raise unreachable(error, self._connection.host, operation) from error
        if response.status_code in _WITHOUT_LOGIN:
            raise _WITHOUT_LOGIN[response.status_code](
                f"$server does not give its CA certificates without a login ({response.status_code})",
                server=self._connection.host,
                operation=operation,
                hint="vCenter serves them without login on port 443; `backupctl trust pin` needs no CA",
            )
        if response.status_code == 404:
            raise NotSupportedError(
                f"$server has no {PATH} (404)",
                server=self._connection.host,
                operation=operation,
                hint="a vCenter offers it on port 443; `backupctl trust pin` needs no CA",
            )
        raise_for_status(response, OperationInfo(operation))
        return response.content
