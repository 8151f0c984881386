"""Verify an archive at a location from this host, at one of three levels; none proves that it can be restored.

``present``: its folder, files and metadata are as they should be. ``unchanged``: it is as its manifest says.
``readable``: its gzip files can be decompressed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, NotFoundError
from backupctl.formatting import plural, size, timestamp
from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.operations.outcome import Outcome
from backupctl.operations.target_archives import METADATA, differences_from, find_system, list_archives, read_archive
from backupctl.operations.target_connections import CALL_SECONDS, TargetConnections
from backupctl.results.target_archive import ArchiveFile, TargetArchive
from backupctl.results.verification_results import PRESENT, READABLE, UNCHANGED, Verification, VerificationResult
from backupctl.rules.file_content import Content, read_content
from backupctl.scheduler.retry import Backoff
from backupctl.scheduler.task import Task, Wait
from backupctl.state.manifests import Manifest, Manifests
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target
from backupctl.targets.target_errors import TargetAnswerError, VerifyFailedError

Find = Callable[[Target, Location], TargetArchive]
"""Returns the archive to verify."""

LATEST: Final = "latest"

MAKE_ANOTHER: Final = "start another backup, and keep the earlier ones"

_EARLIER: Final = 5
"""How many earlier archives are looked at for what is usual."""

_LOOK_SECONDS: Final = 5.0
_MIN_BYTES_PER_SECOND: Final = 100_000


class Verifier(msgspec.Struct, frozen=True):
    """How to verify; ``command`` is the one that records manifests."""

    connections: TargetConnections
    manifests: Manifests
    clock: Clock
    level: str
    command: str


def find_archive(target: Target, location: Location, *, system: str, name: str) -> TargetArchive:
    """Return an archive by its name, or the ``latest`` one, even if it is damaged.

    Raises NotFoundError: if it is missing.
    """
    if name != LATEST:
        return read_archive(target, location, (*find_system(target, system), name))
    for archive in list_archives(target, location, system, ArchiveFilter(max_results=1)).archives:
        return archive
    raise NotFoundError("no archives of $1 at the location", texts=(system,))


def verify_archive(
    verifier: Verifier, access: TargetAccess, find: Find, *, encrypted: bool | None = None, patience: float = 0.0
) -> Task[Outcome[VerificationResult]]:
    """Return what is known about an archive; damage is the error of the outcome. The first success records a manifest.

    One that is missing or incomplete is looked up again for ``patience`` seconds.

    Raises NotFoundError: if it is missing, or its manifest at the level ``unchanged``. Raises what ``find`` raises.
    """
    level = verifier.level
    archive, warnings = yield from _look(verifier, access, find, patience)
    manifest = verifier.manifests.read(archive.system_name, archive.archive)
    if level == UNCHANGED and manifest is None and archive.complete:
        hint = f"record one: verify it with --level {PRESENT}, or with {READABLE} to have checksums"
        raise NotFoundError("archive $1 has no manifest to compare with", texts=(archive.archive,), hint=hint)
    if encrypted is None and manifest is not None:
        encrypted = manifest.encrypted
    contents: dict[str, Content] = {}
    if level == READABLE or (level == UNCHANGED and manifest is not None and manifest.checksums_at is not None):
        read = partial(_read_files, archive=archive, unpack=level == READABLE and not encrypted)
        seconds = CALL_SECONDS + (archive.size_bytes or 0) / _MIN_BYTES_PER_SECOND
        contents = yield from verifier.connections.use(access, read, seconds=seconds)
    files = tuple(ArchiveFile(name, each.size, each.sha256) for name, each in contents.items()) or archive.files
    damages = [*archive.problems, *_damages(archive, contents, unpacked=level == READABLE and encrypted is False)]
    damages += differences_from(manifest, files) if manifest is not None else ()
    found = _verification(level, archive, contents, manifest)
    if damages:
        result = VerificationResult(verification=replace(found, proved=(), damages=tuple(damages), warnings=warnings))
        words = archive.archive, "damaged" if archive.complete else archive.state
        return Outcome(result, VerifyFailedError("archive $1 is $2", texts=words, details=damages, hint=MAKE_ANOTHER))
    warnings += _record(verifier, archive, manifest, encrypted, files)
    return Outcome(VerificationResult(verification=replace(found, warnings=warnings)))


def _record(
    verifier: Verifier,
    archive: TargetArchive,
    manifest: Manifest | None,
    encrypted: bool | None,
    files: tuple[ArchiveFile, ...],
) -> tuple[str, ...]:
    """Record a manifest, or add the checksums that one lacks; return a warning if that fails."""
    now, has_checksums = verifier.clock.now(), all(each.sha256 for each in files)
    if manifest is None:
        names = archive.system_name, archive.archive
        manifest = Manifest(*names, now, verifier.command, encrypted, files, now if has_checksums else None)
    elif has_checksums and manifest.checksums_at is None:
        manifest = replace(manifest, files=files, checksums_at=now)
    else:
        return ()
    try:
        verifier.manifests.record(manifest)
    except BackupctlError as error:
        return (f"its manifest was not recorded: {error}",)
    return ()


def _look(
    verifier: Verifier, access: TargetAccess, find: Find, patience: float
) -> Task[tuple[TargetArchive, tuple[str, ...]]]:
    """Return the archive, and what is unusual about it."""

    def look(target: Target) -> tuple[TargetArchive, tuple[str, ...]]:
        archive = find(target, access.location)
        return archive, tuple(_unusual(target, access.location, archive))

    backoff, until = Backoff(_LOOK_SECONDS), verifier.clock.monotonic() + patience
    while True:
        again = verifier.clock.monotonic() + backoff.next_seconds()
        try:
            found = yield from verifier.connections.use(access, look)
            if found[0].complete or again > until:
                return found
        except (NotFoundError, VerifyFailedError):
            if again > until:
                raise
        yield Wait(again)


def _unusual(target: Target, location: Location, archive: TargetArchive) -> Iterator[str]:
    """Yield how a complete archive differs from earlier ones of its kind, which may have had other parts."""
    earlier: tuple[TargetArchive, ...] = ()
    with suppress(NotFoundError, TargetAnswerError):
        before = ArchiveFilter(end_timestamp=archive.start_time - timedelta(seconds=1), max_results=_EARLIER)
        earlier = list_archives(target, location, archive.system_name, before).archives
    usual = [each for each in earlier if each.kind == archive.kind and each.complete]
    if usual and archive.complete:
        names = set.intersection(*({file.name for file in each.files} for each in usual))
        if missing := names - {file.name for file in archive.files}:
            yield f"earlier archives also have {', '.join(sorted(missing))}"
        least = min(each.size_bytes or 0 for each in usual)
        if archive.size_bytes is not None and archive.size_bytes < least / 2:
            yield f"it has {size(archive.size_bytes)}, earlier archives at least {size(least)}"


def _read_files(target: Target, *, archive: TargetArchive, unpack: bool) -> dict[str, Content]:
    folder, contents = (*find_system(target, archive.system_name), archive.archive), {}
    for file in archive.files:
        with closing(target.open_read((*folder, file.name))) as chunks:
            contents[file.name] = read_content(chunks, unpack=unpack)
    return contents


def _damages(archive: TargetArchive, contents: Mapping[str, Content], *, unpacked: bool) -> Iterator[str]:
    """Yield what reading the files has shown; if they were ``unpacked``, each .gz file must be gzip data."""
    for file in archive.files if contents else ():
        content = contents[file.name]
        if file.size not in {None, content.size}:
            yield f"{file.name} has {file.size} bytes, of which {content.size} can be read"
        elif content.damage:
            yield f"{file.name}: {content.damage}"
        elif unpacked and file.name.endswith(".gz") and not content.is_gzip:
            yield f"{file.name} does not begin as gzip data"


def _verification(
    level: str, archive: TargetArchive, contents: Mapping[str, Content], manifest: Manifest | None
) -> Verification:
    """Return what an archive without damage proves at a level, and what it does not."""
    proved = [f"{plural(len(archive.files), 'file')} ({size(archive.size_bytes or 0)}), none empty, valid metadata"]
    not_proved = [] if contents else ["whether its contents are whole: they were not read"]
    compared = bool(contents) and manifest is not None and manifest.checksums_at is not None
    if manifest is not None:
        what = "names, sizes and contents" if compared else "names and sizes"
        how = "after the backup" if manifest.recorded_by == "create" else "when it was verified first"
        proved.append(f"{what} are as in the manifest of {timestamp(manifest.recorded_at)}, recorded {how}")
    if level != PRESENT and not compared:
        why = "it had no manifest" if manifest is None else "its manifest has no checksums"
        not_proved.append(f"whether its contents have changed: {why}")
    if level == READABLE:
        unpacked = [name for name, each in contents.items() if each.is_gzip]
        others = [name for name in contents if name not in {METADATA, *unpacked}]
        proved += [f"{plural(len(unpacked), 'gzip file')} can be decompressed to the end"] if unpacked else []
        not_proved += [f"not checked: {', '.join(others)} (encrypted or not gzip)"] if others else []
    return Verification(
        level=level,
        archive=archive.archive,
        proved=tuple(proved),
        not_proved=(*not_proved, "whether it can be restored: only `backupctl restore validate` can say more"),
        files=len(archive.files),
        size_bytes=archive.size_bytes,
        manifest=manifest.recorded_at if manifest is not None else None,
    )
