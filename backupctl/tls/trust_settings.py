"""Which certificates are trusted, and the TLS contexts that check them."""

import functools
import ssl
import sys
from pathlib import Path

import msgspec

from backupctl.errors import ConfigError, UsageError
from backupctl.tls.presented import keep_untrusted_chains


class TrustSettings(msgspec.Struct, frozen=True):
    """Which certificates are trusted: by the system's store, by the CAs in ``ca_file``, or any (``insecure``).

    A ``fingerprint`` pins one certificate and replaces the system's store: its issuer, names and dates are not checked.
    With ``ca_file`` too, both must match.
    """

    ca_file: Path | None = None
    insecure: bool = False
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        if self.insecure and self.fingerprint is not None:
            raise UsageError("cannot pin a certificate without checking it", hint="omit --insecure")

    @property
    def verifies(self) -> bool:
        """Whether a CA must have signed the certificate."""
        return not self.insecure and (self.fingerprint is None or self.ca_file is not None)

    @property
    def store(self) -> str:
        """The name of the store of trusted CAs."""
        return str(self.ca_file) if self.ca_file else "the system's CA store"


def tls_context(trust: TrustSettings) -> ssl.SSLContext:
    """Return the TLS context for trust settings; appliances share it, as each context costs 35 ms and 0.8 MB.

    It does not contain the pin, so a thousand pinned appliances share one.

    Raises ConfigError: if the CA file cannot be read.
    """
    return _context(trust.ca_file) if trust.verifies else unverified_context()


@functools.lru_cache
def context_without_alpn(trust: TrustSettings) -> ssl.SSLContext:
    """Return a context that HTTP clients do not share: they offer ``http/1.1``, which an FTP server may refuse.

    See RFC 7301, 3.2. In FTP the end of a connection is the end of a file, so one without close_notify, which an
    attacker can cause, is an error; some releases of Python ignore it by default.

    Raises ConfigError: if the CA file cannot be read.
    """
    context = _context.__wrapped__(trust.ca_file) if trust.verifies else unverified_context.__wrapped__()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def default_context(*, cafile: str | None = None, cadata: str | None = None) -> ssl.SSLContext:
    """Return Python's default context, which writes the keys of connections to the file in SSLKEYLOGFILE.

    Raises ConfigError: if that file cannot be written. Raises OSError: if ``cafile`` cannot be read.
    """
    try:
        return keep_untrusted_chains(ssl.create_default_context(cafile=cafile, cadata=cadata))
    except OSError as error:
        if error.filename is None:  # a CA file, which OpenSSL does not name
            raise
        raise ConfigError(
            f"SSLKEYLOGFILE: cannot write {error.filename}: {error.strerror}", hint="unset it, or use another file"
        ) from error


@functools.lru_cache
def unverified_context() -> ssl.SSLContext:
    """Return the context that accepts any certificate: to show one, for a pin, and for --insecure."""
    context = default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@functools.lru_cache
def _context(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _system_context()
    try:
        context = default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        no_pem = isinstance(error, ssl.SSLError | IsADirectoryError)
        reason = "not a PEM certificate file" if no_pem else error.strerror
        raise ConfigError(
            f"{ca_file}: {reason}",
            hint="use a file with the CA certificate in PEM format (-----BEGIN CERTIFICATE-----)",
        ) from error
    return without_strict_checks(context)


def without_strict_checks(context: ssl.SSLContext) -> ssl.SSLContext:
    """Relax a context for CAs that the user named: their identity counts, not the form of their certificate.

    From Python 3.13 on, a CA whose basic constraints are not marked critical, or that has no key identifier, is refused
    (VERIFY_X509_STRICT); no browser and no curl does that, and it would leave --insecure as the only way.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _system_context() -> ssl.SSLContext:
    if sys.platform == "darwin":
        import truststore  # type: ignore[import-not-found,unused-ignore]

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # type: ignore[no-any-return,unused-ignore]
    return default_context()


@functools.lru_cache
def proxy_context() -> ssl.SSLContext:
    """Return the context for https:// proxies, a separate one, so that it can be told from that of the appliances."""
    return _system_context()
