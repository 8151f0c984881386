"""Render archives, and whether one can be restored here."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from backupctl.output.formatting import timestamp
from backupctl.output.terminal.job_text import messages_block, simulated_note, timestamp_or_unknown
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, StyledLine, Symbols, line
from backupctl.output.terminal.table import UNKNOWN, fact_lines, header_cells, table_lines
from backupctl.results.archive_results import Archive, ArchiveMetadata
from backupctl.results.result import Result

MIN_COLUMNS: Final = 2
"""Archive and start stay side by side on any terminal."""


def archives_table(archives: Sequence[Archive], width: int | None, zone: tzinfo | None) -> list[StyledLine]:
    """Return a table of archives, with their systems if there are several; no name is cut."""
    rows = [header_cells("ARCHIVE", "STARTED", "VERSION", "SYSTEM", "COMMENT")]
    rows += [
        [
            line(archive.archive),
            line(timestamp_or_unknown(archive.start_time, zone)),
            line(archive.version or UNKNOWN),
            line(archive.system_name),
            line(archive.comment or UNKNOWN),
        ]
        for archive in archives
    ]
    if len({archive.system_name for archive in archives}) == 1:
        rows = [[*row[:3], *row[4:]] for row in rows]
    return table_lines(rows, width, least=MIN_COLUMNS)


def archive_block(archive: Archive, zone: tzinfo | None) -> list[StyledLine]:
    """Return the known facts of an archive."""
    known = fact_lines([
        ("system", archive.system_name),
        ("started", _timestamp(archive.start_time, zone)),
        ("ended", _timestamp(archive.end_time, zone)),
        ("version", archive.version),
        ("location", archive.location),
        ("parts", ", ".join(archive.parts or ())),
        ("comment", archive.comment),
    ])  # fmt: skip
    return [line("archive ", (archive.archive, STRONG)), *known]


def metadata_block(
    result: Result, metadata: ArchiveMetadata, symbols: Symbols, zone: tzinfo | None
) -> list[StyledLine]:
    """Return whether an archive can be restored here, and its facts."""
    return [
        _verdict(result, metadata, symbols),
        *fact_lines([
            ("backup of", metadata.boxname),
            ("release", metadata.version),
            ("made", _timestamp(metadata.timestamp, zone)),
            ("parts", ", ".join(metadata.parts)),
            ("comment", metadata.comment),
            ("SSO login", _login(metadata.sso_login_required)),
        ]),
        *messages_block(metadata.messages, symbols),
    ]  # fmt: skip


def _verdict(result: Result, metadata: ArchiveMetadata, symbols: Symbols) -> StyledLine:
    words = f"{result.server}: can be restored here: "
    after = simulated_note(result)
    if metadata.applicable is None:
        return line((f"{symbols.odd} ", ODD), words, ("unknown", ODD), after)
    if metadata.applicable:
        return line((f"{symbols.good} ", GOOD), words, ("yes", GOOD), after)
    return line((f"{symbols.bad} ", BAD), words, ("NO", BAD), after)


def _timestamp(time: datetime | None, zone: tzinfo | None) -> str | None:
    return None if time is None else timestamp(time, zone)


def _login(required: bool | None) -> str | None:
    if required is None:
        return None
    return "needed: a restore must name an SSO administrator" if required else "not needed"
