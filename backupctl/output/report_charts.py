"""The charts of the HTML report as inline SVG: a calendar of results, and values over time."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, tzinfo
from html import escape
from typing import Final

from backupctl.formatting import timestamp
from backupctl.output.printable import printable
from backupctl.output.report_document import BAD, GOOD, ODD, UNKNOWN, missed_runs, state_of
from backupctl.results.job import Job
from backupctl.results.report_results import BackupReport

_CELL, _LEFT, _TOP = 21, 30, 22
_WIDTH, _HEIGHT, _AXIS, _BASE = 360, 196, 56, 172
_MARKS: Final = {
    GOOD: ("M5.5 10.5l3 3 6-7", "succeeded"),
    "mixed": ("M10 5v6.5M10 14.5v.5", "succeeded and failed"),
    BAD: ("M6.5 6.5l7 7M13.5 6.5l-7 7", "failed"),
    ODD: ("M8 6l5.5 4-5.5 4z", "not ended"),
    "missed": ("M10 6a4 4 0 1 0 .01 0z", "missed"),
    "none": ("", "no backup"),
    UNKNOWN: ("M8 10h4", "not known"),
}
"""The mark of a day, which does not depend on its color, and what it means."""


def calendar(report: BackupReport, zone: tzinfo) -> str:
    """Return the days of the period by weeks, each with a mark, and a legend."""
    first, last = report.since.astimezone(zone).date(), (report.until - timedelta.resolution).astimezone(zone).date()
    monday = first - timedelta(days=first.weekday())
    verdicts: dict[object, set[str]] = {}
    for run in report.runs:
        verdicts.setdefault(run.job.start_time and run.job.start_time.astimezone(zone).date(), set()).add(
            state_of(run).verdict
        )
    parts = [_text(0, _TOP + 15 + row * _CELL, name) for row, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun"))]
    missed = {run.due.astimezone(zone).date() for run in missed_runs(report)}
    used = set()
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        known = report.remembered_since is not None and day >= report.remembered_since.astimezone(zone).date()
        found = verdicts.get(day, {"missed" if day in missed else "none" if known else UNKNOWN})
        mark = "mixed" if len(found) > 1 else next(iter(found))
        used.add(mark)
        column, row = divmod((day - monday).days, 7)
        x, y = _LEFT + column * _CELL, _TOP + row * _CELL
        parts.append(_mark(mark, x, y, f"<title>{day:%a %Y-%m-%d}: {_MARKS[mark][1]}</title>"))
        if day.day == 1 or (day == first and day.day < 23):
            parts.append(_text(x, _TOP - 8, f"{day:%b}"))
    width = _LEFT + ((last - monday).days // 7 + 1) * _CELL
    legend = (
        f'<li><svg width="20" height="20" aria-hidden="true">{_mark(name, 0, 0)}</svg>{_MARKS[name][1]}</li>'
        for name in _MARKS
        if name in used
    )
    svg = _svg("Results by day", parts, width, _TOP + 7 * _CELL, f' width="{width}"')
    return f'{scroll_box("Results by day", svg)}<ul class="legend">{"".join(legend)}</ul>'


def series(
    title: str,
    report: BackupReport,
    zone: tzinfo,
    value_of: Callable[[Job], float | None],
    name: Callable[[float], str],
) -> str:
    """Return a chart of a value of each backup over the period, empty if none is known; ``name`` formats a value."""
    runs = [(run.job.start_time, value_of(run.job), state_of(run).verdict == GOOD) for run in reversed(report.runs)]
    points = [(time, value, good) for time, value, good in runs if time and value]
    if not points:
        return ""
    top, span = max(value for _, value, _ in points), report.until - report.since

    def place(time: datetime, value: float) -> str:
        x, y = (_WIDTH - _AXIS - 8) * ((time - report.since) / span), (_BASE - 10) * value / top
        return f"{_AXIS + x:.1f} {_BASE - y:.1f}"

    parts = [_text(_AXIS, _HEIGHT - 4, f"{report.since.astimezone(zone):%Y-%m-%d}")]
    parts += [_text(_WIDTH, _HEIGHT - 4, f"{report.until.astimezone(zone):%Y-%m-%d}", "end")]
    for value in (0, top / 2, top):
        at = place(report.since, value)
        parts += [
            f'<path class="grid" d="M{at}H{_WIDTH}"/>',
            _text(_AXIS - 6, float(at.split()[1]) + 4, name(value), "end"),
        ]
    line = " ".join(place(time, value) for time, value, good in points if good)
    parts.append(f'<polyline class="line" points="{line}"/>')
    for time, value, good in points:
        shape = (
            'class="dot good" d="M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0"'
            if good
            else 'class="dot" d="M-3.5-3.5l7 7M3.5-3.5l-7 7"'
        )
        tip = f"<title>{escape(timestamp(time, zone))}: {escape(name(value))}</title>"
        parts.append(f'<path {shape} transform="translate({place(time, value)})">{tip}</path>')
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
