"""Verify an archive at a location from this host, at one of three levels; none proves that it can be restored.

``present``: its folder, files and metadata are as they should be. ``unchanged``: it is as its manifest says.
``readable``: its gzip files can be decompressed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, NotFoundError, NotVerifiedError, VerifyFailedError
from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.operations.outcome import Outcome
from backupctl.operations.target_archives import (
    METADATA,
    USUAL,
    compare,
    find_system,
    list_archives,
    read_archive,
    unusual,
)
from backupctl.operations.target_connections import CALL_SECONDS, TargetConnections
from backupctl.results.target_archive import ArchiveFile, TargetArchive
from backupctl.results.verification_results import (
    CHECKSUMS,
    PRESENT,
    READABLE,
    SIZES,
    UNCHANGED,
    ManifestDates,
    Verification,
    VerificationResult,
)
from backupctl.rules.file_content import Content, read_content
from backupctl.scheduler.retry import Backoff
from backupctl.scheduler.task import Task, Wait
from backupctl.state.manifests import Manifest, Manifests
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target
from backupctl.targets.target_errors import TargetAnswerError


class Found(NamedTuple):
    """The archive to verify, warnings, and what is ``unusual`` about it."""

    archive: TargetArchive
    warnings: tuple[str, ...] = ()
    unusual: tuple[str, ...] = ()


FindArchive = Callable[[Target, Location], Found]

LATEST: Final = "latest"

MAKE_ANOTHER: Final = "start another backup, and keep the earlier ones"

_VERIFY_AGAIN: Final = "its checksums were recorded, so that `archive verify` can compare with them later"

_LATEST: Final = 5
"""Among how many archives the newest one that is not unfinished is looked for."""

_LOOK_SECONDS: Final = 5.0
_MIN_BYTES_PER_SECOND: Final = 100_000


class Verifier(msgspec.Struct, frozen=True):
    """How to verify; ``command`` is the one that records manifests."""

    connections: TargetConnections
    manifests: Manifests
    clock: Clock
    level: str
    command: str


def find_archive(target: Target, location: Location, *, system: str, name: str) -> Found:
    """Return an archive by its name, or the ``latest`` one, even if it is damaged, and a warning if that is unfinished.

    Raises NotFoundError: if it is missing.
    """
    if name != LATEST:
        return Found(read_archive(target, location, (*find_system(target, system), name)))
    newest = list_archives(target, location, system, ArchiveFilter(max_results=_LATEST)).archives
    if not newest:
        raise NotFoundError("no archives of $1 at the location", texts=(system,))
    latest = next((each for each in newest if each.state != "unfinished"), newest[0])
    return Found(latest, () if latest is newest[0] else (f"a newer archive is unfinished: {newest[0].archive}",))


def verify_archive(
    verifier: Verifier,
    access: TargetAccess,
    find: FindArchive,
    *,
    encrypted: bool | None = None,
    retry_seconds: float = 0.0,
) -> Task[Outcome[VerificationResult]]:
    """Return what is known about an archive; damage is the error of the outcome. The first success records a manifest.

    One that is missing or incomplete is looked up again for ``retry_seconds``.

    Raises NotFoundError: if it is missing, or its manifest at the level ``unchanged``. Raises NotVerifiedError: if no
    file could be checked. Raises what ``find`` raises.
    """
    level = verifier.level
    archive, warnings, unusual = yield from _look(verifier, access, find, retry_seconds)
    manifest = verifier.manifests.read(archive.system_name, archive.archive)
    if level == UNCHANGED and manifest is None and archive.complete:
        hint = f"record one: verify it with --level {PRESENT}, or with {READABLE} to have checksums"
        raise NotFoundError("archive $1 has no manifest to compare with", texts=(archive.archive,), hint=hint)
    encrypted = manifest.encrypted if encrypted is None and manifest is not None else encrypted
    contents = yield from _read(verifier, access, archive, manifest, encrypted)
    files = tuple(ArchiveFile(name, each.size, each.sha256) for name, each in contents.items()) or archive.files
    checked = compare(replace(archive, files=files), manifest)
    damages = (*checked.problems, *_damages(archive, contents, encrypted if level == READABLE else None))
    if damages and checked.complete:
        checked = replace(checked, state="damaged")
    warnings += (*unusual, *_remember(verifier, checked, manifest, encrypted, records=not unusual))
    found = replace(_verification(level, archive, contents, manifest), damages=damages, warnings=warnings)
    if damages:
        words = archive.archive, checked.state
        error = VerifyFailedError("archive $1 is $2", texts=words, details=damages, hint=MAKE_ANOTHER)
        return Outcome(VerificationResult(verification=found), error)
    if level == READABLE and not found.unpacked:
        found = _undecompressed(found, encrypted)
    return Outcome(VerificationResult(verification=found))


def _undecompressed(found: Verification, encrypted: bool | None) -> Verification:
    """Return a verification without gzip files, with a warning unless an encrypted archive has its checksums.

    Raises NotVerifiedError: if there are no checksums either, and nobody knows whether it is encrypted.
    """
    if encrypted and found.compared == CHECKSUMS:
        return found
    if not encrypted and found.compared != CHECKSUMS:
        why = "no file of archive $1 could be checked: encrypted or not gzip"
        raise NotVerifiedError(why, texts=(found.archive,), hint=_VERIFY_AGAIN)
    why = "the archive is encrypted" if encrypted else "encrypted or not gzip"
    return replace(found, warnings=(*found.warnings, f"no file could be decompressed: {why}"))


def _remember(
    verifier: Verifier, archive: TargetArchive, manifest: Manifest | None, encrypted: bool | None, *, records: bool
) -> tuple[str, ...]:
    """Mark a damaged archive, until its files are read without damage; record a good one, or its checksums.

    Returns warnings.
    """
    names, manifests, now = (archive.system_name, archive.archive), verifier.manifests, verifier.clock.now()
    was_read = all(each.sha256 for each in archive.files)
    is_new = manifest is None or (was_read and manifest.checksums_at is None)
    try:
        if archive.state == "damaged":
            manifests.mark_damaged(*names)
        elif archive.state == "complete" and is_new and records:
            manifest = manifest or Manifest(*names, now, verifier.command, encrypted, archive.files)
            manifests.record(replace(manifest, files=archive.files, checksums_at=now if was_read else None))
    except BackupctlError as error:
        return (f"the result was not recorded: {error}",)
    if archive.state == "complete" and was_read:
        manifests.unmark_damaged(*names)
    elif archive.state == "complete" and manifests.is_damaged(*names):
        return (f"an earlier verification found it damaged; verify it with --level {READABLE}",)
    return ()


def _look(verifier: Verifier, access: TargetAccess, find: FindArchive, retry_seconds: float) -> Task[Found]:
    """Return what ``find`` returns, and what is unusual about the archive."""

    def look(target: Target) -> Found:
        found = find(target, access.location)
        return found._replace(unusual=_unusual(target, access.location, found.archive))

    backoff, until = Backoff(_LOOK_SECONDS), verifier.clock.monotonic() + retry_seconds
    while True:
        again = verifier.clock.monotonic() + backoff.next_seconds()
        try:
            found = yield from verifier.connections.use(access, look)
            if found.archive.complete or again > until:
                return found
        except (NotFoundError, VerifyFailedError, NotVerifiedError):
            if again > until:
                raise
        yield Wait(again)


def _unusual(target: Target, location: Location, archive: TargetArchive) -> tuple[str, ...]:
    """Return how an archive differs from earlier ones of its kind; nothing if these cannot be read."""
    before = ArchiveFilter(end_timestamp=archive.start_time - timedelta(seconds=1), max_results=USUAL)
    try:
        earlier = list_archives(target, location, archive.system_name, before, kinds=archive.kind).archives
    except (NotFoundError, TargetAnswerError):
        return ()
    return unusual(archive, earlier)


def _read(
    verifier: Verifier, access: TargetAccess, archive: TargetArchive, manifest: Manifest | None, encrypted: bool | None
) -> Task[dict[str, Content]]:
    """Return what reading the files has shown, nothing if the level does not read them."""
    compares = manifest is not None and manifest.checksums_at is not None
    if verifier.level == PRESENT or (verifier.level == UNCHANGED and not compares):
        return {}
    unpack = verifier.level == READABLE and not encrypted

    def read(target: Target) -> dict[str, Content]:
        folder, contents = (*find_system(target, archive.system_name), archive.archive), {}
        for file in archive.files:
            with closing(target.open_read((*folder, file.name))) as chunks:
                contents[file.name] = read_content(chunks, unpack=unpack)
        return contents

    seconds = CALL_SECONDS + (archive.size_bytes or 0) / _MIN_BYTES_PER_SECOND
    return (yield from verifier.connections.use(access, read, seconds=seconds))


def _damages(archive: TargetArchive, contents: Mapping[str, Content], encrypted: bool | None) -> Iterator[str]:
    """Yield what reading the files has shown; each ``.gz`` must be gzip data if one is, as encryption covers all."""
    is_plain = encrypted is False or any(each.is_gzip for each in contents.values())
    for file in archive.files if contents else ():
        content = contents[file.name]
        if file.size not in {None, content.size}:
            yield f"{file.name} has {file.size} bytes, of which {content.size} can be read"
        elif content.damage:
            yield f"{file.name}: {content.damage}"
        elif is_plain and file.name.endswith(".gz") and not content.is_gzip:
            yield f"{file.name} is not a gzip file"


def _verification(
    level: str, archive: TargetArchive, contents: Mapping[str, Content], manifest: Manifest | None
) -> Verification:
    """Return the facts about an archive, without damages and warnings."""
    names = [name for name in contents if name != METADATA] if level == READABLE else []
    compared: Literal["sizes", "checksums"] | None = None
    dates = None
    if manifest is not None:
        compared = CHECKSUMS if contents and manifest.checksums_at is not None else SIZES
        dates = ManifestDates(manifest.recorded_at, manifest.recorded_by, manifest.checksums_at)
    return Verification(
        level=level,
        system_name=archive.system_name,
        archive=archive.archive,
        files=len(archive.files),
        size_bytes=archive.size_bytes,
        compared=compared,
        unpacked=tuple(name for name in names if contents[name].is_gzip and not contents[name].damage),
        not_unpacked=tuple(name for name in names if not contents[name].is_gzip),
        manifest=dates,
    )
