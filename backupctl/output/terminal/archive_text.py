"""Render archives, and whether one can be restored here."""

from collections.abc import Sequence
from typing import Final

from backupctl.output.terminal.job_text import messages_block, simulated_note
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, StyledLine, line
from backupctl.output.terminal.table import Column, Rows, fact_lines
from backupctl.results.archive_results import Archive, ArchiveMetadata
from backupctl.results.result import Result

ARCHIVES: Final = (
    Column("ARCHIVE", long=True),
    Column("STARTED", 1),
    Column("", 5),
    Column("VERSION", 4),
    Column("SYSTEM", 2),
    Column("COMMENT", 3, cut=True),
)


def archive_rows(archives: Sequence[Archive], options: RenderOptions) -> Rows:
    """Return archives as rows of a table, with their systems if there are several."""
    several = len({archive.system_name for archive in archives}) > 1
    return Rows(
        ARCHIVES,
        [
            [
                archive.archive,
                *options.when_cells(archive.start_time),
                archive.version,
                archive.system_name if several else None,
                archive.comment or None,
            ]
            for archive in archives
        ],
    )


def system_rows(systems: Sequence[str], _options: RenderOptions) -> Rows:
    """Return the names of systems as rows of a table."""
    return Rows((Column("SYSTEM"),), [[system] for system in systems])


def archive_block(archive: Archive, options: RenderOptions) -> list[StyledLine]:
    """Return the known facts of an archive."""
    known = fact_lines([
        ("system", archive.system_name),
        ("started", options.when(archive.start_time)),
        ("ended", options.when(archive.end_time)),
        ("version", archive.version),
        ("location", archive.location),
        ("parts", ", ".join(archive.parts or ())),
        ("comment", archive.comment),
    ])  # fmt: skip
    return [line("archive ", (archive.archive, STRONG)), *known]


def metadata_block(result: Result, metadata: ArchiveMetadata, options: RenderOptions) -> list[StyledLine]:
    """Return whether an archive can be restored here, and its facts."""
    return [
        _verdict(result, metadata, options),
        *messages_block(metadata.messages),
        *fact_lines([
            ("backup of", metadata.boxname),
            ("release", metadata.version),
            ("made", options.when(metadata.timestamp)),
            ("parts", ", ".join(metadata.parts)),
            ("comment", metadata.comment),
            ("SSO login", _login(metadata.sso_login_required)),
        ]),
    ]  # fmt: skip


def _verdict(result: Result, metadata: ArchiveMetadata, options: RenderOptions) -> StyledLine:
    symbols, subject, after = options.symbols, f"{result.server}: ", simulated_note(result)
    if metadata.applicable is None:
        return line((f"{symbols.odd} ", ODD), subject, ("unknown whether the archive fits this appliance", ODD), after)
    if metadata.applicable:
        return line((f"{symbols.good} ", GOOD), subject, ("the archive can be restored here", GOOD), after)
    return line((f"{symbols.bad} ", BAD), subject, ("the archive cannot be restored here", BAD), after)


def _login(required: bool | None) -> str | None:
    if required is None:
        return None
    return "required (--sso-username), not checked here" if required else "not required"
