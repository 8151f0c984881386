"""Read the archives at a location from this host; these functions block, so ``TargetConnections`` calls them.

The level ``vCenter/`` above the systems may be missing. 6.5 writes straight into the location, without a folder for
each backup. Source: folder listings in VMware Cloud Foundation's documentation and in public scripts.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from backupctl.errors import NotFoundError
from backupctl.formatting import size
from backupctl.location import Location
from backupctl.models import ArchiveFilter
from backupctl.results.target_archive import ArchiveFile, TargetArchive
from backupctl.rules.archive_name import SYSTEM_PREFIX, ArchiveName, parse_archive_name, system_folder
from backupctl.state.manifests import Manifest
from backupctl.targets.target import Target, TargetEntry, TargetPath, read_small
from backupctl.targets.target_errors import TargetAnswerError

METADATA: Final = "backup-metadata.json"

_MAX_METADATA_BYTES: Final = 1024 * 1024
_PARENTS: Final[tuple[TargetPath, ...]] = (("vCenter",), ())
"""The folders, below the location, that may hold the folders of systems."""


class FoundArchives(msgspec.Struct, frozen=True):
    """Archives, newest first, and how many other entries there are beside them."""

    archives: tuple[TargetArchive, ...]
    others: int


def find_systems(target: Target) -> tuple[TargetPath, ...]:
    """Return the folders of the systems at a location, by name. Raises NotFoundError: if it has no system."""
    systems = list_systems(target)
    if not systems:
        is_system = any(parse_archive_name(each.name) for each in target.list(()))
        hint = "this is the folder of one appliance; give the location above it" if is_system else None
        raise NotFoundError("no backups at the location", hint=hint)
    return systems


def list_systems(target: Target) -> tuple[TargetPath, ...]:
    """Return the folders of the systems, perhaps none. Raises NotFoundError: if the location is missing."""
    found: dict[str, TargetPath] = {}
    top = target.list(())
    for parent in _PARENTS:
        inner = top if not parent else _list(target, parent) if _has_folder(top, parent[0]) else ()
        for each in inner:
            if each.kind == "folder" and each.name.startswith(SYSTEM_PREFIX):
                found.setdefault(each.name, (*parent, each.name))
    return tuple(found[name] for name in sorted(found))


def find_system(target: Target, name: str) -> TargetPath:
    """Return the folder of a system; its name is compared without case, as host names are.

    Raises NotFoundError: if it is missing; its details name the systems that are there.
    """
    wanted, top = system_folder(name), target.list(())
    for parent in _PARENTS:
        if not parent or _has_folder(top, parent[0]):  # a link is not followed
            with suppress(NotFoundError):
                found = target.stat((*parent, wanted))
                if found.kind == "folder":
                    return (*parent, found.name)  # without the listing of a thousand systems
    systems = find_systems(target)
    exact = [path for path in systems if path[-1] == wanted]
    matching = exact or [path for path in systems if path[-1].lower() == wanted.lower()]
    if len(matching) == 1:
        return matching[0]
    raise NotFoundError(
        "no backups of $1 at the location",
        texts=(wanted,),
        details=[f"{path[-1]}" for path in systems[:_MAX_NAMED]],
        hint="give one of these with $--system, or set system in the table of the server",
    )


_MAX_NAMED: Final = 20


def list_archives(
    target: Target, location: Location, system: str | None, selection: ArchiveFilter, kinds: str = "MS"
) -> FoundArchives:
    """Return the archives of a system, or of all, of these ``kinds``.

    Raises NotFoundError: if the system or the location is missing.
    """
    systems = find_systems(target) if system is None else [find_system(target, system)]
    entries = [(system, each) for system in systems for each in target.list(system)]
    named = [
        ((*system, each.name), name)
        for system, each in entries
        if each.kind == "folder" and (name := parse_archive_name(each.name)) is not None
    ]
    selected = [each for each in named if each[1].kind in kinds and _is_selected(each[1], selection)]
    selected.sort(key=lambda each: (each[1].start_time, each[0][-1]), reverse=True)
    # Only these are looked into: each takes six round trips with SFTP.
    found = (_examine(target, location, path, name) for path, name in selected[: selection.max_results])
    return FoundArchives(tuple(found), len(entries) - len(named))


def _is_selected(name: ArchiveName, selection: ArchiveFilter) -> bool:
    since, until = selection.start_timestamp or name.start_time, selection.end_timestamp or name.start_time
    return since <= name.start_time <= until and (selection.comment_substring or "") in name.comment


def read_archive(target: Target, location: Location, path: TargetPath) -> TargetArchive:
    """Return one archive. Raises NotFoundError: if it does not exist, or its name is not that of an archive."""
    name = parse_archive_name(path[-1])
    if name is None or not _has_folder(target.list(path[:-1]), path[-1]):
        raise NotFoundError("archive $1 not found at the location", texts=(path[-1],))
    return _examine(target, location, path, name)


def _examine(target: Target, location: Location, path: TargetPath, name: ArchiveName) -> TargetArchive:
    entries = sorted(target.list(path), key=lambda each: each.name)
    files = tuple(ArchiveFile(each.name, each.size) for each in entries if each.kind == "file")
    has_metadata = any(file.name == METADATA for file in files)
    surprises = [f"{each.name} is not a file" for each in entries if each.kind != "file"]
    surprises += [f"{file.name} is not named {METADATA}" for file in files if _is_renamed_metadata(file.name)]
    surprises += [f"no file beside {METADATA}"] if has_metadata and len(entries) == 1 else []
    problems = list(surprises)
    problems += [f"{file.name} is empty" for file in files if file.size == 0]
    problems += _metadata_problems(target, path) if has_metadata else [f"{METADATA} is missing"]
    sizes = [file.size for file in files if file.size is not None]
    return TargetArchive(
        archive=path[-1],
        system_name=path[-2],
        kind="M" if name.kind == "M" else "S",
        version=name.version,
        start_time=name.start_time,
        comment=name.comment,
        location=archive_location(location, path),
        complete=not problems,
        state="damaged" if surprises or (problems and has_metadata) else "unfinished" if problems else "complete",
        problems=tuple(problems),
        size_bytes=sum(sizes) if len(sizes) == len(files) else None,
        files=files,
    )


def _is_renamed_metadata(name: str) -> bool:
    return name != METADATA and name.casefold() == METADATA


USUAL: Final = 5
"""How many earlier archives show what is usual."""


def unusual(archive: TargetArchive, others: Sequence[TargetArchive]) -> tuple[str, ...]:
    """Return how a complete archive differs from earlier ones of its kind, which may have had other parts.

    ``others`` are the newest first.
    """
    earlier = [each for each in others if each.start_time < archive.start_time and each.kind == archive.kind]
    usual = [each for each in earlier if each.complete][:USUAL]
    if not usual or not archive.complete:
        return ()
    names = set.intersection(*({file.name for file in each.files} for each in usual))
    missing = sorted(names - {file.name for file in archive.files})
    found = [f"{name} is missing; earlier archives have it" for name in missing]
    least = min(each.size_bytes or 0 for each in usual)
    if archive.size_bytes is not None and archive.size_bytes < least / 2:
        found.append(f"it has {size(archive.size_bytes)}, earlier archives at least {size(least)}")
    return tuple(found)


def compare(archive: TargetArchive, manifest: Manifest | None) -> TargetArchive:
    """Return an archive, as damaged if names or sizes are not those of its manifest."""
    differences = differences_from(manifest, archive.files) if manifest is not None else ()
    problems = tuple(dict.fromkeys((*archive.problems, *differences)))
    return replace(archive, state="damaged", complete=False, problems=problems) if differences else archive


def differences_from(manifest: Manifest, files: Sequence[ArchiveFile]) -> list[str]:
    """Return how files differ from the manifest, as far as both tell."""
    before, now = ({each.name: each for each in those} for those in (manifest.files, files))
    differences = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old is None or new is None:
            differences.append(f"{name} {'is missing' if new is None else 'was added'}")
        elif old.size != new.size and None not in {old.size, new.size}:
            differences.append(f"{name} has {new.size} bytes, not {old.size} as before")
        elif old.sha256 and new.sha256 and old.sha256 != new.sha256:
            differences.append(f"{name} has other content than before")
    return differences


def _metadata_problems(target: Target, path: TargetPath) -> Sequence[str]:
    try:
        content = read_small(target, (*path, METADATA), _MAX_METADATA_BYTES)
    except (NotFoundError, TargetAnswerError) as error:
        return [error.message]
    try:
        is_object = isinstance(msgspec.json.decode(content), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        is_object = False
    return () if is_object else [f"{METADATA} is not valid JSON"]


def archive_location(location: Location, path: TargetPath) -> str:
    """Return the location of an archive, as ``restore`` takes it."""
    return "/".join((location.masked.rstrip("/"), *(quote(name, safe="=+,@~") for name in path)))


def _has_folder(entries: Sequence[TargetEntry], name: str) -> bool:
    return any(each.name == name and each.kind == "folder" for each in entries)


def _list(target: Target, folder: TargetPath) -> Sequence[TargetEntry]:
    try:
        return target.list(folder)
    except NotFoundError:
        return ()
