"""The rules that every run under any faults must satisfy, checked against the state of the appliance.

Each rule takes a record and yields findings: a column of the table, and a sentence.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from backupctl.exit_codes import ExitCode, ServiceState
from backupctl.simulator.faults import Fault, parse_fault
from tests import wording
from tests.faults.cases import undisturbed
from tests.faults.commands import TIMEOUT, Command
from tests.faults.play import Record, schedules_of

Finding = tuple[str, str]

COLUMNS: Final = ("wrong code", "jobs lost", "jobs doubled", "sessions leaked", "hangs", "faults unnamed", "bugs")

READ_SECONDS, WRITE_SECONDS = 40.0 + 30.0, 310.0
"""Seconds allowed for one request: to read, connect (10 s) and read (30 s), retried for 30 s; to change, 310 s."""

GRACE_SECONDS = 60.0 + 10.0 + 10.0 + 5.0
"""Seconds allowed after the deadline: search for a lost job, a last response, last details, a logout."""

NAMES: Final = {
    "drop": "connection lost",
    "http-503": "503",
    "html-503": "503",
    "redirect": f"redirects to|jobs {wording.UNREADABLE}",
    "http-401": rf"\(401\)|{wording.WRONG_LOGIN}",
    "html-401": "401",
    "http-500": r"cannot be accessed",
    "http-504": r"504|timed out",
    "late-http-401": rf"\(401\)|{wording.WRONG_LOGIN}",
    "late-html-401": "401",
    "late-http-500": r"cannot be accessed",
    "late-http-504": r"504|timed out",
    "late-html-504": "504",
    "stale-list": "has no backup job|is running",
    "oldest-only": "no new job|is running",
    "odd-user": "who started",
    "archive-location": "went to",
    "lost-create-request": "connection lost",
    "lost-create-answer": "connection lost",
    "lost-login-answer": "connection lost|not sending another",
    "empty": "empty response|other than vCenter",
    "bad-json": "unreadable response|other than vCenter",
    "trickle": "timed out|not respond",
    "slow": "timed out|not respond|is not running",
    "forbidden": r"\(403\)",
    "account-locked": "account is locked|locked account",
    "password-expired": "password has expired|expired password",
    "no-date": "no time is known",
    "session-expires-after": r"\(401\)|has expired",
    "fail-at": r"ended as FAILED|failed at \d+ %",
    "stall-at": "still running|no progress for",
    "reboot-at": "connection failed|503",
    "busy": "is (still )?running|running job",
    "validate-fail": "(?:a backup would fail:|✗) appliance validation",
    "truncated-archive": "archive",
    "missing-file": "archive",
    "rotten-file": "archive",
    "unfinished": "archive",
    "db-health": r"ended as FAILED|failed at 10 %|(?:a backup would fail:|✗) database health",
}
"""Patterns that an error message must match, by the fault that caused it."""

LOST_LOGINS: Final = 3
"""How many login responses may be lost in a run, each with an unknown session; vCenter locks after five failures."""

UNKNOWN_LOCATION: Final = "went to an unknown location"
"""The message about an attached job whose details could not be read."""


def findings(record: Record) -> list[Finding]:
    """Return all findings of a run."""
    return [finding for rule in RULES for finding in rule(record)]


def faults_of(record: Record) -> list[Fault]:
    return [parse_fault(fault) for fault in record.case.faults]


def no_bug(record: Record) -> Iterator[Finding]:
    plugin = record.case.command.is_plugin
    if record.code not in list(ServiceState if plugin else ExitCode) or (record.code == ExitCode.BUG and not plugin):
        yield "bugs", f"exit code {record.code}: {record.error}"
    if "Traceback" in record.out + record.err:
        yield "bugs", "a traceback"


def envelope_agrees(record: Record) -> Iterator[Finding]:
    """The document has the exit code of the process, and an error exactly when it is not 0, or no state."""
    if record.case.output == "text":
        return
    document, result = record.json, record.result
    if not document["exit_code"] == result.get("exit_code", record.code) == record.code:
        yield "wrong code", f"the process ends with {record.code}, the document says {document['exit_code']}"
    good = range(ServiceState.UNKNOWN) if record.case.command.is_plugin else (ExitCode.DONE,)
    if (record.code in good) != (result["error"] is None):
        yield "wrong code", f"code {record.code} with error {result['error']}"


def never_two_jobs(record: Record) -> Iterator[Finding]:
    if len(record.new_jobs) > 1 and not _lies_twice(record):
        yield "jobs doubled", f"{len(record.new_jobs)} jobs were started"
    if record.new_jobs and not record.case.command.starts:
        yield "jobs doubled", "a job was started by a command that starts none"


def _lies_twice(record: Record) -> bool:
    """Return whether the appliance rejects the session of a start that it made, and hides the job it started.

    While another job may run, ``--if-running wait`` then waits for that job as for one of somebody else.
    """
    lies = {fault.name for fault in faults_of(record)} >= {"late-http-401", "oldest-only"}
    return lies and "--if-running wait" in record.case.command.name


def start_is_true(record: Record) -> Iterator[Finding]:
    """The reported state of a started job is its state on the appliance."""
    command = record.case.command
    if command.task not in {"start", "start-only"}:
        return
    state, code, slug = record.state, record.code, record.slug
    done = {"SUCCEEDED"} if command.task == "start" else {"INPROGRESS", "SUCCEEDED", "FAILED"}
    if code == ExitCode.DONE and state not in done:
        yield "jobs lost", f"0, and the job is {state}"
    if code == ExitCode.BACKUP_FAILED and state != "FAILED" and "would fail" not in record.error:
        yield "wrong code", f"7, and the job is {state}"
    if code == ExitCode.TIMED_OUT and state != "INPROGRESS":
        yield "wrong code", f"8, and the job is {state}"
    if slug == "not-started" and state != "none":
        yield "jobs lost", f"not-started, and there is a job that is {state}"
    output = record.out + record.err
    job = getattr(record.run, "job_id", command.object)
    if _was_refused_definitely(record):
        return
    if state != "none" and slug not in {"outcome-unknown", None} and code != ExitCode.BUSY and job not in output:
        yield "jobs lost", f"code {code} without the job that was started"
    if slug == "outcome-unknown" and not _search_was_disturbed(record):
        yield "jobs lost", "outcome-unknown, although the search was not disturbed"


def _was_refused_definitely(record: Record) -> bool:
    """Whether an appliance that started a job refused it in definite words, and has no list that shows the job.

    With credentials in each request a 401 is final, so the job is not searched for.
    """
    command, names = record.case.command, {fault.name for fault in faults_of(record)}
    final = "late-http-401" in names and (command.basic or record.case.way == "basic")
    return final or ("late-http-500" in names and command.object != "backup")


def _search_was_disturbed(record: Record) -> bool:
    """Whether the search for the job could not work.

    A restore is never searched for. For a backup, the list was faulty, or another one runs that may be ours. With
    credentials in each request nothing is sent after a 401, so as not to lock the account.
    """
    refused = any(fault.name.endswith("html-401") for fault in faults_of(record))
    if record.case.way == "basic" and refused:
        return True
    phases = {"", "list", "first-poll", "last-poll", "mid-poll", "login"}
    if record.case.command.object != "backup" or record.case.command.preparation:
        return True
    return any(fault.phase in phases for fault in faults_of(record)) or record.seconds > TIMEOUT


def look_is_true(record: Record) -> Iterator[Finding]:
    """The reported state of a running job is its state on the appliance, unless the list leaves jobs out."""
    if len(record.appliance.jobs) > 1 and {"oldest-only", "stale-list"} & {fault.name for fault in faults_of(record)}:
        return
    truths = {
        ("follow", 0): "SUCCEEDED",
        ("look", 0): "SUCCEEDED",
        ("cancel", 0): "FAILED",
        ("follow", 7): "FAILED",
        ("look", 7): "FAILED",
        ("follow", 8): "INPROGRESS",
        ("look", 8): "INPROGRESS",
    }
    state, code = record.state, record.code
    if state != truths.get((record.case.command.task, code), state):
        yield "wrong code", f"{code}, and the job is {state}"


def write_is_true(record: Record) -> Iterator[Finding]:
    """With code 0 the schedule is as requested, with any other code it is unchanged."""
    if record.case.command.task != "write":
        return
    wanted = schedules_of(undisturbed(record.case.command, record.case.way).appliance)
    now = schedules_of(record.appliance)
    if record.code == ExitCode.DONE and now != wanted:
        yield "wrong code", "0, and the schedule is not as it was asked for"
    if record.code != ExitCode.DONE and now != record.before and "unknown whether" not in record.error:
        yield (
            "wrong code",
            f"{record.code}, outcome not unknown, and the schedule was changed: {record.error}",
        )


def read_is_true(record: Record) -> Iterator[Finding]:
    """What is read equals what is read without a fault, except for documented unknowns."""
    command = record.case.command
    shows_faults = command.words[0] == "validate"
    if command.task != "read" or record.case.output == "text" or record.code != 0 or command.starts or shows_faults:
        return
    names = {fault.name for fault in faults_of(record)}
    archive_location = record.case.archive_location or "archive-location" in names
    usual = undisturbed(command, record.case.way, archive_location=archive_location)
    ours, theirs = _shown(record.result), _shown(usual.result)
    if "busy" in names and "jobs" in ours:
        ours["jobs"], ours["remembers"] = ours["jobs"][1:], ours["remembers"] - 1
    if "odd-user" in names:
        ours, theirs = _without_users(ours), _without_users(theirs)
    if "schedules_error" in ours:
        theirs |= {"schedules": ours["schedules"] and theirs["schedules"], "schedules_error": ours["schedules_error"]}
    if "report" in ours:
        ours, theirs = _reported_runs(ours), _reported_runs(theirs, missing=ours["report"]["unreadable"])
    if any(each["time_zone"] is None for each in _schedules(ours)):
        ours, theirs = _without_next_runs(ours), _without_next_runs(theirs)
    if ours.get("jobs") and all(job["type"] is None for job in ours["jobs"]):  # their details could not be read
        ours, theirs = _without_details(ours), _without_details(theirs, besides=ours)
    if "parts" in ours and _has_fault_in(record, "parts"):
        ours, theirs = _without_sizes(ours), _without_sizes(theirs)
    if ours != theirs:
        yield "wrong code", f"0, and it shows {ours} for {theirs}"


def _shown(result: Any) -> dict[str, Any]:
    if result.get("history"):
        history = result["history"]
        remembers = len(history["jobs"]) + len(history["unreadable"])
        result = {
            **result,
            **history,
            "remembers": remembers,
            "unreadable": len(history["unreadable"]),
            "history": None,
        }
    unequal = {"api", "release", "until", "read_at"}
    shown = {key: value for key, value in result.items() if key not in unequal}
    return shown | {"check": shown["check"]["state"]} if "check" in shown else shown


def _schedules(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the schedules that a result shows."""
    one = [shown["schedule"]] if shown.get("schedule") else []
    return shown.get("schedules") or one


def _without_next_runs(result: dict[str, Any]) -> dict[str, Any]:
    unknown = {"time_zone": None, "next_run": None}
    return result | {"schedule": None, "schedules": [each | unknown for each in _schedules(result)], "notes": None}


def _reported_runs(shown: dict[str, Any], *, missing: int = 0) -> dict[str, Any]:
    """Return the backups of a report that have ended, without the newest ``missing`` ones; other values are unknown."""
    runs = [run["job"] for run in shown["report"]["runs"] if run["job"]["state"] != "INPROGRESS"]
    return {"runs": [(job["id"], job["state"], job["start_time"]) for job in runs[missing:]]}


def _without_users(result: dict[str, Any]) -> dict[str, Any]:
    return result | {"jobs": [job | {"user": None} for job in result.get("jobs", [])]}


def _without_details(result: dict[str, Any], besides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return ids and states; jobs that are missing from ``besides`` are counted as unreadable."""
    listed = {job["id"] for job in (besides or result)["jobs"]}
    jobs = [(job["id"], job["state"]) for job in result["jobs"] if job["id"] in listed]
    return {"jobs": jobs, "unreadable": result["unreadable"] + len(result["jobs"]) - len(jobs)}


def _without_sizes(result: dict[str, Any]) -> dict[str, Any]:
    return {"parts": [part["id"] for part in result["parts"]]}


def _has_fault_in(record: Record, phase: str) -> bool:
    return any(fault.matches(phase) for fault in faults_of(record))


def sessions_end(record: Record) -> Iterator[Finding]:
    """No known session is left open unless its logout failed twice, and no two are open at once."""
    line = record.line
    if line.max_open > 1 and not _has_fault_in(record, "logout"):
        yield "sessions leaked", f"{line.max_open} sessions were open at once"
    left = line.open & line.known
    spoiled = _has_fault_in(record, "logout") or any(fault.name == "reboot-at" for fault in faults_of(record))
    renewed = [fault for fault in faults_of(record) if fault.name.endswith("-401")]
    denied = any(fault.matches("logout") for fault in renewed)
    tried_enough = {token for token, times in line.logouts.items() if times > (0 if denied else 1)}
    if left - (tried_enough if spoiled else set()):
        yield "sessions leaked", f"{len(left)} sessions were left open"
    if len(left) > (2 if record.case.way == "fall back" else 1) and not renewed:
        yield "sessions leaked", f"{len(left)} sessions were left open in spite of all excuses"
    lost = len(line.open - line.known)
    logins = sum(request.phase == "login" for request in record.requests)
    faults = faults_of(record)
    excused = LOST_LOGINS if faults and faults[0].name == "lost-login-answer" else 1
    if lost > (min(logins, excused if len(faults) == 1 else logins) if _has_fault_in(record, "login") else 0):
        yield "sessions leaked", f"{lost} sessions were opened whose ids were lost"


def no_hang(record: Record) -> Iterator[Finding]:
    most = limit(record.case.command, record.case.way)
    if record.seconds > most:
        yield "hangs", f"{record.seconds:.0f} s, where {most:.0f} s are the most"


def limit(command: Command, way: str) -> float:
    """Return the seconds that a command may take: its timeout, and the time of the requests besides."""
    requests = [request for request in undisturbed(command, way).requests if "poll" not in request.phase]
    reads = sum(request.method == "GET" or "session" in request.path for request in requests)
    seconds = reads * READ_SECONDS + (len(requests) - reads) * WRITE_SECONDS + GRACE_SECONDS
    return seconds + (TIMEOUT if command.follows else 2 * READ_SECONDS)


def fault_is_named(record: Record) -> Iterator[Finding]:
    """When a fault changes the outcome, the error message names it."""
    if record.code in {record.case.command.outcome, ExitCode.DONE, ExitCode.BUG}:
        return
    if record.case.command.is_plugin and record.code != ServiceState.UNKNOWN:
        return  # a verdict on what the appliance shows, which is no error
    names = [*(NAMES[fault.name] for fault in faults_of(record)), UNKNOWN_LOCATION]
    if not any(re.search(name, record.error) for name in names):
        yield "faults unnamed", f"code {record.code}: {record.error!r}"


def unknown_outcome_has_a_way_out(record: Record) -> Iterator[Finding]:
    """An unknown outcome comes with a hint how to find it out."""
    if record.slug == "outcome-unknown" and not record.result["error"]["hint"]:
        yield "faults unnamed", f"it is not said how to find out: {record.error!r}"


RULES = (
    no_bug,
    envelope_agrees,
    never_two_jobs,
    start_is_true,
    look_is_true,
    write_is_true,
    read_is_true,
    sessions_end,
    no_hang,
    fault_is_named,
    unknown_outcome_has_a_way_out,
)
