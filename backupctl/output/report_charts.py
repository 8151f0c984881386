"""The charts of the HTML report as inline SVG: a calendar of results, and values over time."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from html import escape
from typing import Final

from backupctl.formatting import timestamp
from backupctl.output.printable import printable
from backupctl.output.report_document import BAD, GOOD, ODD, UNKNOWN, state_of
from backupctl.results.report_results import BackupReport

_CELL: Final = 21
_LABELS: Final = 30
_WIDTH, _LEFT, _TOP, _BOTTOM, _HEIGHT = 360, 56, 10, 172, 196
_MARKS: Final = {
    GOOD: ("M5.5 10.5l3 3 6-7", "succeeded"),
    "mixed": ("M10 5v6.5M10 14.5v.5", "succeeded and failed"),
    BAD: ("M6.5 6.5l7 7M13.5 6.5l-7 7", "failed"),
    ODD: ("M8 6l5.5 4-5.5 4z", "running, or unknown state"),
    "none": ("", "no backup"),
    UNKNOWN: ("M8 10h4", "not known"),
}
"""The mark of a day, which does not depend on its color, and what it means."""


def calendar(report: BackupReport, zone: tzinfo) -> str:
    """Return the days of the period by weeks, each with a mark, and a legend."""
    first, last = report.since.astimezone(zone).date(), (report.until - timedelta.resolution).astimezone(zone).date()
    monday = first - timedelta(days=first.weekday())
    results = _results_by_day(report, zone)
    known_from = report.remembered_since.astimezone(zone).date() if report.remembered_since else None
    parts = [_text(0, 37 + row * _CELL, name) for row, name in enumerate(("Mon", "", "Wed", "", "Fri", "", "Sun"))]
    marks = []
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        nothing = "none" if known_from and day >= known_from else UNKNOWN
        marks.append(results.get(day, nothing))
        column, row = divmod((day - monday).days, 7)
        x, y = _LABELS + column * _CELL, 22 + row * _CELL
        parts.append(_mark(marks[-1], x, y, f"{day:%a %Y-%m-%d}: {_MARKS[marks[-1]][1]}"))
        if day.day == 1 or (day == first and day.day < 23):
            parts.append(_text(x, 14, f"{day:%b}"))
    width = _LABELS + ((last - monday).days // 7 + 1) * _CELL
    legend = (
        f'<li><svg width="20" height="20" aria-hidden="true">{_mark(name, 0, 0)}</svg>{meaning}</li>'
        for name, (_, meaning) in _MARKS.items()
        if name in marks
    )
    svg = _svg("Results by day", width, 22 + 7 * _CELL, parts, f'width="{width}"')
    return f'{scroll_box("Results by day", svg)}<ul class="legend">{"".join(legend)}</ul>'


def _results_by_day(report: BackupReport, zone: tzinfo) -> dict[date, str]:
    found: dict[date, str] = {}
    for run in report.runs:
        if run.job.start_time:
            day, verdict = run.job.start_time.astimezone(zone).date(), state_of(run).verdict
            before = found.get(day, verdict)
            found[day] = verdict if verdict == before else "mixed"
    return found


def series(
    title: str,
    report: BackupReport,
    zone: tzinfo,
    values: Sequence[tuple[datetime, float, str]],
    name: Callable[[float], str],
) -> str:
    """Return a chart of values over the period: time, value and verdict of each; ``name`` formats a value."""
    top, span = max(value for _, value, _ in values) or 1.0, (report.until - report.since).total_seconds()

    def x_of(time: datetime) -> float:
        return _LEFT + (_WIDTH - _LEFT - 8) * (time - report.since).total_seconds() / span

    def y_of(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * value / top

    parts = []
    for value in (0, top / 2, top):
        parts += [
            f'<path class="grid" d="M{_LEFT} {y_of(value):.1f}H{_WIDTH}"/>',
            _text(_LEFT - 6, y_of(value) + 4, name(value), "end"),
        ]
    for time, anchor in ((report.since, "start"), (report.until, "end")):
        parts.append(
            _text(_LEFT if anchor == "start" else _WIDTH, _HEIGHT - 4, f"{time.astimezone(zone):%Y-%m-%d}", anchor)
        )
    good = " ".join(f"{x_of(time):.1f},{y_of(value):.1f}" for time, value, verdict in values if verdict == GOOD)
    parts.append(f'<polyline class="line" points="{good}"/>')
    for time, value, verdict in values:
        shape = "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0" if verdict == GOOD else "M-3.5-3.5l7 7M3.5-3.5l-7 7"
        parts.append(
            f'<path class="dot {verdict}" transform="translate({x_of(time):.1f} {y_of(value):.1f})" d="{shape}">'
            f"<title>{escape(timestamp(time, zone))}: {escape(name(value))}</title></path>"
        )
    return _svg(title, _WIDTH, _HEIGHT, parts)


def scroll_box(label: str, content: str) -> str:
    """Return a box that scrolls where its content is wider than the page, also with the keyboard."""
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(printable(label))}">{content}</div>'


def _svg(title: str, width: int, height: int, parts: Iterable[str], attributes: str = "") -> str:
    return (
        f'<svg role="img" viewBox="0 0 {width} {height}" {attributes}>'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _mark(name: str, x: int, y: int, title: str = "") -> str:
    tip = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<g class="day {name}" transform="translate({x} {y})">{tip}'
        f'<rect x=".5" y=".5" width="19" height="19" rx="4"/><path d="{_MARKS[name][0]}"/></g>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
