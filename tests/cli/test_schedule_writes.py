"""Schedules are read back after each write: what the appliance stores decides, not its response."""

import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests import wording
from tests.support.command_line import HOST, LOCATION, TO_APPLIANCE, CommandLine, Run
from tests.support.intercept import Send

PAGE = b"<html><body>Please log in to the portal.</body></html>"
NEW = ("schedule", "set", "--location", LOCATION, "--at", "02:30")
GOOD = "VMw@re123"
PASSWORD = TO_APPLIANCE | {"BACKUPCTL_BACKUP_PASSWORD": GOOD}
WRITES = {
    "set": ["schedule", "set", "--retain", "3"],
    "disable": ["schedule", "disable"],
    "delete": ["schedule", "delete", "default", "--yes"],
}

Arrive = Callable[[], None]
Answer = Callable[[Arrive], httpx.Response]
Edit = Callable[[dict[str, Any]], None]


class ScheduledAppliance:
    """An appliance with a schedule, every day at 00:00, retaining 7 backups, and a command line to it.

    ``answer`` responds to a write of the schedule, and decides whether the write is applied.
    """

    def __init__(self, answer: Answer, *, history: bool = True) -> None:
        self.run = CommandLine(intercept=self._intercept, history=history)
        self.clock, self.appliance = self.run.clock, self.run.appliance
        self.reads_after = 0
        self._answer = answer
        self._written = False

    def _intercept(self, request: httpx.Request, send: Send) -> httpx.Response:
        if "/schedules" not in request.url.path or request.method == "GET":
            self.reads_after += self._written and "/schedules" in request.url.path
            return send(request)
        self._written = True
        return self._answer(lambda: send(request).close())

    def __call__(self, *words: str, **options: Any) -> Run:
        return self.run(*words, "-o", "json", **options)

    @property
    def schedules(self) -> dict[str, Any]:
        return self.appliance.schedules.entries

    def edit(self, **fields: Any) -> None:
        """Change the schedule as another user would."""
        self.schedules["default"].fields.update(fields)


def respond_page(status: int, *, arrives: bool = False) -> Answer:
    """Respond with the page of a portal between client and appliance."""

    def answer(arrive: Arrive) -> httpx.Response:
        if arrives:
            arrive()
        return httpx.Response(status, content=PAGE, headers={"content-type": "text/html"})

    return answer


def respond_json(body: object) -> Answer:
    """Respond with JSON without applying the write."""
    return lambda _: httpx.Response(200, json=body)


def respond_empty(_: Arrive) -> httpx.Response:
    """Respond as the appliance does, without applying the write."""
    return httpx.Response(204)


def respond_error(status: int, kind: str, text: str, *, arrives: bool = False) -> Answer:
    """Respond with an error of the appliance."""

    def answer(arrive: Arrive) -> httpx.Response:
        if arrives:
            arrive()
        messages = [{"id": "com.vmware.x", "default_message": text, "args": []}]
        return httpx.Response(status, json={"error_type": kind, "messages": messages})

    return answer


# The write is acknowledged but not applied


@pytest.mark.parametrize("words", WRITES.values(), ids=WRITES)
def test_schedule_write_acknowledged_but_not_applied_is_6(words: list[str]) -> None:
    scheduled = ScheduledAppliance(respond_empty)
    run = scheduled(*words)
    assert (run.code, run.result["error"]["slug"], run.result["changes"]) == (6, "api", [])
    assert scheduled.reads_after == 3
    assert scheduled.clock.elapsed <= 11


@pytest.mark.parametrize(
    ("words", "message", "details"),
    [
        (
            ["schedule", "set", "--retain", "3", "--at", "04:15"],
            wording.SCHEDULE_NOT_CHANGED("default"),
            [
                "when: expected every day at 04:15, found every day at 00:00",
                "keeps: expected 3, found 7",
            ],
        ),
        (
            ["schedule", "disable"],
            wording.SCHEDULE_NOT_CHANGED("default"),
            ["enabled: expected no, found yes"],
        ),
        (["schedule", "delete", "default", "--yes"], wording.SCHEDULE_STILL_EXISTS("default"), []),
    ],
)
def test_schedule_difference_shows_the_requested_and_the_current_value(
    words: list[str], message: str, details: list[str]
) -> None:
    error = ScheduledAppliance(respond_empty)(*words).result["error"]
    assert message in error["message"]
    assert error["details"] == details
    assert "schedule show" in error["hint"]


def test_schedule_creation_acknowledged_but_not_applied_is_6() -> None:
    scheduled = ScheduledAppliance(respond_empty, history=False)
    run = scheduled(*NEW)
    assert (run.code, run.result["error"]["slug"], scheduled.reads_after) == (6, "api", 3)
    assert wording.NO_SCHEDULE_NAMED("default") in run.result["error"]["message"]


@pytest.mark.parametrize("words", WRITES.values(), ids=WRITES)
def test_schedule_write_applied_after_some_seconds_is_0(words: list[str]) -> None:
    def answer(arrive: Arrive) -> httpx.Response:
        scheduled.clock.at(2, arrive)
        return httpx.Response(204)

    scheduled = ScheduledAppliance(answer)
    run = scheduled(*words)
    assert (run.code, len(run.result["changes"]), scheduled.reads_after) == (0, 1, 2)


# No usable response


@pytest.mark.parametrize(
    ("write", "status"),
    [*itertools.product(WRITES, (200, 404)), *itertools.product(["set"], (401, 502, 504))],
)
def test_schedule_write_answered_by_a_proxy_page_is_0_only_if_it_was_applied(write: str, status: int) -> None:
    words = WRITES[write]
    assert ScheduledAppliance(respond_page(status))(*words).code in {4, 6}
    run = ScheduledAppliance(respond_page(status, arrives=True))(*words)
    assert (run.code, len(run.result["changes"])) == (0, 1)
    assert "verified: schedule 'default' " in run.err


@pytest.mark.parametrize(
    ("write", "status", "kind"),
    [
        *((write, 500, "ERROR") for write in WRITES),
        ("set", 500, "INTERNAL_SERVER_ERROR"),
        ("set", 504, "TIMED_OUT"),
    ],
)
def test_schedule_write_answered_with_a_server_error_is_read_back(write: str, status: int, kind: str) -> None:
    words = WRITES[write]
    refused = ScheduledAppliance(respond_error(status, kind, "No."))(*words)
    assert (refused.code, refused.result["error"]["slug"]) == (6, "api")
    assert "No." in refused.result["error"]["message"]
    assert ScheduledAppliance(respond_error(status, kind, "No.", arrives=True))(*words).code == 0


@pytest.mark.parametrize("words", WRITES.values(), ids=WRITES)
def test_schedule_write_that_is_rejected_is_not_read_back(words: list[str]) -> None:
    scheduled = ScheduledAppliance(respond_error(400, "INVALID_ARGUMENT", "No."))
    assert (scheduled(*words).code, scheduled.reads_after) == (6, 0)


def test_schedule_write_rejected_with_the_plain_error_is_read_back_once() -> None:
    scheduled = ScheduledAppliance(respond_error(500, "ERROR", "The location cannot be reached."))
    run = scheduled("schedule", "set", "--location", "sftp://nowhere.example.com/x")
    assert (run.code, scheduled.clock.elapsed < 3) == (6, True)
    assert "The location cannot be reached." in run.result["error"]["message"]


EXISTS = respond_error(400, "ALREADY_EXISTS", "Schedule default already exists.")


def respond_in_turn(*answers: Answer) -> Answer:
    """Respond to each write with the next answer."""
    left = iter(answers)

    def answer(arrive: Arrive) -> httpx.Response:
        return next(left)(arrive)

    return answer


def test_schedule_creation_retried_after_a_proxy_page_is_0_if_the_first_was_applied() -> None:
    scheduled = ScheduledAppliance(respond_in_turn(respond_page(401, arrives=True), EXISTS), history=False)
    run = scheduled(*NEW, environ=PASSWORD)
    assert (run.code, len(run.result["changes"]), scheduled.reads_after) == (0, 3, 1)
    assert wording.SCHEDULE_VERIFIED("default") in run.err


def test_schedule_creation_rejected_because_somebody_created_another_is_6() -> None:
    def answer(arrive: Arrive) -> httpx.Response:
        arrive()
        scheduled.edit(location_user="other")
        return EXISTS(arrive)

    scheduled = ScheduledAppliance(answer, history=False)
    run = scheduled(*NEW, "--location-user", "backup")
    assert (run.code, run.result["error"]["slug"], scheduled.reads_after) == (6, "api", 1)
    assert wording.SCHEDULE_DIFFERS in run.result["error"]["message"]
    assert "location user: expected backup, found other" in run.result["error"]["details"]


def test_schedule_creation_that_is_rejected_is_6() -> None:
    scheduled = ScheduledAppliance(respond_error(400, "INVALID_ARGUMENT", "Too short."), history=False)
    run = scheduled(*NEW)
    assert (run.code, run.result["error"]["slug"], scheduled.reads_after) == (6, "api", 1)
    assert "Too short." in run.result["error"]["message"]


def test_schedule_already_deleted_is_0_with_a_warning() -> None:
    run = ScheduledAppliance(respond_error(404, "NOT_FOUND", "No such schedule.", arrives=True))(
        "schedule", "delete", "default", "--yes"
    )
    assert run.code == 0
    (warning,) = [line for line in run.err.splitlines() if "warning:" in line]
    assert wording.SCHEDULE_ALREADY_DELETED("default") in warning


@pytest.mark.parametrize(
    ("words", "how_it_is"),
    [
        (WRITES["delete"], wording.SCHEDULE_STILL_EXISTS("default")),
        (WRITES["set"], wording.SCHEDULE_NOT_CHANGED("default")),
    ],
)
def test_schedule_reported_missing_but_existing_is_6(words: list[str], how_it_is: str) -> None:
    run = ScheduledAppliance(respond_error(404, "NOT_FOUND", "No such schedule."))(*words)
    assert (run.code, run.result["error"]["slug"]) == (6, "api")
    claim = f"vc01.example.com {wording.SCHEDULE_REPORTED_MISSING('default')}"
    assert run.result["error"]["message"] == f"{claim}, but {how_it_is}"


@pytest.mark.parametrize("words", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(
    "answer",
    [
        respond_empty,
        respond_page(200),
        respond_page(502),
    ],
    ids=["answered", "respond_page", "respond_error"],
)
def test_schedule_write_that_cannot_be_read_back_is_unknown(words: list[str], answer: Answer) -> None:
    def cut(arrive: Arrive) -> httpx.Response:
        scheduled.appliance.faults.add("redirect@read-schedule")
        return answer(arrive)

    scheduled = ScheduledAppliance(cut)
    run = scheduled(*words)
    assert (run.code, run.result["error"]["slug"], run.result["changes"]) == (5, "outcome-unknown", [])
    assert wording.SAFE_TO_REPEAT in run.result["error"]["hint"]


# Passwords cannot be verified


def test_schedule_password_acknowledged_is_0_and_reported_as_unverified() -> None:
    run = ScheduledAppliance(respond_empty).run("schedule", "set", environ=PASSWORD)
    assert run.code == 0
    assert f"backup password: {wording.PASSWORD_UPDATED}" in run.out


@pytest.mark.parametrize("body", [None, {}, {"value": None}, {"value": {}}], ids=str)
def test_schedule_password_acknowledged_with_an_empty_result_is_0(body: object) -> None:
    assert ScheduledAppliance(respond_json(body))("schedule", "set", environ=PASSWORD).code == 0


@pytest.mark.parametrize(
    "body",
    [{"error": "login_required"}, {"value": None, "status": "denied"}, {"value": "x"}, [], "", "ok", 0, False],
    ids=str,
)
def test_schedule_password_acknowledged_with_another_body_is_unknown(body: object) -> None:
    run = ScheduledAppliance(respond_json(body))("schedule", "set", environ=PASSWORD)
    assert (run.code, run.result["error"]["slug"]) == (5, "outcome-unknown")
    assert GOOD not in run.out + run.err


@pytest.mark.parametrize(
    "answer",
    [
        respond_page(200),
        respond_page(502),
        respond_error(504, "TIMED_OUT", "Late."),
    ],
    ids=["respond_page", "502", "504"],
)
def test_schedule_password_without_a_usable_response_is_unknown(answer: Answer) -> None:
    run = ScheduledAppliance(answer)("schedule", "set", environ=PASSWORD)
    assert (run.code, run.result["error"]["slug"]) == (5, "outcome-unknown")
    assert GOOD not in run.out + run.err


def test_schedule_password_that_is_rejected_is_6() -> None:
    run = ScheduledAppliance(respond_error(500, "ERROR", "Too short."))("schedule", "set", environ=PASSWORD)
    assert (run.code, run.result["error"]["slug"]) == (6, "api")


# Another user changes the schedule


def changed_meanwhile(edit: Callable[[ScheduledAppliance], None], *, arrives: bool = True) -> ScheduledAppliance:
    """Return an appliance on which another user changes the schedule right after the write."""

    def answer(arrive: Arrive) -> httpx.Response:
        if arrives:
            arrive()
        edit(scheduled)
        return httpx.Response(204)

    scheduled = ScheduledAppliance(answer)
    return scheduled


def test_schedule_with_another_field_changed_by_somebody_else_is_0_and_shown_as_it_is() -> None:
    scheduled = changed_meanwhile(lambda scheduled: scheduled.edit(location_user="other"))
    run = scheduled("schedule", "disable")
    assert (run.code, run.result["schedule"]["location_user"]) == (0, "other")


def test_schedule_changed_back_by_somebody_else_is_6_with_a_hint() -> None:
    scheduled = changed_meanwhile(lambda scheduled: scheduled.edit(enable=True))
    run = scheduled("schedule", "disable")
    assert run.code == 6
    assert wording.CHANGED_BY_SOMEBODY_ELSE in run.result["error"]["hint"]


def test_schedule_changed_by_somebody_else_in_an_unsent_field_is_6() -> None:
    scheduled = changed_meanwhile(lambda scheduled: scheduled.edit(retention_info={"max_count": 9}))
    run = scheduled("schedule", "set", "--retain", "7", "--disable")
    assert (run.code, scheduled.schedules["default"].fields["enable"]) == (6, False)
    assert run.result["error"]["details"] == ["keeps: expected 7, found 9"]


def test_schedule_that_loses_its_time_meanwhile_is_6_and_no_usage_error() -> None:
    scheduled = changed_meanwhile(lambda scheduled: scheduled.edit(recurrence_info=None))
    run = scheduled("schedule", "set", "--day", "sun")
    assert run.code == 6
    assert run.result["error"]["details"] == [
        "when: expected Sun at 00:00, found (none)",
    ]


def test_schedule_deleted_by_somebody_else_before_a_change_is_10() -> None:
    def answer(arrive: Arrive) -> httpx.Response:
        scheduled.schedules.clear()
        return respond_error(404, "NOT_FOUND", "Unknown schedule.")(arrive)

    scheduled = ScheduledAppliance(answer)
    run = scheduled("schedule", "disable")
    assert (run.code, run.result["error"]["slug"]) == (10, "not-found")


def test_schedule_deleted_by_somebody_else_first_is_0() -> None:
    def answer(arrive: Arrive) -> httpx.Response:
        scheduled.schedules.clear()
        return respond_error(404, "NOT_FOUND", "Unknown schedule.")(arrive)

    scheduled = ScheduledAppliance(answer)
    run = scheduled("schedule", "delete", "default", "--yes")
    assert (run.code, run.result["schedule"]) == (0, None)


def test_schedule_recreated_by_somebody_else_is_6() -> None:
    deleted: list[Any] = []

    def edit(scheduled: ScheduledAppliance) -> None:
        scheduled.schedules["default"] = deleted[0]
        scheduled.edit(location_user="other")

    scheduled = changed_meanwhile(edit)
    deleted.append(scheduled.schedules["default"])
    run = scheduled("schedule", "delete", "default", "--yes")
    assert run.code == 6
    assert wording.CHANGED_BY_SOMEBODY_ELSE in run.result["error"]["hint"]


# Every day


@pytest.mark.parametrize("stored", [None, [], "all", "shuffled"])
def test_schedule_of_all_seven_days_equals_every_day(stored: str | list[str] | None) -> None:
    week = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
    days = {"all": week, "shuffled": week[::-1]}.get(stored, stored) if isinstance(stored, str) else stored
    scheduled = ScheduledAppliance(respond_empty)
    scheduled.edit(recurrence_info={"hour": 23, "minute": 0, **({} if days is None else {"days": days})})
    for words in (["--day", "every"], [word for day in week for word in ("--day", day)]):
        run = scheduled("schedule", "set", "--at", "23:00", *words)
        assert (run.code, run.result["changes"], run.result["schedule"]["days"]) == (0, [], [])


def test_schedule_set_without_options_and_without_a_schedule_is_2() -> None:
    run = ScheduledAppliance(respond_empty, history=False)("schedule", "set")
    assert (run.code, run.result["error"]["slug"]) == (2, "usage")
    assert wording.NO_SCHEDULE_NAMED("default") in run.result["error"]["message"]


@pytest.mark.parametrize(
    ("command", "state", "mark"), [("disable", "disabled", "✓"), ("enable", "enabled", "✓"), ("show", "disabled", "!")]
)
def test_disabling_a_schedule_is_a_success(command: str, state: str, mark: str) -> None:
    backupctl = CommandLine(history=True)
    backupctl("schedule", "disable")
    run = backupctl("schedule", command)
    assert run.code == 0
    assert run.out.startswith(f"{mark} {HOST}: schedule default is {state}\n")
