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
    except BaseException as end:  # while the program is still being loaded, or again while it ends
        if not isinstance(end, KeyboardInterrupt) and not signals.interrupted():
            raise
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
