"""Entry of the program; the only place that ends the process.

Nothing but ``sys`` is imported before ``main`` runs: a signal that comes earlier is answered by the interpreter alone.
"""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from backupctl.cli import signals
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        signals.interrupt_this_process()
        from backupctl.cli.app import App
        from backupctl.cli.root import run

        code = run(App.of_process(sys.argv[1:]))
        signals.ignore()  # the code is known: while the interpreter ends, nothing changes it
    except BaseException as end:  # noqa: BLE001 - while the program is being loaded or ends; no traceback reaches a user
        code = 130
        if not isinstance(end, KeyboardInterrupt) and not signals.interrupted():
            code = 1
            _say(end)
    sys.exit(code)


def _say(end: BaseException) -> None:
    """Name what ended the program where not even that works which shows errors, as without memory."""
    why = f": {end}" if isinstance(end, ImportError) else ""
    try:
        sys.stderr.write(f"error: unexpected: {type(end).__name__}{why}\n")
    except (OSError, ValueError, AttributeError):  # full, closed, or none at all
        return


if __name__ == "__main__":
    main()
