"""Entry of the program; the only place that ends the process."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backupctl.cli.app import App


class SignalInterrupt(KeyboardInterrupt):
    """A signal that ends the program.

    A class of its own, because an interpreter that sees a plain KeyboardInterrupt leave an ``exec`` of a string, as
    when a dataclass is made, kills itself with SIGINT at its end, whatever the exit code.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from backupctl.cli.app import App
        from backupctl.cli.root import run

        app = App.of_process(sys.argv[1:])
        app.before_command = partial(_interrupt_on_signals, app)
        code = run(app)
    except KeyboardInterrupt:  # while the program is still being loaded, or again while it ends
        code = 130
    sys.exit(code)


def _interrupt_on_signals(app: App) -> None:
    """Let INT, TERM and HUP interrupt the program, unless they are ignored (nohup), until the scheduler takes over.

    A handler may run inside a callback of the interpreter, which swallows the exception and complains of it; so the
    signal is noted too, and looked at before anything is sent.
    """
    import signal

    def interrupt(_number: int, _frame: object) -> None:
        app.interrupted = True
        raise SignalInterrupt

    def complain(unraisable: sys.UnraisableHookArgs) -> None:
        if not app.interrupted:  # what was cut, such as a module half read, leaves things behind
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = complain
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


if __name__ == "__main__":
    main()
