"""The view for people: live on a terminal, lines with time and server elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from typing import TypeVar

from rich.console import Console

from backupctl.clock import Clock
from backupctl.output.safe_stream import SafeStream, check_shown
from backupctl.output.terminal.check_text import checks_in_common, shared_checks
from backupctl.output.terminal.failure_text import failure_lines
from backupctl.output.terminal.live_progress import LiveProgress
from backupctl.output.terminal.progress_log import ProgressDisplay, ProgressLog, message_text, print_lines
from backupctl.output.terminal.result_text import Rendered, RenderOptions, in_brief, in_full, shown_messages
from backupctl.output.terminal.styled_lines import ASCII_SYMBOLS, UNICODE_SYMBOLS, error_lines, labelled, warning_lines
from backupctl.output.terminal.summary import are_jobs, jobs_in_brief, jobs_in_full, summary
from backupctl.results.config_results import DEFAULTS
from backupctl.results.events import Connected, PartsSelected, RunEvent
from backupctl.results.result import Envelope, Result

R = TypeVar("R", bound=Result)


class HumanView:
    """Shows results on the console ``out`` and everything else on ``err``.

    ``live`` says that ``err`` can draw progress again and again; ``auto_refresh`` lets a thread do so. ``zone`` is
    that of the times shown, None the one of this machine. ``outlet`` is asked whether the result could be written.
    """

    def __init__(
        self,
        out: Console,
        err: Console,
        *,
        clock: Clock,
        live: bool,
        quiet: bool = False,
        verbose: bool = False,
        zone: tzinfo | None = None,
        auto_refresh: bool = True,
        outlet: SafeStream | None = None,
    ) -> None:
        self._out = out
        self._err = err
        self._quiet = quiet
        self._verbose = verbose
        self._zone = zone
        self._outlet = outlet
        self._printed = self._close = False
        self._headings: set[str] = set()
        self._parts: set[tuple[str, ...]] = set()
        self._progress: ProgressDisplay = (
            LiveProgress(err, clock=clock, auto_refresh=auto_refresh)
            if live
            else ProgressLog(err, clock=clock, zone=zone)
        )

    def debug(self, message: str) -> None:
        """Show a line for those who asked for more."""
        if self._verbose:
            print_lines(self._err, labelled("debug", "", message))

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning about the run as a whole."""
        if always or not self._quiet:
            print_lines(self._err, warning_lines(message, hint))

    def expect(self, servers: Sequence[str]) -> None:
        """Keep the rows of the live display in the order of the appliances."""
        self._progress.expect(servers)

    def event(self, event: RunEvent) -> None:
        """Show something that happened; what goes without saying only to those who asked for more."""
        if not self._quiet and (self._verbose or not self._goes_without_saying(event)):
            self._progress.show(event)

    def _goes_without_saying(self, event: RunEvent) -> bool:
        """Say whether a connection was made, or the same parts were selected that another appliance selected."""
        if isinstance(event, PartsSelected):
            known = event.parts in self._parts
            self._parts.add(event.parts)
            return known
        return isinstance(event, Connected)

    def finish(self, envelope: Envelope) -> None:
        """Show the result below everything else, and what went wrong below the result."""
        self._progress.settle(envelope.results)
        self.close()
        page, unshown = self._page(envelope), dict[str, str]()
        for sheet in self._sheets(envelope, page, unshown):
            self._print(sheet)
        if page.several:
            print_lines(self._err, failure_lines(envelope.results, page, hints=not self._quiet))
        else:
            self._show_errors(envelope)
        if page.several and (envelope.exit_code or not self._quiet):
            print_lines(self._err, [summary(envelope)])
        if envelope.error is not None:
            print_lines(self._err, error_lines(envelope.error, hints=not self._quiet))
        if self._outlet is not None:
            self._outlet.check()
        check_shown(unshown)

    def close(self) -> None:
        """Stop the live display."""
        self._progress.stop()

    def _page(self, envelope: Envelope) -> RenderOptions:
        plain = self._out.options.ascii_only or self._err.options.ascii_only
        return RenderOptions(
            width=self._out.width if self._out.is_terminal else None,
            symbols=ASCII_SYMBOLS if plain else UNICODE_SYMBOLS,
            zone=self._zone,
            command=envelope.command,
            number=len(envelope.results),
        )

    def _sheets(self, envelope: Envelope, page: RenderOptions, unshown: dict[str, str]) -> Iterator[Rendered]:
        """Yield what the results say; the kinds of bugs that keep some from being shown go into ``unshown``."""
        if page.several and are_jobs(envelope.results):
            together = jobs_in_brief if self._quiet else jobs_in_full
            try:
                table = [together(envelope.results, page)]
            except Exception:  # noqa: BLE001 - those that can be shown are shown one by one
                table = [_made(lambda each: together([each], page), each, unshown) for each in envelope.results]
            yield from table
            return
        if self._quiet:
            yield from (_made(lambda each: in_brief(each, page), each, unshown) for each in envelope.results)
            return
        common = checks_in_common(envelope.results)
        page = page._replace(shared=frozenset(common))
        yield from (_made(lambda each: in_full(each, page), each, unshown) for each in envelope.results)
        number = sum(each.server != DEFAULTS for each in envelope.results)
        yield Rendered(shared_checks(common, page.symbols, page.width, number), close=True)

    def _print(self, sheet: Rendered) -> None:
        print_lines(self._err, [each for each in sheet.heading if each.plain not in self._headings])
        self._headings.update(each.plain for each in sheet.heading)
        close = sheet.close and self._close
        if sheet.lines and self._printed and not self._quiet and not close:
            self._out.print()
        print_lines(self._out, sheet.lines)
        if sheet.lines:
            self._printed, self._close = True, sheet.close
        print_lines(self._err, sheet.notes)

    def _show_errors(self, envelope: Envelope) -> None:
        for result in envelope.results:
            if result.error is not None:
                known = map(message_text, shown_messages(result))
                print_lines(self._err, error_lines(result.error, hints=not self._quiet, known=known))


def _made(make: Callable[[R], Rendered], result: R, unshown: dict[str, str]) -> Rendered:
    """Return what a result says, nothing where a bug keeps it from being shown."""
    try:
        return make(result)
    except Exception as bug:  # noqa: BLE001 - the others are shown all the same
        unshown[result.server] = type(bug).__name__
        return Rendered()
