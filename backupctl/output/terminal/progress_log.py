"""Progress where lines stay as they are: log files, mails of cron, pipes, terminals that cannot move the cursor.

A line is written when there is news: another state, a new message or step, ten more percent, or five minutes gone by.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final, Protocol

import msgspec
from rich.console import Console
from rich.text import Text

from backupctl.clock import Clock
from backupctl.output.formatting import moment
from backupctl.output.printable import printable_lines
from backupctl.output.terminal.event_text import progress, sentences
from backupctl.output.terminal.labels import KEPT_BACK
from backupctl.output.terminal.styled_lines import line
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import JobResult
from backupctl.results.events import Ended, Progressed, Queued, RunEvent
from backupctl.results.job import Job, Message
from backupctl.results.result import Result

SIGN_OF_LIFE_SECONDS: Final = 300
PERCENT_STEP: Final = 10


class ProgressDisplay(Protocol):
    """Shows what happens between the start and the end of the work."""

    def expect(self, servers: Sequence[str]) -> None:
        """Take note of the appliances of the run, in their order."""
        ...

    def show(self, event: RunEvent) -> None:
        """Show an event."""
        ...

    def settle(self, results: Iterable[Result]) -> None:
        """Show how it ended, as far as that has not been seen; the last call but ``stop``."""
        ...

    def stop(self) -> None:
        """Leave the terminal as it was found; may be called more than once."""
        ...


class LastPrinted(msgspec.Struct):
    """What the reader knows of a job: ``tens`` of percent, and what messages and steps said."""

    state: str
    tens: int
    at: float
    said: set[str]


class ProgressLog:
    """Writes lines with time and server."""

    def __init__(self, console: Console, *, clock: Clock, zone: tzinfo | None) -> None:
        self._console = console
        self._clock = clock
        self._zone = zone
        self._told: dict[str, LastPrinted] = {}

    def expect(self, servers: Sequence[str]) -> None:
        """Do nothing: each line names its appliance, and comes when it is time for it."""

    def show(self, event: RunEvent) -> None:
        """Write the event, if it is news."""
        before = f"{moment(event.time, self._zone)} {event.server}: "
        job: Job | None = getattr(event, "job", None)
        if is_news(event, following=bool(self._told)):
            print_lines(self._console, sentences(event, before))
        if isinstance(event, Progressed):
            self._show_job(event.server, event.job, before)
        elif job is not None:
            self._show_said(event.server, job, before)
            self._tell(event.server, job)

    def settle(self, results: Iterable[Result]) -> None:
        """Write the last state of each job that was followed."""
        for result in results:
            told = self._told.get(result.server)
            if (
                told is not None
                and isinstance(result, JobResult | RestoreResult)
                and result.job
                and result.job.state != told.state
            ):
                self._show_job(result.server, result.job, f"{moment(self._clock.now(), self._zone)} {result.server}: ")

    def stop(self) -> None:
        """Do nothing: nothing moves."""

    def _show_job(self, server: str, job: Job, before: str) -> None:
        self._show_said(server, job, before)
        told = self._told.get(server)
        if told is None or self._is_due(told, job):
            print_lines(self._console, [line(before, progress(job))])
            self._tell(server, job)

    def _show_said(self, server: str, job: Job, before: str) -> None:
        """Write the messages and the step of a job that are new."""
        told = self._told.get(server)
        for text in _said(job):
            if told is None or _gist(text) not in told.said:
                print_lines(self._console, [line(before, each) for each in printable_lines(text)])
        if told is not None:
            told.said.update(map(_gist, _said(job)))

    def _is_due(self, told: LastPrinted, job: Job) -> bool:
        late = self._clock.monotonic() - told.at >= SIGN_OF_LIFE_SECONDS
        return late or job.state != told.state or _tens(job) > told.tens

    def _tell(self, server: str, job: Job) -> None:
        known = self._told[server].said if server in self._told else set()
        said = known | set(map(_gist, _said(job)))
        self._told[server] = LastPrinted(state=job.state, tens=_tens(job), at=self._clock.monotonic(), said=said)


def is_news(event: RunEvent, *, following: bool) -> bool:
    """Return whether an event is worth a line of its own.

    That the work on an appliance ended is one where it failed while others are followed; else the result says so soon,
    and of those that were kept back all at once.
    """
    if isinstance(event, Ended):
        return following and event.error is not None and event.error.slug not in KEPT_BACK
    return not isinstance(event, Progressed | Queued)


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines that are never cut: where they are too long, the terminal wraps them and copies them whole."""
    for text in lines:
        console.print(text, soft_wrap=True)


def message_text(message: Message) -> str:
    """Return what a message says, or at least its id."""
    return message.default_message or message.id


def _tens(job: Job) -> int:
    return -1 if job.progress is None else job.progress // PERCENT_STEP


def _said(job: Job) -> list[str]:
    """Return the messages of a job and, while it runs, its step."""
    return [*map(message_text, job.messages), *([job.step] if job.step else [])]


def _gist(text: str) -> str:
    """Return what makes a message or a step new: one that only counts on is not."""
    return re.sub(r"\d+", "#", text)
