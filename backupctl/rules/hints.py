"""Known failures of a backup: the appliance's message, its cause, and what to do.

The messages are from job messages and ``/var/log/vmware/applmgmt/backup.log`` in public reports; numbers are
articles of the Broadcom knowledge base (https://knowledge.broadcom.com/external/article/NUMBER).
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec


class KnownFailure(msgspec.Struct, frozen=True):
    """A known failure: ``pattern`` is searched for in the messages, ignoring case; ``articles`` are KB numbers.

    ``percent`` limits it to jobs that failed at this progress.
    """

    pattern: str
    cause: str
    remedy: str
    articles: tuple[str, ...] = ()
    percent: int | None = None

    @property
    def reason(self) -> str:
        """The cause with its articles."""
        numbers = ", ".join(f"KB {article}" for article in self.articles)
        return f"{self.cause} ({numbers})" if numbers else self.cause


KNOWN_FAILURES: Final = (
    KnownFailure(
        r"Full backup not allowed during VM snapshot|backupMarker\.txt",
        "an interrupted backup, a snapshot or a migration left a stale marker file",
        "remove the empty file /etc/vmware/backupMarker.txt on the appliance, then start the backup again",
        ("344841",),
    ),
    KnownFailure(
        r"No space left on device|tar: Cannot write: Broken pipe",
        "the backup location is full, or its quota or inodes are used up",
        "free about twice the used space of the appliance there, oldest backups first",
        ("430761",),
    ),
    KnownFailure(
        r"component vum\b|curl: \(79\)|BrokenPipeError",
        "an interrupted job left the Update Manager state broken",
        "reset its database, move backup-history.json and backup_schedule.json away, restart "
        "applmgmt, then recreate the schedule",
        ("380876",),
    ),
    KnownFailure(
        r"backup-metadata\.json",
        "the location holds metadata from before a migration or an address change",
        "rename the stale backup-metadata.json there",
        ("441880",),
    ),
    KnownFailure(
        r"Db health is (?:UNHEALTHY|DEGRADED)|getDbHealthStatus|/usr/bin/dbcc",
        "the database health check failed; after an upgrade, it may not know the new schema yet",
        "run /usr/bin/dbcc -fbss embedded on the appliance, or turn off the check in its health settings",
        ("86084",),
    ),
    KnownFailure(
        r"WAL directory structure|Underlying process status\. rc:255|Process returncode is 120",
        "the process that sends the database log crashed",
        "restart the service on the appliance: service-control --restart applmgmt",
    ),
    KnownFailure(
        r"ConfigFiles backup|UnicodeEncodeError",
        "vCenter cannot read its configuration files, for example with a content library on an SMB share (6.5U1)",
        "unmount the share (a size of 0 MB for part common has the same cause)",
    ),
    KnownFailure(
        r"Path not exported by the remote filesystem|Failed to mount",
        "vCenter cannot mount the share",
        "check the path (case matters) and the export list of the server",
    ),
    KnownFailure(
        r"Invalid Credentials|Access to the remote server is denied|Permission denied|Login denied",
        "the backup server rejected the location user",
        "check the location user, its password and whether the password has expired",
    ),
    KnownFailure(
        r"no matching host key type",
        "the SSH server and the appliance have no host key algorithms in common",
        "enable rsa-sha2-512 and rsa-sha2-256 in HostKeyAlgorithms of its sshd_config, and add an ECDSA host key, "
        "which VCF 9 requires",
        ("437603", "441702"),
    ),
    KnownFailure(
        r"algorithm negotiation fail|no matching (?:key exchange method|cipher|MAC)|key exchange",
        "the SSH server and the appliance have no key exchange, cipher or MAC algorithms in common",
        "in its sshd_config, enable KexAlgorithms, Ciphers and MACs that the appliance supports; add an ECDSA host "
        "key, which VCF 9 requires",
        ("425273", "437603"),
    ),
    KnownFailure(
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|reject HostKey",
        "the SSH host key of the backup server has changed",
        "check that it is the right server; if its key was replaced, run ssh-keygen -R HOST on the appliance",
    ),
    KnownFailure(
        r"Error in the SSH layer",
        "the SSH connection to the backup server failed",
        "check its host key and algorithms; use SCP with 6.5 and 6.7, SFTP with 7.0 and later",
    ),
    KnownFailure(
        r"Unable to resolve host|Could not resolve host",
        "the appliance cannot resolve the name of the backup server",
        "check the DNS settings of the appliance, or use the IP address of the server",
    ),
    KnownFailure(
        r"BackupManager encountered an exception",
        "failing at 10 % often means a stale marker file",
        "read /var/log/vmware/applmgmt/backup.log on the appliance; if it shows no other reason, remove "
        "/etc/vmware/backupMarker.txt there",
        ("344841",),
        percent=10,
    ),
    KnownFailure(
        r"BackupManager encountered an exception",
        "the appliance does not say why",
        "look for the reason in /var/log/vmware/applmgmt/backup.log on the appliance",
    ),
)
"""Specific ones first, as the first match is shown.

SSH: https://knowledge.broadcom.com/external/article/441702 and 425273 are about SDDC Manager, which takes the same
backup servers; 437603 says that VCF 9 requires ECDSA host keys.
"""


def known_failure(texts: Iterable[str], percent: int | None = None) -> KnownFailure | None:
    """Return the known failure that fits the messages of a job that failed at ``percent``."""
    said = "\n".join(texts)
    for known in KNOWN_FAILURES:
        if known.percent in {None, percent} and re.search(known.pattern, said, re.IGNORECASE):
            return known
    return None
