"""The views for programs: one JSON document, or one JSON object a line while the work goes on.

Standard output carries JSON and nothing else. Warnings are text on standard error.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from backupctl.clock import Clock
from backupctl.errors import OutputError
from backupctl.output.json_text import json_text
from backupctl.output.printable import printable
from backupctl.output.safe_stream import SafeStream, check_shown
from backupctl.results.events import RunEvent, Warned
from backupctl.results.result import SCHEMA, Envelope, ErrorInfo, Result


def _encodable(result: Result, unshown: dict[str, str]) -> Result:
    """Return a result, or what all results have of it if the rest has no place in JSON; note why in ``unshown``."""
    try:
        msgspec.to_builtins(result)
    except Exception as bug:  # noqa: BLE001 - the others are shown all the same
        unshown[result.server] = type(bug).__name__
        return Result(**{name: getattr(result, name) for name in Result.__struct_fields__})
    return result


class JsonView:
    """Shows exactly one document, the envelope, at the end; ``quiet`` leaves the warnings out."""

    def __init__(self, out: SafeStream, err: SafeStream, *, quiet: bool = False, verbose: bool = False) -> None:
        self._out = out
        self._err = err
        self._quiet = quiet
        self._verbose = verbose
        self._finished = False

    def debug(self, message: str) -> None:
        """Show a line on standard error for those who asked for more."""
        if self._verbose:
            self._say("debug", message)

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Show a warning on standard error."""
        if always or not self._quiet:
            self._say("warning", message)
            if hint:
                self._say("hint", hint)

    def expect(self, servers: Sequence[str]) -> None:
        """Do nothing: each result and each event says whose it is."""

    def event(self, event: RunEvent) -> None:
        """Show a warning; everything else that happens is summed up in the document."""
        if isinstance(event, Warned):
            self.warn(f"{event.server}: {event.message}", event.hint)

    def finish(self, envelope: Envelope) -> None:
        """Write the envelope; where it cannot be, or is a second one, say its errors as text on standard error."""
        if self._finished:
            self._say_errors(envelope)
            return
        self._finished = True
        unshown: dict[str, str] = {}
        self._write(replace(envelope, results=tuple(_encodable(each, unshown) for each in envelope.results)))
        try:
            self._out.check()
            check_shown(unshown)
        except OutputError:
            self._say_errors(envelope)
            raise

    def close(self) -> None:
        """Do nothing: there is no live display."""

    def _write(self, envelope: Envelope) -> None:
        self._out.write(json_text(envelope, pretty=True, ascii_only=self._out.ascii_only) + "\n")

    def _say(self, kind: str, text: str) -> None:
        self._err.write(f"{kind}: {printable(text)}\n")

    def _say_errors(self, envelope: Envelope) -> None:
        errors: list[ErrorInfo | None] = [envelope.error, *(result.error for result in envelope.results)]
        for error in errors:
            if error is not None:
                self._say("error", error.message)


class JsonLinesView(JsonView):
    """Shows each event as one line, at once, and the envelope as the last; ``quiet`` leaves all but the last out."""

    def __init__(
        self, out: SafeStream, err: SafeStream, *, clock: Clock, quiet: bool = False, verbose: bool = False
    ) -> None:
        super().__init__(out, err, quiet=quiet, verbose=verbose)
        self._clock = clock

    def event(self, event: RunEvent) -> None:
        """Write one line; that it cannot be written is told at the end, as the work goes on."""
        if not self._quiet:
            self._write_line({"schema": SCHEMA, **msgspec.to_builtins(event)})

    def _write(self, envelope: Envelope) -> None:
        fields = msgspec.to_builtins(envelope)
        self._write_line({"schema": SCHEMA, "event": "result", "time": self._clock.now(), **fields})

    def _write_line(self, fields: dict[str, object]) -> None:
        self._out.write(json_text(fields, ascii_only=self._out.ascii_only) + "\n")
