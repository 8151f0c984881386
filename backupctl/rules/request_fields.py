"""Check the plain fields of a backup request: location user, comment, parts, job id."""

import re
from collections.abc import Iterable

from backupctl.errors import UsageError
from backupctl.rules.plain_text import check_not_an_option, check_printable


def parse_location_user(user: str) -> str:
    """Return a location user without blanks around it. Raises UsageError: if it cannot be sent."""
    user = user.strip()
    if not user:
        raise UsageError("the location user is empty", hint="omit it if the location needs no login")
    check_printable(user, "the location user")
    check_not_an_option(user, "the location user")
    return user


def parse_comment(comment: str) -> str:
    """Return a comment. Raises UsageError: unless it is one line of text; the API documents no maximum length."""
    check_printable(comment, "the comment")
    return comment


def check_parts(parts: Iterable[str]) -> tuple[str, ...]:
    """Return each part once, in the given order.

    Only the form is checked, as the appliance decides which parts exist; documented ids are ``common`` and ``seat``.

    Raises UsageError: for a name that cannot be the id of a part.
    """
    unique = tuple(dict.fromkeys(parts))
    for part in unique:
        if not part:
            raise UsageError("the part name is empty", hint="`backupctl parts` lists the parts")
        check_not_an_option(part, "a part name")
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", part):
            raise UsageError(f"invalid part name {part!r}", hint="give each part separately, such as common")
    return unique


def check_job_id(job_id: str) -> None:
    """Raise UsageError unless ``job_id`` can be one segment of a URL's path.

    Ids look like ``20180223-204306-7312210``; all unreserved characters of RFC 3986 are accepted.
    """
    if not job_id:
        raise UsageError("missing JOB_ID", hint="`backupctl list` shows the ids")
    check_not_an_option(job_id, "a job id")
    if not re.fullmatch(r"[A-Za-z0-9._~:-]+", job_id) or not job_id.strip("."):
        raise UsageError(f"invalid job id {job_id!r}", hint="use an id such as 20180223-204306-7312210, or latest")


def parse_system(name: str) -> str:
    """Return the name of an appliance's folder at a location. Raises UsageError: if it is no name of a folder."""
    name = name.strip()
    if not name.removeprefix("sn_") or name in {".", ".."} or "/" in name:
        raise UsageError(f"invalid system {name!r}", hint="use the name of its folder, such as sn_vc01.example.com")
    check_printable(name, "the system")
    return name
