"""Check the backup password by the appliance's rule before a backup starts.

Source: vSphere Automation API, appliance/recovery/backup/job, BackupRequest.backup_password; the text is the same in
every release from 6.5 to 9.1.
"""

import re
from typing import Final

from backupctl.errors import UsageError
from backupctl.secrets.secret import Secret

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 20

RULE_IN_WORDS: Final = (
    f"{MIN_LENGTH} to {MAX_LENGTH} ASCII characters without spaces, with at least one "
    "upper-case letter, one lower-case letter, one digit and one special character"
)

_VISIBLE: Final = "[!-~]"
_NEEDED: Final = (
    ("[A-Z]", "it needs an upper-case letter (A-Z)"),
    ("[a-z]", "it needs a lower-case letter (a-z)"),
    ("[0-9]", "it needs a digit (0-9)"),
    (f"(?![0-9A-Za-z]){_VISIBLE}", "it needs a special character, such as ! or #"),
)


def password_problems(secret: Secret) -> tuple[str, ...]:
    """Return a line for each requirement that the password does not meet; no line shows any of its characters."""
    text = secret.reveal()
    problems = []
    if len(text) < MIN_LENGTH:
        problems.append(f"it is shorter than {MIN_LENGTH} characters")
    if len(text) > MAX_LENGTH:
        problems.append(f"it is longer than {MAX_LENGTH} characters")
    problems += [rule for pattern, rule in _NEEDED if not re.search(pattern, text)]
    if not re.fullmatch(f"{_VISIBLE}*", text):
        problems.append("it may contain only ASCII letters, digits and symbols (no spaces, no accents)")
    return tuple(problems)


def check_backup_password(secret: Secret) -> None:
    """Raise UsageError, with each unmet requirement in its details, for a password that the appliance would reject."""
    if not secret:
        raise UsageError("the backup password is empty", hint="omit it for no encryption")
    problems = password_problems(secret)
    if problems:
        raise UsageError(
            "the backup password does not meet vCenter's requirements", hint=f"use {RULE_IN_WORDS}", details=problems
        )
