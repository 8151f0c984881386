"""Standard output and standard error as streams that never get in the way of the work.

A backup may run for hours; that a disk fills up, a pager is closed or a terminal goes away in the meantime must neither
end the watching nor change what is known about the backup. So writing never raises: a failure is remembered, and
who needs to know asks for it at the end.
"""

import contextlib
import errno
import os
from collections.abc import Mapping
from typing import Final, TextIO

from backupctl.errors import OutputError

REPORT: Final = "this is a bug in backupctl, please report it"


class SafeStream:
    """Writes text to a stream, in one piece and at once, until the stream fails.

    None, or a stream that is closed, is taken as the wish of the caller to see nothing (``>&-``): no failure.
    Characters that the stream's encoding does not have are written in backslash notation.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._failure: OSError | None = None
        self._at_terminal = self.isatty()

    @property
    def encoding(self) -> str:
        """The encoding of the stream; one without (in memory) takes everything."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def ascii_only(self) -> bool:
        """Whether only ASCII can be relied on."""
        return not self.encoding.lower().replace("-", "").startswith("utf")

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        try:
            return self._stream is not None and self._stream.isatty()
        except ValueError:  # closed
            return False

    def write(self, text: str) -> int:
        """Write ``text`` whole; nothing is written any more after the first failure."""
        stream = self._stream  # read once: the thread that draws may find meanwhile that it failed
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
        """Do nothing: ``write`` has flushed already."""

    def check(self) -> None:
        """Raise OutputError, once, if something could not be written, unless only the reader went away."""
        failure, self._failure = self._failure, None
        if failure is not None and not self._reader_left(failure):
            reason = failure.strerror or str(failure)
            raise OutputError(f"the result could not be written to standard output: {reason}") from failure

    def _reader_left(self, failure: OSError) -> bool:
        """Whether nobody reads any more: a pipe says so by EPIPE, a terminal that hung up by EIO, as a broken disk."""
        hung_up = self._at_terminal and failure.errno == errno.EIO
        return hung_up or isinstance(failure, BrokenPipeError | ConnectionResetError)

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
        except UnicodeEncodeError as error:  # raised before anything was written
            stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        stream.flush()


def check_shown(unshown: Mapping[str, str]) -> None:
    """Raise OutputError where the results of some servers could not be shown; the values are the kinds of bugs."""
    if unshown:
        servers, kinds = ", ".join(unshown), ", ".join(dict.fromkeys(unshown.values()))
        raise OutputError(f"the result of {servers} could not be shown: {kinds}", hint=REPORT)


def _discard(stream: TextIO) -> None:
    """Send what is still in the buffers of ``stream`` nowhere.

    At its exit the interpreter flushes the standard streams once more; were the text still on its way to the place that
    failed, this would print "Exception ignored ... BrokenPipeError" and turn the exit code into 120
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe).
    """
    with contextlib.suppress(OSError, ValueError):  # a stream in memory has no descriptor
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, descriptor)
        finally:
            os.close(nowhere)
