"""The view for people: live progress on a terminal, lines with time and server elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from typing import TypeVar

from backupctl.output.safe_stream import SafeStream, raise_if_unshown
from backupctl.output.terminal.check_text import checks_in_common, shared_checks
from backupctl.output.terminal.failure_text import failure_lines
from backupctl.output.terminal.plain_console import Console
from backupctl.output.terminal.progress_log import ProgressDisplay, message_text, print_lines
from backupctl.output.terminal.result_text import Rendered, RenderOptions, full_text, quiet_text, shown_messages
from backupctl.output.terminal.styled_lines import (
    ASCII_SYMBOLS,
    UNICODE_SYMBOLS,
    error_lines,
    labelled,
    line,
    warning_lines,
)
from backupctl.output.terminal.summary import are_jobs, full_jobs, quiet_jobs, summary
from backupctl.results.config_results import DEFAULTS
from backupctl.results.events import Connected, PartsSelected, RunEvent
from backupctl.results.result import Envelope, Result

R = TypeVar("R", bound=Result)


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
        self._printed = self._close = False
        self._headings: set[str] = set()
        self._parts: set[tuple[str, ...]] = set()

    def debug(self, message: str) -> None:
        """Show a debug line."""
        if self._verbose:
            print_lines(self._err, labelled("debug", "", message))

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning about the whole run."""
        if always or not self._quiet:
            print_lines(self._err, warning_lines(message, hint))

    def expect(self, servers: Sequence[str]) -> None:
        """Set the order of the rows."""
        self._progress.expect(servers)

    def event(self, event: RunEvent) -> None:
        """Show an event; expected ones only under ``-v``."""
        if not self._quiet and (self._verbose or not self._is_expected(event)):
            self._progress.show(event)

    def _is_expected(self, event: RunEvent) -> bool:
        """Return whether an event is a connection, or a selection of parts that was already shown."""
        if isinstance(event, PartsSelected):
            known = event.parts in self._parts
            self._parts.add(event.parts)
            return known
        return isinstance(event, Connected)

    def finish(self, envelope: Envelope) -> None:
        """Show the results, and errors below them."""
        self._progress.settle(envelope.results)
        self.close()
        options, unshown = self._options(envelope), dict[str, str]()
        for rendered in self._rendered(envelope, options, unshown):
            self._print(rendered)
        if options.several:
            print_lines(self._err, failure_lines(envelope.results, options))
        else:
            self._show_errors(envelope)
        if options.several and (envelope.exit_code or not self._quiet):
            print_lines(self._err, [summary(envelope)])
        if envelope.error is not None:
            print_lines(self._err, error_lines(envelope.error.facts))
        if self._stream is not None:
            self._stream.check()
        raise_if_unshown(unshown)

    def close(self) -> None:
        """Stop the live display."""
        self._progress.stop()

    def _options(self, envelope: Envelope) -> RenderOptions:
        plain = self._out.ascii_only or self._err.ascii_only
        return RenderOptions(
            width=self._out.line_width,
            symbols=ASCII_SYMBOLS if plain else UNICODE_SYMBOLS,
            zone=self._zone,
            command=envelope.command,
            number=len(envelope.results),
        )

    def _rendered(self, envelope: Envelope, options: RenderOptions, unshown: dict[str, str]) -> Iterator[Rendered]:
        """Yield the rendered results; ``unshown`` collects servers whose result cannot be, with the exception type."""
        if options.several and are_jobs(envelope.results):
            together = quiet_jobs if self._quiet else full_jobs
            try:
                table = [together(envelope.results, options)]
            except Exception:  # noqa: BLE001 - then each is rendered by itself
                table = [_render(lambda each: together([each], options), each, unshown) for each in envelope.results]
            yield from table
            return
        if self._quiet:
            yield from (_render(lambda each: quiet_text(each, options), each, unshown) for each in envelope.results)
            return
        common = checks_in_common(envelope.results)
        options = options._replace(shared=frozenset(common))
        yield from (_render(lambda each: full_text(each, options), each, unshown) for each in envelope.results)
        number = sum(each.server != DEFAULTS for each in envelope.results)
        yield Rendered(shared_checks(common, options.symbols, options.width, number), close=True)

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

    def _show_errors(self, envelope: Envelope) -> None:
        for result in envelope.results:
            if result.error is not None:
                known = set(map(message_text, shown_messages(result)))
                print_lines(self._err, error_lines(result.error.facts, known=known))


def _render(render: Callable[[R], Rendered], result: R, unshown: dict[str, str]) -> Rendered:
    """Render a result; on an exception, record its type in ``unshown`` and return nothing."""
    try:
        return render(result)
    except Exception as bug:  # noqa: BLE001 - the other results are still shown
        unshown[result.server] = type(bug).__name__
        return Rendered()
