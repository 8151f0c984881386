"""Create consoles by what a terminal can do."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import IO, Final, Literal, cast

from rich.console import Console

from backupctl.clock import Clock
from backupctl.output.safe_stream import SafeStream
from backupctl.output.terminal.human_view import HumanView

UNLIMITED_WIDTH: Final = 1_000_000
"""Off a terminal, lines are never wrapped."""


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
    live = can_redraw(err, environ)
    return HumanView(
        console(out, clock=clock, environ=environ, color=color),
        console(err, clock=clock, environ=environ, color=color, live=live),
        clock=clock,
        live=live,
        quiet=quiet,
        verbose=verbose,
        zone=zone,
        stream=out,
    )


def console(
    stream: SafeStream, *, clock: Clock, environ: Mapping[str, str], color: str = "auto", live: bool = False
) -> Console:
    """Return a rich console with markup and detection switched off: colour and width are decided here."""
    colorful = shows_color(stream, environ, color)
    terminal = stream.isatty()
    return Console(
        file=cast("IO[str]", stream),
        force_terminal=terminal,
        force_interactive=live,
        force_jupyter=False,
        color_system="standard" if colorful else None,
        no_color=not colorful,
        width=None if terminal else UNLIMITED_WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
        get_time=clock.monotonic,
        get_datetime=clock.now,
        _environ={name: environ[name] for name in ("TERM", "COLUMNS", "LINES") if name in environ},
    )


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
