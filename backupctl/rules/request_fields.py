"""The smaller fields of a backup request and the job id; the location and the passwords have modules of their own."""

import re
from collections.abc import Iterable

from backupctl.errors import UsageError
from backupctl.rules.plain_text import check_no_option, check_plain


def check_location_user(user: str) -> None:
    """Raise UsageError unless ``user`` can be sent as the user name for the backup location."""
    if not user:
        raise UsageError("the location user is empty", hint="leave it out for a location without authentication")
    check_plain(user, "the location user")
    check_no_option(user, "the location user")


def check_comment(comment: str) -> None:
    """Raise UsageError unless ``comment`` is one line of text; the API documents no limit of its length."""
    check_plain(comment, "the comment")


def check_parts(parts: Iterable[str]) -> tuple[str, ...]:
    """Return the parts in their order, each once; raise UsageError for a name that cannot be the id of a part.

    Which parts exist is the appliance's to say; its documented ids are such as ``common`` and ``seat``.
    """
    unique = tuple(dict.fromkeys(parts))
    for part in unique:
        if not part:
            raise UsageError("a part has no name", hint="backupctl parts lists what can be backed up")
        check_no_option(part, "the name of a part")
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", part):
            raise UsageError(f"{part!r} is no name of a part", hint="name each part by itself, such as common")
    return unique


def check_job_id(job_id: str) -> None:
    """Raise UsageError unless ``job_id`` can stand as one segment of a URL's path.

    Ids look like ``20180223-204306-7312210``; any other made of the unreserved characters of RFC 3986 is let through.
    """
    if not job_id:
        raise UsageError("the job id is empty", hint="backupctl list shows the ids")
    check_no_option(job_id, "a job id")
    if not re.fullmatch(r"[A-Za-z0-9._~:-]+", job_id) or not job_id.strip("."):
        raise UsageError(f"{job_id!r} is no job id", hint="an id looks like 20180223-204306-7312210; or write latest")
