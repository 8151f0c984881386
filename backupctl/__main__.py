"""Entry of the program; the only place that ends the process."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from backupctl.cli.app import App
        from backupctl.cli.root import run

        code = run(App.of_process(sys.argv[1:], before_command=_interrupt_on_signals))
    except KeyboardInterrupt:  # while the program is still being loaded, or again while it ends
        code = 130
    sys.exit(code)


def _interrupt_on_signals() -> None:
    """Let TERM and HUP do what INT does, unless they are ignored (nohup)."""
    import signal

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


if __name__ == "__main__":
    main()
