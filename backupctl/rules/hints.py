"""Known failures: what the appliance says, what it means, what to do.

The texts are those that admins have seen in job messages and in ``/var/log/vmware/applmgmt/backup.log``; numbers are
articles of the Broadcom knowledge base (https://knowledge.broadcom.com/external/article/NUMBER).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A failure that is known: ``pattern`` finds it in a text, whatever its case; ``article`` is a KB number."""

    pattern: str
    cause: str
    remedy: str
    article: str | None = None

    @property
    def hint(self) -> str:
        """Cause and remedy in one line."""
        return f"{self.cause}; {self.remedy}{f' (KB {self.article})' if self.article else ''}"


KNOWN_FAILURES: Final = (
    KnownFailure(
        r"Full backup not allowed during VM snapshot|backupMarker\.txt",
        "a marker of an interrupted backup, a snapshot or a migration was left behind",
        "remove the empty file /etc/vmware/backupMarker.txt on the appliance",
        "344841",
    ),
    KnownFailure(
        r"No space left on device|tar: Cannot write: Broken pipe",
        "the target is full, or a quota or its inodes are used up",
        "free about twice the used space of the appliance there, the oldest backups first",
        "430761",
    ),
    KnownFailure(
        r"component vum\b|curl: \(79\)|BrokenPipeError",
        "the state of Update Manager is broken since an interrupted job",
        "reset its database, move backup-history.json and backup_schedule.json away, restart applmgmt and recreate "
        "the schedule",
        "380876",
    ),
    KnownFailure(
        r"backup-metadata\.json",
        "metadata of the appliance before a migration or a new address lies at the target",
        "rename the stale backup-metadata.json there",
        "441880",
    ),
    KnownFailure(
        r"Db health is (?:UNHEALTHY|DEGRADED)|getDbHealthStatus|/usr/bin/dbcc",
        "the check of the database's health failed",
        "run /usr/bin/dbcc on the appliance, or switch the check off in its health settings",
    ),
    KnownFailure(
        r"WAL directory structure|Underlying process status\. rc:255|Process returncode is 120",
        "the process that sends the database's log died",
        "restart the service: service-control --restart applmgmt",
    ),
    KnownFailure(
        r"ConfigFiles backup|UnicodeEncodeError",
        "the configuration files cannot be read, as with a content library on an SMB share (6.5U1)",
        "unmount the share; a part `common` of 0 MB is the same sign",
    ),
    KnownFailure(
        r"Path not exported by the remote filesystem|Failed to mount",
        "the share cannot be mounted",
        "check path, upper and lower case, and the export list of the server",
    ),
    KnownFailure(
        r"Invalid Credentials|Access to the remote server is denied|Permission denied|Login denied",
        "the backup server refuses the location user",
        "check the location user, its password and whether that has expired",
    ),
    KnownFailure(
        r"Host key verification failed|key exchange|Error in the SSH layer",
        "the SSH server of the location and the appliance do not agree",
        "check host key and algorithms; 6.x wants SCP, 7.0 and later SFTP",
    ),
    KnownFailure(
        r"Unable to resolve host|Could not resolve host",
        "the appliance cannot resolve the name of the backup server",
        "check the DNS settings of the appliance, or write the address",
    ),
    KnownFailure(
        r"BackupManager encountered an exception",
        "a general message; the reason stands in the log of the appliance",
        "read /var/log/vmware/applmgmt/backup.log there",
    ),
)
"""The more special ones first: the first that fits is told."""


def hint_for(texts: Iterable[str]) -> str | None:
    """Return what is known about the messages of a failed job, None where nothing is."""
    said = "\n".join(texts)
    for known in KNOWN_FAILURES:
        if re.search(known.pattern, said, re.IGNORECASE):
            return known.hint
    return None
