"""The location types; a module of its own, as the help of a command needs nothing else about locations."""

from typing import Final

LOCATION_TYPES: Final = ("FTP", "HTTP", "FTPS", "HTTPS", "SCP", "SFTP", "NFS", "SMB")
"""All types up to release 9.1; an explicit type may be any other, as newer releases may have more."""

IN_CLEAR: Final = frozenset({"FTP", "HTTP"})
"""Types that send user and password unencrypted."""
