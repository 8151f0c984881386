"""Parts of other libraries that are not public: each is used in one place, and its test here fails when it changes."""

import _signal  # type: ignore[import-not-found]
import _ssl
import inspect
import io
import signal
import ssl

import httpcore
import httpx
import pytest
import trustme
from rich.console import Console

from backupctl.api.network import ERRORS, left_over, network_transport
from backupctl.clock import SystemClock
from backupctl.tls import presented
from backupctl.tls.presented import Presented, UntrustedChainError, keep_untrusted_chains, presented_by
from backupctl.tls.trust_settings import unverified_context

AUTHORITY = trustme.CA()
BETWEEN = AUTHORITY.create_child_ca()
HOST = "vc01.example.com"
LEAF = BETWEEN.issue_cert(HOST)
CHAIN = tuple(ssl.PEM_cert_to_DER_cert(each.bytes().decode()) for each in LEAF.cert_chain_pems)


def shaken(client: ssl.SSLContext) -> ssl.SSLObject:
    """Return the client's side of a handshake with a server that has a chain of two."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    LEAF.configure_cert(server)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=HOST)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs, ours):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ours


def test_ssl_knows_the_whole_chain_of_a_handshake_that_succeeded() -> None:
    assert presented_by(shaken(unverified_context())) == Presented(CHAIN, complete=True)


def test_ssl_knows_the_whole_chain_of_a_handshake_that_failed() -> None:
    with pytest.raises(UntrustedChainError) as caught:
        shaken(keep_untrusted_chains(ssl.create_default_context()))
    assert caught.value.chain == CHAIN
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


def test_ssl_encodes_certificates_as_der_with_the_number_that_we_give() -> None:
    assert presented._DER == _ssl.ENCODING_DER


@pytest.mark.parametrize("body", [b"[]", b"[] and more"])
def test_httpcore_knows_the_bytes_after_an_answer(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body
    with (
        httpcore.ConnectionPool(network_backend=httpcore.MockBackend([answer])) as pool,
        pool.stream("GET", f"http://{HOST}/") as response,
    ):
        assert response.read() == b"[]"
        assert left_over(response) == body[2:]


def test_httpcore_closes_no_connection_for_being_idle() -> None:
    pool = network_transport(tls=unverified_context(), proxy=None, clock=SystemClock())._pool
    assert (pool._keepalive_expiry, pool._max_keepalive_connections) == (None, 1)


def test_httpcore_names_its_errors_as_httpx_does() -> None:
    raised = [each for each in vars(httpcore).values() if inspect.isclass(each) and issubclass(each, ERRORS)]
    assert len(raised) > len(ERRORS)
    assert all(issubclass(getattr(httpx, each.__name__), httpx.TransportError) for each in raised)


def test_rich_looks_into_the_environment_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"COLUMNS": "99", "LINES": "9"})
    assert console.width == 99


def test_interpreter_has_the_signals_without_the_module_signal() -> None:
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIG_IGN")
    assert [int(getattr(_signal, name)) for name in names] == [int(getattr(signal, name)) for name in names]
    assert all(callable(getattr(_signal, name)) for name in ("signal", "getsignal", "alarm"))
