"""The rules that each run must satisfy, checked against the ground truth and the appliance's responses.

Nothing here uses the code under test. Each rule yields pairs: a column of the table, and a sentence. The rules are the
promises of the program's design: four invariants of commands that start something, and that writes are read back.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from tests.adversary.faults import ObservedRequest
from tests.adversary.play import Record
from tests.adversary.scenario import LOCATION
from tests.adversary.service import USER
from tests.adversary.truth import Job

Violation = tuple[str, str]

COLUMNS: Final = ("claimed", "doubled", "lost", "schedule", "session", "hang", "bug", "form", "broken")

REAL_SECONDS: Final = 30.0
GRACE_SECONDS: Final = 60.0 + 30.0 + 30.0 + 40.0 + 20.0
"""Seconds allowed after the deadline: search for a lost job, validate, details again, a last response, the logout."""
OTHERWISE_SECONDS: Final = 1200.0
"""Seconds allowed without --timeout: 310 s for a request that changes something, 70 s for each that reads."""
SIGNAL_SECONDS: Final = 10.0 + 5.0 + 3.0
"""Seconds allowed after a signal: a pending request that starts a job, and the logout."""
CANCEL_SECONDS: Final = 60.0 + 30.0
"""Seconds allowed for following a cancelled job to its end, and for a last response about it."""

_NOT_STARTED: Final = re.compile(r"no (backup|restore|reconciliation) was started|safe to try again", re.IGNORECASE)
_STDERR_LINE: Final = re.compile(r"(warning|hint|error|note|help|debug): |  ")
_STARTS: Final = {"create", "run", "restore", "reconcile"}


def violations(record: Record) -> list[Violation]:
    """Return all violations of a run."""
    found = [violation for rule in RULES for violation in rule(record)]
    return list(dict.fromkeys(found))


def _no_bug(record: Record) -> Iterator[Violation]:
    if record.broken or record.server.wire.failures:
        yield "broken", str(record.broken or record.server.wire.failures)
    elif record.scenario.command.kind == "check":
        if record.slug == "bug" or "unexpected:" in record.out + record.err:
            yield "bug", record.out[-300:] + record.err[-300:]
    elif record.code == 1 or record.slug == "bug" or "Traceback" in record.err:
        yield "bug", f"code {record.code}: {record.error.get('message') or record.err[-300:]}"
    elif record.code in {2, 3}:
        yield "broken", f"code {record.code}: {record.error.get('message') or record.err[-300:]}"


def _form(record: Record) -> Iterator[Violation]:
    if record.scenario.command.kind == "check":
        return
    if record.scenario.output == "text":
        named = "error: " in record.err or (record.code == 7 and "✗ " in record.out)
        if record.code not in {0, 130} and not named:
            yield "form", f"code {record.code}, and neither stream names the failure: {record.out!r} {record.err!r}"
        return
    document = record.document
    if document is None:
        yield "form", f"no envelope: {record.out[:200]!r}"
        return
    if document.get("exit_code") != record.code or (not record.error) != (record.code == 0):
        yield "form", f"code {record.code}, and the envelope has {document.get('exit_code')}, {record.error}"
    for line in record.err.splitlines() if record.scenario.output == "json" else ():
        if not _STDERR_LINE.match(line):
            yield "form", f"standard error has {line!r}"
    if record.slug == "outcome-unknown" and record.scenario.command.kind == "start" and not record.error.get("attach"):
        yield "form", "outcome-unknown without the line to look later"


def _no_hang(record: Record) -> Iterator[Violation]:
    if record.scenario.command.kind == "check":
        return
    timed = "--timeout" in record.scenario.words
    most = record.scenario.timeout + GRACE_SECONDS if timed else OTHERWISE_SECONDS
    if record.seconds > most:
        yield "hang", f"{record.seconds:.0f} s, where {most:.0f} s are the most"
    most_after = SIGNAL_SECONDS + (CANCEL_SECONDS if "--cancel-on-interrupt" in record.scenario.words else 0.0)
    if record.signalled is not None and record.seconds - record.signalled > most_after:
        yield "hang", f"{record.seconds - record.signalled:.0f} s after the signal"
    if record.real_seconds > REAL_SECONDS:
        yield "hang", f"{record.real_seconds:.0f} s of real time"


def _no_session_left(record: Record) -> Iterator[Violation]:
    if any(fault.label == "connect" for fault in record.scenario.faults):
        return
    asked = {
        observed.request.headers.get("vmware-api-session-id") for observed in record.server.wire.requests
        if observed.request.label == "logout"
    }  # fmt: skip
    asked |= {"?"} if any(_is_cut(observed, "logout") for observed in record.server.wire.requests) else set()
    ends = record.server.service._session_ends
    for token in record.truth.sessions & record.server.wire.tokens_delivered:
        if token not in asked and "?" not in asked and ends[token] > record.seconds:
            yield "session", f"session {token.lstrip('0')} of {len(record.truth.opened)} is open, and was not ended"


def _is_cut(observed: ObservedRequest, label: str) -> bool:
    return observed.request.label == label and observed.fault is not None and observed.fault.kind == "cut request"


def _starts_of(record: Record) -> list[tuple[int, ObservedRequest]]:
    """Return the requests that start something, each with its index among all requests."""
    observed = record.server.wire.requests
    return [(place, each) for place, each in enumerate(observed) if each.request.label in _STARTS]


def _is_definite(observed: ObservedRequest) -> bool:
    """Whether the response proves that the request was not processed: an expired session, or busy."""
    return observed.status in {400, 401} and observed.vapi and not observed.started_job


def _never_doubled(record: Record) -> Iterator[Violation]:
    truth, starts = record.truth, _starts_of(record)
    for what, count in (
        ("jobs", len(truth.ours)),
        ("restores", len(truth.restores)),
        ("reconciliations", len(truth.reconciliations)),
    ):
        if count > 1:
            yield "doubled", f"{count} {what} of one run"
    for (place, observed), (next_place, _) in pairwise(starts):
        between = record.server.wire.requests[place + 1 : next_place]
        if not _is_definite(observed):
            yield "doubled", f"sent again after {observed.fault.name if observed.fault else observed.status}"
        elif record.scenario.command.kind == "start" and not any(each.request.label == "list" for each in between):
            yield "doubled", "sent again without reading the list in between"


def _first_list(record: Record) -> tuple[str, ...] | None:
    """Return the job ids that were read before the first request that starts something."""
    starts = _starts_of(record)
    before = record.server.wire.requests[: starts[0][0]] if starts else record.server.wire.requests
    lists = [each for each in before if each.request.label == "list" and each.readable]
    return lists[-1].ids if lists else None


def _details_of(record: Record, job_id: str) -> list[dict[str, Any]]:
    """Return the details of a job, one entry for each response that arrived."""
    return [each.details[job_id] for each in record.server.wire.requests if each.readable and job_id in each.details]


def _is_our_location(location: str) -> bool:
    return bool(re.fullmatch(rf"{re.escape(LOCATION)}/?((/vCenter)?/sn_[^/]+/[MS]_[^/]*/?)?", location))


def _may_be_claimed(record: Record, job: Job) -> bool:
    """Whether a job of somebody else meets the conditions by which the design adopts a job found in the list."""
    known, details = _first_list(record), _details_of(record, job.id)
    if known is None or job.id in known or not any(_is_our_location(each["location"]) for each in details):
        return False
    if known and job.id <= max(known):
        return False
    date = record.server.wire.date_before_start
    if date is None:
        return bool(known)
    return datetime.fromisoformat(details[-1]["start_time"]) >= date


def _attached(record: Record, job: Job | None) -> bool:
    """Whether a job ran before the command, which names it, attaches to it or waits for it."""
    words = record.scenario.words
    return job is not None and job.start <= 0 and ("--if-running" in words or record.scenario.command.kind != "start")


def _was_answered_with(record: Record, job: Job) -> bool:
    """Whether the response to the starting request named this job, and it is new: by design its state decides then."""
    named = any(observed.fault is not None and observed.fault.kind == "other job" for _, observed in _starts_of(record))
    return named and job.id not in (_first_list(record) or ())


def _named(record: Record) -> Job | None:
    return next((job for job in record.truth.jobs if job.id == record.job_id), None)


def _backup_is_true(record: Record) -> Iterator[Violation]:
    command = record.scenario.command
    if command.kind not in {"start", "watch", "cancel"}:
        return
    job, code = _named(record), record.code
    if record.scenario.output == "text":
        claimable = any(_may_be_claimed(record, each) or _attached(record, each) for each in record.truth.jobs)
        if code == 0 and command.kind == "start" and not record.truth.ours and not claimable:
            yield "claimed", "0, and no backup was started"
        return
    if record.job_id and job is None:
        yield "claimed", f"there is no job {record.job_id}"
    elif job is None and code in {0, 7, 8}:
        yield "claimed", f"code {code} without a job"
    if job is None:
        return
    if not job.ours and not any(excuse(record, job) for excuse in (_attached, _may_be_claimed, _was_answered_with)):
        yield "claimed", f"code {code} with job {job.id}, which is not ours"
    answered = any(
        observed.started_job and observed.delivered for _, observed in _starts_of(record)
    ) or _was_answered_with(record, job)
    if command.kind == "start" and not answered and (record.result.get("job") or {}).get("encrypted") is not None:
        yield "claimed", f"whether {job.id} is encrypted, which no response reported"
    yield from _state_is_true(record, job)


def _state_is_true(record: Record, job: Job) -> Iterator[Violation]:
    state, code = job.state(record.seconds), record.code
    details = _details_of(record, job.id)
    if code == 0:
        wanted = "FAILED" if record.scenario.command.kind == "cancel" else "SUCCEEDED"
        if "--no-wait" in record.scenario.words:
            return
        if state != wanted:
            yield "claimed", f"0, and job {job.id} is {state}"
        if wanted == "SUCCEEDED" and state == wanted and details and _contradicted(record, details):
            yield "claimed", f"0, and the details of job {job.id} say FAILED"
    lost = any(fault.label == "job" and fault.status == 404 for fault in record.scenario.faults)
    if code == 7 and state != "FAILED" and not lost:
        yield "claimed", f"7, and job {job.id} is {state}"
    follow_later = code in {5, 8, 130} and state == "INPROGRESS"
    if follow_later and job.ours and job.id not in str(record.error.get("attach")):
        yield "lost", f"code {code}, and the line to follow {job.id} is {record.error.get('attach')!r}"
    attached = "attach" in record.scenario.words and not job.ours and not _may_be_claimed(record, job)
    if code == 0 and attached and not any(_is_our_location(each["location"]) for each in details):
        yield "claimed", f"0, and nothing reported that job {job.id} goes to our location"


def _contradicted(record: Record, details: list[dict[str, Any]]) -> bool:
    """Whether the last details say FAILED; lagging details say RUNNING, which is no contradiction."""
    return record.scenario.habits.details == "contradicting" and details[-1]["status"] == "FAILED"


def _never_lost(record: Record) -> Iterator[Violation]:
    if record.scenario.command.kind != "start":
        return
    said = record.err + record.out
    for job in record.truth.ours:
        if job.id in said or _is_excused(record, job):
            continue
        if _NOT_STARTED.search(said):
            yield "lost", f"job {job.id} runs or ran, and it says that none was started ({record.slug})"
        elif record.scenario.output != "text" and record.slug != "outcome-unknown" and not record.error.get("attach"):
            yield "lost", f"job {job.id} runs or ran, and it ends with {record.code} ({record.slug}) without it"
        elif record.scenario.output == "text" and "backupctl watch" not in said:
            yield "lost", f"job {job.id} runs or ran, and it ends with {record.code} without the line to look later"
    if not record.truth.ours and (record.slug == "not-started" or _was_refused_by_error(record)):
        yield from _not_certain(record)


def _was_refused_by_error(record: Record) -> bool:
    """Whether a plain ``error`` was treated as a refusal, although a job may have been started."""
    starts = _starts_of(record)
    return record.slug == "api" and bool(starts) and starts[-1][1].status == 500


def _not_certain(record: Record) -> Iterator[Violation]:
    """Yield listed jobs that may be ours according to all details that arrived."""
    starts, known = _starts_of(record), _first_list(record)
    if not starts or known is None:
        return
    later_requests = record.server.wire.requests[starts[-1][0] :]
    shown = {job_id for each in later_requests if each.request.label == "list" and each.readable for job_id in each.ids}
    types = {"MANUAL"} if record.scenario.command.key == "create" else {"MANUAL", "SCHEDULED"}
    for job_id in sorted(shown - set(known)):
        details = _details_of(record, job_id)
        others = [
            each["type"] not in types
            or (_account(each.get("user", USER)) != _account(USER) and not _is_our_location(each["location"]))
            for each in details
        ]
        if not any(others):
            yield "lost", f"it says that none was started, and job {job_id} may be ours"


def _account(user: str) -> str:
    return re.split(r"[\\/]", user)[-1].partition("@")[0].lower()


def _is_excused(record: Record, job: Job) -> bool:
    """Whether the program could not know of a job: it started after the last check, or ended before a list had it."""
    observed = record.server.wire.requests
    checks = [each for each in observed if each.request.label in {"list", "validate"} and each.readable]
    busy = [each for each in observed if each.request.label == "validate" and each.processed and each.delivered]
    if not checks and not busy:
        return False
    if job.start > max(each.at for each in (*checks, *busy)):
        return True
    shown = any(job.id in each.ids for each in checks)
    started_at = [each.at for each in busy if each.at >= job.start]
    return not shown and bool(started_at) and job.state(started_at[-1]) != "INPROGRESS"


def _restore_is_true(record: Record) -> Iterator[Violation]:
    kind = record.scenario.command.kind
    if kind not in {"restore", "reconcile"}:
        return
    runs = record.truth.restores if kind == "restore" else record.truth.reconciliations
    if record.code == 0 and not runs:
        yield "claimed", f"0, and no {kind} was started"
    elif (
        record.code == 0 and "--no-wait" not in record.scenario.words and runs[-1].state(record.seconds) != "SUCCEEDED"
    ):
        yield "claimed", f"0, and the {kind} is {runs[-1].state(record.seconds)}"
    if not runs or record.code == 0 or record.scenario.output == "text":
        return
    named = record.job_id or record.error.get("attach") or record.slug == "outcome-unknown"
    if not named and not (record.code == 130 and "unknown" in str(record.error)):
        yield "lost", f"a {kind} was started, and it ends with {record.code} ({record.slug})"


def _is_as_wanted(record: Record) -> bool:
    schedule = record.truth.schedules.get("default")
    words = record.scenario.words
    if "delete" in words:
        return schedule is None
    if schedule is None:
        return False
    if "disable" in words:
        return schedule["enable"] is False
    recurrence = schedule.get("recurrence_info", {})
    at = (recurrence.get("hour"), recurrence.get("minute"))
    if "--retain" in words:
        return at == (4, 15) and schedule.get("retention_info") == {"max_count": 5}
    return at == (2, 30) and schedule["location"] == LOCATION


def _schedule_is_true(record: Record) -> Iterator[Violation]:
    if record.scenario.command.kind != "write":
        return
    writes = record.truth.schedule_writes
    reached = _is_as_wanted(record)
    if record.code == 0 and not reached:
        yield "schedule", "0, and the schedule is not as was asked for"
    reads = [each.at for each in record.server.wire.requests if each.request.label == "schedule" and each.processed]
    unseen = bool(writes) and bool(reads) and writes[-1][0] > reads[-1]
    reported = record.slug in {"outcome-unknown", "interrupted"} or record.scenario.output == "text"
    if record.code not in {0, 130} and writes and reached and not reported and not unseen:
        yield "schedule", f"the schedule was changed, and it ends with {record.code} ({record.slug})"


CHECK_STATES: Final = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
WARNING_HOURS: Final = 26
CRITICAL_HOURS: Final = 50
LEEWAY_SECONDS: Final = 2.0


def _check_is_true(record: Record) -> Iterator[Violation]:
    """A check ends in time with a state of a plugin, and the state fits the age of the newest success."""
    if record.scenario.command.kind != "check":
        return
    if record.code not in range(4):
        yield "claimed", f"code {record.code} of a check"
        return
    if record.seconds > record.scenario.timeout + LEEWAY_SECONDS or record.real_seconds > REAL_SECONDS:
        yield "hang", f"{record.seconds:.1f} s, where {record.scenario.timeout:.0f} s are the most"
    yield from _check_form(record)
    successes = [record.seconds - job.end for job in record.truth.jobs if job.state(record.seconds) == "SUCCEEDED"]
    age = min(successes, default=float("inf")) / 3600
    failed = any(job.state(record.seconds) == "FAILED" for job in record.truth.jobs)
    if record.code == 0 and age > WARNING_HOURS + 0.05:
        yield "claimed", f"OK, and the newest success is {age:.1f} h old"
    if record.code == 1 and age > CRITICAL_HOURS + 0.05:
        yield "claimed", f"WARNING, and the newest success is {age:.1f} h old"
    if record.code == 1 and age < WARNING_HOURS - 0.05 and not failed:
        yield "claimed", f"WARNING, and the newest success is {age:.1f} h old"
    if record.code == 2 and age < CRITICAL_HOURS - 0.05:
        yield "claimed", f"CRITICAL, and the newest success is {age:.1f} h old"


def _check_form(record: Record) -> Iterator[Violation]:
    if record.scenario.output == "text":
        first = record.out.partition("\n")[0]
        if CHECK_STATES[record.code] not in first or "Traceback" in record.out:
            yield "form", f"code {record.code}, and the line is {first!r}"
        return
    document = record.document
    if document is None:
        yield "form", f"no envelope: {record.out[:200]!r}"
    elif document.get("exit_code") != record.code or (document.get("error") is None) != (record.code != 3):
        yield "form", f"code {record.code}, and the envelope has {document.get('exit_code')}, {document.get('error')}"


Rule = Callable[[Record], Iterator[Violation]]

RULES: Final[tuple[Rule, ...]] = (
    _no_bug,
    _form,
    _no_hang,
    _no_session_left,
    _never_doubled,
    _backup_is_true,
    _never_lost,
    _restore_is_true,
    _schedule_is_true,
    _check_is_true,
)
