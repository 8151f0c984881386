"""Verify an archive at a location from this host, at one of three levels; none proves that it can be restored.

``present``: its folder, files and metadata are as they should be. ``unchanged``: it is as its manifest says.
``readable``: its gzip files can be decompressed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from backupctl.clock import Clock
from backupctl.errors import BackupctlError, NotFoundError
from backupctl.formatting import plural, size, timestamp
from backupctl.operations.find_archive import started_archives
from backupctl.operations.outcome import Outcome
from backupctl.operations.target_archives import METADATA, read_archive
from backupctl.operations.target_connections import CALL_SECONDS, TargetConnections
from backupctl.results.target_archive import ArchiveFile, TargetArchive
from backupctl.results.verification_results import (
    PRESENT,
    READABLE,
    UNCHANGED,
    Manifest,
    Verification,
    VerificationResult,
)
from backupctl.rules.file_content import Content, read_content
from backupctl.scheduler.retry import Backoff
from backupctl.scheduler.task import Task, Wait
from backupctl.state.manifests import Manifests
from backupctl.targets.access import TargetAccess
from backupctl.targets.target import Target, TargetPath
from backupctl.targets.target_errors import TargetAnswerError, VerifyFailedError

Find = Callable[[Target], TargetPath]
"""Returns the folder of the archive to verify."""

_EARLIER: Final = 3
"""How many earlier archives show what is usual."""

_LOOK_SECONDS: Final = 5.0
_MIN_BYTES_PER_SECOND: Final = 100_000

_NOT_RESTORED: Final = "whether it can be restored: only `backupctl restore validate` can say more"


class Verifier(msgspec.Struct, frozen=True):
    """How to verify; ``command`` is the one that records manifests."""

    connections: TargetConnections
    manifests: Manifests
    clock: Clock
    level: str
    command: str


def verify_archive(
    verifier: Verifier, access: TargetAccess, find: Find, *, encrypted: bool | None = None, patience: float = 0.0
) -> Task[Outcome[VerificationResult]]:
    """Return what is known about an archive; damage is the error of the outcome.

    One that is missing or incomplete is looked up again for ``patience`` seconds. The first success records a manifest.

    Raises NotFoundError: if it is missing, or its manifest at the level ``unchanged``. Raises what ``find`` raises.
    """
    path, archive, warnings = yield from _look(verifier, access, find, patience)
    manifest = None if verifier.level == PRESENT else verifier.manifests.read(path[-2], path[-1])
    if verifier.level == UNCHANGED and manifest is None and not archive.problems:
        hint = f"record one: verify it with --level {PRESENT}, or with {READABLE} to have checksums"
        raise NotFoundError("archive $1 has no manifest to compare with", texts=(path[-1],), hint=hint)
    if encrypted is None and manifest is not None:
        encrypted = manifest.encrypted
    contents: dict[str, Content] = {}
    if verifier.level == READABLE or (manifest is not None and manifest.has_checksums):
        unpack = verifier.level == READABLE and not encrypted
        for file in archive.files:
            read = partial(_read, path=(*path, file.name), unpack=unpack)
            seconds = CALL_SECONDS + (file.size or 0) / _MIN_BYTES_PER_SECOND
            contents[file.name] = yield from verifier.connections.use(access, read, seconds=seconds)
    must_unpack = verifier.level == READABLE and encrypted is False
    damages = (*archive.problems, *_damages(archive.files, contents, manifest, must_unpack=must_unpack))
    if manifest is None and not damages:
        now, files = verifier.clock.now(), _known(archive.files, contents)
        try:
            verifier.manifests.record(Manifest(path[-2], path[-1], now, verifier.command, encrypted, files))
        except (OSError, BackupctlError) as error:
            warnings += (f"its manifest was not recorded: {error}",)
    found = _verification(verifier.level, archive, contents, manifest)
    found = replace(found, proved=() if damages else found.proved, damages=damages, warnings=warnings)
    result = VerificationResult(verification=found)
    if not damages:
        return Outcome(result, None)
    unfinished = archive.state == "unfinished"
    texts, hint = (path[-1], "unfinished" if unfinished else "damaged"), "a running backup has an unfinished archive"
    failure = VerifyFailedError("archive $1 is $2", texts=texts, details=damages, hint=hint if unfinished else None)
    return Outcome(result, failure)


def _look(
    verifier: Verifier, access: TargetAccess, find: Find, patience: float
) -> Task[tuple[TargetPath, TargetArchive, tuple[str, ...]]]:
    """Return the folder of an archive, the archive, and what is unusual about it."""

    def look(target: Target) -> tuple[TargetPath, TargetArchive, tuple[str, ...]]:
        path = find(target)
        archive = read_archive(target, access.location, path)
        return path, archive, tuple(_unusual(target, access, path, archive))

    backoff, until = Backoff(_LOOK_SECONDS), verifier.clock.monotonic() + patience
    while True:
        again = verifier.clock.monotonic() + backoff.next_seconds()
        try:
            found = yield from verifier.connections.use(access, look)
            if not found[1].problems or again > until:
                return found
        except (NotFoundError, VerifyFailedError):
            if again > until:
                raise
        yield Wait(again)


def _unusual(target: Target, access: TargetAccess, path: TargetPath, archive: TargetArchive) -> Iterator[str]:
    """Yield how an archive differs from earlier ones of its kind, which may have had other parts."""
    names = [name for _, name in started_archives(target, path[:-1]) if name[0] == archive.kind]
    earlier = []
    for name in names[: names.index(path[-1])][-_EARLIER:] if path[-1] in names else ():
        with suppress(NotFoundError, TargetAnswerError):
            earlier.append(read_archive(target, access.location, (*path[:-1], name)))
    complete = [each for each in earlier if each.state == "complete"]
    if complete and archive.state == "complete":
        usual = set.intersection(*({file.name for file in each.files} for each in complete))
        if missing := usual - {file.name for file in archive.files}:
            yield f"earlier archives also have {', '.join(sorted(missing))}"
        least = min(each.size_bytes or 0 for each in complete)
        if archive.size_bytes is not None and archive.size_bytes < least / 2:
            yield f"it has {size(archive.size_bytes)}, earlier archives at least {size(least)}"


def _read(target: Target, *, path: TargetPath, unpack: bool) -> Content:
    with closing(target.open_read(path)) as chunks:
        return read_content(chunks, unpack=unpack)


def _known(files: Sequence[ArchiveFile], contents: Mapping[str, Content]) -> tuple[ArchiveFile, ...]:
    """Return the files with what reading them has shown."""
    read = tuple(ArchiveFile(name, each.size, each.sha256) for name, each in contents.items())
    return read or tuple(files)


def _damages(
    files: Sequence[ArchiveFile], contents: Mapping[str, Content], manifest: Manifest | None, *, must_unpack: bool
) -> Iterator[str]:
    """Yield the damages of files, and how they differ from the manifest; ``must_unpack``: a .gz file must be gzip."""
    for file in files:
        content = contents.get(file.name)
        if content is not None and file.size not in {None, content.size}:
            yield f"{file.name} has {file.size} bytes, of which {content.size} can be read"
        elif content is not None and content.damage:
            yield f"{file.name}: {content.damage}"
        elif content is not None and must_unpack and file.name.endswith(".gz") and not content.is_gzip:
            yield f"{file.name} does not begin as gzip data"
    before = {each.name: each for each in manifest.files} if manifest is not None else {}
    now = {each.name: each for each in _known(files, contents)} if manifest is not None else {}
    yield from (f"{name} is missing" for name in before if name not in now)
    yield from (f"{name} was added" for name in now if name not in before)
    for old, new in ((before[name], now[name]) for name in before if name in now):
        if old.size != new.size and None not in {old.size, new.size}:
            yield f"{new.name} has {new.size} bytes, not {old.size} as before"
        elif old.sha256 and new.sha256 and old.sha256 != new.sha256:
            yield f"{new.name} has other content than before"


def _verification(
    level: str, archive: TargetArchive, contents: Mapping[str, Content], manifest: Manifest | None
) -> Verification:
    """Return what an archive without damage proves at a level, and what it does not."""
    proved = [f"{plural(len(archive.files), 'file')} ({size(archive.size_bytes or 0)}), none empty, valid metadata"]
    not_proved = [] if contents else ["whether its contents are whole: they were not read"]
    compared = manifest is not None and manifest.has_checksums
    if manifest is not None:
        what = "names, sizes and contents" if compared else "names and sizes"
        how = "after the backup" if manifest.recorded_by == "create" else "when it was verified first"
        proved.append(f"{what} are as in the manifest of {timestamp(manifest.recorded_at)}, recorded {how}")
    if level != PRESENT and not compared:
        why = "it had no manifest" if manifest is None else "its manifest has no checksums"
        not_proved.append(f"whether its contents have changed: {why}")
    if level == READABLE:
        unread = [name for name, each in contents.items() if not each.is_gzip and name != METADATA]
        unpacked = sum(each.is_gzip for each in contents.values())
        proved += [f"{plural(unpacked, 'gzip file')} can be decompressed to the end"] if unpacked else []
        not_proved += [f"not checked: {', '.join(unread)} (encrypted or not gzip)"] if unread else []
    return Verification(
        level=level,
        archive=archive.archive,
        proved=tuple(proved),
        not_proved=(*not_proved, _NOT_RESTORED),
        files=len(archive.files),
        size_bytes=archive.size_bytes,
        manifest=manifest.recorded_at if manifest is not None else None,
    )
