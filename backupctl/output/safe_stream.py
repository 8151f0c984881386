"""Standard output and standard error as streams whose failures never stop the work.

A backup may run for hours. A full disk, a closed pager or a lost terminal must neither stop the program from following
it nor change its outcome, so writing never raises: the failure is kept, and ``check`` raises it at the end.
"""

import contextlib
import errno
import os
from collections.abc import Mapping
from typing import Final, TextIO

from backupctl.errors import OutputError

REPORT: Final = "this is a bug in backupctl, please report it"


class SafeStream:
    """Writes text to a stream whole and at once, until the stream fails.

    None or a closed stream (``>&-``) discards everything and is no failure. Characters that the encoding of the stream
    lacks are written in backslash notation.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._failure: OSError | None = None
        self._at_terminal = self.isatty()

    @property
    def encoding(self) -> str:
        """The encoding of the stream, UTF-8 for one in memory."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def ascii_only(self) -> bool:
        """Whether the stream may lack characters outside ASCII."""
        return not self.encoding.lower().replace("-", "").startswith("utf")

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        try:
            return self._stream is not None and self._stream.isatty()
        except ValueError:  # closed
            return False

    def write(self, text: str) -> int:
        """Write ``text`` whole; after the first failure, write nothing."""
        stream = self._stream  # read once, as the drawing thread may set it to None
        if stream is not None:
            try:
                self._write(stream, text)
            except OSError as error:
                self._failure = error
                self._stream = None
                _discard(stream)
            except ValueError:  # closed
                self._stream = None
        return len(text)

    def flush(self) -> None:
        """Do nothing: ``write`` flushes."""

    def check(self) -> None:
        """Raise OutputError, once, if a write failed; a reader that went away is no failure."""
        failure, self._failure = self._failure, None
        if failure is not None and not self._reader_left(failure):
            reason = failure.strerror or str(failure)
            raise OutputError(f"the result could not be written to standard output: {reason}") from failure

    def _reader_left(self, failure: OSError) -> bool:
        """Whether the reader went away: EPIPE on a pipe; EIO on a terminal that hung up, though not on a disk."""
        hung_up = self._at_terminal and failure.errno == errno.EIO
        return hung_up or isinstance(failure, BrokenPipeError | ConnectionResetError)

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
        except UnicodeEncodeError as error:  # raised before anything was written
            stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        stream.flush()


def raise_if_unshown(unshown: Mapping[str, str]) -> None:
    """Raise OutputError if results could not be shown; ``unshown`` maps servers to the types of the exceptions."""
    if unshown:
        servers, kinds = ", ".join(unshown), ", ".join(dict.fromkeys(unshown.values()))
        raise OutputError(f"the result of {servers} could not be shown: {kinds}", hint=REPORT)


def _discard(stream: TextIO) -> None:
    """Redirect ``stream`` to the null device, so that its buffered text is discarded.

    Python flushes the standard streams at exit. If that failed, it would print "Exception ignored ... BrokenPipeError"
    and exit with 120 (https://docs.python.org/3/library/signal.html#note-on-sigpipe).
    """
    with contextlib.suppress(OSError, ValueError):  # a stream in memory has no descriptor
        descriptor = stream.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, descriptor)
        finally:
            os.close(null)
