"""Notifications over real sockets: a monitor, Apprise with JSON and mail, receivers that never answer, hooks."""

import email.message
import fcntl
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from backupctl.cli.hooks import MAX_HOOKS
from tests import wording
from tests.support.command_line import NFS, Run, write_private
from tests.support.processes import CLOCK, WAIT_SECONDS, Program, Simulators, wait_until
from tests.support.socket_server import run_server, serve_connections
from tests.support.tls_server import TlsServer, server_context

pytestmark = pytest.mark.real


class Receiver(ThreadingHTTPServer):
    """Behaves like healthchecks.io, and takes what Apprise posts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.received.append((self.command, self.path, body))
        unknown, status = "unknown" in self.path, 500 if "broken" in self.path else 200
        answer = b"OK (not found)" if unknown else b"OK"
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_server(Receiver()) as server:
        yield server


class Mailbox(Message):
    """A handler of aiosmtpd that keeps the mails."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[email.message.Message] = []

    def handle_message(self, message: email.message.Message) -> None:
        self.mails.append(message)


class Night:
    """Runs the program with notify tables against a served appliance."""

    def __init__(self, program: Program, serve: Simulators, folder: Path) -> None:
        self.program, self.serve, self.folder = program, serve, folder

    def environ(self, table: str, *, faults: tuple[str, ...] = (), ping: str = "", urls: str = "") -> dict[str, str]:
        served = self.serve("--no-tls", faults=list(faults))
        write_private(self.folder / "ping.url", f"{ping}\n")
        write_private(self.folder / "apprise.urls", f"{urls}\n")
        environ = dict(served.environ)
        host = environ.pop("BACKUPCTL_SERVER")
        text = f'[defaults]\nlocation = "{NFS}"\n[servers.vc01]\nhost = "{host}"\n[notify]\n{table}\n'
        config = write_private(self.folder / "config.toml", text)
        return {**environ, "BACKUPCTL_CONFIG": str(config), "BACKUPCTL_SERVER": "vc01"}

    def run(self, table: str, *, seconds: float = WAIT_SECONDS, **options: Any) -> Run:
        return self.program.run("create", environ=self.environ(table, **options), seconds=seconds)


@pytest.fixture
def night(program: Program, serve: Simulators, tmp_path: Path) -> Night:
    return Night(program, serve, tmp_path)


@pytest.mark.parametrize(("faults", "code"), [((), 0), (("fail-at=40",), 7)])
def test_monitor_gets_the_start_and_the_end(
    night: Night, receiver: Receiver, faults: tuple[str, ...], code: int
) -> None:
    run = night.run('ping-file = "ping.url"', faults=faults, ping=f"{receiver.url}/uuid")
    (start, begun, _), (end, path, body) = receiver.received
    assert (run.code, start, end) == (code, "POST", "POST")
    assert [urlsplit(each).path for each in (begun, path)] == ["/uuid/start", f"/uuid/{code}" if code else "/uuid"]
    assert parse_qs(urlsplit(begun).query) == parse_qs(urlsplit(path).query)
    assert f"exit code {code}" in body


@pytest.mark.parametrize("path", ["/broken", "/unknown"])
def test_monitor_that_refuses_changes_nothing(night: Night, receiver: Receiver, path: str) -> None:
    run = night.run('ping-file = "ping.url"', ping=f"{receiver.url}{path}")
    assert (run.code, run.err.count(wording.NOT_SENT("ping-file")), path in run.err) == (0, 2, False)


def test_receivers_that_never_answer_hang_nothing(night: Night) -> None:
    def never_answer(_: socket.socket, over: threading.Event) -> None:
        over.wait()

    table = 'ping-file = "ping.url"\nurls-file = "apprise.urls"\non = "always"'
    with serve_connections(never_answer) as (address, _):
        run = night.run(table, ping=f"http://{address}/x", urls=f"json://{address}/token?rto=60", seconds=50)
    said = [wording.NOT_SENT(name) in run.err for name in ("ping-file", "urls-file 1")]
    assert (run.code, said) == (0, [True, True])


def test_monitor_with_an_untrusted_certificate_gets_nothing(night: Night) -> None:
    import trustme

    with run_server(TlsServer(server_context(trustme.CA().issue_cert("127.0.0.1")))) as server:
        run = night.run('ping-file = "ping.url"', ping=f"{server.url}/uuid")
    assert (run.code, wording.NOT_SENT("ping-file") in run.err, bytes(server.received)) == (0, True, b"")


def test_apprise_posts_json_and_sends_mail(night: Night, receiver: Receiver) -> None:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        mail = f"mailto://127.0.0.1:{port}?from=backup@example.com&to=admin@example.com"
        post = receiver.url.replace("http://", "json://")
        run = night.run('urls-file = "apprise.urls"', faults=("fail-at=40",), urls=f"{mail} {post}/t0ken")
    finally:
        controller.stop()
    title = "vc01: backup not done (backup-failed)"
    assert (run.code, "not sent" in run.err) == (7, False)
    ((_, path, body),) = receiver.received
    assert (path, json.loads(body)["title"], json.loads(body)["type"]) == ("/t0ken", title, "failure")
    assert [(str(mail["subject"]), str(mail["to"])) for mail in mailbox.mails] == [(title, "admin@example.com")]
    assert "backup job " in mailbox.mails[0].as_string()


def test_mail_that_cannot_be_sent_is_said_without_its_password(night: Night) -> None:
    urls = "mailto://backup:s3cr3t-word@127.0.0.1:9?from=backup@example.com&to=admin@example.com"
    run = night.run('urls-file = "apprise.urls"\non = "always"', urls=urls)
    assert (run.code, wording.NOT_SENT("urls-file 1") in run.err, "s3cr3t" in run.err) == (0, True, False)


def test_hook_that_hangs_is_killed_with_what_it_started(night: Night, tmp_path: Path) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/pid; wait"
    run = night.run(f'before = ["sh", "-c", "{script}"]\nhook-timeout = "1s"')
    assert (run.code, wording.HOOK_FAILED("before", "sh", wording.HOOK_TIMED_OUT("1s")) in run.err) == (3, True)
    assert not is_alive(tmp_path / "pid")


def test_process_that_a_hook_leaves_behind_is_not_waited_for(night: Night, tmp_path: Path) -> None:
    run = night.run(f'before = ["sh", "-c", "sleep 300 & echo $! > {tmp_path}/pid"]')
    assert (run.code, is_alive(tmp_path / "pid")) == (0, True)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_hook_that_floods_its_output_is_stopped(night: Night) -> None:
    run = night.run('before = ["yes"]')
    assert (run.code, wording.HOOK_FAILED("before", "yes", "wrote more than 10 MB") in run.err) == (3, True)


def test_interrupt_ends_a_hook(night: Night, program: Program, tmp_path: Path) -> None:
    environ = night.environ(f'before = ["sh", "-c", "echo $$ > {tmp_path}/pid; exec sleep 300"]')
    process = program.start("create", environ=environ)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), "the hook")
    process.signal(signal.SIGTERM)
    assert process.wait().code == 130
    assert not is_alive(tmp_path / "pid")


def test_signal_after_the_backup_leaves_the_exit_code(night: Night, program: Program, tmp_path: Path) -> None:
    def never_answer(_: socket.socket, over: threading.Event) -> None:
        over.wait()

    journal = write_private(tmp_path / f"journal-{CLOCK.now():%Y-%m}.jsonl", "")
    with serve_connections(never_answer) as (address, _):
        environ = night.environ('urls-file = "apprise.urls"\non = "always"', urls=f"json://{address}/x?rto=60")
        with journal.open("a") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            environ |= {"BACKUPCTL_JOURNAL": "yes", "BACKUPCTL_STATE_DIR": str(tmp_path)}
            process = program.start("create", "-o", "json", environ=environ)
            files = Path(f"/proc/{process.pid}/fd")
            wait_until(lambda: journal in [each.resolve() for each in files.iterdir()], "the journal")
            process.signal(signal.SIGTERM)
        run = process.wait()
    assert (run.code, run.result["exit_code"]) == (0, 0)


def test_hooks_of_many_backups_that_end_together_run_a_few_at_once(
    program: Program, serve: Simulators, tmp_path: Path
) -> None:
    served = serve.many(24, "--no-tls")
    script = f"mkdir {tmp_path}/running/$$; ls {tmp_path}/running | wc -l >> {tmp_path}/counts; sleep 0.5"
    hook = ["sh", "-c", f"{script}; rmdir {tmp_path}/running/$$"]
    (tmp_path / "running").mkdir()
    servers = [f'[servers.vc{number}]\nhost = "{each.url}"\n' for number, each in enumerate(served)]
    text = f'[defaults]\nlocation = "{NFS}"\n{"".join(servers)}[notify]\nafter-success = {json.dumps(hook)}\n'
    environ = {**served[0].environ, "BACKUPCTL_CONFIG": str(write_private(tmp_path / "config.toml", text))}
    del environ["BACKUPCTL_SERVER"]
    run = program.run("create", "--all", "--parallel", "0", "-q", environ=environ)
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert (run.code, run.err, len(counts), 1 < max(counts) <= MAX_HOOKS) == (0, "", 24, True)


def is_alive(pid_file: Path) -> bool:
    """Whether the process still runs; a zombie does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid_file.read_text().strip()}/stat").read_text()
    except FileNotFoundError:
        return False
