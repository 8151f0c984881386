"""Private parts of other libraries: each is used in one place, and a test here fails when the library changes it."""

import _signal  # type: ignore[import-not-found]
import _ssl
import ftplib
import inspect
import io
import signal
import ssl

import httpcore
import httpx
import pytest
import trustme
from rich.console import Console

from backupctl.clock import SystemClock
from backupctl.network.http_transport import ERRORS, left_over, network_transport
from backupctl.tls import presented
from backupctl.tls.presented import Presented, UntrustedChainError, keep_untrusted_chains, presented_by
from backupctl.tls.trust_settings import unverified_context

ROOT = trustme.CA()
INTERMEDIATE = ROOT.create_child_ca()
HOST = "vc01.example.com"
LEAF = INTERMEDIATE.issue_cert(HOST)
CHAIN = tuple(ssl.PEM_cert_to_DER_cert(each.bytes().decode()) for each in LEAF.cert_chain_pems)


def handshake(client: ssl.SSLContext) -> ssl.SSLObject:
    """Return the client's side of a handshake with a server that presents a chain of two certificates."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    LEAF.configure_cert(server)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = client.wrap_bio(to_client, to_server, server_hostname=HOST)
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (client_side, server_side, client_side):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client_side


def test_ssl_returns_the_whole_chain_of_a_successful_handshake() -> None:
    assert presented_by(handshake(unverified_context())) == Presented(CHAIN, complete=True)


def test_ssl_returns_the_whole_chain_of_a_failed_handshake() -> None:
    with pytest.raises(UntrustedChainError) as caught:
        handshake(keep_untrusted_chains(ssl.create_default_context()))
    assert caught.value.chain == CHAIN
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


def test_ssl_constant_for_der_has_the_expected_value() -> None:
    assert presented._DER == _ssl.ENCODING_DER


@pytest.mark.parametrize("body", [b"[]", b"[] and more"])
def test_httpcore_returns_the_bytes_after_a_response(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body
    with (
        httpcore.ConnectionPool(network_backend=httpcore.MockBackend([answer])) as pool,
        pool.stream("GET", f"http://{HOST}/") as response,
    ):
        assert response.read() == b"[]"
        assert left_over(response) == body[2:]


def test_connection_of_another_httpcore_is_not_reused() -> None:
    assert left_over(httpcore.Response(200))


def test_httpcore_keeps_idle_connections_open() -> None:
    pool = network_transport(tls=unverified_context(), proxy=None, clock=SystemClock())._pool
    assert (pool._keepalive_expiry, pool._max_keepalive_connections) == (None, 1)


def test_httpcore_names_its_errors_as_httpx_does() -> None:
    raised = [each for each in vars(httpcore).values() if inspect.isclass(each) and issubclass(each, ERRORS)]
    assert len(raised) > len(ERRORS)
    assert all(issubclass(getattr(httpx, each.__name__), httpx.TransportError) for each in raised)


def test_rich_reads_the_given_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"COLUMNS": "99", "LINES": "9"})
    assert console.width == 99


def test_interpreter_has_signals_in_the_private_signal_module() -> None:
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIG_IGN")
    assert [int(getattr(_signal, name)) for name in names] == [int(getattr(signal, name)) for name in names]
    assert all(callable(getattr(_signal, name)) for name in ("signal", "getsignal", "alarm"))


def test_ftplib_sends_and_receives_with_the_methods_that_are_replaced() -> None:
    assert "putline" in ftplib.FTP.putcmd.__code__.co_names
    for method in (ftplib.FTP.connect, ftplib.FTP.sendcmd, ftplib.FTP.voidresp):
        assert "getresp" in method.__code__.co_names
    assert "getmultiline" in ftplib.FTP.getresp.__code__.co_names


@pytest.mark.real
def test_paramiko_requests_blocks_in_a_thread_that_this_replaces() -> None:
    from paramiko import SFTPFile

    source = inspect.getsource(SFTPFile._start_prefetch)
    for part in ("self._prefetching = True", "self._prefetch_done = False", "target=self._prefetch_thread"):
        assert part in source
    assert list(inspect.signature(SFTPFile._prefetch_thread).parameters)[1:] == ["chunks", "max_concurrent_requests"]
    assert "self._start_prefetch(" in inspect.getsource(SFTPFile.readv)
