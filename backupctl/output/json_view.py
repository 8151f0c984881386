"""The views for programs: one JSON document at the end, or one JSON object per line while running.

Standard output holds only JSON. Warnings are text on standard error.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, OutputError
from backupctl.output.json_text import document, json_text
from backupctl.output.printable import printable
from backupctl.output.safe_stream import SafeStream, raise_if_unshown
from backupctl.results.events import RunEvent, Warned
from backupctl.results.result import SCHEMA, Envelope, Result


def _encodable(result: Result, unshown: dict[str, str]) -> Result:
    """Return the result, or only its common fields if the rest cannot be encoded; record why in ``unshown``."""
    try:
        document(result)
    except Exception as bug:  # noqa: BLE001 - the other results are still shown
        unshown[result.server] = type(bug).__name__
        return Result(**{name: getattr(result, name) for name in Result.__struct_fields__})
    return result


def _document(envelope: Envelope) -> dict[str, object]:
    """Return the envelope as JSON types; without an error of its own, its error is that of the gravest result."""
    fields: dict[str, object] = document(envelope)
    gravest = next((result for result in envelope.results if result.exit_code == envelope.exit_code), None)
    if envelope.error is not None:
        fields["error"] = {"server": envelope.error.facts.server, **document(envelope.error)}
    elif gravest is not None and gravest.error is not None:
        fields["error"] = {"server": gravest.server, **document(gravest.error)}
    return fields


def envelope_text(envelope: Envelope, *, ascii_only: bool = False) -> str:
    """Return the envelope as a document with a line break at its end."""
    return json_text(_document(envelope), pretty=True, ascii_only=ascii_only) + "\n"


class JsonView:
    """Writes exactly one document at the end, the envelope; ``quiet`` omits warnings."""

    def __init__(self, out: SafeStream, err: SafeStream, *, quiet: bool = False, verbose: bool = False) -> None:
        self._out = out
        self._err = err
        self._quiet = quiet
        self._verbose = verbose
        self._finished = False

    def debug(self, message: str) -> None:
        """Write a debug line to standard error."""
        if self._verbose:
            self._say("debug", message)

    def warn(self, message: str, hint: str | None = None, *, always: bool = False) -> None:
        """Write a warning to standard error."""
        if always or not self._quiet:
            self._say("warning", message)
            if hint:
                self._say("hint", hint)

    def expect(self, servers: Sequence[str], selection: Sequence[str] = ()) -> None:
        """Do nothing: each result and each event names its server."""

    def event(self, event: RunEvent) -> None:
        """Write warnings; the document contains everything else."""
        if isinstance(event, Warned):
            self.warn(f"{event.server}: {event.message}", event.hint)

    def finish(self, envelope: Envelope) -> None:
        """Write the envelope; if that fails, or for a second one, write its errors to standard error as text."""
        if self._finished:
            self._say_errors(envelope)
            return
        self._finished = True
        unshown: dict[str, str] = {}
        self._write(replace(envelope, results=tuple(_encodable(each, unshown) for each in envelope.results)))
        try:
            self._out.check()
            raise_if_unshown(unshown)
        except OutputError:
            self._say_errors(envelope)
            raise

    def close(self) -> None:
        """Do nothing: there is no live display."""

    def _write(self, envelope: Envelope) -> None:
        self._out.write(envelope_text(envelope, ascii_only=self._out.ascii_only))

    def _say(self, kind: str, text: str) -> None:
        self._err.write(f"{kind}: {printable(text)}\n")

    def _say_errors(self, envelope: Envelope) -> None:
        errors: list[BackupctlError | None] = [envelope.error, *(result.error for result in envelope.results)]
        for error in errors:
            if error is not None:
                self._say("error", error.message)


class JsonLinesView(JsonView):
    """Writes each event as one line at once, and the envelope as the last; ``quiet`` writes only the last."""

    def __init__(
        self, out: SafeStream, err: SafeStream, *, clock: Clock, quiet: bool = False, verbose: bool = False
    ) -> None:
        super().__init__(out, err, quiet=quiet, verbose=verbose)
        self._clock = clock

    def event(self, event: RunEvent) -> None:
        """Write one line; a failure to write is reported at the end."""
        if not self._quiet:
            self._write_line({"schema": SCHEMA, **document(event)})

    def _write(self, envelope: Envelope) -> None:
        fields = {"schema": SCHEMA, "event": "result", "time": self._clock.now(), **_document(envelope)}
        self._write_line(fields)

    def _write_line(self, fields: dict[str, object]) -> None:
        self._out.write(json_text(fields, ascii_only=self._out.ascii_only) + "\n")
