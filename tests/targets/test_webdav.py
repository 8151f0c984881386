"""WebDAV answers that no good server gives: hostile documents, addresses and statuses."""

import base64
from collections.abc import Iterable, Iterator
from urllib.parse import quote

import httpx
import pytest

from backupctl.errors import BackupctlError, NotFoundError
from backupctl.location import Location
from backupctl.secrets.secret import Secret
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import MAX_ENTRIES, TargetEntry
from backupctl.targets.target_errors import TargetAnswerError, TargetLoginError, TargetUnreachableError
from backupctl.targets.webdav import WebdavTarget
from tests.support.clock import FakeClock

FOLDER = ("dav", "my backups")
OWN = "/dav/my%20backups/"
COLLECTION = "<d:resourcetype><d:collection/></d:resourcetype>"
FILE = "<d:resourcetype/><d:getcontentlength>7</d:getcontentlength>"

Answer = str | tuple[int, dict[str, str]]


class Stream(httpx.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def response(href: str, properties: str = FILE, status: str = "HTTP/1.1 200 OK") -> str:
    found = f"<d:propstat><d:prop>{properties}</d:prop><d:status>{status}</d:status></d:propstat>"
    return f"<d:response><d:href>{href}</d:href>{found}</d:response>"


def document(*responses: str, own: str = OWN, prolog: str = "") -> str:
    return f'{prolog}<d:multistatus xmlns:d="DAV:">{response(own, COLLECTION)}{"".join(responses)}</d:multistatus>'


class Server:
    """Answers one request after the other, with a multistatus document or with (status, headers), and keeps them."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        status, headers = (207, {"content-length": str(len(answer))}) if isinstance(answer, str) else answer
        content = answer if isinstance(answer, str) else "<html>"
        return httpx.Response(status, headers=headers, stream=Stream([content.encode()]))

    @property
    def lines(self) -> list[str]:
        return [f"{each.method} {each.url.raw_path.decode()}" for each in self.requests]

    @property
    def target(self) -> WebdavTarget:
        access = TargetAccess(Location.parse("https://nas.example.com:8443/dav"), "ü", Secret("p:w"))
        return WebdavTarget(access, FakeClock(), httpx.MockTransport(self))


def listed(*responses: str) -> list[TargetEntry]:
    return list(Server(document(*responses)).target.list(FOLDER))


@pytest.mark.parametrize(
    ("href", "entry"),
    [
        (OWN + "file", TargetEntry("file", "file", 7)),
        ("/dav//my%20backups/file", TargetEntry("file", "file", 7)),
        ("http://10.0.0.1:8080" + OWN + "file", TargetEntry("file", "file", 7)),
        (OWN + "a%2520b", TargetEntry("a%20b", "file", 7)),
        (OWN + "%C3%BC;+", TargetEntry("ü;+", "file", 7)),
        (OWN + "a%2Fb", TargetEntry("a/b", "other", 7)),
        (OWN + "a%5Cb", TargetEntry("a\\b", "other", 7)),
        (OWN + "%2E%2E", TargetEntry("..", "other", 7)),
        (OWN + "..", TargetEntry("..", "other", 7)),
        (OWN + "%1B[2J", TargetEntry("\x1b[2J", "other", 7)),
        (OWN + "../../etc/passwd", TargetEntry(OWN + "../../etc/passwd", "other")),
        (OWN + "sub/file", TargetEntry(OWN + "sub/file", "other")),
        (OWN + "%FF", TargetEntry(OWN + "%FF", "other")),
        (OWN + "file?x", TargetEntry(OWN + "file?x", "other")),
        (OWN + "file#x", TargetEntry(OWN + "file#x", "other")),
        (OWN + "a&#9;b", TargetEntry(OWN + "a\tb", "other")),
        (OWN + "x" * 300, TargetEntry("x" * 255, "other", 7)),
        ("/elsewhere", TargetEntry("/elsewhere", "other")),
        ("file", TargetEntry("file", "other")),
        ("http://[bad/file", TargetEntry("http://[bad/file", "other")),
        ("", TargetEntry("", "other")),
        ("/", TargetEntry("/", "other")),
    ],
)
def test_only_an_address_in_the_folder_is_a_file(href: str, entry: TargetEntry) -> None:
    assert listed(response(href)) == [entry]


@pytest.mark.parametrize(
    ("properties", "status", "kind", "size"),
    [
        (COLLECTION, "HTTP/1.1 200 OK", "folder", None),
        ("<d:resourcetype/>", "HTTP/1.1 200 OK", "file", None),
        ("<d:resourcetype/><d:getcontentlength>-1</d:getcontentlength>", "HTTP/1.1 200 OK", "file", None),
        (f"<d:resourcetype/><d:getcontentlength>{'9' * 5000}</d:getcontentlength>", "HTTP/1.1 200 OK", "file", None),
        ("<d:resourcetype/><d:getcontentlength>٣</d:getcontentlength>", "HTTP/1.1 200 OK", "file", None),
        (FILE, "HTTP/1.1 403 Forbidden", "other", None),
        (FILE, "", "other", None),
        ("<resourcetype/>", "HTTP/1.1 200 OK", "other", None),
    ],
)
def test_unknown_properties_are_not_guessed(properties: str, status: str, kind: str, size: int | None) -> None:
    (entry,) = listed(response(OWN + "x", properties, status))
    assert (entry.kind, entry.size) == (kind, size)


LAUGHS = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'

ANSWERS: list[tuple[Answer, type[BackupctlError]]] = [
    (document(prolog=LAUGHS), TargetAnswerError),
    (document(prolog='<!DOCTYPE x SYSTEM "http://evil.example.com/x">'), TargetAnswerError),
    (document(response("&unknown;")), TargetAnswerError),
    (document()[:-4], TargetAnswerError),
    (document(prolog='<?xml version="1.0" encoding="nonsense"?>'), TargetAnswerError),
    (document(prolog='<?xml version="1.0" encoding="shift_jis"?>'), TargetAnswerError),
    (document(own="/dav/elsewhere/"), TargetAnswerError),
    ('<d:multistatus xmlns:d="DAV:"/>', TargetAnswerError),
    (f'<d:multistatus xmlns:d="DAV:">{response(OWN)}</d:multistatus>', TargetAnswerError),
    ("", TargetAnswerError),
    ("<html></html>", TargetAnswerError),
    (document("<a>" * 500_000), TargetAnswerError),
    (document("".join(response(f"{OWN}{number}") for number in range(MAX_ENTRIES + 1))), TargetAnswerError),
    (document(" " * (8 << 20)), TargetAnswerError),
    ((200, {}), TargetAnswerError),
    ((405, {}), TargetAnswerError),
    ((501, {}), TargetAnswerError),
    ((302, {"location": "https://evil.example.com/"}), TargetAnswerError),
    ((401, {"www-authenticate": "Digest"}), TargetLoginError),
    ((403, {}), TargetAnswerError),
    ((404, {}), NotFoundError),
    ((500, {}), TargetAnswerError),
    ((207, {}), TargetAnswerError),
]


@pytest.mark.parametrize(("answer", "kind"), ANSWERS, ids=range(len(ANSWERS)))
def test_unusable_answers_are_errors(answer: Answer, kind: type[BackupctlError]) -> None:
    server = Server(answer)
    with pytest.raises(kind) as caught:
        server.target.list(FOLDER)
    assert type(caught.value) is kind
    assert [each.url.host for each in server.requests] == ["nas.example.com"]


def test_credentials_are_sent_to_the_location() -> None:
    server = Server(document())
    server.target.list(FOLDER)
    (request,) = server.requests
    assert request.headers["host"] == "nas.example.com:8443"
    assert request.headers["authorization"] == f"Basic {base64.b64encode('ü:p:w'.encode()).decode()}"


def test_address_is_encoded_once() -> None:
    name = "50%20off ?#;ü"
    server = Server(document(own=f"/dav/{quote(name)}/"))
    server.target.list(("dav", name))
    assert server.lines == ["PROPFIND /dav/50%2520off%20%3F%23%3B%C3%BC/"]


def test_folder_that_is_not_empty_is_never_deleted() -> None:
    server = Server(document(response("/elsewhere")))
    with pytest.raises(TargetAnswerError):
        server.target.remove_empty_dir(FOLDER)
    assert server.lines == [f"PROPFIND {OWN}"]


def test_folder_is_never_deleted_as_a_file() -> None:
    server = Server(document())
    with pytest.raises(TargetAnswerError):
        server.target.remove_file(FOLDER)
    assert server.lines == [f"PROPFIND {OWN[:-1]}"]


@pytest.mark.parametrize("status", [202, 207, 302, 423, 500])
def test_file_that_was_not_certainly_removed_is_an_error(status: int) -> None:
    file = f'<d:multistatus xmlns:d="DAV:">{response(OWN + "x")}</d:multistatus>'
    server = Server(file, (status, {}))
    with pytest.raises(TargetAnswerError):
        server.target.remove_file((*FOLDER, "x"))
    assert server.requests[1].headers["depth"] == "0"  # Apache then refuses to delete a folder (RFC 4918, 9.6.1)


def test_lost_connection_is_an_error_of_the_target() -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("connection reset", request=request)

    access = TargetAccess(Location.parse("https://nas.example.com/dav"))
    with pytest.raises(TargetUnreachableError):
        WebdavTarget(access, FakeClock(), httpx.MockTransport(lose)).stat(FOLDER)
