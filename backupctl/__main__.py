"""Entry of the program; the only place that ends the process.

Nothing that is not loaded anyhow is imported before ``main`` runs: a signal that comes earlier is answered by the
interpreter alone.
"""

import _signal  # type: ignore[import-not-found]  # loaded anyhow, and ``signal`` takes some milliseconds
import os
import sys

_LOADING_SECONDS = 5

_STREAM_ERRORS = (OSError, ValueError, AttributeError)
"""What a standard stream raises that is full, closed, or not there at all."""


def main() -> None:
    """Run the command line and exit with its code."""
    if os.name != "posix":  # its signals, terminals and file permissions are used everywhere below
        sys.exit("error: backupctl runs on Linux and macOS only")
    noted = _note_signals()
    try:
        from backupctl.cli import signals
        from backupctl.cli.context import Context
        from backupctl.cli.root import run

        code = run(Context.of_process(sys.argv[1:]), lambda: signals.install_interrupt_handlers(noted))
        signals.ignore()  # the code is known: while the interpreter ends, nothing changes it
    except BaseException as end:  # noqa: BLE001 - while the program is being loaded or ends; no traceback reaches a user
        code = 130
        if not isinstance(end, KeyboardInterrupt) and not noted:
            code = 1
            _say(end)
    _end(code)


def _note_signals() -> list[int]:
    """Return a list of the signals that come while the program loads: it answers them as soon as it has words for it.

    It has five seconds for that.
    """
    noted: list[int] = []

    def note(number: int, _frame: object) -> None:
        noted.append(number)
        _signal.signal(_signal.SIGALRM, lambda *_: os._exit(130))
        _signal.alarm(_LOADING_SECONDS)

    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, note)
    return noted


def _say(end: BaseException) -> None:
    """Name what ended the program where not even that works which shows errors, as without memory."""
    why = f": {end}" if isinstance(end, ImportError) else ""
    try:
        sys.stderr.write(f"error: unexpected: {type(end).__name__}{why}\n")
    except _STREAM_ERRORS:
        return


def _end(code: int) -> None:
    """End the process at once, with what was written flushed, instead of letting the interpreter clean up.

    The system frees the memory anyway, and faster. The cleanup could even wait for ever for a daemon thread that is in
    a call (seen once in some thousand interrupted runs with CPython 3.11;
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
