"""Render archives, and whether one can be restored here."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from backupctl.formatting import plural, size
from backupctl.output.terminal.job_text import messages_block, simulated_note
from backupctl.output.terminal.rendered import RenderOptions
from backupctl.output.terminal.styled_lines import BAD, GOOD, ODD, STRONG, StyledLine, line
from backupctl.output.terminal.table import Column, Rows, fact_lines, wrapped
from backupctl.results.archive_results import Archive, ArchiveMetadata
from backupctl.results.result import Result
from backupctl.results.target_archive import TargetArchive

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
    direct = archive if isinstance(archive, TargetArchive) else None
    known = fact_lines([
        ("system", archive.system_name),
        ("started", options.when(archive.start_time)),
        ("ended", options.when(archive.end_time)),
        ("version", archive.version),
        ("size", _size(direct) if direct else None),
        ("location", archive.location),
        ("parts", ", ".join(archive.parts or ())),
        ("comment", archive.comment),
        ("state", line((direct.state, _STATES[direct.state])) if direct else None),
        *(("problem", text) for text in (direct.problems if direct else ())),
    ])  # fmt: skip
    head = line("archive ", (archive.archive, STRONG))
    return [head, *known, *(_command_lines(direct, options.width, indent="  ") if direct else ())]


def direct_text(archives: Sequence[TargetArchive], options: RenderOptions) -> Iterator[StyledLine]:
    """Yield the archives of each system: name, facts, and how to restore it or what is wrong."""
    by_system = sorted(archives, key=lambda archive: archive.system_name)
    for system, of_system in groupby(by_system, key=lambda archive: archive.system_name):
        yield line((system, STRONG))
        for archive in of_system:
            style, symbols, dot = _STATES[archive.state], options.symbols, f" {options.symbols.dot} "
            symbol = {GOOD: symbols.good, ODD: symbols.odd, BAD: symbols.bad}[style]
            facts = archive.state, options.when(archive.start_time), archive.version, _size(archive)
            first, *more = wrapped(dot.join(filter(None, facts)), options.width and options.width - 4)
            yield line("  ", (symbol, style), " ", (archive.archive, STRONG))
            yield line("    ", (archive.state, style), first.removeprefix(archive.state))
            comment = [f"comment: {archive.comment}"] if archive.comment else []
            yield from (line("    ", text) for text in [*more, *comment, *archive.problems])
            if archive.complete:
                yield from _command_lines(archive, options.width)


_STATES: Final = {"complete": GOOD, "unfinished": ODD, "damaged": BAD}


def _size(archive: TargetArchive) -> str:
    files = plural(len(archive.files), "file")
    return files if archive.size_bytes is None else f"{size(archive.size_bytes)} in {files}"


def _command_lines(archive: TargetArchive, width: int | None, *, indent: str = "    ") -> list[StyledLine]:
    """Return the restore command, on two lines where one is too narrow, so that it can be read and copied."""
    command = archive.restore_command or ""
    if width is None or len(indent + command) <= width:
        return [line(indent, command)]
    words, option, location = command.partition(" --location")
    return [line(indent, words, " \\"), line(indent, " ", option, location)]


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
