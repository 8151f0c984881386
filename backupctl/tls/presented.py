"""The certificates that the other side of a TLS handshake presents, whether or not they are trusted.

The error of a handshake that failed holds OpenSSL's code and no certificate. The connection still knows the chain at
that moment, before it is closed, so the connections that a context makes put it into their error.
"""

import ssl
from typing import Any, Final, NamedTuple

TlsConnection = ssl.SSLSocket | ssl.SSLObject

_DER: Final = 2
"""The value of ``_ssl.ENCODING_DER``."""


class Presented(NamedTuple):
    """The certificates of a handshake in DER form, the peer's own first.

    ``complete`` is False if Python returns only that one.
    """

    chain: tuple[bytes, ...]
    complete: bool


class UntrustedChainError(ssl.SSLError):
    """A chain that OpenSSL does not trust; its cause, an SSLCertVerificationError, holds the reason."""

    def __init__(self, chain: tuple[bytes, ...]) -> None:
        super().__init__("the certificate is not trusted")
        self.chain = chain


def presented_by(tls: TlsConnection) -> Presented:
    """Return what the other side of a handshake that succeeded presented."""
    chain = presented_chain(tls)
    own = tls.getpeercert(binary_form=True) or b""
    return Presented(chain, complete=True) if chain[:1] == (own,) else Presented((own,), complete=False)


def presented_chain(tls: TlsConnection) -> tuple[bytes, ...]:
    """Return the chain in DER form, also after a failed handshake; empty if it is unknown.

    ``get_unverified_chain`` is public from Python 3.13 on; since 3.10 the private ``_sslobj`` has the same method.
    OpenSSL keeps the chain of a handshake that failed from version 3.0 on.
    """
    if hasattr(tls, "get_unverified_chain"):
        return tuple(tls.get_unverified_chain())
    private: Any = getattr(tls, "_sslobj", None)
    read_chain = getattr(private, "get_unverified_chain", lambda: ())
    return tuple(each.public_bytes(_DER) for each in read_chain() or ())


def keep_untrusted_chains(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return a context whose connections raise UntrustedChainError for a chain that is not trusted."""
    context.sslsocket_class = _Socket
    context.sslobject_class = _Object
    return context


class _Socket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            raise UntrustedChainError(presented_chain(self)) from error


class _Object(ssl.SSLObject):
    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            raise UntrustedChainError(presented_chain(self)) from error
