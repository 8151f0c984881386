"""The exact outcomes: which exit code, and which slug, a fault in a phase brings about.

The first row that fits decides. ``same`` is the outcome of the command without a fault. The rows say what is
documented; what cannot be told from phase, fault and command alone, such as whether a trickling answer is short enough,
has several.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from backupctl.simulator.faults import parse_fault
from tests.faults.oracle import Finding, findings
from tests.faults.play import Case, Record


class Row(NamedTuple):
    """Patterns for the phase, the fault, and who meets it (task, object, way, what runs); and the outcomes."""

    phase: str
    fault: str
    who: str
    outcomes: str

    def fits(self, case: Case) -> bool:
        """Whether the row is about a case with one fault."""
        (fault,) = case.faults
        values = (parse_fault(fault).phase or "any", fault.partition("@")[0], who(case))
        return all(map(_fits, self[:3], values))


BUSY = "start backup * running_backup|follow backup * running_backup start|read backup * running_backup"
ATTACH = "follow backup * running_backup start"
UNLISTED = "start* restore *|start* reconciliation *"

ROWS: Final = (
    # A 401 behind the login is a session that has expired, and once more behind a new login a refusal.
    Row("logout", "http-401*", "*", "same"),
    Row("first-poll|mid-poll", "http-401*", f"{BUSY}|look *", "4:auth|9:busy|same"),
    Row("*", "http-401=%2", "* basic*", "4:auth|same"),
    Row("*", "http-401*", "* basic*", "4:auth"),
    Row("login|any", "http-401=%2", "*", "4:auth|same"),
    Row("login|any", "http-401*", "*", "4:auth"),
    Row("*", "http-401=1|http-401=%2", "*", "same"),
    Row("*", "http-401*", "*", "4:auth"),
    # What the appliance is like.
    Row("any", "account-locked|password-expired", "*", "4:auth"),
    Row("any", "archive-location|odd-user=*|oldest-only", "*", "same"),
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
    Row("any", "busy*", "start *|start-only *", "9:busy"),
    Row("any", "busy*", "look backup *", "8:running"),
    Row("any", "validate-fail", "* validate", "7:backup-failed"),
    Row("any", "fail-at=*|stall-at=*|reboot-at=*|busy*|validate-fail|db-health=*", "*", "same"),
    # Short delays, and the end of a session, are of no consequence.
    Row("logout", "*", "*", "same"),
    Row("*", "slow=2s|slow=5s", "*", "same"),
    Row("create|cancel|validate|write-schedule", "slow=45s", "*", "same"),
    # A login that may have opened a session is not repeated; /rest is tried where /api is no API at all.
    Row("login", "forbidden", "*", "same"),
    Row("login", "empty=%2|bad-json=%2", "*", "6:api|same"),
    Row("login", "empty*|bad-json*", "*", "6:api"),
    # One whose answer was lost is, but only so often that none of them could have locked the account.
    Row("login", "lost-login-answer=1|lost-login-answer=%2", "*", "same"),
    Row("version|any", "drop=3", "follow restore basic *", "same"),
    Row("version|any", "drop=3", "* basic *", "5:connection"),
    Row("login|any", "drop=3", "*", "5:connection"),
    Row("login", "lost-login-answer*", "*", "5:connection"),
    Row("login", "redirect=1|redirect=%2", "* auto *|* fall back *", "same|6:api"),
    # Without its release an appliance can be worked with; what cannot be told of its health is a warning.
    Row("version", "empty*|bad-json*|redirect*|forbidden", "*", "same"),
    Row("health", "forbidden|http-503*|html-503*|empty*|bad-json*|redirect*|drop=*", "*", "same"),
    # Starting: definite answers count, after others the job is looked for; where another one runs, nobody can tell.
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
    # Cancelling is asked for again, and what the job does next tells.
    Row("cancel", "forbidden", "*", "4:forbidden"),
    Row("cancel", "drop|http-503|html-503|redirect|redirect=[13]", "*", "8:timed-out"),
    Row("cancel", "*", "*", "same"),
    # A write is never repeated, and what is read afterwards tells whether it arrived.
    Row("write-schedule", "forbidden", "*", "4:forbidden"),
    Row("write-schedule", "*=%2|empty*|bad-json*|trickle*|slow*", "*", "same"),
    Row("write-schedule", "drop*", "*", "5:connection"),
    Row("write-schedule", "*", "*", "6:api"),
    # What cannot be looked at cannot be attached to, but something runs.
    Row(
        "first-poll",
        "drop|http-503|html-503|empty|bad-json|redirect*|trickle*|slow=4*|forbidden",
        ATTACH,
        "9:busy|same",
    ),
    Row("list", "redirect=%2", ATTACH, "9:busy"),
    Row("first-poll", "*", "read backup *", "same"),
    Row("list", "http-503|html-503|empty|bad-json|redirect*", "read other * validate", "same"),
    Row("list", "redirect=1", "start * validate", "same"),
    # Following outlives everything but a refusal, until its deadline; a restore may be silent for a quarter of an hour.
    Row("first-poll", "drop|slow=4*|trickle", "follow restore *", "same"),
    Row("last-poll", "trickle*", "cancel *", "5:connection|same"),
    Row("mid-poll", "forbidden", "look *", "same"),
    Row("first-poll|mid-poll|last-poll", "forbidden", "*", "4:forbidden|same"),
    Row("mid-poll", "*", "*", "same"),
    Row("first-poll", "*", "start *", "same"),
    Row("last-poll", "*=[13]|*=%2", "start*|follow *|cancel *", "same"),
    Row("last-poll", "*", "start-only *", "same"),
    Row("last-poll", "*", "start *|follow *|cancel *", "5:connection"),
    # Without their details jobs are read one by one.
    Row("last-poll", "redirect=[13]", "read backup *", "same"),
    # Reading: asked again for half a minute, but for a redirect and for what takes as long as that.
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
    """Return the outcomes that a case with one fault may have, separated by bars; empty where no row fits."""
    return next((row.outcomes for row in ROWS if row.fits(case)), "")


def judged(record: Record) -> list[Finding]:
    """Return all that is wrong with a run under one fault."""
    return [*findings(record), *outcome_is_right(record)]


def who(case: Case) -> str:
    """Return the task and object of the command, its way, what runs already, and what else it does."""
    command = case.command
    words = [command.task, command.object, "basic" if command.basic else case.way, command.preparation]
    words += ["start"] if "attach" in command.words else []
    words += ["validate"] if {"--preflight", "validate"} & set(command.words) and not command.basic else []
    return " ".join(filter(None, words))


def _fits(pattern: str, text: str) -> bool:
    """Whether one of several patterns fits; what stands at the end of a text counts as followed by a blank."""
    return any(fnmatchcase(text, one) or fnmatchcase(f"{text} ", one) for one in pattern.split("|"))


def outcome_is_right(record: Record) -> Iterator[Finding]:
    """The exit code, and the slug where it can be seen, are those of the table."""
    outcomes = expected(record.case)
    if not outcomes:
        yield "wrong code", "no row of the table says what is right"
        return
    for outcome in outcomes.split("|"):
        code, _, slug = outcome.partition(":")
        if outcome == "same":
            code, slug = str(record.case.command.outcome), ""
        if record.code == int(code) and (not slug or record.slug in {slug, None}):
            return
    yield "wrong code", f"{record.code} {record.slug or ''}, where {outcomes} is right: {record.error}"
