"""Errors that are easily mistaken: an unavailable service, a host without the backup API, a proxy."""

import json
from dataclasses import replace

import httpx
import pytest

from backupctl.simulator.releases import release_named
from tests import wording
from tests.support.clock import FakeClock
from tests.support.command_line import HOST, LOCATION, CommandLine
from tests.support.intercept import ReplacedAnswer, Send
from tests.support.scripted_transport import API_LOGIN, REST_LOGIN, TOKEN, Reply, ScriptedTransport, html, vapi

CREATE = ("create", "--location", LOCATION, "-o", "json")
RESTORE = ("restore", "status", "--auth", "session", "--api", "api", "-o", "json")
NO_SERVICE = {
    "error_type": "OPERATION_NOT_FOUND",
    "messages": [
        {
            "id": "vapi.method.input.invalid.interface",
            "default_message": "Cannot find service 'com.vmware.appliance.recovery.backup.job'.",
            "args": ["com.vmware.appliance.recovery.backup.job"],
        }
    ],
}


@pytest.mark.parametrize("path", ["/appliance/", "/backup/job", "/backup/parts"])
def test_unavailable_service_is_retried_and_not_reported_as_unsupported(path: str, clock: FakeClock) -> None:
    run = CommandLine(clock=clock, intercept=ReplacedAnswer("GET", path, NO_SERVICE, 404))(*CREATE)
    assert run.code == 6
    assert 15 <= clock.elapsed < 60
    told = json.dumps(run.result["error"])
    assert "Cannot find service" in told
    assert "applmgmt" in told
    assert "release" not in told


def test_service_that_recovers_is_used() -> None:
    answer = ReplacedAnswer("GET", "/appliance/", NO_SERVICE, 404, times=3)
    run = CommandLine(intercept=answer)(*CREATE)
    assert (run.code, run.result["job"]["state"]) == (0, "SUCCEEDED")


def test_service_that_fails_while_a_backup_is_followed_has_no_effect() -> None:
    answer = ReplacedAnswer("GET", "/backup/job/2", NO_SERVICE, 404, times=3)
    run = CommandLine(intercept=answer)(*CREATE)
    assert (run.code, run.result["job"]["state"]) == (0, "SUCCEEDED")
    assert "release" not in run.err


@pytest.mark.parametrize(
    ("release", "path", "words"),
    [
        ("6.5", "/schedules", ("schedule", "list")),
        ("9.0", "/health/database", ("validate", "--location", LOCATION)),
    ],
)
def test_operation_that_a_release_lacks_is_not_retried(
    release: str, path: str, words: tuple[str, ...], clock: FakeClock
) -> None:
    answer = ReplacedAnswer("GET", path, NO_SERVICE, 404)
    CommandLine(clock=clock, intercept=answer, release=release)(*words)
    assert (answer.count > 0, clock.elapsed) == (True, 0)


def without_backups(request: httpx.Request, _: Send) -> httpx.Response:
    """Respond as govmomi's vcsim: accept every login, and everything else is 404 in plain text."""
    if not request.url.path.endswith("/session"):
        return httpx.Response(404, text="404 page not found\n")
    if request.method == "DELETE":
        return httpx.Response(204)
    return httpx.Response(201, json=TOKEN if "/api/" in request.url.path else {"value": TOKEN})


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("status", "latest"),
        ("parts",),
        ("create", "--location", LOCATION),
        ("create", "--location", LOCATION, "--part", "common"),
        ("validate", "--location", LOCATION),
        ("schedule", "list"),
        ("list", "--api", "rest"),
    ],
    ids=" ".join,
)
def test_host_without_a_backup_api_is_reported(words: tuple[str, ...]) -> None:
    run = CommandLine(intercept=without_backups)(*words, "-o", "json")
    error = run.result["error"]
    assert (run.code, error["slug"]) == (6, "not-supported")
    assert error["message"].startswith(f"{HOST} cannot ")
    assert error["message"].endswith(f": {wording.NO_BACKUP_API} (404)")
    assert "vcsim" in error["hint"]


def test_forced_api_without_backups_is_reported() -> None:
    run = CommandLine(intercept=without_backups)("list", "--api", "api", "-o", "json")
    assert run.result["error"]["message"].endswith(f": {wording.NO_BACKUP_API} in /api (404)")
    assert wording.LEAVE_API_OUT in run.result["error"]["hint"]


@pytest.mark.parametrize("odd", ["empty=1", "bad-json=1"])
def test_foreign_404_after_one_of_the_api_is_not_taken_for_a_host_without_backups(odd: str, clock: FakeClock) -> None:
    half = replace(release_named("7.0"), api="session")
    run = CommandLine(clock=clock, release=half, faults=[f"{odd}@read-schedule"])("schedule", "set", "--at", "05:15")
    assert (run.code, wording.NO_BACKUP_API in run.err) == (6, False)
    assert wording.NOT_FROM_VCENTER(404) in run.err


LOGINS = ("POST /api/session", "POST /rest/com/vmware/cis/session")
CERTIFICATE = vapi(500, "INTERNAL_SERVER_ERROR", "Signing certificate is not valid")


@pytest.mark.parametrize("other", [html(404), vapi(404, "NOT_FOUND", "Not found.")], ids=["html", "vapi"])
@pytest.mark.parametrize(("first", "expected"), [(CERTIFICATE, "Signing certificate"), (html(500), "error page")])
def test_error_of_one_api_is_reported_despite_a_404_of_the_other(first: Reply, expected: str, other: Reply) -> None:
    line = ScriptedTransport(dict(zip(LOGINS, (first, other), strict=True)))
    run = CommandLine(transport=line)("list", "-o", "json")
    assert (run.code, line.asked) == (6, list(LOGINS))
    assert expected in run.result["error"]["message"]


def test_error_of_one_api_does_not_prevent_use_of_the_other() -> None:
    rest = {key: reply for key, reply in REST_LOGIN.items() if "/rest/" in key}
    line = ScriptedTransport(
        {**API_LOGIN, **rest, LOGINS[0]: CERTIFICATE, LOGINS[1]: vapi(401, "UNAUTHENTICATED", "No.")}
    )
    assert CommandLine(transport=line)("list").code == 4


def test_401_of_a_proxy_is_not_taken_for_one_of_the_appliance() -> None:
    run = CommandLine(transport=ScriptedTransport({LOGINS[0]: html(401)}))("list", "-o", "json")
    error = run.result["error"]
    assert (run.code, error["slug"]) == (4, "auth")
    assert wording.NOT_FROM_VCENTER(401) in error["message"]
    assert "login portal" in error["hint"]


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("texts", [["broken endpoint"], []])
def test_appliance_that_was_never_restored_is_recognised_by_the_type_of_its_error(
    status: int, texts: list[str]
) -> None:
    body = {"error_type": "ERROR", "messages": [{"id": "x", "default_message": text, "args": []} for text in texts]}
    run = CommandLine(intercept=ReplacedAnswer("GET", "/restore/job", body, status))(*RESTORE)
    assert (run.code, run.result["error"]["slug"]) == (10, "not-found")
    assert all(text in run.result["error"]["message"] for text in texts)


def test_404_for_an_object_is_not_reported_as_a_missing_operation() -> None:
    body = {"error_type": "NOT_FOUND", "messages": [{"id": "x", "default_message": "No part x.", "args": []}]}
    run = CommandLine(intercept=ReplacedAnswer("POST", "/backup/job", body, 404))(*CREATE, "--part", "x")
    assert (run.code, run.result["error"]["slug"]) == (6, "api")
    assert "(404 NOT_FOUND): No part x." in run.result["error"]["message"]


@pytest.mark.parametrize("kind", ["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "INVALID_REQUEST"])
def test_unreadable_restore_is_not_taken_for_none(kind: str) -> None:
    body = {"error_type": kind, "messages": [{"id": "x", "default_message": "broken", "args": []}]}
    run = CommandLine(intercept=ReplacedAnswer("GET", "/restore/job", body, 500))(*RESTORE)
    assert (run.code, run.result["error"]["slug"]) == (6, "api")
