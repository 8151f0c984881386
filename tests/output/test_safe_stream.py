import contextlib
import errno
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backupctl.errors import OutputError
from backupctl.output.safe_stream import SafeStream


class FailingStream(io.StringIO):
    """A stream that fails with an error as soon as it is flushed."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1
        raise self.error


@pytest.fixture
def full_disk() -> Iterator[io.TextIOWrapper]:
    """Return a stream to a device that is always full."""
    stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - the test uses it, the fixture closes it
    yield stream
    stream.close()


def test_stream_writes_the_whole_text() -> None:
    stream = io.StringIO()
    safe = SafeStream(stream)
    assert safe.write("text\n") == 5
    safe.check()
    assert stream.getvalue() == "text\n"


def test_stream_full_disk_is_reported_once_at_the_end(full_disk: io.TextIOWrapper) -> None:
    safe = SafeStream(full_disk)
    safe.write("first")
    safe.write("second")
    with pytest.raises(OutputError, match="standard output: No space left on device"):
        safe.check()
    safe.check()


def test_stream_that_fails_in_two_threads_fails_once() -> None:
    class Raced(FailingStream):
        def flush(self) -> None:
            if not self.flushes:
                self.flushes += 1
                safe.write("by another thread")
            super().flush()

    safe = SafeStream(Raced(OSError(errno.ENOSPC, "No space left on device")))
    assert safe.write("text") == 4
    with pytest.raises(OutputError, match="No space left on device"):
        safe.check()


def test_stream_full_disk_leaves_nothing_for_the_interpreter_to_flush(full_disk: io.TextIOWrapper) -> None:
    SafeStream(full_disk).write("text")
    full_disk.flush()


@pytest.mark.parametrize(("terminal", "reported"), [(True, False), (False, True)])
def test_stream_eio_counts_as_a_closed_reader_only_at_a_terminal(terminal: bool, reported: bool) -> None:
    stream = FailingStream(OSError(errno.EIO, "Input/output error"))
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    safe = SafeStream(stream)
    safe.write("text")
    with pytest.raises(OutputError, match="Input/output") if reported else contextlib.nullcontext():
        safe.check()


@pytest.mark.parametrize("error", [BrokenPipeError(), ConnectionResetError()])
def test_stream_closed_reader_is_no_error(error: OSError) -> None:
    stream = FailingStream(error)
    safe = SafeStream(stream)
    safe.write("first")
    safe.write("second")
    safe.check()
    assert stream.flushes == 1


def test_stream_closed_stream_is_silent() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        safe = SafeStream(stream)
        safe.write("text")
        safe.check()
        assert not safe.isatty()


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("ascii", rb"\u2713 caf\xe9"), ("latin-1", b"\\u2713 caf\xe9"), ("utf-8", "✓ café".encode())],
)
def test_stream_escapes_what_the_encoding_lacks(encoding: str, written: bytes) -> None:
    raw = io.BytesIO()
    safe = SafeStream(io.TextIOWrapper(raw, encoding=encoding))
    safe.write("✓ café")
    assert raw.getvalue() == written
    assert safe.ascii_only == (encoding != "utf-8")


CHILD = """
import sys
from backupctl.errors import BackupctlError
from backupctl.output.safe_stream import SafeStream
out, err = SafeStream(sys.stdout), SafeStream(sys.stderr)
for _ in range(1000):
    out.write("x" * 100)
    err.write("y" * 100 + "\\n")
try:
    out.check()
except BackupctlError as error:
    sys.exit(error.exit_code)
"""


@pytest.mark.real
def test_stream_closed_reader_ends_the_process_silently() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    child = subprocess.run([sys.executable, "-c", CHILD], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert child.returncode == 0
    assert b"Exception" not in child.stderr


@pytest.mark.real
def test_stream_full_disk_decides_the_exit_code_itself() -> None:
    with Path("/dev/full").open("wb") as full:
        child = subprocess.run([sys.executable, "-c", CHILD], stdout=full, stderr=subprocess.PIPE, check=False)
    assert child.returncode == 11
    assert b"Exception" not in child.stderr


@pytest.mark.real
def test_stream_standard_error_full_changes_nothing() -> None:
    with Path("/dev/full").open("wb") as full:
        child = subprocess.run([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=full, check=False)
    assert child.returncode == 0
    assert len(child.stdout) == 100_000
