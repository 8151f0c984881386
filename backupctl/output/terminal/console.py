"""What a terminal can do, and the consoles that follow from it."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import IO, Final, Literal, cast

from rich.console import Console

from backupctl.clock import Clock
from backupctl.output.safe_stream import SafeStream
from backupctl.output.terminal.human_view import HumanView

UNLIMITED_WIDTH: Final = 1_000_000
"""Off a terminal, nothing ever has to fit."""


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
    """Return the view for people, as lively as the terminal allows."""
    live = can_draw(err, environ)
    return HumanView(
        console(out, clock=clock, environ=environ, color=color),
        console(err, clock=clock, environ=environ, color=color, live=live),
        clock=clock,
        live=live,
        quiet=quiet,
        verbose=verbose,
        zone=zone,
        outlet=out,
    )


def console(
    outlet: SafeStream, *, clock: Clock, environ: Mapping[str, str], color: str = "auto", live: bool = False
) -> Console:
    """Return a console that takes text as it is; what rich would find out by itself is decided here."""
    colorful = shows_color(outlet, environ, color)
    terminal = outlet.isatty()
    return Console(
        file=cast("IO[str]", outlet),
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


def can_draw(outlet: SafeStream, environ: Mapping[str, str]) -> bool:
    """Return whether lines can be drawn again: on a terminal that moves its cursor, and that somebody looks at.

    FORCE_COLOR has no say in this: it is set where output looks like a terminal and is kept as a log.
    """
    return outlet.isatty() and _is_capable(environ) and not environ.get("CI")


def shows_color(outlet: SafeStream, environ: Mapping[str, str], color: str) -> bool:
    """Return whether to use colours; ``auto`` follows https://no-color.org and https://force-color.org."""
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (outlet.isatty() and _is_capable(environ))


def _is_capable(environ: Mapping[str, str]) -> bool:
    return environ.get("TERM") not in {"dumb", "unknown"}
