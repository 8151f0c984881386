"""Every operation in both families on every release: it works, or it is the right 404."""

import json
from typing import Any

import httpx
import pytest

from tests.simulator.client import Client
from tests.simulator.operations_table import JOB, OPERATIONS, RELEASES, Call, Operation

API_SINCE = RELEASES.index("7.0U2")


def call_operation(release: str, family: str, call: Call, **options: Any) -> tuple[Client, httpx.Response]:
    client = Client(family, release=release, history=True, **options)
    scheme = "ftp" if RELEASES.index(release) < RELEASES.index("7.0") else "sftp"
    location, job = f"{scheme}://backup.example.com/vcenter", client.appliance.jobs[0].job_id
    system, archive = "sn_vcsa.simulator.test", f"S_{client.appliance.release.version}_{job.rpartition('-')[0]}_"
    archived = f"{location}/vCenter/{system}/{archive}"
    if release == "6.5":
        archived = client.appliance.jobs[0].spec.location
    known = {"job": job, "location": location, "system": system, "archive": archive, "archived": archived}
    known["type"] = scheme.upper()

    def filled(text: str) -> str:
        for name, value in known.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    body = None if call.body is None else json.loads(filled(json.dumps(call.body)))
    credentials = httpx.BasicAuth("root", "VMware1!")
    options = {"json": body} if body is not None else {}
    return client, client.call(call.method, filled(call.path), auth=credentials, **options)


def call_of(operation: Operation, family: str) -> Call:
    return operation.rest if family == "rest" else operation.api


def check_missing(release: str, family: str, response: httpx.Response) -> None:
    assert response.status_code == 404
    if family == "rest" or RELEASES.index(release) < API_SINCE:
        assert response.json()["name"] == "com.vmware.vapi.rest.httpNotFound"
    else:
        assert response.json()["messages"][0]["id"] == "com.vmware.vapi.rest.httpNotFound"


def check_error(release: str, family: str, kind: str, response: httpx.Response) -> None:
    content = response.json()
    if family == "rest":
        assert content["type"] == f"com.vmware.vapi.std.errors.{kind}"
        content = content["value"]
    if family == "api" or RELEASES.index(release) >= RELEASES.index("7.0"):
        assert content["error_type"] == kind.upper()
    assert set(content["messages"][0]) == {"id", "default_message", "args"}


def check_result(family: str, operation: Operation, response: httpx.Response) -> None:
    if operation.result == "":
        assert response.content == b""
        return
    value = response.json()
    if family == "rest":
        assert set(value) == {"value"}
        value = value["value"]
    if isinstance(operation.result, set):
        assert operation.result <= set(value)
    elif isinstance(operation.result, type):
        assert type(value) is operation.result
    elif family == "rest":
        assert value
        assert all(set(entry) == {"key", "value"} for entry in value)
    else:
        assert value
        assert isinstance(value, dict)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_works_since_its_first_release_and_is_404_before(operation: Operation, family: str) -> None:
    call = call_of(operation, family)
    for index, release in enumerate(RELEASES):
        _, response = call_operation(release, family, call)
        if index < RELEASES.index(operation.since) and family == "rest" and operation.before:
            check_error(release, family, operation.before, response)
        elif index < RELEASES.index(operation.since) or (family == "api" and index < API_SINCE):
            check_missing(release, family, response)
        elif operation.error:
            assert response.status_code == call.status, (release, response.text)
            check_error(release, family, operation.error, response)
        else:
            assert response.status_code == call.status, (release, response.text)
            check_result(family, operation, response)


def test_operation_of_one_family_is_404_in_the_other_or_400_where_only_the_body_differs(family: str) -> None:
    for operation in OPERATIONS:
        own, other = call_of(operation, family), call_of(operation, "api" if family == "rest" else "rest")
        if own != other:
            _, response = call_operation("9.1", family, other)
            assert response.status_code == (400 if own.path == other.path else 404), (operation.name, response.text)


def test_operation_checks_the_user_before_the_body(family: str) -> None:
    client = Client(family, history=True)
    for credentials, status in ((None, 401), (httpx.BasicAuth("root", "VMware1!"), 403)):
        for operation in OPERATIONS:
            call = call_of(operation, family)
            options = {"json": {"colour": "red"}} if call.body is not None else {}
            response = client.call(call.method, call.path, auth=credentials, **options)
            assert response.status_code == status, operation.name
        client.appliance.inject("forbidden")


def test_operation_refuses_an_unknown_field(family: str) -> None:
    for operation in (entry for entry in OPERATIONS if entry.rest.body is not None):
        call = call_of(operation, family)
        nested = [name for name, value in call.body.items() if isinstance(value, dict)]
        unknown_fields: list[dict[str, Any]] = [{"colour": "red"}, *({name: {"colour": "red"}} for name in nested)]
        for body in unknown_fields:
            client, response = call_operation("9.1", family, Call(call.method, call.path, {**call.body, **body}))
            assert response.status_code == 400, (operation.name, response.text)
            assert client.value(response)["error_type"] == "INVALID_REQUEST", operation.name


@pytest.mark.parametrize("release", RELEASES)
def test_details_have_the_fields_of_their_release(release: str) -> None:
    client = Client(release=release, history=True)
    response = client.call("GET", f"{JOB}/details", auth=("root", "VMware1!"))
    if release == "6.5":
        assert response.status_code == 404
        return
    age = RELEASES.index(release)
    always = {"description", "service", "operation", "status", "type", "cancelable", "location", "location_user"}
    always |= {"messages", "progress", "size", "duration", "start_time", "end_time"}
    always |= {"build"} if age >= RELEASES.index("6.7U2") else set()
    entries = [entry["value"] for entry in client.value(response)]
    assert {frozenset(entry) for entry in entries} == {frozenset(always), frozenset(always | {"user"})}
    assert {entry["type"] for entry in entries} == {"MANUAL", "SCHEDULED"}
