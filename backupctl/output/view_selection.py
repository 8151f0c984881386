"""Choose the view for an output format; only the chosen one is imported."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal, TextIO

from backupctl.clock import Clock
from backupctl.output.json_view import JsonLinesView, JsonView
from backupctl.output.safe_stream import SafeStream
from backupctl.output.view import View

Output = Literal["text", "json", "jsonl", "nagios", "checkmk", "prtg"]
Color = Literal["auto", "always", "never"]

_MACHINE: Final[Mapping[str, Output]] = {"json": "json", "jsonl": "jsonl"}
_PLUGIN: Final[Mapping[str, Output]] = {"checkmk": "checkmk", "prtg": "prtg"}


def requested_output(argv: Sequence[str], *, plugin: bool) -> Output:
    """Return the output format that raw arguments request; text, or Nagios for a plugin, if they request no known one.

    A plugin has ``--format`` for its text. For a report, ``--format json`` is ``-o json`` unless ``--to`` takes it.
    """
    given: dict[str, str] = {}
    for argument, following in pairwise([*argv, ""]):
        if argument == "--":
            break
        if match := re.fullmatch(r"(?:--(output|format|to)(?=$|=)|-[qvh]*o)(.*)", argument, re.DOTALL):
            given[match[1] or "output"] = (match[2].removeprefix("=") or following).strip().lower()
    output, named = given.get("output", ""), given.get("format", "")
    if plugin:
        return _MACHINE.get(output) or _PLUGIN.get(named, "nagios")
    return _MACHINE.get(output) or _MACHINE.get("" if "to" in given else named, "text")


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
