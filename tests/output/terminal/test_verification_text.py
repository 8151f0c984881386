"""The words for a verification."""

from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import UNICODE_SYMBOLS
from backupctl.output.terminal.verification_text import verification_block
from backupctl.results.verification_results import PRESENT, Verification, VerificationResult
from tests.support.clock import START


def test_sizes_that_the_server_does_not_tell_are_not_claimed() -> None:
    options = RenderOptions(width=None, symbols=UNICODE_SYMBOLS, zone=None, now=START)
    for size_bytes, proved in ((7000, "7 files (7 kB), none empty, valid metadata"), (None, "7 files, valid metadata")):
        found = Verification(level=PRESENT, system_name="sn_vc01", archive="M_8", files=7, size_bytes=size_bytes)
        lines = verification_block(VerificationResult(server="vc01", verification=found), found, options)
        assert lines[1].plain.endswith(f"  {proved}")
