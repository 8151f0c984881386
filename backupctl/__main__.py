"""Entry point of the program, and the only module that ends the process.

Before ``main`` runs, only modules that the interpreter has already loaded are imported: until then, it handles signals
itself.
"""

import _signal  # type: ignore[import-not-found]  # already loaded, while ``signal`` takes some milliseconds
import os
import sys

_LOADING_SECONDS = 5

_UNKNOWN = 3 if "check" in sys.argv[1:] else None
"""The exit code of whatever goes wrong before the command line is read, if the command may be the monitoring plugin."""

_STREAM_ERRORS = (OSError, ValueError, AttributeError)
"""Errors of a standard stream that is full, closed or missing."""


def main() -> None:
    """Run the command line and exit with its code."""
    if os.name != "posix":  # Signals, terminals and file permissions need POSIX.
        sys.exit("error: backupctl runs on Linux and macOS only")
    received = _record_signals()
    try:
        import gc

        gc.disable()  # Modules are no garbage. Whatever may run for long turns it on again.
        from backupctl.cli import signals
        from backupctl.cli.context import Context
        from backupctl.cli.root import run

        code = run(Context.of_process(sys.argv[1:]), lambda: signals.install_interrupt_handlers(received))
        signals.ignore_signals()  # From here on, the exit code is final.
    except BaseException as error:  # noqa: BLE001 - while the program loads or ends, users see no traceback either
        is_bug = not isinstance(error, KeyboardInterrupt) and not received
        code = _UNKNOWN or (1 if is_bug else 130)
        if is_bug or _UNKNOWN:
            _print_error(error)
    _exit(code)


def _record_signals() -> list[int]:
    """Return a list to which signals are appended while the program loads.

    A signal ends the process after five seconds, if the program has not loaded and handled it by then.
    """
    received: list[int] = []

    def record(number: int, _frame: object) -> None:
        received.append(number)
        _signal.signal(_signal.SIGALRM, lambda *_: os._exit(_UNKNOWN or 130))
        _signal.alarm(_LOADING_SECONDS)

    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, record)
    return received


def _print_error(error: BaseException) -> None:
    """Print an error with as little code as possible: without memory, for example, the output modules fail too."""
    reason = f": {error}" if isinstance(error, ImportError) else ""
    try:
        stream, kind = (sys.stdout, "BACKUP UNKNOWN -") if _UNKNOWN else (sys.stderr, "error:")
        stream.write(f"{kind} unexpected: {type(error).__name__}{reason}\n")
    except _STREAM_ERRORS:
        return


def _exit(code: int) -> None:
    """Flush the standard streams and exit at once, without the cleanup of the interpreter.

    The system frees the memory faster, and nothing in the program needs an ``atexit`` handler. The cleanup can also
    block forever on a daemon thread that is in a call (seen once in some thousand interrupted runs with CPython 3.11;
    https://docs.python.org/3/library/threading.html#thread-objects).
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except _STREAM_ERRORS:
            continue
    os._exit(code)


if __name__ == "__main__":
    main()
