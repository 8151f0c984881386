"""Parse the listings of FTP servers, in the forms of Unix and Windows.

No standard defines LIST: servers print what ``ls -l`` or ``dir`` does. A line that cannot be parsed becomes an entry of
the kind ``other``, so that nothing is hidden.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from backupctl.targets.target import TargetEntry, target_entry

_KINDS: Final[dict[str, Literal["file", "folder", "other"]]] = {
    "-": "file",
    "d": "folder",
    "<dir>": "folder",
}
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)"
_TIME: Final = r"\d{1,2}:\d\d"
_UNIX: Final = (
    r"(?P<mark>[-a-z])[-a-z]{9}[+.@]? .*?(?<= )(?P<size>\d+) +"
    rf"(?:(?:\d{{4}}-)?\d\d-\d\d +{_TIME}(?::\d\d(?:\.\d+)?(?: [-+]\d{{4}})?)?"
    rf"|(?:{_MONTH} +\d{{1,2}}|\d{{1,2}} +{_MONTH}) +(?:{_TIME}(?::\d\d(?: +\d{{4}})?)?|\d{{4}})) (?P<name>.+)"
)
"""``-rw-r--r-- 1 ftp ftp 1024 Mar  1 02:00 name``, also with ``1 Mar 2026`` and ``2026-03-01 02:00``."""
_WINDOWS: Final = (
    rf"(?:\d\d|\d{{4}})[-./]\d\d[-./](?:\d\d|\d{{4}}) +{_TIME}(?: ?[AP]M)? +"
    r"(?:(?P<mark><[A-Z]+>) {1,10}|(?P<size>[\d.,]+) )(?P<name>.+)"
)
"""``03-01-26  02:00AM       <DIR>          name``, with the size of a file instead of ``<DIR>``."""
_FORMS: Final = [re.compile(form, re.IGNORECASE) for form in (_UNIX, _WINDOWS)]
_TOTAL: Final = re.compile(r"[^\W\d]+:? +[\d.,]+[KMGT]?", re.IGNORECASE)
"""The first line of ``ls -l``, in any language: ``total 12``."""


def parse_list(lines: Iterable[str]) -> Iterator[TargetEntry]:
    """Yield the entries of an answer to LIST, given without line ends."""
    for number, line in enumerate(lines):
        if line and not (number == 0 and _TOTAL.fullmatch(line)):
            found = next(filter(None, (form.fullmatch(line) for form in _FORMS)), None)
            yield from _entry(line, **found.groupdict() if found else {})


def _entry(line: str, name: str = "", mark: str | None = "", size: str | None = None) -> Iterator[TargetEntry]:
    """Yield the entry of a line, none for ``.`` and ``..``. Windows has no mark for a file.

    Without a name, the line was not parsed.
    """
    kind = _KINDS.get("-" if mark is None else mark.lower(), "other") if name else "other"
    digits = re.sub("[.,]", "", size or "")
    is_size = kind == "file" and re.fullmatch("[0-9]{1,19}", digits)
    name = name.partition(" -> ")[0] if mark == "l" else name
    if name not in {".", ".."}:
        yield target_entry(name or line, kind, int(digits) if is_size else None)
