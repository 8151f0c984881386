"""Progress as lines, for log files, cron mail, pipes and terminals without cursor movement.

A line is written for a new state, message or step, for ten more percent, and every five minutes.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final, Protocol

import msgspec

from backupctl.clock import Clock
from backupctl.formatting import timestamp
from backupctl.output.printable import printable_lines
from backupctl.output.terminal.event_text import event_lines, progress
from backupctl.output.terminal.labels import STOPPED_BY_OTHERS
from backupctl.output.terminal.plain_console import Console
from backupctl.output.terminal.styled_lines import StyledLine, line
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Cancelling, Ended, Progressed, Queued, RunEvent
from backupctl.results.job import Job, Message
from backupctl.results.result import Result

HEARTBEAT_SECONDS: Final = 300
PERCENT_STEP: Final = 10


class ProgressDisplay(Protocol):
    """Shows events while a command runs."""

    def expect(self, servers: Sequence[str]) -> None:
        """Announce the appliances of the run, in display order."""
        ...

    def show(self, event: RunEvent) -> None:
        """Show an event."""
        ...

    def settle(self, results: Iterable[Result]) -> None:
        """Show final states that no event has shown; only ``stop`` follows."""
        ...

    def stop(self) -> None:
        """Restore the terminal; may be called more than once."""
        ...


class LastPrinted(msgspec.Struct):
    """What was last printed about a job; ``texts`` are its messages and steps."""

    state: str
    tens: int
    at: float
    texts: set[str]


class ProgressLog:
    """Writes lines that start with time and server."""

    def __init__(self, console: Console, *, clock: Clock, zone: tzinfo | None) -> None:
        self._console = console
        self._clock = clock
        self._zone = zone
        self._last: dict[str, LastPrinted] = {}
        self._cancelled: set[str] = set()

    def expect(self, servers: Sequence[str]) -> None:
        """Do nothing: each line names its server."""

    def show(self, event: RunEvent) -> None:
        """Write a line for the event if it is worth one."""
        before = f"{timestamp(event.time, self._zone, seconds=True)} {event.server}: "
        job: Job | None = getattr(event, "job", None)
        if isinstance(event, Cancelling):
            self._cancelled.add(event.server)
        if is_news(event, following=bool(self._last)):
            print_lines(self._console, event_lines(event, before))
        if isinstance(event, Progressed):
            self._show_job(event.server, event.job, before)
        elif job is not None:
            self._show_texts(event.server, job, before)
            self._remember(event.server, job)

    def settle(self, results: Iterable[Result]) -> None:
        """Write the last state of each followed job."""
        for result in results:
            last = self._last.get(result.server)
            if (
                last is not None
                and isinstance(result, JobResult | RestoreResult)
                and result.job
                and result.job.state != last.state
            ):
                time = timestamp(self._clock.now(), self._zone, seconds=True)
                self._show_job(result.server, result.job, f"{time} {result.server}: ")

    def stop(self) -> None:
        """Do nothing: there is no live display."""

    def _show_job(self, server: str, job: Job, before: str) -> None:
        self._show_texts(server, job, before)
        last = self._last.get(server)
        if last is None or self._is_due(last, job):
            print_lines(
                self._console, [line(before, progress(job, self._clock.now(), cancelled=server in self._cancelled))]
            )
            self._remember(server, job)

    def _show_texts(self, server: str, job: Job, before: str) -> None:
        """Write new messages and a new step of a job."""
        last = self._last.get(server)
        for text in _texts(job):
            if last is None or _without_numbers(text) not in last.texts:
                print_lines(self._console, [line(before, each) for each in printable_lines(text)])
        if last is not None:
            last.texts.update(map(_without_numbers, _texts(job)))

    def _is_due(self, last: LastPrinted, job: Job) -> bool:
        late = self._clock.monotonic() - last.at >= HEARTBEAT_SECONDS
        return late or job.state != last.state or _tens(job) > last.tens

    def _remember(self, server: str, job: Job) -> None:
        known = self._last[server].texts if server in self._last else set()
        texts = known | set(map(_without_numbers, _texts(job)))
        self._last[server] = LastPrinted(state=job.state, tens=_tens(job), at=self._clock.monotonic(), texts=texts)


def is_news(event: RunEvent, *, following: bool) -> bool:
    """Return whether an event is worth a line.

    The end of an appliance is, if it failed while others are followed. Otherwise the result follows at once, and those
    that others stopped are listed together.
    """
    if isinstance(event, Ended):
        return following and event.error is not None and event.error.slug not in STOPPED_BY_OTHERS
    return not isinstance(event, Progressed | Queued)


def print_lines(console: Console, lines: Iterable[StyledLine]) -> None:
    """Print lines without cutting or breaking them, so that the terminal wraps them and copies them whole."""
    for text in lines:
        console.print_line(text)


def message_text(message: Message) -> str:
    """Return the text of a message, else its id."""
    return message.default_message or message.id


def _tens(job: Job) -> int:
    return -1 if job.progress is None else job.progress // PERCENT_STEP


def _texts(job: Job) -> list[str]:
    """Return the messages of a job and its step."""
    return [*map(message_text, job.messages), *([job.step] if job.step else [])]


def _without_numbers(text: str) -> str:
    """Return a text with its numbers masked: one that only counts up is not new."""
    return re.sub(r"\d+", "#", text)
