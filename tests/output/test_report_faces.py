"""The report as Markdown, CSV and HTML: what foreign text in it can do, and what it says of what is unknown."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from backupctl.errors import ApplianceUnreachableError
from backupctl.output.printable import printable
from backupctl.output.report_csv import report_csv
from backupctl.output.report_html import report_html
from backupctl.output.report_markdown import report_markdown
from backupctl.results.audit_results import ExpectedRun, RunVerdict
from backupctl.results.job import Job, Message
from backupctl.results.journal_entry import JournaledJob, JournalEntry
from backupctl.results.report_results import BackupReport, Period, ReportInfo, ReportResult
from backupctl.results.schedule_results import ScheduleInfo
from tests import wording

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "]]>--><!-- </style></title></svg>",
    "x" * 300,
    "\u202eright to left\u200b",
    "a\x00b\x1b[31mred\x1b]0;title\x07",
    "two\nlines\r\n\n# heading | cell | ` code ~~gone~~ $x$",
    "![x](http://example.com/x.png) [link](javascript:alert(1)) <http://example.com> &lt;b&gt; **bold** _i_ __b__",
    "| a | b |\n|---|---|\n$title ${content} %s {0} \\",
    "=cmd|' /C calc'!A0",
    "- [ ] +1 # 1. \ud800",
)


def a_job(number: int, **fields: Any) -> Job:
    start = NOW - timedelta(days=number, hours=1)
    known = {
        "start_time": start,
        "end_time": start + timedelta(minutes=number + 1),
        "duration_seconds": 60 * number + 60,
    }
    return Job(**{"id": f"job-{number}", "state": "SUCCEEDED", **known, **fields})


def a_report(*jobs: Job, **fields: Any) -> BackupReport:
    known = {"since": NOW - timedelta(days=90), "until": NOW, "generated_at": NOW, "generator": "backupctl 1"}
    return BackupReport(**{**known, "runs": tuple(JournaledJob(job=job) for job in jobs), **fields})


def results_of(*reports: BackupReport) -> tuple[list[ReportResult], ReportInfo]:
    results = [
        ReportResult(server=f"vc0{number}", host=f"vc0{number}.example.com", report=report)
        for number, report in enumerate(reports, 1)
    ]
    return results, reports[0]


def hostile(text: str) -> tuple[list[ReportResult], ReportInfo]:
    """Return a report with a text wherever the appliance, the journal or the user puts one."""
    texts: dict[str, Any] = dict.fromkeys(("id", "type", "location", "location_user", "user", "build", "comment"), text)
    failed = a_job(3, **texts, state=text, parts=(text, text), messages=(Message(id=text, default_message=text),))
    schedule = ScheduleInfo(name=text, location=text, location_user=text, enable=False, time_zone=text)
    fields: dict[str, Any] = {"schedules": (schedule,), "schedules_error": text, "group": text, "change": text}
    results, info = results_of(a_report(a_job(1), failed, **fields), a_report(failed, failed, **fields))
    error = ApplianceUnreachableError("$1", texts=(text,), server="vc03")
    return [*results, ReportResult(server="vc03", release=text, error=error)], info


def as_type(text: str) -> str:
    """Return a text as it is shown, without what the words for a type of job change."""
    return printable(text).replace("_", " ").lower()


class Page(HTMLParser):
    """The elements, attributes and texts of a page, whose elements must all be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@cache
def harmless_page() -> Page:
    return Page(report_html(*hostile("harmless")))


@cache
def harmless_tokens() -> list[Token]:
    return MARKDOWN.parse(report_markdown(*hostile("harmless")))


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_in_html_is_text(text: str) -> None:
    html = report_html(*hostile(text))
    harmless, page = harmless_page(), Page(html)
    assert page.tags == harmless.tags
    assert {name for name, _ in page.attributes} == {name for name, _ in harmless.attributes}
    assert not {name for name, _ in page.attributes if name.startswith("on") or name in {"href", "src", "style"}}
    count = sum(as_type(text) in as_type(each) for each in page.texts)
    assert count == sum("harmless" in each for each in harmless.texts) > 20
    assert all(character.isprintable() or character == "\n" for character in html)
    assert "url(" not in html
    assert "default-src 'none'; style-src 'unsafe-inline'" in html


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_in_markdown_is_text(text: str) -> None:
    harmless, tokens = harmless_tokens(), MARKDOWN.parse(report_markdown(*hostile(text)))
    assert [token.type for token in tokens] == [token.type for token in harmless]
    shown = []
    for token, expected in zip(tokens, harmless, strict=True):
        assert {child.type for child in token.children or ()} <= {"text", "text_special"}
        content = "".join(child.content for child in token.children or ())
        if "harmless" in expected.content:
            shown.append(content)
            assert as_type(text).strip() in as_type(content)
    assert len(shown) > 20


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_in_csv_is_a_cell_and_no_formula(text: str) -> None:
    heading, *rows = csv.reader(io.StringIO(report_csv(*hostile(text)), newline=""))
    assert {len(row) for row in rows} == {len(heading)}
    assert [row[0] for row in rows] == ["run", "run", "run", "run", "unread"]
    cell = rows[1][heading.index("comment")]
    assert cell.removeprefix("'") == printable(text)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def a_run(day: int, verdict: RunVerdict, **fields: Any) -> ExpectedRun:
    return ExpectedRun(due=datetime(2026, 2, day, 2, tzinfo=UTC), verdict=verdict, **fields)


MISSED = (
    a_run(20, RunVerdict.MADE),
    *(a_run(day, RunVerdict.MISSED) for day in (21, 22)),
    a_run(23, RunVerdict.MADE),
    a_run(24, RunVerdict.KEPT_OUT),
)
MISSED_SENTENCES = (
    "scheduled run missed: 2026-02-21 02:00 UTC to 2026-02-22 02:00 UTC (2 runs)",
    "scheduled run kept out by another job: 2026-02-24 02:00 UTC",
)


def an_attempt(day: int) -> JournalEntry:
    time = datetime(2026, 2, day, 2, tzinfo=UTC)
    return JournalEntry(time=time, command="create", server="vc01", host="x", exit_code=4, message="wrong password")


Face = Callable[[list[ReportResult], ReportInfo], str]


@pytest.mark.parametrize("face", [report_html, report_markdown])
@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        (
            {},
            [
                "no backup is known to have succeeded in this period",
                "the appliance remembers no backup",
                "this release has no schedules",
            ],
        ),
        ({"schedules": ()}, ["the appliance has no schedule"]),
        ({"schedules_error": "denied"}, [f"the schedules {wording.UNREADABLE}: denied"]),
        ({"schedules": (ScheduleInfo(name="x", enable=False),)}, ["schedule x is disabled"]),
        ({"scheduled_runs": MISSED}, [*MISSED_SENTENCES, "2 made, 2 missed, 1 kept out"]),
        ({"notes": ("it is disabled",)}, ["it is disabled"]),
        ({"unreadable": 2}, [f"2 backups {wording.UNREADABLE}"]),
        (
            {"remembered_since": NOW - timedelta(days=3)},
            ["the appliance remembers nothing before 2026-02-26 12:00 UTC"],
        ),
        (
            {"jobs": [a_job(1, encrypted=True), a_job(2)]},
            ["not known for any backup: size, type, user, parts", "not known for some backups: encryption (1 of 2)"],
        ),
        (
            {
                "jobs": [
                    a_job(day, state="FAILED", messages=(Message(id="x", default_message="full"),)) for day in (1, 2)
                ]
            },
            ["2 backups in a row failed, 2026-02-27 11:00 UTC to 2026-02-28 11:00 UTC: full"],
        ),
        (
            {"jobs": [a_job(1, messages=(Message(id="x", default_message="no seat"),))]},
            ["backup job-1 of 2026-02-28 11:00 UTC succeeded with messages: no seat"],
        ),
        ({"jobs": [a_job(1, state="NONE")]}, ["backup job-1 of 2026-02-28 11:00 UTC in state NONE"]),
        ({"jobs": [a_job(1, type="LOCAL_BACKUP")]}, ["1 local backup not counted"]),
        ({"jobs": [a_job(1, size_bytes=0)]}, ["1 backup succeeded with 0 bytes"]),
        (
            {"attempts": tuple(an_attempt(day) for day in (1, 2))},
            ["2 runs of create without a backup: 2026-02-01 02:00 UTC to 2026-02-02 02:00 UTC: wrong password"],
        ),
        (
            {"runs": (JournaledJob(job=a_job(1), forgotten=True),), "remembered_since": NOW - timedelta(days=3)},
            ["only in the journal: job-1, although the appliance remembers older backups"],
        ),
        ({"jobs": [a_job(1, state="FAILED")]}, ["backup job-1 of 2026-02-28 11:00 UTC failed"]),
        ({"jobs": [a_job(1, state="INPROGRESS")]}, ["backup job-1 of 2026-02-28 11:00 UTC still running"]),
        ({"jobs": [a_job(1, encrypted=False)]}, ["NOT ENCRYPTED", "1 backup not encrypted"]),
        ({"longest_interval": Period(since=NOW - timedelta(hours=25.111), until=NOW)}, ["at least 25h 07m"]),
        (
            {"remembered_since": NOW - timedelta(hours=1), "until": NOW - timedelta(days=1)},
            ["the appliance remembers nothing before 2026-03-01 11:00 UTC"],
        ),
        ({"longest_interval": Period(since=NOW - timedelta(hours=73.1), until=NOW)}, ["at least 3d 02h"]),
        ({"change": "CHG0012345"}, ["CHG0012345"]),
        ({"unreadable_lines": 6}, ["0 results of backupctl, 6 unreadable lines"]),
    ],
)
def test_finding_is_named(face: Face, fields: dict[str, Any], sentences: list[str]) -> None:
    known = {name: value for name, value in fields.items() if name != "jobs"}
    text = face(*results_of(a_report(*fields.get("jobs", ()), **known)))
    assert [sentence for sentence in sentences if sentence not in text] == []


def test_csv_has_a_row_for_each_missed_run_and_each_appliance() -> None:
    results, info = results_of(a_report(a_job(1), scheduled_runs=MISSED), a_report())
    rows = list(csv.DictReader(io.StringIO(report_csv(results, info), newline="")))
    assert [(row["server"], row["record"], row["due"]) for row in rows] == [
        ("vc01", "run", ""),
        ("vc01", "missed", "2026-02-21T02:00:00+00:00"),
        ("vc01", "missed", "2026-02-22T02:00:00+00:00"),
        ("vc01", "kept-out", "2026-02-24T02:00:00+00:00"),
        ("vc02", "no run", ""),
    ]


def test_missed_runs_that_were_made_up_are_no_finding() -> None:
    report = a_report(a_job(1), scheduled_runs=(a_run(21, RunVerdict.MISSED, made_up_by="job-1"),), succeeded=1)
    text = report_markdown(*results_of(report))
    assert "Scheduled runs: 1 missed but made up for" in text
    assert "scheduled run missed" not in text


@pytest.mark.parametrize("face", [report_html, report_markdown])
def test_report_without_findings_says_so(face: Face) -> None:
    schedule = ScheduleInfo(name="default", enable=True)
    known: dict[str, Any] = {
        "size_bytes": 10**9,
        "type": "MANUAL",
        "user": "u",
        "encrypted": True,
        "parts": ("common",),
    }
    job = a_job(1, **known, comment="c", build="8", location="sftp://x/vcenter/sn_x/M_8.0_20260301-020000_")
    report = a_report(
        job, remembered_since=NOW - timedelta(days=200), schedules=(schedule,), scheduled_runs=(), succeeded=1
    )
    assert face(*results_of(report, report)).count("no gap and no failure found") == 3


def test_summary_has_the_findings_of_all_appliances_the_gravest_first() -> None:
    known: dict[str, Any] = {"succeeded": 1, "schedules": (), "remembered_since": NOW - timedelta(days=200)}
    reports = a_report(a_job(1, size_bytes=0), **known), a_report(a_job(2, state="FAILED"), **known)
    disabled = a_report(a_job(1, size_bytes=0), **known, notes=("it is disabled",))
    summary = report_markdown(*results_of(*reports, disabled)).split("## vc01")[0]
    findings = [line for line in summary.splitlines() if line.startswith("- ")]
    assert findings == [
        "- vc02: backup job-2 of 2026-02-27 11:00 UTC failed",
        "- vc01, vc02, vc03: the appliance has no schedule",
        "- vc01, vc03: 1 backup succeeded with 0 bytes",
        "- vc03: it is disabled",
        "- vc01, vc03: not known for any backup: type, user, encryption, parts, build, location",
    ]


def test_finding_of_many_appliances_counts_them() -> None:
    text = report_markdown(*results_of(*[a_report(a_job(1), succeeded=1, schedules=())] * 11))
    assert "- 11 appliances: the appliance has no schedule" in text


def test_nothing_is_claimed_of_a_forgotten_period() -> None:
    known = {"remembered_since": NOW - timedelta(days=1), "until": NOW - timedelta(days=2)}
    forgotten = a_report(**known, succeeded=None, failed=None)
    summary = report_markdown(*results_of(forgotten))
    assert "| vc01 | unknown | unknown | unknown | unknown | unknown | unknown | unknown |" in summary
    assert "no backup is known" not in summary


def test_newest_backups_of_a_group_that_started_far_apart_are_a_finding() -> None:
    reports = [a_report(a_job(days), group="linked") for days in (1, 2)]
    text = report_markdown(*results_of(*reports))
    assert "* Newest backups: started within 1d 00h of each other, by the clocks of the appliances" in text
    assert "- group linked: the newest backups started 1d 00h apart" in text


@pytest.mark.parametrize("face", [report_html, report_markdown, report_csv])
def test_appliance_that_could_not_be_read_is_named(face: Face) -> None:
    results, info = results_of(a_report(a_job(1)))
    error = ApplianceUnreachableError("connection refused", server="vc02")
    text = face([*results, ReportResult(server="vc02", error=error)], info)
    assert "vc02" in text
    assert "connection refused" in text


def test_calendar_marks_each_day_of_the_period_in_the_zone_of_the_appliance() -> None:
    jobs = [
        a_job(0, start_time=datetime(2026, 2, 27, 23, 30, tzinfo=UTC), state="INPROGRESS"),
        a_job(1, start_time=datetime(2026, 2, 27, 23, 10, tzinfo=UTC)),
        a_job(2, start_time=datetime(2026, 2, 26, 12, 0, tzinfo=UTC)),
        a_job(3, start_time=datetime(2026, 2, 26, 2, 0, tzinfo=UTC), state="FAILED"),
        a_job(4, start_time=datetime(2026, 2, 23, 23, 30, tzinfo=UTC)),
    ]
    known: dict[str, Any] = {
        "scheduled_runs": MISSED[-1:],
        "schedules": (ScheduleInfo(name="x", time_zone="Europe/Berlin"),),
    }
    known |= {
        "remembered_since": datetime(2026, 2, 22, 22, 0, tzinfo=UTC),
        "since": datetime(2026, 2, 22, 23, tzinfo=UTC),
    }

    def days(**fields: Any) -> list[str]:
        texts = Page(report_html(*results_of(a_report(*jobs, **{**known, **fields})))).texts
        return [text for text in texts if ": " in text and text[4:11] in {"2026-02", "2026-03"}]

    assert days() == [
        "Mon 2026-02-23: no backup",
        "Tue 2026-02-24: missed",
        "Wed 2026-02-25: no backup",
        "Thu 2026-02-26: failed",
        "Fri 2026-02-27: no backup",
        "Sat 2026-02-28: see the findings",
        "Sun 2026-03-01: not fully known",
    ]
    assert (
        days(unreadable=1)[0] == days(since=datetime(2026, 2, 23, tzinfo=UTC))[0] == "Mon 2026-02-23: not fully known"
    )
    assert days(remembered_since=datetime(2026, 2, 23, tzinfo=UTC))[0] == "Mon 2026-02-23: not fully known"


def test_calendar_of_years_has_a_row_for_each() -> None:
    html = report_html(*results_of(a_report(a_job(1), since=NOW - timedelta(days=800))))
    assert html.count(">Wed</text>") == 3
    assert ">Jan 2025</text>" in html
