"""The secrets that the program may need, apart from how they are found, as the help of a command needs only these."""

from typing import Final


class SecretName:
    """A secret that the program may need, with what it is called in each place."""

    def __init__(self, name: str, meaning: str) -> None:
        self.name = name
        self.meaning = meaning

    @property
    def file_option(self) -> str:
        """Return ``--NAME-file``."""
        return f"--{self.name}-file"

    @property
    def command_option(self) -> str:
        """Return ``--NAME-command``."""
        return f"--{self.name}-command"

    @property
    def variable(self) -> str:
        """Return the environment variable that holds the secret itself."""
        return f"BACKUPCTL_{self.name.replace('-', '_').upper()}"

    @property
    def environment_names(self) -> tuple[str, str, str]:
        """Return the variables for the secret, for the name of its file, and for a command that prints it."""
        return self.variable, f"{self.variable}_FILE", f"{self.variable}_COMMAND"


PASSWORD: Final = SecretName("password", "the password of the user who logs in")
LOCATION_PASSWORD: Final = SecretName("location-password", "the password of the location user")
BACKUP_PASSWORD: Final = SecretName("backup-password", "the password that encrypts the backup")
SECRETS: Final = (PASSWORD, LOCATION_PASSWORD, BACKUP_PASSWORD)
