"""The view for people: live progress on a terminal, lines with time and server elsewhere."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from backupctl.clock import Clock
from backupctl.output.safe_stream import SafeStream, raise_if_unshown
from backupctl.output.terminal.check_text import checks_in_common, shared_checks
from backupctl.output.terminal.failure_text import error_lines, failures
from backupctl.output.terminal.plain_console import Console
from backupctl.output.terminal.progress_log import ProgressDisplay, print_lines
from backupctl.output.terminal.rendered import Rendered, RenderOptions
from backupctl.output.terminal.result_text import render
from backupctl.output.terminal.styled_lines import (
    ASCII_SYMBOLS,
    UNICODE_SYMBOLS,
    StyledLine,
    labelled,
    line,
    warning_lines,
)
from backupctl.output.terminal.summary import follow_lines, summary
from backupctl.output.terminal.table import Rows, table_lines
from backupctl.output.terminal.verification_text import not_proved_by_any, not_proved_lines
from backupctl.results.archive_results import RestoreResult
from backupctl.results.backup_results import ChecksResult, JobResult
from backupctl.results.config_results import DEFAULTS
from backupctl.results.events import Cancelling, Connected, Detached, PartsSelected, RunEvent, Warned
from backupctl.results.result import Envelope

_COUNTED: Final = JobResult | RestoreResult | ChecksResult
"""Results whose verdicts are counted, even if all are good."""


class HumanView:
    """Shows results on the console ``out`` and everything else on ``err``.

    ``progress`` shows events there too. ``zone`` is the time zone shown, None for this machine's. ``stream`` is the
    stream of ``out``, whose failures ``finish`` raises.
    """

    def __init__(
        self,
        out: Console,
        err: Console,
        progress: ProgressDisplay,
        *,
        clock: Clock,
        quiet: bool = False,
        verbose: bool = False,
        zone: tzinfo | None = None,
        stream: SafeStream | None = None,
    ) -> None:
        self._out = out
        self._err = err
        self._progress = progress
        self._quiet = quiet
        self._verbose = verbose
        self._zone = zone
        self._stream = stream
        self._clock = clock
        self._printed = self._close = False
        self._headings: set[str] = set()
        self._parts: set[tuple[str, ...]] = set()
        self._held: list[StyledLine] = []
        self._cancelled: set[str] = set()
        self._follow: dict[str, str] = {}
        self._selection: Sequence[str] = ()

    def debug(self, message: str) -> None:
        """Show a debug line."""
        if self._verbose:
            print_lines(self._err, labelled("debug", "", message))

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning about the whole run; ``--quiet`` holds it back until something fails."""
        lines = warning_lines(message, hint)
        if always or not self._quiet:
            print_lines(self._err, lines)
        else:
            self._held += lines

    def expect(self, servers: Sequence[str], selection: Sequence[str] = ()) -> None:
        """Set the order of the rows, and the words that select all appliances."""
        self._selection = selection
        self._progress.expect(servers)

    def event(self, event: RunEvent) -> None:
        """Show an event; expected ones only under ``-v``."""
        if isinstance(event, Cancelling):
            self._cancelled.add(event.server)
        if isinstance(event, Detached):
            self._follow |= {event.server: event.attach} if event.attach else {}
        elif self._quiet:
            self._held += self._warning(event) if isinstance(event, Warned) else []
        elif self._verbose or not self._is_expected(event):
            self._progress.show(event)

    @staticmethod
    def _warning(event: Warned) -> list[StyledLine]:
        return warning_lines(f"{event.server}: {event.message}", event.hint)

    def _is_expected(self, event: RunEvent) -> bool:
        """Return whether an event is a connection, or a selection of parts that was already shown."""
        if isinstance(event, PartsSelected):
            known = event.parts in self._parts
            self._parts.add(event.parts)
            return known
        return isinstance(event, Connected)

    def finish(self, envelope: Envelope) -> None:
        """Show the results, what went wrong below each, and what concerns all below them."""
        self._progress.settle(envelope.results)
        self.close()
        if envelope.exit_code:
            print_lines(self._err, self._held)
        options, unshown = self._options(envelope), dict[str, str]()
        own, shared = failures(envelope.results, options._replace(width=self._err.line_width))
        rendered = list(self._rendered(envelope, options, unshown))
        self._print(Rendered(_one_table(rendered, options)))
        for server, each in rendered:
            self._print(each)
            print_lines(self._err, own.get(server, ()))
        self._print_below(envelope, shared)
        if self._stream is not None:
            self._stream.check()
        raise_if_unshown(unshown)

    def close(self) -> None:
        """Stop the live display."""
        self._progress.stop()

    def _print_below(self, envelope: Envelope, shared: Sequence[StyledLine]) -> None:
        """Print what many share, how to follow jobs, the verdict, and the error of the run."""
        for result in envelope.results:
            if result.error is not None and result.error.attach:
                self._follow[result.server] = result.error.attach
        counted = any(isinstance(result, _COUNTED) for result in envelope.results)
        verdict = envelope.exit_code or (counted and not self._quiet)
        print_lines(self._err, shared)
        if envelope.exit_code or not self._quiet:
            print_lines(self._err, follow_lines(self._follow, self._selection))
        if verdict and len(envelope.results) > 1:
            print_lines(self._err, [summary(envelope)])
        if envelope.error is not None:
            print_lines(self._err, error_lines(envelope.error.facts, self._err.line_width))

    def _options(self, envelope: Envelope) -> RenderOptions:
        plain = self._out.ascii_only or self._err.ascii_only
        return RenderOptions(
            width=self._out.line_width,
            symbols=ASCII_SYMBOLS if plain else UNICODE_SYMBOLS,
            zone=self._zone,
            now=self._clock.now(),
            command=envelope.command,
            number=len(envelope.results),
            shared=frozenset(checks_in_common(envelope.results)),
            not_proved=not_proved_by_any(envelope.results),
            cancelled=frozenset(self._cancelled),
        )

    def _rendered(
        self, envelope: Envelope, options: RenderOptions, unshown: dict[str, str]
    ) -> Iterator[tuple[str, Rendered]]:
        """Yield the rendered results; ``unshown`` collects servers whose result cannot be, with the exception type."""
        for result in envelope.results:
            try:
                yield result.server, render(result, options, quiet=self._quiet)
            except Exception as bug:  # noqa: BLE001 - the other results are still shown
                unshown[result.server] = type(bug).__name__
        common = checks_in_common(envelope.results)
        number = sum(each.server != DEFAULTS for each in envelope.results)
        lines = shared_checks(common, options.symbols, options.width, number)
        if not self._quiet:
            yield "", Rendered(not_proved_lines(options.not_proved, options.width), close=True)
            yield "", Rendered(lines, close=True)
        elif envelope.exit_code:
            yield "", Rendered(notes=lines)

    def _print(self, rendered: Rendered) -> None:
        print_lines(self._err, [each for each in rendered.heading if each.plain not in self._headings])
        self._headings.update(each.plain for each in rendered.heading)
        close = rendered.close and self._close
        if rendered.lines and self._printed and not self._quiet and not close:
            self._out.print_line(line())
        print_lines(self._out, rendered.lines)
        if rendered.lines:
            self._printed, self._close = True, rendered.close
        print_lines(self._err, rendered.notes)


def _one_table(rendered: Sequence[tuple[str, Rendered]], options: RenderOptions) -> list[StyledLine]:
    """Return the tables of all results as one, with the servers if there are several."""
    known = [(server, each.table) for server, each in rendered if each.table is not None]
    tables = [table.named(server) if options.several else table for server, table in known]
    if not tables:
        return []
    rows = [row for table in tables for row in table.rows]
    return table_lines(Rows(tables[0].columns, rows), options.width, options.symbols.ellipsis)
