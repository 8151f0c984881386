"""The expected outcomes: exit code and slug for each fault in each phase.

The first row that matches decides. ``same`` is the outcome of the command without a fault. A row has several outcomes
when phase, fault and command do not determine one, such as whether a trickling response is short enough.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from backupctl.simulator.faults import parse_fault
from tests.faults.oracle import Finding, findings
from tests.faults.play import Case, Record


class Row(NamedTuple):
    """Patterns for the phase, the fault and the command (task, object, way, what runs); and the outcomes."""

    phase: str
    fault: str
    who: str
    outcomes: str

    def fits(self, case: Case) -> bool:
        """Whether the row matches a case with one fault."""
        (fault,) = case.faults
        values = (parse_fault(fault).phase or "any", fault.partition("@")[0], who(case))
        return all(map(_fits, self[:3], values))


BUSY = "start backup * running_backup|follow backup * running_backup start|read backup * running_backup"
ATTACH = "follow backup * running_backup start"
UNLISTED = "start* restore *|start* reconciliation *"

ROWS: Final = (
    # Without the time zone of the appliance, the next run of a schedule is unknown, which is no error.
    Row("health", "*", "* schedule *|* history *", "same"),
    # Nor are schedules that cannot be read, where they only add to what the jobs say.
    Row("read-schedule", "http-503*|html-503*|empty*|bad-json*|redirect*|forbidden", "read history *", "same"),
    # A 401 after the login means an expired session; another one after a new login is a refusal.
    Row("logout", "http-401*", "*", "same"),
    Row("first-poll|mid-poll", "http-401*", f"{BUSY}|look *", "4:auth|9:busy|same"),
    Row("*", "http-401=%2", "* basic*", "4:auth|same"),
    Row("*", "http-401*", "* basic*", "4:auth"),
    Row("login|any", "http-401=%2", "*", "4:auth|same"),
    Row("login|any", "http-401*", "*", "4:auth"),
    Row("*", "http-401=1|http-401=%2", "*", "same"),
    Row("*", "http-401*", "*", "4:auth"),
    # Faults that describe the appliance.
    Row("any", "account-locked|password-expired", "*", "4:auth"),
    Row("any", "archive-location|odd-user=*|oldest-only", "*", "same"),
    # What is wrong at the location is not seen without a look at it.
    Row("any", "truncated-archive|missing-file|rotten-file|unfinished", "*", "same"),
    Row("any", "stale-list=*", ATTACH, "9:busy|same"),
    Row("any", "stale-list=*", "look * running_*|cancel *|follow *", "10:not-found|same"),
    Row("any", "stale-list=*", "*", "same"),
    Row("any", "forbidden", "*", "4:forbidden"),
    Row("any", "no-date|session-expires-after=*", "*", "same"),
    Row("any", "fail-at=*|db-health=*|stall-at=*", "* reconciliation *", "same"),
    Row("any", "db-health=*", "* restore *", "same"),
    Row("any", "fail-at=*|db-health=*", ATTACH, "9:busy"),
    Row("any", "fail-at=*", "start *|follow *", "7:backup-failed"),
    Row("any", "db-health=*", "start *|follow *|read other * validate", "7:backup-failed"),
    Row("any", "stall-at=50|stall-at=99", "* failing_backup", "same"),
    Row("any", "stall-at=*", "start *|follow *", "8:timed-out|8:stalled"),
    Row("any", "reboot-at=50:420s", "start *|follow *", "5:connection|same"),
    Row("any", "reboot-at=*", "start *", "same"),
    Row("any", "reboot-at=0:*", "look *|follow *|cancel *|read backup * running_backup", "5:connection|same"),
    Row("any", "busy=60s", "start backup * running_backup", "same"),
    Row("any", "busy*", "read other * validate", "7:backup-failed"),
    Row("any", "busy*", "start *|start-only *|read location *", "9:busy"),
    Row("any", "busy*", "look backup *", "8:running"),
    Row("any", "validate-fail", "* validate", "7:backup-failed"),
    Row("any", "fail-at=*|stall-at=*|reboot-at=*|busy*|validate-fail|db-health=*", "*", "same"),
    # Short delays and the logout have no effect on the outcome.
    Row("logout", "*", "*", "same"),
    Row("*", "slow=2s|slow=5s", "*", "same"),
    Row("create|cancel|validate|write-schedule", "slow=45s", "*", "same"),
    # A login that may have opened a session is not repeated; /rest is tried when /api is not an API.
    Row("login", "forbidden", "*", "same"),
    Row("login", "empty=%2|bad-json=%2", "*", "6:api|same"),
    Row("login", "empty*|bad-json*", "*", "6:api"),
    # A login whose response is lost is repeated, but not often enough to lock the account.
    Row("login", "lost-login-answer=1|lost-login-answer=%2", "*", "same"),
    Row("version|any", "drop=3", "follow restore basic *", "same"),
    Row("version|any", "drop=3", "* basic *", "5:connection"),
    Row("login|any", "drop=3", "*", "5:connection"),
    Row("login", "lost-login-answer*", "*", "5:connection"),
    Row("login", "redirect=1|redirect=%2", "* auto *|* fall back *", "same|6:api"),
    # An unknown release is no error; unknown health is a warning. An audit cannot do without the time zone.
    Row("health", "drop|slow=4*", "read audit *", "5:connection"),
    Row("health", "http-503|html-503|empty|bad-json|redirect|redirect=[13]", "read audit *", "6:api"),
    Row("health", "forbidden", "read audit *", "4:forbidden"),
    Row("version", "empty*|bad-json*|redirect*|forbidden", "*", "same"),
    Row("health", "forbidden|http-503*|html-503*|empty*|bad-json*|redirect*|drop=*", "*", "same"),
    # Starting: definite responses decide; after others the job is searched for, unless another one runs.
    Row("create", "forbidden", "*", "4:forbidden"),
    Row("create", "http-500*", "*", "6:api|same"),
    Row("create", "late-http-500*", f"{BUSY}|{UNLISTED}", "6:api|same"),
    Row("create", "late-http-401*", f"{BUSY}|* basic *", "4:auth|same"),
    Row("create", "html-401*|late-html-401*", "* basic *", "5:outcome-unknown|same"),
    Row("create", "*=%2", "*", "same|5:not-started|6:not-started|5:outcome-unknown"),
    Row("create", "trickle*", UNLISTED, "same|5:outcome-unknown"),
    Row("create", "*", UNLISTED, "5:outcome-unknown"),
    Row("create", "trickle*", BUSY, "same|0"),
    Row("create", "slow=400s", BUSY, "5:not-started"),
    Row("create", "*", BUSY, "5:outcome-unknown"),
    Row("create", "drop*|lost-create-request*", "*", "5:not-started"),
    Row("create", "http-503*|http-504*|html-401*|html-503*|redirect*", "*", "6:not-started"),
    Row("create", "lost-create-answer*|empty*|bad-json*|trickle*|slow=400s|late-*", "start*", "same"),
    # Cancelling is retried, and the state of the job decides.
    Row("cancel", "forbidden", "*", "4:forbidden"),
    Row("cancel", "drop|http-503|html-503|redirect|redirect=[13]", "*", "8:timed-out"),
    Row("cancel", "*", "*", "same"),
    # A write is never repeated; reading afterwards shows whether it arrived.
    Row("write-schedule", "forbidden", "*", "4:forbidden"),
    Row("write-schedule", "*=%2|empty*|bad-json*|trickle*|slow*", "*", "same"),
    Row("write-schedule", "drop*", "*", "5:connection"),
    Row("write-schedule", "*", "*", "6:api"),
    # A running job that cannot be read cannot be attached to.
    Row(
        "first-poll",
        "drop|http-503|html-503|empty|bad-json|redirect*|trickle*|slow=4*|forbidden",
        ATTACH,
        "9:busy|same",
    ),
    Row("list", "redirect=%2", ATTACH, "9:busy"),
    # Without each of the jobs, nothing is pruned.
    Row("last-poll", "redirect=%2", "read location *", "6:not-pruned|6:api|same"),
    Row("first-poll", "*", "read backup *", "same"),
    Row("list", "http-503|html-503|empty|bad-json|redirect*", "read other * validate", "same"),
    Row("list", "redirect=1", "start * validate", "same"),
    # Following survives everything except a refusal, until its timeout; a restore may be unreachable for 15 minutes.
    Row("first-poll", "drop|slow=4*|trickle", "follow restore *", "same"),
    Row("last-poll", "trickle*", "cancel *", "5:connection|same"),
    Row("mid-poll", "forbidden", "look *", "same"),
    Row("first-poll|mid-poll|last-poll", "forbidden", "*", "4:forbidden|same"),
    Row("mid-poll", "*", "*", "same"),
    Row("first-poll", "*", "start *", "same"),
    Row("last-poll", "*=[13]|*=%2", "start*|follow *|cancel *", "same"),
    Row("last-poll", "*", "start-only *", "same"),
    Row("last-poll", "*", "start *|follow *|cancel *", "5:connection"),
    # Without the details, jobs are read one by one; the newest that can be read may be an old one.
    Row("last-poll", "redirect=[13]", "read state *", "same|1"),
    Row("last-poll", "redirect=[13]", "read backup *|read history *", "same"),
    # Reading: retried for 30 seconds, except for redirects and for responses that take that long.
    Row("archive", "slow=45s", "* /api *|* auto *|* basic *", "same|5:connection"),
    Row("any", "*=%2", "*", "6:api|6:not-supported|5:not-started|6:not-started|5:outcome-unknown|5:connection|same"),
    Row("any", "empty=*|bad-json=*|redirect*", "*", "6:api|6:not-supported|5:outcome-unknown|5:connection|same"),
    Row("*", "trickle*|redirect=%2", "*", "5:connection|6:api|same"),
    Row("read-schedule", "empty*|bad-json*", "write schedule *", "same|6:api|6:not-supported"),
    Row("*", "drop=*|http-503=*|html-503=*|empty=*|bad-json=*", "*", "same"),
    Row("*", "drop|slow=4*", "*", "5:connection"),
    Row("any", "empty|bad-json", "*", "6:api|6:not-supported|5:outcome-unknown"),
    Row("*", "http-503|html-503|empty|bad-json|redirect*", "*", "6:api"),
    Row("*", "forbidden", "*", "4:forbidden"),
)


def expected(case: Case) -> str:
    """Return the allowed outcomes of a case with one fault, separated by bars; empty when no row matches."""
    return next((row.outcomes for row in ROWS if row.fits(case)), "")


def all_findings(record: Record) -> list[Finding]:
    """Return all findings of a run with one fault."""
    return [*findings(record), *outcome_is_right(record)]


def who(case: Case) -> str:
    """Return task and object of the command, its way, what runs already, and its extra actions."""
    command = case.command
    words = [command.task, command.object, "basic" if command.basic else case.way, command.preparation]
    words += ["start"] if "attach" in command.words else []
    words += ["validate"] if {"--preflight", "validate"} & set(command.words) and not command.basic else []
    return " ".join(filter(None, words))


def _fits(pattern: str, text: str) -> bool:
    """Whether one of the patterns matches the text, or the text followed by a space."""
    return any(fnmatchcase(text, one) or fnmatchcase(f"{text} ", one) for one in pattern.split("|"))


def outcome_is_right(record: Record) -> Iterator[Finding]:
    """The exit code, and the slug if the output shows it, are those of the table."""
    outcomes = expected(record.case)
    if not outcomes:
        yield "wrong code", "no row of the table says what is right"
        return
    for outcome in outcomes.split("|"):
        code, _, slug = outcome.partition(":")
        if outcome == "same":
            code, slug = str(record.case.command.outcome), ""
        right = record.case.command.code_for(int(code))
        if record.code == right and (not slug or record.slug in {slug, None}):
            return
    yield "wrong code", f"{record.code} {record.slug or ''}, where {outcomes} is right: {record.error}"
