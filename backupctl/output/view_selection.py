"""Choose the view for an output format; only the chosen one is imported."""

from collections.abc import Mapping
from typing import Literal, TextIO

from backupctl.clock import Clock
from backupctl.output.json_view import JsonLinesView, JsonView
from backupctl.output.safe_stream import SafeStream
from backupctl.output.view import View

Output = Literal["text", "json", "jsonl", "nagios", "checkmk", "prtg"]
Color = Literal["auto", "always", "never"]


def make_view(
    output: Output,
    *,
    stdout: TextIO | None,
    stderr: TextIO | None,
    clock: Clock,
    environ: Mapping[str, str],
    color: Color = "auto",
    quiet: bool = False,
    verbose: bool = False,
) -> View:
    """Return the view for ``output``; a stream that is None shows nothing.

    ``environ`` gives the terminal's abilities and the user's wishes: TERM, COLUMNS, NO_COLOR, FORCE_COLOR, CI.
    """
    out, err = SafeStream(stdout), SafeStream(stderr)
    if output == "json":
        return JsonView(out, err, quiet=quiet, verbose=verbose)
    if output == "jsonl":
        return JsonLinesView(out, err, clock=clock, quiet=quiet, verbose=verbose)
    if output != "text":
        from backupctl.output.plugin_view import PluginView

        return PluginView(output, out, err, verbose=verbose)
    from backupctl.output.terminal.console import human_view

    return human_view(out, err, clock=clock, environ=environ, color=color, quiet=quiet, verbose=verbose)
