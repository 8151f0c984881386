"""WebDAV locations on Apache httpd, over TLS and without it."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from backupctl.clock import SystemClock
from backupctl.errors import BackupctlError, NotFoundError
from backupctl.rules.fingerprint import fingerprint_of
from backupctl.targets import webdav
from backupctl.targets.access import TargetAccess
from backupctl.targets.open_target import open_target
from backupctl.targets.target import SubTarget, Target, read_small
from backupctl.targets.target_errors import (
    TargetAnswerError,
    TargetIdentityError,
    TargetLoginError,
    TargetUnreachableError,
)
from backupctl.tls.trust_settings import TrustSettings
from tests.support.apache_server import ApacheServer
from tests.support.processes import CLOCK, skip_outside_ci, wait_until
from tests.support.socket_server import serve_connections
from tests.support.target_contract import check_reading, check_removing, content, filled
from tests.support.tcp_relay import tcp_relay

pytestmark = pytest.mark.real


@contextmanager
def opened(access: TargetAccess) -> Iterator[Target]:
    with closing(open_target(access, SystemClock())) as target:
        yield target


def error_of(access: TargetAccess) -> BackupctlError:
    with pytest.raises(BackupctlError) as caught, opened(access) as target:
        target.list(access.folder)
    return caught.value


@pytest.mark.parametrize("kind", ["https", "http"])
def test_apache_keeps_the_contract(kind: str, apache: ApacheServer) -> None:
    with apache.folder(f"contract-{kind}") as folder, filled(folder):
        apache.give(folder)
        with opened(apache.access(kind=kind)) as target:
            within = SubTarget(target, ("dav", folder.name))
            check_reading(within)
            check_removing(within, folder)


def test_a_whole_list_takes_one_handshake(apache: ApacheServer) -> None:
    with apache.folder("handshakes") as folder:
        for number in range(60):
            archive = folder / f"archive-{number}"
            archive.mkdir(parents=True)
            (archive / "backup-metadata.json").write_text("{}")
        with tcp_relay(apache.ports["https"]) as relay, opened(apache.access(port=relay.port)) as target:
            within = SubTarget(target, ("dav", "handshakes"))
            for each in within.list(()):
                (file,) = within.list((each.name,))
                assert read_small(within, (each.name, file.name), 10) == b"{}"
            assert (relay.connections, relay.handshakes) == (1, 1)


PINNED = TrustSettings(fingerprint="00" * 32)

FAILURES: list[tuple[dict[str, Any], type[BackupctlError], str]] = [
    ({"password": "wrong"}, TargetLoginError, "user name"),
    ({"path": "/digest"}, TargetLoginError, "Basic"),
    ({"path": "/dav/forbidden"}, TargetAnswerError, "403"),
    ({"path": "/"}, TargetAnswerError, "WebDAV"),
    ({"path": "/moved/vcenter"}, TargetAnswerError, "https://127.0.0.1:1/dav/vcenter"),
    ({"path": "/dav/nothing"}, NotFoundError, "/dav/nothing"),
    ({"kind": "expired"}, TargetIdentityError, "expired on"),
    ({"kind": "unknown"}, TargetIdentityError, "ca.pem"),
    ({"kind": "other-name"}, TargetIdentityError, "elsewhere.example.com"),
    ({"kind": "unknown", "tls": PINNED}, TargetIdentityError, "trust pin"),
]


@pytest.mark.parametrize(("given", "kind", "word"), FAILURES, ids=[str(each[0]) for each in FAILURES])
def test_each_failure_has_its_sentence(
    given: dict[str, Any], kind: type[BackupctlError], word: str, apache: ApacheServer
) -> None:
    error = error_of(apache.access(**given))
    assert type(error) is kind
    assert word in f"{error.message} {error.hint} {error.details} {error.facts.status}"


def test_wrong_scheme_is_an_error(apache: ApacheServer) -> None:
    assert type(error_of(apache.access(kind="http", port=apache.ports["https"]))) is TargetUnreachableError
    assert type(error_of(apache.access(port=apache.ports["http"]))) is TargetUnreachableError
    with tcp_relay() as closing_relay:
        assert type(error_of(apache.access(port=closing_relay.port))) is TargetUnreachableError


def test_pinned_certificate_is_trusted_whatever_it_says(apache: ApacheServer) -> None:
    for kind in "expired", "unknown", "other-name":
        pin = TrustSettings(fingerprint=fingerprint_of(apache.certificates[kind]))
        with opened(apache.access(kind=kind, tls=pin)) as target:
            assert target.stat(("dav",)).kind == "folder"


def test_untrusted_server_gets_no_byte_of_http(apache: ApacheServer) -> None:
    for tls in None, PINNED:
        error_of(apache.access("/dav/untrusted", kind="unknown", tls=tls))
    error_of(apache.access("/dav/trusted"))
    wait_until(lambda: b"/dav/trusted" in apache.log.read_bytes(), "the log")
    assert b"untrusted" not in apache.log.read_bytes()


def test_links_are_not_listed(apache: ApacheServer) -> None:
    with apache.folder("links") as folder:
        folder.mkdir()
        (folder / "link").symlink_to("/etc")
        with opened(apache.access()) as target:
            assert target.list(("dav", "links")) == ()


def test_full_disk_is_read_and_freed(apache: ApacheServer) -> None:
    if os.geteuid() != 0:
        skip_outside_ci("only root can mount a small file system")
    with apache.folder("full") as folder:
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=True)
        try:
            with pytest.raises(OSError, match="No space left"):
                (folder / "file").write_bytes(bytes(100_000))
            apache.give(folder)
            with opened(apache.access()) as target:
                assert len(content(target, ("dav", "full", "file"))) == target.list(("dav", "full"))[0].size
                target.remove_file(("dav", "full", "file"))
                assert target.list(("dav", "full")) == ()
        finally:
            subprocess.run(["umount", str(folder)], check=True)


def drip(start: bytes) -> Callable[[Any, threading.Event], None]:
    def serve(connection: Any, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(start)
        while not over.wait(0.05):
            connection.sendall(b" ")

    return serve


STARTS = {
    "silent": None,
    "status": b"",
    "headers": b"HTTP/1.1 207 Multi-Status\r\nX: ",
    "body": b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 9999\r\n\r\n<a>",
    "chunks": b"HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n",
    "refusal": b"HTTP/1.1 404 Not Found\r\nContent-Length: 9999\r\n\r\n",
}


@pytest.mark.parametrize("start", STARTS)
def test_server_that_hangs_or_sends_byte_by_byte_ends(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdav, "ANSWER_SECONDS", 0.4)
    begin = STARTS[start]
    serve = drip(begin) if begin is not None else lambda _, over: over.wait(20)
    started = CLOCK.monotonic()
    with serve_connections(serve) as (address, _):
        location = TargetAccess(ApacheServer.location(f"http://{address}/dav"))
        assert isinstance(error_of(location), TargetUnreachableError)
    assert CLOCK.monotonic() - started < 3
