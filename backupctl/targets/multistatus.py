"""The answers to PROPFIND: multistatus documents (RFC 4918, 13)."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from backupctl.targets.target import EntryKind, TargetPath

_MAX_BYTES: Final = 4 * 1024 * 1024
"""Limit of a document: some 10,000 entries, or 180 MiB of memory for the shortest elements."""


class Resource(NamedTuple):
    """A file or folder of a multistatus document; ``path`` is None if the address ``href`` is unusable."""

    href: str
    path: TargetPath | None
    kind: EntryKind
    size: int | None


def read_multistatus(chunks: Iterable[bytes]) -> tuple[Resource, ...]:
    """Return the resources of a document. Raises SyntaxError, LookupError or ValueError: for an invalid one."""
    parser, left = ET.XMLParser(target=_WithoutDtd()), _MAX_BYTES  # noqa: S314 - entities need a DTD
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise ValueError("it is too large")
        parser.feed(chunk)
    return tuple(map(_resource, parser.close().iterfind("{DAV:}response")))


class _WithoutDtd(ET.TreeBuilder):
    def doctype(self, *_: object) -> None:
        raise ValueError("it has a DTD")


def _resource(response: ET.Element) -> Resource:
    """Return a resource; where its type cannot be read, its kind is ``other``."""
    href = response.findtext("{DAV:}href", "").strip()
    found = [each for each in response.iterfind("{DAV:}propstat") if _has_values(each)]
    types = [each for stat in found for each in stat.iterfind("{DAV:}prop/{DAV:}resourcetype")]
    if any(each.find("{DAV:}collection") is not None for each in types):
        return Resource(href, _path(href), "folder", None)
    sizes = [stat.findtext("{DAV:}prop/{DAV:}getcontentlength", "").strip() for stat in found]
    size = next((int(text) for text in sizes if re.fullmatch("[0-9]{1,18}", text)), None)
    return Resource(href, _path(href), "file" if types else "other", size)


def _has_values(propstat: ET.Element) -> bool:
    """Return whether the status, such as ``HTTP/1.1 200 OK``, says that the properties have their values."""
    return propstat.findtext("{DAV:}status", "").split()[1:2] == ["200"]


def _path(href: str) -> TargetPath | None:
    """Return the names of an absolute path or URL, decoded once; its host may be the one behind a proxy."""
    try:
        parts = urlsplit(href)
        names = tuple(unquote(name, errors="strict") for name in parts.path.split("/") if name)
    except ValueError:
        return None
    is_path = parts.path.startswith("/") and not parts.query and not parts.fragment
    return names if is_path and href.isprintable() else None
