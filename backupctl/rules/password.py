"""The rule that the appliance sets for a backup password, so that a bad one is refused before the backup starts.

Source: vSphere Automation API, appliance/recovery/backup/job, BackupRequest.backup_password; the text is the same in
every release from 6.5 to 9.1.
"""

import re
from typing import Final

from backupctl.errors import UsageError
from backupctl.secrets.secret import Secret

SHORTEST: Final = 8
LONGEST: Final = 20

RULE_IN_WORDS: Final = (
    f"{SHORTEST} to {LONGEST} visible ASCII characters (no space), with at least one upper-case letter, "
    "one lower-case letter, one digit and one special character"
)

_VISIBLE: Final = "[!-~]"
_NEEDED: Final = (
    ("[A-Z]", "it needs an upper-case letter (A-Z)"),
    ("[a-z]", "it needs a lower-case letter (a-z)"),
    ("[0-9]", "it needs a digit (0-9)"),
    (f"(?![0-9A-Za-z]){_VISIBLE}", "it needs a special character (visible ASCII, no letter and no digit)"),
)


def broken_password_rules(secret: Secret) -> tuple[str, ...]:
    """Return every rule that ``secret`` breaks, in words that say nothing about its characters; empty if it is good."""
    text = secret.reveal()
    broken = []
    if len(text) < SHORTEST:
        broken.append(f"it is shorter than {SHORTEST} characters")
    if len(text) > LONGEST:
        broken.append(f"it is longer than {LONGEST} characters")
    broken += [rule for pattern, rule in _NEEDED if not re.search(pattern, text)]
    if not re.fullmatch(f"{_VISIBLE}*", text):
        broken.append("it may hold visible ASCII characters only (no space, no umlaut, no control character)")
    return tuple(broken)


def check_backup_password(secret: Secret) -> None:
    """Raise UsageError, with every broken rule in its details, unless the appliance would take ``secret``."""
    if not secret:
        raise UsageError("the backup password is empty", hint="leave it out for a backup without encryption")
    broken = broken_password_rules(secret)
    if broken:
        raise UsageError(
            "the backup password breaks the rules of the appliance", hint=f"use {RULE_IN_WORDS}", details=broken
        )
