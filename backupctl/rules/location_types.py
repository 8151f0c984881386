"""The location types, apart from the rules about locations, as the help of a command needs only these."""

from typing import Final

LOCATION_TYPES: Final = ("FTP", "HTTP", "FTPS", "HTTPS", "SCP", "SFTP", "NFS", "SMB")
"""Every type known up to 9.1; a newer release may know more, and so any other is let through where it is given."""

IN_CLEAR: Final = frozenset({"FTP", "HTTP"})
"""Those that show user and password to everybody on the way."""
