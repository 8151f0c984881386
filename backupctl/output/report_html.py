"""The report as one HTML file that loads nothing: no scripts, no fonts, no images but inline SVG."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

from backupctl.formatting import duration, size
from backupctl.output.printable import printable
from backupctl.output.report_charts import calendar, scroll_box, series
from backupctl.output.report_document import Section, sections, title_of
from backupctl.output.report_findings import Text
from backupctl.results.report_results import BackupReport, ReportInfo, ReportResult


def report_html(results: Sequence[ReportResult], info: ReportInfo) -> str:
    """Return the report as an HTML page."""
    page = Template(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))
    content = (_element("section", _parts(section)) for section in sections(results, info))
    return page.substitute(title=_text(title_of(info)), content="\n".join(content))


def _parts(section: Section) -> Iterator[str]:
    yield f"<h2>{_text(section.title)}</h2>"
    if section.facts:
        facts = ((_text(name), _text(value)) for name, value in section.facts.items() if value)
        yield _element("dl", (f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts))
    if section.findings:
        yield _element("ul", (f"<li>{_mark(each)}</li>" for each in section.findings), "findings")
    if section.report and section.rows:
        yield _element("div", _charts(section.report), "charts")
    if section.rows:
        head = "".join(f'<th scope="col">{_text(name)}</th>' for name in section.columns)
        rows = (f"<tr>{''.join(map(_cell, row))}</tr>" for row in section.rows)
        table = _element("table", (f"<thead><tr>{head}</tr></thead>", _element("tbody", rows)))
        yield scroll_box(f"Table: {section.title}", table)


def _charts(report: BackupReport) -> Iterator[str]:
    """Yield the calendar, and the charts of sizes and durations where some are known."""
    charts = {
        "Results by day": calendar(report),
        "Size": series("Size", report, lambda job: job.size_bytes if job.succeeded else None, size),
        "Duration": series("Duration", report, lambda job: job.duration_seconds if job.ended else None, duration),
    }
    yield from (
        _element("figure", (f"<figcaption>{name}</figcaption>", chart)) for name, chart in charts.items() if chart
    )


def _element(name: str, lines: Iterable[str], kind: str = "") -> str:
    return "\n".join((f'<{name} class="{kind}">' if kind else f"<{name}>", *lines, f"</{name}>"))


def _cell(mark: Text) -> str:
    """Return a cell of a table; a long text may be wrapped."""
    return f'<td class="long">{_mark(mark)}</td>' if len(mark.text) > 24 else f"<td>{_mark(mark)}</td>"


def _mark(mark: Text) -> str:
    return f'<span class="mark {mark.verdict}">{_text(mark.text)}</span>' if mark.verdict else _text(mark.text)


def _text(text: str) -> str:
    return escape(printable(text))
