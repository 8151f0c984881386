"""The HTML report in a browser: pictures of it, and its widths on a screen and on a phone."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from backupctl.output.report_html import report_html
from backupctl.results.job import Job, Message
from backupctl.results.journal_entry import JournaledJob
from backupctl.results.report_results import BackupReport, ReportInfo, ReportResult
from backupctl.results.schedule_results import ScheduleInfo
from tests.support.processes import Programs, require_program

pytestmark = pytest.mark.real

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = "w" * 300
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
)
MEASURE = """<!DOCTYPE html>
<body style="margin:0"><iframe src="report.html" style="width:{width}px;height:900px;border:0"></iframe>
<pre id="found"></pre>
<script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument, box = element => element.getBoundingClientRect();
  const inside = element => element.closest(".scroll") === null || element.classList.contains("scroll");
  const all = [...page.body.querySelectorAll("*")];
  document.getElementById("found").textContent = JSON.stringify({{
    page: page.documentElement.scrollWidth,
    widest: Math.max(...all.filter(inside).map(element => Math.ceil(box(element).right))),
    heading: box(page.querySelector("h1")).height,
    rows: page.querySelectorAll("tbody tr").length,
    marks: page.querySelectorAll("svg .day").length,
    style: page.defaultView.getComputedStyle(page.querySelector(".day.bad rect")).fill,
  }});
}});
</script>
"""


def a_page(folder: Path, days: int) -> None:
    """Write a report with a backup for each day, some failed, and long words wherever a foreign text can be."""
    jobs = []
    for day in range(days):
        start = NOW - timedelta(days=day, hours=3)
        facts: dict[str, Any] = {"start_time": start, "end_time": start + timedelta(minutes=20), "type": "MANUAL"}
        job = Job(id=f"job-{day}", state="SUCCEEDED", duration_seconds=1200 + day, size_bytes=10**9 + day, **facts)
        failed = Job(id=LONG, state="FAILED", comment=LONG, messages=(Message(id="x", default_message=LONG),), **facts)
        jobs.append(JournaledJob(job=failed if day % 30 == 7 else job))
    info = ReportInfo(since=NOW - timedelta(days=days), until=NOW, generated_at=NOW, generator="backupctl", change=LONG)
    schedule = ScheduleInfo(name=LONG, location=LONG, enable=False)
    report = BackupReport(
        **{name: getattr(info, name) for name in info.__struct_fields__},
        runs=tuple(jobs),
        schedules=(schedule,),
        remembered_since=jobs[-1].job.start_time,
    )
    results = [ReportResult(server="vc01", host=LONG, report=report), ReportResult(server=LONG, host="vc02")]
    (folder / "report.html").write_text(report_html(results, info), encoding="utf-8")


def chromium(programs: Programs, folder: Path, *words: str) -> str:
    argv = [require_program("chromium"), *FLAGS, f"--user-data-dir={folder / 'profile'}", *words]
    run = programs.start(argv, programs.environ({})).wait(60)
    assert run.code == 0, run.err
    return run.out


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("days", [90, 365])
def test_nothing_overflows(programs: Programs, tmp_path: Path, width: int, days: int) -> None:
    a_page(tmp_path, days)
    (tmp_path / "measure.html").write_text(MEASURE.format(width=width), encoding="utf-8")
    url = f"file://{tmp_path}/measure.html"
    dom = chromium(programs, tmp_path, "--allow-file-access-from-files", "--window-size=1400,1000", "--dump-dom", url)
    measured = re.search(r'<pre id="found">(\{.*?\})</pre>', dom)
    assert measured, dom[-500:]
    found = json.loads(unescape(measured[1]))
    assert found["page"] <= width
    assert found["widest"] <= width
    assert (found["rows"], found["marks"] >= days) == (days + 2, True)
    assert found["heading"] > 20
    assert found["style"] not in {"none", "rgb(0, 0, 0)"}  # the style sheet is applied


def test_page_can_be_shown_and_printed(programs: Programs, tmp_path: Path) -> None:
    a_page(tmp_path, 90)
    url = f"file://{tmp_path}/report.html"
    empty = tmp_path / "empty.html"
    empty.write_text("<!DOCTYPE html><title>empty</title>", encoding="utf-8")
    chromium(programs, tmp_path, "--window-size=1280,1800", f"--screenshot={tmp_path / 'page.png'}", url)
    chromium(programs, tmp_path, "--window-size=1280,1800", f"--screenshot={tmp_path / 'no.png'}", f"file://{empty}")
    assert (tmp_path / "page.png").stat().st_size > 5 * (tmp_path / "no.png").stat().st_size
    chromium(programs, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}", url)
    pages = (tmp_path / "page.pdf").read_bytes()
    assert pages.startswith(b"%PDF-")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pages)) <= 12
