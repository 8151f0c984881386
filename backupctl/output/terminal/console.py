"""Create consoles by what a terminal can do."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Literal

from backupctl.clock import Clock
from backupctl.output.safe_stream import SafeStream
from backupctl.output.terminal.human_view import HumanView
from backupctl.output.terminal.plain_console import Console, PlainConsole
from backupctl.output.terminal.progress_log import ProgressDisplay, ProgressLog


def human_view(
    out: SafeStream,
    err: SafeStream,
    *,
    clock: Clock,
    environ: Mapping[str, str],
    color: Literal["auto", "always", "never"] = "auto",
    quiet: bool = False,
    verbose: bool = False,
    zone: tzinfo | None = None,
) -> HumanView:
    """Return the view for people, with a live display where the terminal allows it."""
    printed = console(out, clock=clock, environ=environ, color=color)
    progress, shown = _progress_on(err, clock=clock, environ=environ, color=color, zone=zone)
    return HumanView(printed, shown, progress, clock=clock, quiet=quiet, verbose=verbose, zone=zone, stream=out)


def _progress_on(
    stream: SafeStream, *, clock: Clock, environ: Mapping[str, str], color: str, zone: tzinfo | None
) -> tuple[ProgressDisplay, Console]:
    """Return how progress is shown, and the console for everything else on the same stream."""
    if not can_redraw(stream, environ):
        plain = console(stream, clock=clock, environ=environ, color=color)
        return ProgressLog(plain, clock=clock, zone=zone), plain
    from backupctl.output.terminal.live_progress import LiveProgress
    from backupctl.output.terminal.rich_console import rich_console

    rich = rich_console(stream, clock=clock, environ=environ, colorful=shows_color(stream, environ, color), live=True)
    return LiveProgress(rich, clock=clock), rich


def console(stream: SafeStream, *, clock: Clock, environ: Mapping[str, str], color: str = "auto") -> Console:
    """Return a console for what the stream can show; rich is loaded for a terminal or for colour only."""
    colorful = shows_color(stream, environ, color)
    if not colorful and not stream.isatty():
        return PlainConsole(stream)
    from backupctl.output.terminal.rich_console import rich_console

    return rich_console(stream, clock=clock, environ=environ, colorful=colorful)


def can_redraw(stream: SafeStream, environ: Mapping[str, str]) -> bool:
    """Return whether lines can be redrawn: on a terminal with cursor movement, outside CI.

    FORCE_COLOR is ignored, as it is often set where the output becomes a log.
    """
    return stream.isatty() and _is_capable(environ) and not environ.get("CI")


def shows_color(stream: SafeStream, environ: Mapping[str, str], color: str) -> bool:
    """Return whether to use colour; ``auto`` follows https://no-color.org and https://force-color.org."""
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (stream.isatty() and _is_capable(environ))


def _is_capable(environ: Mapping[str, str]) -> bool:
    return environ.get("TERM") not in {"dumb", "unknown"}
