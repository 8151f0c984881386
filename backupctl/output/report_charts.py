"""The charts of the HTML report as inline SVG: a calendar of results, and values over time."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from html import escape
from math import ceil
from typing import Final

from backupctl.formatting import timestamp
from backupctl.monitoring.report import zone_of
from backupctl.output.printable import printable
from backupctl.output.report_findings import BAD, GOOD, ODD, UNKNOWN, missed_runs, state_of
from backupctl.results.job import Job
from backupctl.results.report_results import BackupReport

_CELL, _LEFT, _TOP, _WEEKS = 21, 30, 22, 53
_YEAR = _TOP + 7 * _CELL
_WIDTH, _HEIGHT, _AXIS, _BASE = 360, 196, 56, 172
_MARKS: Final = {
    BAD: ("M6.5 6.5l7 7M13.5 6.5l-7 7", "failed"),
    "missed": ("M10 5v6.5M10 14.5v.5", "missed"),
    ODD: ("M8 6l5.5 4-5.5 4z", "see the findings"),
    GOOD: ("M5.5 10.5l3 3 6-7", "succeeded"),
    "none": ("", "no backup"),
    UNKNOWN: ("M8 10h4", "not fully known"),
}
"""The mark of a day, the worst first, which does not depend on its color, and what it means."""

_DOTS: Final = {True: ("dot good", "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0"), False: ("dot", "M-3.5-3.5l7 7M3.5-3.5l-7 7")}


def calendar(report: BackupReport) -> str:
    """Return the days of the period by weeks, a row for each year, each day with its worst mark, and a legend.

    Only a day that is wholly known can be without a backup.
    """
    zone = zone_of(report)
    first, last = report.since.astimezone(zone).date(), (report.until - timedelta.resolution).astimezone(zone).date()
    monday = first - timedelta(days=first.weekday())
    known_since = max(report.since, report.remembered_since or report.until)
    found: dict[object, set[str]] = {}
    known = [(run.job.start_time, state_of(run).verdict) for run in report.runs]
    for moment, mark in (*known, *((run.due, "missed") for run in missed_runs(report))):
        found.setdefault(moment and moment.astimezone(zone).date(), set()).add(mark)
    weeks = (last - monday).days // 7 + 1
    parts = [
        _text(0, year * _YEAR + _TOP + 15 + day * _CELL, name)
        for year in range(ceil(weeks / _WEEKS))
        for day, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun"))
    ]
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        begin, end = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in (day, day + timedelta(days=1)))
        is_known = not report.unreadable and known_since <= begin and end <= report.until
        marks = found.get(day, {"none" if is_known else UNKNOWN})
        mark = next(each for each in _MARKS if each in marks)
        week, weekday = divmod((day - monday).days, 7)
        year, column = divmod(week, _WEEKS)
        x, top = _LEFT + column * _CELL, year * _YEAR + _TOP
        parts.append(_mark(mark, x, top + weekday * _CELL, f"<title>{day:%a %Y-%m-%d}: {_MARKS[mark][1]}</title>"))
        if day.day == 1 or (day == first and day.day < 23):
            parts.append(_text(x, top - 8, f"{day:%b %Y}" if day.month == 1 else f"{day:%b}"))
    legend = (
        f'<li><svg width="20" height="20" aria-hidden="true">{_mark(name, 0, 0)}</svg>{meaning}</li>'
        for name, (_, meaning) in _MARKS.items()
    )
    width = _LEFT + min(weeks, _WEEKS) * _CELL
    svg = _svg("Results by day", parts, width, ceil(weeks / _WEEKS) * _YEAR, f' width="{width}"')
    return f'{scroll_box("Results by day", svg)}<ul class="legend">{"".join(legend)}</ul>'


def series(
    title: str, report: BackupReport, value_of: Callable[[Job], float | None], name: Callable[[float], str]
) -> str:
    """Return a chart of a value of each backup over the period, empty if none is known; ``name`` formats a value."""
    runs = [(run.job.start_time, value_of(run.job), state_of(run).verdict == GOOD) for run in reversed(report.runs)]
    points = [(time, value, good) for time, value, good in runs if time and value]
    if not points:
        return ""
    zone, top, span = zone_of(report), max(value for _, value, _ in points), report.until - report.since

    def place(time: datetime, value: float) -> str:
        x, y = (_WIDTH - _AXIS - 8) * ((time - report.since) / span), (_BASE - 10) * value / top
        return f"{_AXIS + x:.1f} {_BASE - y:.1f}"

    parts = [_text(_AXIS, _HEIGHT - 4, f"{report.since.astimezone(zone):%Y-%m-%d}")]
    parts += [_text(_WIDTH, _HEIGHT - 4, f"{report.until.astimezone(zone):%Y-%m-%d}", "end")]
    for height in (0, 0.5, 1):
        y = _BASE - (_BASE - 10) * height
        parts.append(
            f'<path class="grid" d="M{_AXIS} {y}H{_WIDTH}"/>{_text(_AXIS - 6, y + 4, name(top * height), "end")}'
        )
    line = " ".join(place(time, value) for time, value, good in points if good)
    parts.append(f'<polyline class="line" points="{line}"/>')
    for time, value, good in points:
        kind, shape = _DOTS[good]
        tip = f"<title>{escape(timestamp(time, zone))}: {escape(name(value))}</title>"
        parts.append(f'<path class="{kind}" d="{shape}" transform="translate({place(time, value)})">{tip}</path>')
    return _svg(title, parts, _WIDTH, _HEIGHT)


def scroll_box(label: str, content: str) -> str:
    """Return a box that scrolls where its content is wider than the page, also with the keyboard."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(printable(label))}">{content}</div>'


def _svg(title: str, parts: Iterable[str], width: int, height: int, size: str = "") -> str:
    return f'<svg role="img" viewBox="0 0 {width} {height}"{size}><title>{title}</title>{"".join(parts)}</svg>'


def _mark(name: str, x: int, y: int, tip: str = "") -> str:
    cell = f'<rect x=".5" y=".5" width="19" height="19" rx="4"/><path d="{_MARKS[name][0]}"/>'
    return f'<g class="day {name}" transform="translate({x} {y})">{tip}{cell}</g>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
